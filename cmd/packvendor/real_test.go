package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/distribution"
)

// legacyPack is pushed like by older publishers: without an artifact type, and with
// another media type.
const (
	legacyPack      = "noop-validator"
	legacyMediaType = "application/vnd.greentic.gtpack+zip"
)

// taggedPack is in packs.toml by its tag alone from the start; add adds the others.
const taggedPack = "msg-event-app"

// TestRealRegistry takes packs pushed by their publishers' own tool from the real
// registry server, and runs a program with them.
func TestRealRegistry(t *testing.T) {
	t.Parallel()
	packtest.NeedProgram(t, distribution.Program)
	packtest.NeedProgram(t, "oras")
	packs := realPacks(t)
	reg, err := distribution.Start(distribution.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reg.Stop() })
	for _, p := range packs {
		publish(t, reg, p)
	}
	p := newRealProject(t, reg)
	p.write("packs.toml", fmt.Sprintf("# real packs\n[packs]\n%s = { ref = %q, allow_tags = true }\n", taggedPack, realRef(reg, taggedPack)))
	for _, pack := range packs {
		if pack.name != taggedPack {
			p.packvendor("add", pack.name, realRef(reg, pack.name))
		}
	}
	p.checkLock(packs)
	p.runsAgain()
	p.fetches(reg, packs)
	p.verifies(reg, packs)
	if got, want := p.run("go", "run", "."), expected(t, packs); got != want {
		t.Errorf("the program printed:\n%s\nwant:\n%s", got, want)
	}
}

// A realPack is a publisher's file.
type realPack struct {
	name, file string
	data       []byte
	sum        string // sha256, hexadecimal
}

// realPacks returns the real packs if they exist, else small ones.
func realPacks(t *testing.T) []realPack {
	shared := filepath.Join("..", "..", "..", "shared", "packs")
	sums, err := os.ReadFile(filepath.Join(shared, "SHA256SUMS"))
	if err != nil {
		t.Log("no real packs beside the project: small ones stand in for them")
		return standIns(t)
	}
	var packs []realPack
	for line := range strings.Lines(string(sums)) {
		fields := strings.Fields(line)
		packs = append(packs, readPack(t, filepath.Join(shared, strings.TrimPrefix(fields[1], "*")), fields[0]))
	}
	return packs
}

func standIns(t *testing.T) []realPack {
	var packs []realPack
	for n, name := range []string{"hr-onboarding", taggedPack, legacyPack} {
		data := packtest.Zip(name, "1.0.0", n*1_500_000)
		file := filepath.Join(t.TempDir(), name+".gtpack")
		if err := os.WriteFile(file, data, 0o666); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		packs = append(packs, readPack(t, file, hex.EncodeToString(sum[:])))
	}
	return packs
}

func readPack(t *testing.T, file, sum string) realPack {
	file, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return realPack{name: strings.TrimSuffix(filepath.Base(file), ".gtpack"), file: file, data: data, sum: sum}
}

func realRef(reg *distribution.Server, name string) string {
	return reg.Host() + "/greenticai/greentic-packs/" + name + ":0.4.38"
}

// publish pushes a pack with its publishers' command line.
func publish(t *testing.T, reg *distribution.Server, p realPack) {
	t.Helper()
	readme := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(readme, []byte("# "+p.name+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{
		"--artifact-type", packtest.PackMediaType,
		"--annotation", "org.opencontainers.image.version=0.4.38",
		"--annotation", "org.opencontainers.image.title=" + p.name,
		realRef(reg, p.name), p.file + ":" + packtest.PackMediaType, readme + ":text/markdown",
	}
	if p.name == legacyPack {
		args = []string{realRef(reg, p.name), p.file + ":" + legacyMediaType}
	}
	if err := reg.OrasPush(context.Background(), args...); err != nil {
		t.Fatal(err)
	}
}

// A realProject is a Go module in which the built packvendor runs.
type realProject struct {
	t      *testing.T
	dir    string
	binary string
	cache  string
	env    []string
}

func newRealProject(t *testing.T, reg *distribution.Server) *realProject {
	dir := t.TempDir()
	p := &realProject{t: t, dir: dir, binary: filepath.Join(t.TempDir(), "packvendor"), cache: filepath.Join(t.TempDir(), "cache")}
	ca, err := reg.CAFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-o", p.binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !slices.Contains([]string{"CI", "GOPACKAGE", "PACKVENDOR_FLAGS"}, name) {
			p.env = append(p.env, variable)
		}
	}
	p.env = append(p.env, "SSL_CERT_FILE="+ca, "SSL_CERT_DIR="+filepath.Join(filepath.Dir(ca), "none"), "GREENTIC_PACK_CACHE_DIR="+p.cache, "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local")
	p.write("go.mod", "module example.com/app\n\ngo 1.25\n")
	p.write("main.go", realMain)
	p.write("packs/doc.go", "// Package packs holds real packs.\npackage packs\n")
	p.dir = filepath.Join(dir, "packs")
	return p
}

// realMain prints the program's embedded packs.
const realMain = `package main

import (
	"archive/zip"
	"crypto/sha256"
	"fmt"
	"log"

	"example.com/app/packs"
)

func main() {
	for _, p := range packs.Packs() {
		if err := p.Verify(); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s %x %d\n", p.Name(), sha256.Sum256(p.Bytes()), p.Size())
		archive, err := zip.NewReader(p.Reader(), p.Size())
		if err != nil {
			log.Fatal(err)
		}
		for _, f := range archive.File {
			fmt.Printf("  %s %d %08x\n", f.Name, f.UncompressedSize64, f.CRC32)
		}
	}
}
`

