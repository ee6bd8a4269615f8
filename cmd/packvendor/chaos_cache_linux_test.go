//go:build amd64 || arm64

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/disk"
)

// restoring is a project without its locked pack, and a cache with it.
func restoring(b *fixture, size int) *killing {
	b.Helper()
	old, cache := b.vendored(b.project(fmt.Sprintf("a = %q", b.push("a", "1.0.0", size))))
	delete(old, "packs/a.gtpack")
	return newKilling(b, old, cache, false)
}

// entry returns the only entry of a cache.
func (k *killing) entry(cache string) string {
	k.Helper()
	return filepath.Join(cache, k.pushed["a:1.0.0"].ManifestDigest.Hex())
}

// In TestFault36_RewrittenInPlace a second program writes the entry like the Rust
// client, without lock or rename, while packvendor reads it offline. It writes a part
// before the run, and the rest during the run, which waits for it, or, every third
// time, after the run.
func TestFault36_RewrittenInPlace(t *testing.T) {
	const runs, pieces = 60, 5
	b := newFixture(t, packtest.Options{Plain: true})
	k := restoring(b, 1_000_000)
	right := k.new["packs/a.gtpack"]
	ends := map[int]int{}
	for n := range runs {
		dir, cache, done := k.begin()
		file, err := os.Create(filepath.Join(k.entry(cache), "pack.gtpack"))
		b.must(err)
		before := n % (pieces + 1) * (len(right) / pieces)
		_, err = file.WriteString(right[:before])
		b.must(err)
		written := make(chan error, 1)
		rest := func() { written <- errors.Join(inPieces(file, right[before:]), file.Close()) }
		wait := waits{}
		if during := n%3 != 0; during {
			go rest()
		} else {
			wait.sleep = func(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }
		}
		code, stderr := hereWaiting(wait, dir, cache, "--offline", "--quiet")
		if n%3 == 0 {
			rest()
		}
		b.must(<-written)
		ends[code]++
		want := 0
		if n%3 == 0 && before < len(right) {
			want = exitIntegrity
		}
		if code != want || code == 0 && stderr != "" {
			t.Errorf("run %d: %d bytes from the start, exit code %d, want %d\n%s", n, before, code, want, stderr)
		}
		if got, ok := readTree(t, dir)["packs/a.gtpack"]; ok != (code == 0) || ok && got != right {
			t.Errorf("run %d: exit code %d and %d bytes", n, code, len(got))
		}
		done()
	}
	t.Logf("%d runs: right bytes in %d, exit code 4 in %d", runs, ends[0], ends[exitIntegrity])
}

// In TestFault64_WrittenInPlace another process writes the entry in place, one step
// each time that packvendor finds it too short. No run calls that corrupt, online or
// offline, with a manifest or, like the Rust client's entry, without.
func TestFault64_WrittenInPlace(t *testing.T) {
	const steps = 5
	b := newFixture(t, packtest.Options{Plain: true})
	k := restoring(b, 1_000_000)
	right := k.new["packs/a.gtpack"]
	for _, test := range []struct {
		name     string
		manifest bool
		args     []string
	}{
		{"online", true, nil},
		{"locked", true, []string{"--locked"}},
		{"frozen", true, []string{"--frozen"}},
		{"frozen, as Rust leaves it", false, []string{"--frozen"}},
		{"online, as Rust leaves it", false, nil},
	} {
		dir, cache, done := k.begin()
		if !test.manifest {
			b.must(os.Remove(filepath.Join(k.entry(cache), "manifest.json")))
		}
		other := newStepwise(b, filepath.Join(k.entry(cache), "pack.gtpack"), right, len(right)/steps+1)
		b.reg.ResetRequests()
		looks := 0
		wait := waits{sleep: func(ctx context.Context, _ time.Duration) error {
			looks++
			other.step()
			return context.Cause(ctx)
		}}
		code, stderr := hereWaiting(wait, dir, cache, "", append(test.args, "--quiet")...)
		if code != 0 || stderr != "" || looks != steps {
			t.Errorf("%s: exit code %d after %d more looks, want %d\n%s", test.name, code, looks, steps, stderr)
		}
		k.wantOldOrNew(test.name, readTree(t, dir))
		if n := b.counts()["blobs a"]; n != 0 {
			t.Errorf("%s: the pack was downloaded %d times", test.name, n)
		}
		other.end()
		done()
	}
}

