package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
)

// A fixture is a registry with packs, and the environment for processes to reach it.
type fixture struct {
	testing.TB
	reg    *packtest.Registry
	env    []string
	pushed map[string]packtest.Pushed // by repository and tag
	packs  map[ociref.Digest][]byte   // the packs' bytes by manifest digest

	unproven bool // the cache may hold packs without manifest.json, like the Rust client's
}

// newFixture starts a registry. Its env lets packvendor run without a user's own
// environment, and without a go command.
func newFixture(t testing.TB, opts packtest.Options) *fixture {
	t.Helper()
	b := &fixture{TB: t, reg: packtest.StartRegistry(t, opts), pushed: map[string]packtest.Pushed{}, packs: map[ociref.Digest][]byte{}}
	dir := t.TempDir()
	b.env = []string{"HOME=" + dir, "TMPDIR=" + dir, "GORACE=atexit_sleep_ms=1"}
	if !opts.Plain {
		ca, err := b.reg.CAFile(dir)
		b.must(err)
		b.env = append(b.env, "SSL_CERT_FILE="+ca, "SSL_CERT_DIR="+dir)
	}
	return b
}

func (b *fixture) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// push stores a pack whose bytes derive from its repository and version, with the
// version as its tag, and returns its reference by digest.
func (b *fixture) push(repository, version string, size int) string {
	b.Helper()
	data := packtest.Zip(repository, version, size)
	pushed := packtest.MustPush(b, b.reg, repository, version, packtest.Pack(data, repository+".gtpack"))
	b.pushed[repository+":"+version], b.packs[pushed.ManifestDigest] = pushed, data
	return b.reg.Host() + "/" + repository + "@" + string(pushed.ManifestDigest)
}

// command returns packvendor as its own process, in the directory dir.
func (b *fixture) command(dir, cache string, args ...string) *exec.Cmd {
	return b.program("packvendor", dir, cache, args...)
}

// program returns one of programs: this test binary under that name.
func (b *fixture) program(name, dir, cache string, args ...string) *exec.Cmd {
	b.Helper()
	exe, err := os.Executable()
	b.must(err)
	cmd := exec.Command(exe)
	cmd.Args = append([]string{name}, args...)
	cmd.Dir = dir
	cmd.Env = append(slices.Clone(b.env), "GREENTIC_PACK_CACHE_DIR="+cache)
	cmd.Stdout, cmd.Stderr = new(bytes.Buffer), new(bytes.Buffer)
	return cmd
}

// mustRun runs a process that must end with 0.
func (b *fixture) mustRun(cmd *exec.Cmd) {
	b.Helper()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%q: %v\n%s", cmd.Args, err, cmd.Stderr)
	}
}

// here runs packvendor in this process, in the project in dir. It trusts no test
// registry, so it reaches only plain ones, and has no environment.
func here(dir, cache, command string, args ...string) (code int, stderr string) {
	return hereWaiting(waits{}, dir, cache, command, args...)
}

func hereWaiting(wait waits, dir, cache, command string, args ...string) (code int, stderr string) {
	var b bytes.Buffer
	words := append(strings.Fields(command), "--file="+filepath.Join(dir, "packs.toml"), "--cache-dir="+cache)
	code = run(context.Background(), process{
		args: append(words, args...), getenv: func(string) string { return "" },
		stdout: new(bytes.Buffer), stderr: &b, waits: wait,
	})
	return code, b.String()
}

// A tree is a directory's content: its files' bytes by their paths, and "directory" for
// directories.
type tree map[string]string

// readTree reads a directory, which may be missing.
func readTree(t testing.TB, dir string) tree {
	t.Helper()
	found := tree{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			found[name] = "directory"
			return nil
		}
		data, err := os.ReadFile(path)
		found[name] = string(data)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return found
}

// scratch makes a new directory, in memory if possible, since kills lose no written
// bytes. done, or the end of the test, removes it.
func scratch(t testing.TB) (dir string, done func()) {
	t.Helper()
	dir, err := os.MkdirTemp(memory(), "packvendor-test-")
	if err != nil {
		t.Fatal(err)
	}
	done = func() { os.RemoveAll(dir) }
	t.Cleanup(done)
	return dir, done
}

// write makes the tree in an empty directory.
func (tr tree) write(t testing.TB, dir string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(tr)) {
		path := filepath.Join(dir, name)
		var err error
		if tr[name] == "directory" {
			err = os.Mkdir(path, 0o777)
		} else {
			err = os.WriteFile(path, []byte(tr[name]), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// temporaries returns the paths of temporary files, of live or killed processes.
func (tr tree) temporaries() []string {
	var names []string
	for name := range tr {
		if atomicfile.IsTemp(filepath.Base(name)) {
			names = append(names, name)
		}
	}
	return names
}

// finals returns the tree without temporaries and directories.
func (tr tree) finals() tree {
	finals := maps.Clone(tr)
	maps.DeleteFunc(finals, func(name, data string) bool {
		return data == "directory" || atomicfile.IsTemp(filepath.Base(name))
	})
	return finals
}

// differences lists the differences from another tree, a line each.
func (tr tree) differences(from tree) string {
	var b strings.Builder
	names := maps.Clone(tr)
	maps.Copy(names, from)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if tr[name] != from[name] {
			fmt.Fprintf(&b, "%s: %s, not %s\n", name, brief(tr, name), brief(from, name))
		}
	}
	return b.String()
}

func brief(tr tree, name string) string {
	data, ok := tr[name]
	if !ok {
		return "absent"
	}
	return fmt.Sprintf("%d bytes %.20q", len(data), data)
}

// wantCache demands that every pack in the cache, finished or not, is right: an entry
// with its pack has all its proofs.
func (b *fixture) wantCache(what string, cache tree) {
	b.Helper()
	for name, data := range cache.finals() {
		hex, file := filepath.Split(name)
		digest := ociref.Digest("sha256:" + filepath.Clean(hex))
		switch file {
		case "pack.gtpack":
			if data != string(b.packs[digest]) {
				b.Errorf("%s: %s in the cache is not the pack", what, name)
			}
			if !b.unproven && ociref.DigestOf([]byte(cache[hex+"manifest.json"])) != digest {
				b.Errorf("%s: %s in the cache is not proven", what, name)
			}
		case "manifest.json":
			if ociref.DigestOf([]byte(data)) != digest {
				b.Errorf("%s: %s in the cache is not the manifest", what, name)
			}
		case "metadata.json":
			if !strings.HasPrefix(data, "{") || !strings.HasSuffix(data, "}") {
				b.Errorf("%s: %s in the cache is %q", what, name, data)
			}
		}
	}
}

// packsIn counts the packs in a cache.
func packsIn(cache tree) int {
	n := 0
	for name := range cache {
		if filepath.Base(name) == "pack.gtpack" {
			n++
		}
	}
	return n
}

const goMod = "module example.com/app\n\ngo 1.25\n"

// project returns a Go module with a packs.toml of those lines and nothing else.
func (b *fixture) project(packs ...string) tree {
	return tree{"go.mod": goMod, "packs.toml": b.insecure() + "[embed]\npackage = \"app\"\n\n[packs]\n" + strings.Join(append(packs, ""), "\n")}
}

// insecure returns packs.toml's line for a registry without TLS.
func (b *fixture) insecure() string {
	if strings.HasPrefix(b.reg.URL(), "https:") {
		return ""
	}
	return fmt.Sprintf("insecure_registries = [%q]\n\n", b.reg.Host())
}
