package program_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/marker"
	packs "github.com/greenticai/packvendor/internal/program"
)

var update = flag.Bool("update", false, "write what the tests found into docs/program.md, with PACKVENDOR_PROGRAMS=1")

const programMain = `package main

import "example.com/app/packs"

func main() { println(packs.A().Reader().Len() + packs.Zeros().Reader().Len()) }
`

// programPacks are packs that a linker could hide: one has runs of zeros.
func programPacks(t *testing.T) map[string][]byte {
	return map[string][]byte{"a": archive(t, noise(30, 100_000)), "zeros": archive(t, make([]byte, 5000), noise(31, 2000), make([]byte, 100))}
}

// writeProgram writes the source of a program whose package packs holds packs, in the form of
// the generated file.
func writeProgram(t *testing.T, main string, contents map[string][]byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	source := "package packs\n\nimport (\n\t_ \"embed\"\n\t\"strings\"\n)\n\ntype gtpack string\n\n" +
		"type embedded struct {\n\tmarker string\n\tdata *gtpack\n}\n\ntype Pack struct{ *embedded }\n\n" +
		"func (p Pack) Reader() *strings.Reader { return strings.NewReader(string(*p.data)) }\n"
	files := map[string]string{"go.mod": "module example.com/app\n\ngo 1.25.0\n", "main.go": main}
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		files["packs/"+name+".gtpack"] = string(contents[name])
		source += fmt.Sprintf("\n//go:embed %s.gtpack\nvar data%s gtpack\n\nvar pack%[2]s = embedded{marker: %q, data: &data%[2]s}\n\nfunc %[2]s() Pack { return Pack{&pack%[2]s} }\n",
			name, strings.ToUpper(name[:1])+name[1:], marker.Format(markerOf(name, contents[name])))
	}
	files["packs/packs_gen.go"] = source
	if err := os.Mkdir(filepath.Join(dir, "packs"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// build builds the program in a directory, and returns the file.
func build(t *testing.T, dir, platform string, cgo bool, flags ...string) string {
	t.Helper()
	goos, goarch, _ := strings.Cut(platform, "/")
	output := filepath.Join(t.TempDir(), "app")
	command := exec.Command("go", append(append([]string{"build"}, flags...), "-o", output, ".")...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED="+map[bool]string{true: "1", false: "0"}[cgo], "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", platform, err, out)
	}
	return output
}

// checkProgram checks what is found in a program with programPacks.
func checkProgram(t *testing.T, file, platform string) {
	t.Helper()
	f, err := packs.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	found, _, err := f.Packs(t.Context())
	if got, want := linesOf(found), line("a", "present")+line("zeros", "present"); err != nil || got != want {
		t.Errorf("%s: got\n%s%v, want\n%s", platform, got, err, want)
	}
	goos, goarch, _ := strings.Cut(platform, "/")
	info, err := f.BuildInfo()
	if slices.Contains([]packs.Format{packs.Wasm, packs.Plan9, packs.Archive}, f.Format) {
		var none *packs.NoBuildInfoError
		if want := string(f.Format) + " files have none"; !errors.As(err, &none) || err.Error() != want {
			t.Errorf("%s: build information: got %v, want %s", platform, err, want)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", platform, err)
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if info.Main.Path != "example.com/app" || settings["GOOS"] != goos || settings["GOARCH"] != goarch {
		t.Errorf("%s: build information: %s", platform, info)
	}
}

// A buildMode is a column of the table in docs/program.md.
type buildMode struct {
	title string
	flags []string
	cgo   bool     // it needs a C compiler
	on    []string // the platforms that have it, as path.Match has them; nil for all
}

var buildModes = []buildMode{
	{title: "default"},
	{title: "`-s -w`", flags: []string{"-ldflags=-s -w"}},
	{title: "`-trimpath`", flags: []string{"-trimpath"}},
	{title: "plain debug information", flags: []string{"-ldflags=-compressdwarf=false"}},
	{title: "PIE", flags: []string{"-buildmode=pie"}, on: []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}},
	{title: "`-race`", flags: []string{"-race"}, cgo: true, on: []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64"}},
	{title: "`c-archive`", flags: []string{"-buildmode=c-archive"}, cgo: true, on: []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}},
	{title: "`c-shared`", flags: []string{"-buildmode=c-shared"}, cgo: true, on: []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}},
}

// platforms are the rows, with their formats.
var platforms = []struct {
	name   string
	format packs.Format
}{
	{"linux/amd64", packs.ELF}, {"linux/arm64", packs.ELF}, {"linux/386", packs.ELF}, {"freebsd/amd64", packs.ELF},
	{"darwin/amd64", packs.MachO}, {"darwin/arm64", packs.MachO},
	{"windows/amd64", packs.PE}, {"windows/arm64", packs.PE},
	{"js/wasm", packs.Wasm}, {"wasip1/wasm", packs.Wasm},
	{"aix/ppc64", packs.XCOFF}, {"plan9/amd64", packs.Plan9},
}

// everyDay are those that are built without PACKVENDOR_PROGRAMS besides this machine's: one of
// each larger format.
var everyDay = []string{"darwin/arm64", "windows/amd64", "js/wasm"}

const (
	found     = "yes"
	notTested = "not tested"
	noMode    = "–"
)

// cell returns what the table says of a platform and a mode, and whether the test can build it:
// there is a C compiler for this machine alone.
func cell(platform string, mode buildMode) (text string, here bool) {
	native := platform == runtime.GOOS+"/"+runtime.GOARCH
	switch {
	case mode.on != nil && !slices.Contains(mode.on, platform):
		return noMode, false
	case mode.cgo && platform != "linux/amd64":
		return notTested, native
	}
	return found, native || !mode.cgo
}

// TestPrograms builds programs with the real toolchain. With PACKVENDOR_PROGRAMS=1 it builds
// all of the table in docs/program.md.
func TestPrograms(t *testing.T) {
	all := os.Getenv("PACKVENDOR_PROGRAMS") != ""
	if testing.Short() {
		t.Skip("it builds programs")
	}
	dir := writeProgram(t, programMain, programPacks(t))
	for _, platform := range platforms {
		native := platform.name == runtime.GOOS+"/"+runtime.GOARCH
		for i, mode := range buildModes {
			_, here := cell(platform.name, mode)
			isWanted := all || native || i == 0 && slices.Contains(everyDay, platform.name)
			if !here || !isWanted {
				continue
			}
			t.Run(platform.name+" "+strings.Trim(mode.title, "`"), func(t *testing.T) {
				if mode.cgo && !hasCompiler(t) {
					t.Skip("no C compiler")
				}
				checkProgram(t, build(t, dir, platform.name, mode.cgo, mode.flags...), platform.name)
			})
		}
	}
	checkTable(t)
}

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

// checkTable compares the table in docs/program.md with what TestPrograms builds.
func checkTable(t *testing.T) {
	t.Helper()
	page := filepath.Join("..", "..", "docs", "program.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`(?s)\| platform .*?\n\n`)
	got := table.Find(text)
	if want := programTable(); string(got) != want {
		if *update && !t.Failed() { // it built all that the table says
			if err := os.WriteFile(page, table.ReplaceAllLiteral(text, []byte(want)), 0o666); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Errorf("%s has the table\n%swant\n%s", page, got, want)
	}
}

func programTable() string {
	var b strings.Builder
	b.WriteString("| platform | format |")
	for _, mode := range buildModes {
		b.WriteString(" " + mode.title + " |")
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(buildModes)) + "\n")
	for _, platform := range platforms {
		fmt.Fprintf(&b, "| %s | %s |", platform.name, platform.format)
		for _, mode := range buildModes {
			text, _ := cell(platform.name, mode)
			b.WriteString(" " + text + " |")
		}
		b.WriteString("\n")
	}
	return b.String() + "\n"
}

// A universal program is made of two programs, as lipo makes it.
func TestUniversalProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds programs")
	}
	dir := writeProgram(t, programMain, programPacks(t))
	images := map[uint32][]byte{}
	const amd64, arm64 = 0x01000007, 0x0100000c
	for cpu, platform := range map[uint32]string{amd64: "darwin/amd64", arm64: "darwin/arm64"} {
		image, err := os.ReadFile(build(t, dir, platform, false))
		if err != nil {
			t.Fatal(err)
		}
		images[cpu] = image
	}
	file := filepath.Join(t.TempDir(), "app")
	if err := os.WriteFile(file, universal(images, arm64, amd64), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := packs.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	both, _, err := f.Packs(t.Context())
	want := strings.ReplaceAll(line("a", "present")+line("zeros", "present"), "present", "present arm64,amd64")
	if err != nil || linesOf(both) != want {
		t.Errorf("got %q, %v, want %q", linesOf(both), err, want)
	}
	if info, err := f.BuildInfo(); err != nil || info.Main.Path != "example.com/app" {
		t.Errorf("build information: %v, %v", info, err)
	}
}

// However many symbols a program says that it has, its build information is read.
func TestManySymbols(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds programs")
	}
	dir := writeProgram(t, programMain, programPacks(t))
	for platform, patch := range map[string]func([]byte){
		"windows/amd64": func(file []byte) {
			header := file[binary.LittleEndian.Uint32(file[0x3c:]):]
			binary.LittleEndian.PutUint32(header[16:], 200_000_000)
		},
		"darwin/arm64": func(file []byte) {
			table := bytes.Index(file[:32<<10], []byte{2, 0, 0, 0, 24, 0, 0, 0}) // LC_SYMTAB
			binary.LittleEndian.PutUint32(file[table+12:], 100_000_000)
		},
	} {
		file, err := os.ReadFile(build(t, dir, platform, false))
		if err != nil {
			t.Fatal(err)
		}
		patch(file)
		f, err := packs.New(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		if info, err := f.BuildInfo(); err != nil || info.Main.Path != "example.com/app" {
			t.Errorf("%s: %v, %v", platform, info, err)
		}
	}
}

// A program with 1 GiB of packs is read in bounded memory.
func TestLargeProgram(t *testing.T) {
	if os.Getenv("PACKVENDOR_PROGRAMS") == "" {
		t.Skip("it builds a program of 1 GiB: PACKVENDOR_PROGRAMS is not set")
	}
	t.Setenv("GOCACHE", t.TempDir()) // it would keep the packs
	contents := map[string][]byte{}
	for i, name := range []string{"a", "b", "zeros", "d"} {
		contents[name] = archive(t, noise(uint64(i), 256<<20))
	}
	main := strings.Replace(programMain, "packs.A().Reader().Len()", "packs.A().Reader().Len() + packs.B().Reader().Len() + packs.D().Reader().Len()", 1)
	file := build(t, writeProgram(t, main, contents), runtime.GOOS+"/"+runtime.GOARCH, false)
	clear(contents)
	f, err := packs.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, _, err := f.Packs(t.Context())
	want := line("a", "present") + line("b", "present") + line("d", "present") + line("zeros", "present")
	if err != nil || linesOf(all) != want {
		t.Errorf("got %q, %v, want %q", linesOf(all), err, want)
	}
}

// What the linker leaves out has no marker.
func TestLinkedOut(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a program")
	}
	main := "package main\n\nimport \"example.com/app/packs\"\n\nfunc main() { println(packs.A().Reader().Len()) }\n"
	f, err := packs.Open(build(t, writeProgram(t, main, programPacks(t)), runtime.GOOS+"/"+runtime.GOARCH, false))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	found, _, err := f.Packs(t.Context())
	if want := line("a", "present"); err != nil || linesOf(found) != want {
		t.Errorf("got %q, %v, want %q", linesOf(found), err, want)
	}
}