// A stepwise is another process, the writing program, which writes an open file step by
// step.
type stepwise struct {
	fixture *fixture
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	said    *bufio.Reader
}

// newStepwise starts one with an empty file.
func newStepwise(b *fixture, path, data string, size int) *stepwise {
	b.Helper()
	source := filepath.Join(b.TempDir(), "source")
	b.must(os.WriteFile(source, []byte(data), 0o666))
	s := &stepwise{fixture: b, cmd: b.program("writing", b.TempDir(), "", path, source, fmt.Sprint(size))}
	var err error
	s.stdin, err = s.cmd.StdinPipe()
	b.must(err)
	s.cmd.Stdout = nil
	out, err := s.cmd.StdoutPipe()
	b.must(err)
	s.said = bufio.NewReader(out)
	b.must(s.cmd.Start())
	b.Cleanup(func() { s.cmd.Process.Kill() })
	s.hear()
	return s
}

// step makes the process write one step.
func (s *stepwise) step() {
	fmt.Fprintln(s.stdin)
	s.hear()
}

func (s *stepwise) hear() {
	if _, err := s.said.ReadString('\n'); err != nil {
		s.fixture.Errorf("the writing process says nothing: %v\n%s", err, s.cmd.Stderr)
	}
}

func (s *stepwise) end() {
	s.fixture.must(s.stdin.Close())
	s.fixture.must(s.cmd.Wait())
}

