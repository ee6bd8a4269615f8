package program_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/packtest"
	packs "github.com/greenticai/packvendor/internal/program"
)

const programMain = `package main

import "example.com/app/packs"

func main() { println(packs.A().Reader().Len() + packs.Zeros().Reader().Len()) }
`

// allMain uses all packs.
const allMain = `package main

import "example.com/app/packs"

func main() {
	for _, pack := range packs.Packs() {
		println(pack.Reader().Len())
	}
}
`

// native is the platform of this machine.
const native = runtime.GOOS + "/" + runtime.GOARCH

// programPacks are packs that a linker could hide: one has runs of zeros.
func programPacks(t *testing.T) map[string][]byte {
	return map[string][]byte{"a": archive(t, noise(30, 100_000)), "zeros": archive(t, make([]byte, 5000), noise(31, 2000), make([]byte, 100))}
}

// writeProgram writes the source of a program whose package example.com/app/packs holds packs.
func writeProgram(t *testing.T, main string, contents map[string][]byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	writeSource(t, dir, "go.mod", []byte("module example.com/app\n\ngo 1.25.0\n"))
	writeSource(t, dir, "main.go", []byte(main))
	writePackage(t, dir, "packs", contents)
	return dir
}

// writePackage writes a package of packs, as packvendor generates it.
func writePackage(t *testing.T, dir, name string, contents map[string][]byte) {
	t.Helper()
	p := embedgen.Package{Name: name, ImportPath: "example.com/app/" + name, Data: "data"}
	for _, pack := range slices.Sorted(maps.Keys(contents)) {
		m := markerOf(pack, contents[pack])
		p.Packs = append(p.Packs, embedgen.Pack{
			Name: pack, GoName: strings.ToUpper(pack[:1]) + pack[1:], Ref: m.Ref, ManifestDigest: string(m.ManifestDigest),
			LayerDigest: string(m.LayerDigest), MediaType: m.MediaType, Size: m.Size, Sample: m.Sample,
		})
		writeSource(t, dir, name+"/data/"+embedgen.FileName(pack), contents[pack])
	}
	source, err := embedgen.Generate(p)
	if err != nil {
		t.Fatal(err)
	}
	writeSource(t, dir, name+"/packs_gen.go", source)
}

func writeSource(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	name = filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o666); err != nil {
		t.Fatal(err)
	}
}

// build builds the program in a directory, and returns the file.
func build(t *testing.T, dir, platform string, cgo bool, flags ...string) string {
	t.Helper()
	goos, goarch, _ := strings.Cut(platform, "/")
	output := filepath.Join(t.TempDir(), "app")
	command := exec.Command(packtest.NeedProgram(t, "go"), append(append([]string{"build"}, flags...), "-o", output, ".")...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED="+map[bool]string{true: "1", false: "0"}[cgo], "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", platform, err, out)
	}
	return output
}

// packsIn returns the packs of a program, a line each.
func packsIn(t *testing.T, file string) string {
	t.Helper()
	f, err := packs.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	found, malformed, err := f.Packs(t.Context())
	if err != nil || malformed != 0 {
		t.Fatalf("%d malformed markers, %v", malformed, err)
	}
	return linesOf(found)
}

// skipBuild skips a test that builds programs.
func skipBuild(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it builds programs")
	}
}

// buildsAll tells whether tests build what takes long.
func buildsAll() bool { return os.Getenv("PACKVENDOR_PROGRAMS") != "" }

// hasCompiler reports whether there is a C compiler. With CI=true there has to be one.
func hasCompiler(t *testing.T) bool {
	if _, err := exec.LookPath("gcc"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		return false
	}
	return true
}
