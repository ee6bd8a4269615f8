package program_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	packs "github.com/greenticai/packvendor/internal/program"
)

var update = flag.Bool("update", false, "write what the tests found into docs/program.md, with PACKVENDOR_PROGRAMS=1 on linux/amd64")

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
	// plain are the platforms that have it and need no C compiler, and cgo those that need one.
	// A mode without any is for all platforms.
	plain, cgo []string
}

var buildModes = []buildMode{
	{title: "default"},
	{title: "`-s -w`", flags: []string{"-ldflags=-s -w"}},
	{title: "`-trimpath`", flags: []string{"-trimpath"}},
	{title: "plain debug information", flags: []string{"-ldflags=-compressdwarf=false"}},
	{
		title: "PIE", flags: []string{"-buildmode=pie"},
		plain: []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"},
		cgo:   []string{"linux/386", "freebsd/amd64", "aix/ppc64"},
	},
	{
		title: "`-race`", flags: []string{"-race"},
		plain: []string{"darwin/amd64", "darwin/arm64"},
		cgo:   []string{"linux/amd64", "linux/arm64", "freebsd/amd64", "windows/amd64"},
	},
	{
		title: "`c-archive`", flags: []string{"-buildmode=c-archive"},
		cgo: []string{"linux/amd64", "linux/arm64", "linux/386", "freebsd/amd64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64", "aix/ppc64"},
	},
	{
		title: "`c-shared`", flags: []string{"-buildmode=c-shared"},
		plain: []string{"wasip1/wasm"},
		cgo:   []string{"linux/amd64", "linux/arm64", "linux/386", "freebsd/amd64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"},
	},
}

// needsC tells whether a build needs a C compiler for the platform, and whether Go has it at all.
func (m buildMode) needsC(platform string) (needs, exists bool) {
	needs = slices.Contains(m.cgo, platform)
	return needs, needs || len(m.plain)+len(m.cgo) == 0 || slices.Contains(m.plain, platform)
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

// What the cells of the table say.
const (
	isFound   = "yes"
	notTested = "not tested"
	noMode    = "–"
)

// A cell is a platform and the title of a mode.
type cell struct{ platform, mode string }

// TestPrograms builds programs with the real toolchain. With PACKVENDOR_PROGRAMS=1 it builds
// all of the table in docs/program.md that this machine can build.
func TestPrograms(t *testing.T) {
	skipBuild(t)
	dir := writeProgram(t, programMain, programPacks(t))
	passed, wanted := map[cell]bool{}, 0
	for _, platform := range platforms {
		for i, mode := range buildModes {
			cgo, exists := mode.needsC(platform.name)
			isWanted := buildsAll() || platform.name == native || i == 0 && slices.Contains(everyDay, platform.name)
			if !exists || !isWanted || cgo && platform.name != native {
				continue
			}
			wanted++
			t.Run(platform.name+" "+strings.Trim(mode.title, "`"), func(t *testing.T) {
				if cgo && !hasCompiler(t) {
					t.Skip("no C compiler")
				}
				checkProgram(t, build(t, dir, platform.name, cgo, mode.flags...), platform.name)
				passed[cell{platform.name, mode.title}] = !t.Failed()
			})
		}
	}
	// The table is what CI finds: not of a part, nor of another machine, which has other compilers.
	if buildsAll() && native == "linux/amd64" && len(passed) == wanted && !t.Failed() {
		checkTable(t, passed)
	}
}

// checkTable compares the table in docs/program.md with what TestPrograms found.
func checkTable(t *testing.T, passed map[cell]bool) {
	t.Helper()
	page := filepath.Join("..", "..", "docs", "program.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`(?s)\| platform .*?\n\n`)
	got, want := string(table.Find(text)), programTable(passed)
	switch {
	case got == want:
	case *update:
		if err := os.WriteFile(page, table.ReplaceAllLiteral(text, []byte(want)), 0o666); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s has the table\n%swant\n%s", page, got, want)
	}
}

func programTable(passed map[cell]bool) string {
	var b strings.Builder
	b.WriteString("| platform | format |")
	for _, mode := range buildModes {
		b.WriteString(" " + mode.title + " |")
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(buildModes)) + "\n")
	for _, platform := range platforms {
		fmt.Fprintf(&b, "| %s | %s |", platform.name, platform.format)
		for _, mode := range buildModes {
			text := notTested
			if _, exists := mode.needsC(platform.name); !exists {
				text = noMode
			} else if passed[cell{platform.name, mode.title}] {
				text = isFound
			}
			b.WriteString(" " + text + " |")
		}
		b.WriteString("\n")
	}
	return b.String() + "\n"
}