// mainWriting is the writing program: it empties a file and then, for each line of its
// input, copies some more bytes from another file and reports that.
func mainWriting() {
	err := func() error {
		source, err := os.Open(os.Args[2])
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(os.Args[3], 10, 64)
		if err != nil {
			return err
		}
		file, err := os.Create(os.Args[1])
		if err != nil {
			return err
		}
		fmt.Println("open")
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			if _, err := io.CopyN(file, source, size); err != nil && err != io.EOF {
				return err
			}
			fmt.Println("written")
		}
		return file.Close()
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// inPieces writes like a slow program.
func inPieces(file *os.File, data string) error {
	const piece = 1000
	for ; len(data) > 0; data = data[min(piece, len(data)):] {
		if _, err := file.WriteString(data[:min(piece, len(data))]); err != nil {
			return err
		}
	}
	return nil
}

// TestFault38_Intruders replaces each file of the entry, the entry itself and its lock
// by something else than a file. No run follows it or waits for it; online the run
// succeeds, offline it ends with 0, 3, 4 or 5, and a link's target stays unchanged.
func TestFault38_Intruders(t *testing.T) {
	intruders := map[string]func(path, victim string) error{
		"symlink":          func(path, victim string) error { return os.Symlink(victim, path) },
		"dangling symlink": func(path, victim string) error { return os.Symlink(victim+".missing", path) },
		"FIFO":             func(path, _ string) error { return syscall.Mkfifo(path, 0o666) },
		"socket":           func(path, _ string) error { return syscall.Mknod(path, syscall.S_IFSOCK|0o666, 0) },
		"directory":        func(path, _ string) error { return os.Mkdir(path, 0o777) },
	}
	b := newFixture(t, packtest.Options{Plain: true})
	k := restoring(b, 1000)
	for kind, intrude := range intruders {
		for _, place := range []string{"pack.gtpack", "metadata.json", "manifest.json", ".", "../.locks/" + k.pushed["a:1.0.0"].ManifestDigest.Hex() + ".lock"} {
			for _, online := range []bool{false, true} {
				what := fmt.Sprintf("%s for %s, online %t", kind, place, online)
				dir, cache, done := k.begin()
				path := filepath.Join(k.entry(cache), place)
				victim := filepath.Join(filepath.Dir(cache), "victim")
				b.must(os.Rename(path, victim))
				b.must(intrude(path, victim))
				was := readVictim(t, victim)
				args := []string{"--offline"}
				if online {
					args = nil
				}
				var code int
				var stderr string
				ended := make(chan bool)
				go func() {
					defer close(ended)
					code, stderr = here(dir, cache, "", args...)
				}()
				select {
				case <-ended:
				case <-time.After(patience):
					t.Fatalf("%s: it hangs", what)
				}
				k.wantIntruded(what, dir, code, online, stderr)
				if is := readVictim(t, victim); is.differences(was) != "" {
					t.Errorf("%s: the victim has changed\n%s", what, is.differences(was))
				}
				done()
			}
		}
	}
}

// readVictim reads a file or a directory.
func readVictim(t *testing.T, victim string) tree {
	t.Helper()
	if info, err := os.Lstat(victim); err == nil && info.IsDir() {
		return readTree(t, victim)
	}
	data, err := os.ReadFile(victim)
	return tree{"victim": fmt.Sprint(string(data), err)}
}

// wantIntruded demands that the pack was restored, or left out for a good reason.
func (k *killing) wantIntruded(what, dir string, code int, online bool, stderr string) {
	k.Helper()
	left := readTree(k, dir)
	if code == 0 && left.differences(k.new) != "" || code != 0 && left.differences(k.old) != "" {
		k.Errorf("%s: exit code %d and\n%s", what, code, left.differences(k.new))
	}
	if online && code != 0 || code != 0 && (code < exitNetwork || code > exitStorage) {
		k.Errorf("%s: exit code %d\n%s", what, code, stderr)
	}
}

// TestFault41_NoLocks refuses every lock, like NFS without its daemon: no run waits or
// complains.
func TestFault41_NoLocks(t *testing.T) {
	b := newFixture(t, packtest.Options{Plain: true})
	k := newKilling(b, b.project(b.line("a", "a"), b.line("b", "b")), nil, false)
	dir, cache, _ := k.begin()
	cmd := k.program("packvendor-failing", dir, cache, "--quiet")
	cmd.Env = append(cmd.Env, stepNumber+"="+noLocks)
	code := k.codeOf(cmd.Run())
	if stderr := fmt.Sprint(cmd.Stderr); code != 0 || stderr != "" {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	k.check("without locks", dir, cache)
}

// TestFault42_ReadOnlyCache puts the cache on a read-only disk.
func TestFault42_ReadOnlyCache(t *testing.T) {
	b := newFixture(t, packtest.Options{Plain: true})
	k := restoring(b, 1000)
	added := b.line("b", "b")
	mount, _ := scratch(t)
	disk.On(t, mount, "1m", func(volume disk.Disk) {
		k.cache.write(t, volume.Dir)
		b.must(volume.ReadOnly())
		dir, _, _ := k.begin()
		cmd := b.command(dir, volume.Dir, "--offline", "--quiet")
		if code, stderr := k.codeOf(cmd.Run()), fmt.Sprint(cmd.Stderr); code != 0 || stderr != "" {
			t.Errorf("a hit: exit code %d\n%s", code, stderr)
		}
		k.wantOldOrNew("a hit", readTree(t, dir))

		toml := strings.TrimSpace(k.old["packs.toml"]) + "\n" + added + "\n"
		b.must(os.WriteFile(filepath.Join(dir, "packs.toml"), []byte(toml), 0o666))
		cmd = b.command(dir, volume.Dir, "--quiet")
		want := regexp.MustCompile(`^packvendor: warning: going on without the cache: .*: read-only file system\n$`)
		if code, stderr := k.codeOf(cmd.Run()), fmt.Sprint(cmd.Stderr); code != 0 || !want.MatchString(stderr) {
			t.Errorf("a miss: exit code %d\n%s", code, stderr)
		}
		digest := b.pushed["b:1.0.0"].ManifestDigest
		if readTree(t, dir)["packs/b.gtpack"] != string(b.packs[digest]) {
			t.Error("a miss: the pack is not there")
		}
		if differs := readTree(t, volume.Dir).differences(k.cache); differs != "" {
			t.Errorf("the cache has changed\n%s", differs)
		}
	})
}

// TestFault43_Modes checks the modes of all new files, under several umasks.
func TestFault43_Modes(t *testing.T) {
	b := newFixture(t, packtest.Options{Plain: true})
	k := newKilling(b, b.project(b.line("a", "a")), nil, false)
	for _, mask := range []fs.FileMode{0, 0o022, 0o077} {
		dir, cache, done := k.begin()
		cmd := k.program("packvendor-limited", dir, cache)
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%o", umask, mask))
		b.mustRun(cmd)
		for _, place := range []string{cache, dir} {
			b.must(filepath.WalkDir(place, func(path string, d fs.DirEntry, err error) error {
				name, _ := filepath.Rel(dir, path)
				if _, was := k.old[name]; err != nil || was || path == dir {
					return err
				}
				info, err := d.Info()
				want := 0o666 &^ mask
				if d.IsDir() {
					want = fs.ModeDir | 0o777&^mask
				}
				if err == nil && info.Mode() != want {
					t.Errorf("umask %03o: %s has mode %v, want %v", mask, path, info.Mode(), want)
				}
				return err
			}))
		}
		done()
	}
}

// In TestFault43_SecondUser another user works with a cache that all may write: that
// user reads, repairs and extends the first user's entries.
func TestFault43_SecondUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	b := newFixture(t, packtest.Options{Plain: true})
	k := newKilling(b, b.project(b.line("a", "a"), b.line("b", "b"), b.line("c", "c")), nil, false)
	root, _ := scratch(t)
	b.must(os.Chmod(root, 0o777))
	cache := filepath.Join(root, "cache")
	first, _, _ := k.begin()
	b.must(os.WriteFile(filepath.Join(first, "packs.toml"), []byte(b.project(b.line("a", "a"), b.line("b", "b"))["packs.toml"]), 0o666))
	cmd := b.program("packvendor-limited", first, cache)
	cmd.Env = append(cmd.Env, umask+"=0")
	b.mustRun(cmd)
	// The second user replaces bad bytes of the first one.
	b.must(os.WriteFile(filepath.Join(cache, b.pushed["b:1.0.0"].ManifestDigest.Hex(), "pack.gtpack"), []byte("bad"), 0o666))

	second := filepath.Join(root, "second")
	b.must(os.Mkdir(second, 0o777))
	k.old.write(t, second)
	const nobody = 65534
	for name := range maps.Keys(k.old) {
		b.must(os.Chown(filepath.Join(second, name), nobody, nobody))
	}
	b.must(os.Chown(second, nobody, nobody))
	cmd = b.command(second, cache)
	cmd.Path = "/proc/self/exe" // another user may not enter the program's folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	b.reg.ResetRequests()
	code := k.codeOf(cmd.Run())
	stderr := fmt.Sprint(cmd.Stderr)
	if code != 0 || strings.Count(stderr, "warning: ") != 1 || !strings.HasPrefix(stderr, "packvendor: warning: the cache was incomplete and is mended: ") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if differs := readTree(t, second).differences(k.new); differs != "" {
		t.Errorf("left is\n%s", differs)
	}
	cached := readTree(t, cache)
	b.wantCache("the second user's", cached)
	if counts := b.counts(); counts["blobs a"] != 0 || counts["blobs b"] != 1 || counts["blobs c"] != 1 || packsIn(cached) != 3 {
		t.Errorf("requests %v, and %d packs in the cache", counts, packsIn(cached))
	}
}

// TestFault44_Clock dates all files, and metadata.json, long ago and far ahead: no run
// behaves differently.
func TestFault44_Clock(t *testing.T) {
	b := newFixture(t, packtest.Options{Plain: true})
	k := restoring(b, 1000)
	fetchedAt := regexp.MustCompile(`("fetched_at_unix_seconds":)[0-9]+`)
	for _, year := range []int{1960, 2100} {
		at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		dir, cache, done := k.begin()
		metadata := filepath.Join(k.entry(cache), "metadata.json")
		data, err := os.ReadFile(metadata)
		b.must(err)
		b.must(os.WriteFile(metadata, fetchedAt.ReplaceAll(data, fmt.Appendf(nil, "${1}%d", max(0, at.Unix()))), 0o666))
		for _, place := range []string{dir, cache} {
			b.must(filepath.WalkDir(place, func(path string, _ fs.DirEntry, err error) error {
				if err != nil {
					return err
				}
				return os.Chtimes(path, at, at)
			}))
		}
		before := readTree(t, cache)
		if code, stderr := here(dir, cache, "--offline", "--quiet"); code != 0 || stderr != "" {
			t.Errorf("%d: exit code %d\n%s", year, code, stderr)
		}
		if differs := readTree(t, dir).differences(k.new); differs != "" {
			t.Errorf("%d: left is\n%s", year, differs)
		}
		b.must(os.Chtimes(filepath.Join(dir, "packs", "a.gtpack"), at, at))
		if code, stderr := here(dir, cache, "verify"); code != 0 {
			t.Errorf("%d: verify ends with %d\n%s", year, code, stderr)
		}
		if differs := readTree(t, cache).differences(before); differs != "" {
			t.Errorf("%d: the cache has changed\n%s", year, differs)
		}
		if info, err := os.Stat(filepath.Join(dir, "packs.lock")); err != nil || !info.ModTime().Equal(at) {
			t.Errorf("%d: packs.lock was written: %v", year, err)
		}
		done()
	}
}
