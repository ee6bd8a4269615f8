package program_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	packs "github.com/greenticai/packvendor/internal/program"
)

// A universal program is made of two programs, as lipo makes it.
func TestUniversalProgram(t *testing.T) {
	skipBuild(t)
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
	skipBuild(t)
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

// What the linker leaves out has no marker.
func TestLinkedOut(t *testing.T) {
	skipBuild(t)
	main := "package main\n\nimport \"example.com/app/packs\"\n\nfunc main() { println(packs.A().Reader().Len()) }\n"
	file := build(t, writeProgram(t, main, programPacks(t)), native, false)
	if got, want := packsIn(t, file), line("a", "present"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A thousand packs that begin alike.
func TestThousandPacks(t *testing.T) {
	skipBuild(t)
	contents := map[string][]byte{}
	var want strings.Builder
	for i := range 1000 {
		name := fmt.Sprintf("p%03d", i)
		contents[name] = archive(t, noise(uint64(i), 500), noise(uint64(i+1), 100))
		want.WriteString(line(name, "present"))
	}
	if got := packsIn(t, build(t, writeProgram(t, allMain, contents), native, false)); got != want.String() {
		t.Errorf("got\n%s", got)
	}
}

// A program may have several packages of packs, and one pack in two of them.
func TestPackagesOfProgram(t *testing.T) {
	skipBuild(t)
	contents := programPacks(t)
	main := strings.Replace(programMain, "import ", "import \"example.com/app/more\"\nimport ", 1)
	main = strings.Replace(main, "println(", "println(more.A().Reader().Len() + more.B().Reader().Len() + ", 1)
	dir := writeProgram(t, main, contents)
	writePackage(t, dir, "more", map[string][]byte{"a": contents["a"], "b": archive(t, noise(32, 1000))})
	want := "example.com/app/more a present\nexample.com/app/more b present\n" + line("a", "present") + line("zeros", "present")
	if got := packsIn(t, build(t, dir, native, false)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// Bytes that were changed after the build are other bytes.
func TestPatchedProgram(t *testing.T) {
	skipBuild(t)
	contents := programPacks(t)
	name := build(t, writeProgram(t, programMain, contents), native, false)
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(file, contents["a"])
	if at < 0 || bytes.Contains(file[at+1:], contents["a"]) {
		t.Fatalf("the pack is not there once: %d", at)
	}
	file[at+50_000] ^= 1
	if err := os.WriteFile(name, file, 0o777); err != nil {
		t.Fatal(err)
	}
	if got, want := packsIn(t, name), line("a", "other")+line("zeros", "present"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