// expected returns the right output of realMain.
func expected(t *testing.T, packs []realPack) string {
	packs = slices.SortedFunc(slices.Values(packs), func(a, b realPack) int { return strings.Compare(a.name, b.name) })
	var b strings.Builder
	for _, p := range packs {
		fmt.Fprintf(&b, "%s %s %d\n", p.name, p.sum, len(p.data))
		archive, err := zip.NewReader(bytes.NewReader(p.data), int64(len(p.data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.File {
			fmt.Fprintf(&b, "  %s %d %08x\n", f.Name, f.UncompressedSize64, f.CRC32)
		}
	}
	return b.String()
}

func (p *realProject) write(name, text string) {
	p.t.Helper()
	write(p.t, filepath.Join(p.dir, name), text)
}

// packvendor runs the command, which must end with 0 and an empty standard error, and
// returns its standard output.
func (p *realProject) packvendor(args ...string) string {
	p.t.Helper()
	return p.command(p.dir, p.binary, args...)
}

// run runs a command in the module's root.
func (p *realProject) run(name string, args ...string) string {
	p.t.Helper()
	return p.command(filepath.Dir(p.dir), name, args...)
}

func (p *realProject) command(dir, name string, args ...string) string {
	p.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, p.env
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || withoutSummary(stderr.String()) != "" {
		p.t.Fatalf("%s %s: %v\nstdout:\n%s\nstderr:\n%s", filepath.Base(name), strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.String()
}

// checkLock demands each file's own digest in packs.lock.
func (p *realProject) checkLock(packs []realPack) {
	p.t.Helper()
	lock, err := os.ReadFile(filepath.Join(p.dir, "packs.lock"))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, pack := range packs {
		mediaType := packtest.PackMediaType
		if pack.name == legacyPack {
			mediaType = legacyMediaType
		}
		want := fmt.Sprintf("layer_digest = \"sha256:%s\"\nsize = %d\nmedia_type = %q\n", pack.sum, len(pack.data), mediaType)
		if !strings.Contains(string(lock), want) {
			p.t.Errorf("packs.lock does not hold\n%s\nbut:\n%s", want, lock)
		}
	}
}

// runsAgain demands that an idle run changes nothing, and that a run without cache and
// vendored files restores them.
func (p *realProject) runsAgain() {
	p.t.Helper()
	before := p.files()
	if out := p.packvendor(); out != "" || p.files() != before {
		p.t.Errorf("a second run printed %q, and left\n%s\nwhere it had found\n%s", out, p.files(), before)
	}
	for _, dir := range []string{p.cache, filepath.Join(p.dir, "packs")} {
		if err := os.RemoveAll(dir); err != nil {
			p.t.Fatal(err)
		}
	}
	p.packvendor("--locked")
	p.packvendor("--frozen")
}

// files lists the project's files with their sizes and modification times.
func (p *realProject) files() string {
	p.t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			fmt.Fprintf(&b, "%s %d %s\n", path, info.Size(), info.ModTime().Format("15:04:05.000000000"))
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return b.String()
}

// fetches demands that fetch finds every pack by its tag, in the cache now.
func (p *realProject) fetches(reg *distribution.Server, packs []realPack) {
	p.t.Helper()
	for _, pack := range packs {
		var doc struct {
			Reference string `json:"reference"`
			Digest    string `json:"digest"`
			MediaType string `json:"media_type"`
			CachePath string `json:"cache_path"`
			Fetched   *bool  `json:"fetched"`
		}
		out := p.packvendor("fetch", "--json", "--allow-tags", realRef(reg, pack.name))
		if err := json.Unmarshal([]byte(out), &doc); err != nil {
			p.t.Fatalf("fetch --json: %v\n%s", err, out)
		}
		if doc.Reference != realRef(reg, pack.name) || doc.Fetched == nil || *doc.Fetched {
			p.t.Errorf("fetch --json of what is cached:\n%s", out)
		}
		if want := filepath.Join(p.cache, strings.TrimPrefix(doc.Digest, "sha256:"), "pack.gtpack"); doc.CachePath != want {
			p.t.Errorf("cache_path is %s, want %s", doc.CachePath, want)
		}
		if data, err := os.ReadFile(doc.CachePath); err != nil || !bytes.Equal(data, pack.data) {
			p.t.Errorf("%s is not %s: %v", doc.CachePath, pack.file, err)
		}
	}
}

// verifies demands a clean verify with the registry and, once that is gone, without it.
func (p *realProject) verifies(reg *distribution.Server, packs []realPack) {
	p.t.Helper()
	want := fmt.Sprintf("%[1]d of %[1]d packs verified\n", len(packs))
	if out := p.packvendor("verify", "--remote"); out != want {
		p.t.Errorf("verify --remote printed %q, want %q", out, want)
	}
	if err := reg.Stop(); err != nil {
		p.t.Fatal(err)
	}
	p.packvendor()
	if out := p.packvendor("verify"); out != want {
		p.t.Errorf("verify printed %q, want %q", out, want)
	}
}

// summaryLine is the last line of a run with changes.
var summaryLine = regexp.MustCompile(`(?m)^packvendor: \d+ packs? (added|updated|restored|removed)\b.*; \d+\.\ds\n`)

// withoutSummary returns the other output.
func withoutSummary(stderr string) string { return summaryLine.ReplaceAllString(stderr, "") }
