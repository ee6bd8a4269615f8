package embedgen_test

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/packtest"
)

// A module is a real Go module in a temporary folder, with the generated
// package in its folder packs.
type module struct {
	t   *testing.T
	dir string
}

func newModule(t *testing.T, main string, data map[string][]byte) *module {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not installed")
	}
	m := &module{t: t, dir: t.TempDir()}
	p := embedgen.Package{Name: "packs", ImportPath: "example.com/app/packs", Data: "data/v1"}
	for name, content := range data {
		m.write("packs/data/v1/"+embedgen.FileName(name), content)
		p.Packs = append(p.Packs, embedgen.Pack{
			Name: name, GoName: strings.ToUpper(name), Ref: "ghcr.io/a/" + name + ":1",
			ManifestDigest: digestA, LayerDigest: sum(content), MediaType: "application/zip", Size: int64(len(content)),
			Sample: marker.SampleOf(content),
		})
	}
	m.write("go.mod", []byte("module example.com/app\n\ngo 1.25.0\n"))
	m.write("main.go", []byte(main))
	m.write("packs/packs_gen.go", generate(t, p))
	return m
}

func sum(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

func (m *module) write(path string, content []byte) {
	m.t.Helper()
	path = filepath.Join(m.dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o666); err != nil {
		m.t.Fatal(err)
	}
}

func (m *module) goCommand(args ...string) string {
	m.t.Helper()
	return m.goCommandFor(nil, args...)
}

// goCommandFor is goCommand with more environment variables.
func (m *module) goCommandFor(env []string, args ...string) string {
	m.t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOWORK=off", "GO111MODULE=on", "GOTOOLCHAIN=local", "CGO_ENABLED=0")
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// build returns the linked program.
func (m *module) build() []byte {
	m.t.Helper()
	program := filepath.Join(m.dir, "app")
	m.goCommand("build", "-o", program, ".")
	content, err := os.ReadFile(program)
	if err != nil {
		m.t.Fatal(err)
	}
	return content
}

func zipOf(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const reportMain = `package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"

	"example.com/app/packs"
)

func main() {
	for _, p := range packs.Packs() {
		report(p)
	}
	_, ok := packs.Lookup("nobody")
	fmt.Println(ok)

	mine := packs.Packs()
	mine[0] = packs.Pack{}
	p, ok := packs.Lookup("b")
	fmt.Println(ok, p == packs.B(), packs.Packs()[0].Name())

	copied := p.Bytes()
	copied[0] = 'x'
	fmt.Println(bytes.Equal(copied, p.Bytes()), p.Verify())
}

func report(p packs.Pack) {
	fmt.Println(p.Name(), p.Ref(), p.ManifestDigest(), p.MediaType(), p.Size())
	fmt.Println(p.LayerDigest() == fmt.Sprintf("sha256:%x", sha256.Sum256(p.Bytes())), p.Verify())
	z, err := zip.NewReader(p.Reader(), p.Size())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(z.File[0].Name)
}
`

func TestRun(t *testing.T) {
	a, b := zipOf(t, "first.txt", "one"), zipOf(t, "second.txt", strings.Repeat("two", 1000))
	m := newModule(t, reportMain, map[string][]byte{"b": b, "a": a})
	m.goCommand("vet", "./...")
	want := fmt.Sprintf(`a ghcr.io/a/a:1 %s application/zip %d
true <nil>
first.txt
b ghcr.io/a/b:1 %s application/zip %d
true <nil>
second.txt
false
true true a
false <nil>
`, digestA, len(a), digestA, len(b))
	if got := m.goCommand("run", "."); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

const verifyMain = `package main

import (
	"fmt"

	"example.com/app/packs"
)

func main() {
	p := packs.A()
	fmt.Println(p.Size(), p.Verify())
}
`

func TestRunTampered(t *testing.T) {
	good, bad := []byte("good bytes"), []byte("bad")
	m := newModule(t, verifyMain, map[string][]byte{"a": good})
	m.write("packs/data/v1/a.gtpack", bad)
	want := fmt.Sprintf("3 pack a: the embedded bytes are %s, want %s\n", sum(bad), sum(good))
	if got := m.goCommand("run", "."); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}

const noneMain = `package main

import (
	"fmt"

	"example.com/app/packs"
)

func main() {
	p, ok := packs.Lookup("a")
	fmt.Println(len(packs.Packs()), p == (packs.Pack{}), ok)
	fmt.Printf("%q %q %q %q %q\n", p.Name(), p.Ref(), p.ManifestDigest(), p.LayerDigest(), p.MediaType())
	fmt.Println(p.Size(), p.Reader().Len(), len(p.Bytes()), p.Verify())
}
`

// The zero Pack has no bytes, and no digest that these could have.
const nonePrints = "0 true false\n" + `"" "" "" "" ""` +
	"\n0 0 0 pack : the embedded bytes are sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, want \n"

func TestRunNone(t *testing.T) {
	m := newModule(t, noneMain, nil)
	m.goCommand("vet", "./...")
	if got, want := m.goCommand("run", "."), nonePrints; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

const verifyMemoryMain = `package main

import (
	"fmt"
	"runtime"

	"example.com/app/packs"
)

func main() {
	var before, after runtime.MemStats
	p := packs.A()
	runtime.ReadMemStats(&before)
	err := p.Verify()
	runtime.ReadMemStats(&after)
	fmt.Println(err, after.TotalAlloc-before.TotalAlloc < 1<<20)
}
`

// Verify works on a pack of any size without a second copy of it.
func TestRunVerifyMemory(t *testing.T) {
	m := newModule(t, verifyMemoryMain, map[string][]byte{"a": bytes.Repeat([]byte("pack"), 1<<20)})
	if got, want := m.goCommand("run", "."), "<nil> true\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A program carries the packs it can reach, each once, and no others.
func TestLinkerDropsUnused(t *testing.T) {
	a, b := random(t), random(t)
	m := newModule(t, verifyMain, map[string][]byte{"a": a, "b": b})
	program := m.build()
	if n := bytes.Count(program, a); n != 1 {
		t.Errorf("accessor only: pack a is there %d times, want once", n)
	}
	if n := bytes.Count(program, b); n != 0 {
		t.Errorf("accessor only: pack b is there %d times, want none", n)
	}

	m.write("main.go", []byte(namesMain))
	program = m.build()
	if na, nb := bytes.Count(program, a), bytes.Count(program, b); na != 1 || nb != 1 {
		t.Errorf("Packs: packs are there %d and %d times, want once", na, nb)
	}
}

const namesMain = `package main

import "example.com/app/packs"

func main() {
	for _, p := range packs.Packs() {
		println(p.Name())
	}
}
`

func random(t *testing.T) []byte {
	t.Helper()
	b := make([]byte, 4096)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestStaticcheck sees what staticcheck says of a generated package. Its own
// style checks are on too, but for the one that asks for a package comment,
// which is the user's to write.
func TestStaticcheck(t *testing.T) {
	staticcheck := packtest.NeedProgram(t, "staticcheck")
	for name, data := range map[string]map[string][]byte{
		"two":  {"a": []byte("one"), "b": []byte("two")},
		"none": nil,
	} {
		m := newModule(t, noneMain, data)
		cmd := exec.Command(staticcheck, "-checks", "all,-ST1000", "./...")
		cmd.Dir = m.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
