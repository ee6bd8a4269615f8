package embedgen_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/marker"
)

// linkedPrograms use the packs a and b in one way each. They have the packs that follow.
var linkedPrograms = map[string]struct{ body, want string }{
	"reader":  {"io.Copy(os.Stdout, packs.A().Reader())", "a"},
	"bytes":   {"os.Stdout.Write(packs.B().Bytes())", "b"},
	"name":    {"io.WriteString(os.Stdout, packs.A().Name())", "a"},
	"packs":   {"for _, p := range packs.Packs() {\n\tio.Copy(os.Stdout, p.Reader())\n}", "a b"},
	"lookup":  {"if p, ok := packs.Lookup(os.Args[0]); ok {\n\tio.Copy(os.Stdout, p.Reader())\n}", "a b"},
	"nothing": {"io.Copy(os.Stdout, packs.Pack{}.Reader())", ""},
}

const linkedHead = `package main

import (
	"io"
	"os"

	"example.com/app/packs"
)

var _ = io.EOF

func main() {
`

// Whatever links the bytes of a pack links its marker, in every build.
func TestMarkersAreLinked(t *testing.T) {
	packs := map[string][]byte{"a": random(t), "b": random(t)}
	m := newModule(t, noneMain, packs)
	for name, program := range linkedPrograms {
		m.write("cmd/"+name+"/main.go", []byte(linkedHead+program.body+"\n}\n"))
	}
	for _, build := range []struct {
		name       string
		env, flags []string
	}{
		{"plain", nil, nil},
		{"stripped", nil, []string{"-ldflags=-s -w"}},
		{"trimpath", nil, []string{"-trimpath"}},
		{"not optimized", nil, []string{"-gcflags=-N -l"}},
		{"pie", []string{"GOOS=linux"}, []string{"-buildmode=pie"}},
		{"linux/arm64", []string{"GOOS=linux", "GOARCH=arm64"}, nil},
		{"windows/amd64", []string{"GOOS=windows", "GOARCH=amd64"}, nil},
		{"darwin/arm64", []string{"GOOS=darwin", "GOARCH=arm64"}, nil},
		{"js/wasm", []string{"GOOS=js", "GOARCH=wasm"}, nil},
	} {
		t.Run(build.name, func(t *testing.T) {
			if build.env != nil && testing.Short() {
				t.Skip("it compiles the standard library for another system")
			}
			dir := t.TempDir()
			m.goCommandFor(build.env, slices.Concat([]string{"build", "-o", dir + string(filepath.Separator)}, build.flags, []string{"./cmd/..."})...)
			for name, program := range linkedPrograms {
				wantLinked(t, filepath.Join(dir, name), packs, strings.Fields(program.want))
			}
		})
	}
}

// wantLinked checks that a program has the bytes of these packs, and their markers.
func wantLinked(t *testing.T, file string, packs map[string][]byte, want []string) {
	t.Helper()
	program, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		program, err = os.ReadFile(file + ".exe")
	}
	if err != nil {
		t.Fatal(err)
	}
	var bytesOf, markersOf []string
	for _, name := range []string{"a", "b"} {
		if bytes.Contains(program, packs[name]) {
			bytesOf = append(bytesOf, name)
		}
	}
	err = marker.Scan(bytes.NewReader(program), func(_ int64, text string) error {
		m, err := marker.Parse(text)
		markersOf = append(markersOf, m.Name)
		if m.Package != "example.com/app/packs" || m.Sample != marker.SampleOf(packs[m.Name]) {
			t.Errorf("%s: %q is not about %q", filepath.Base(file), text, packs[m.Name])
		}
		return err
	})
	slices.Sort(markersOf)
	if err != nil || !slices.Equal(bytesOf, want) || !slices.Equal(markersOf, want) {
		t.Errorf("%s: the bytes of %q and the markers of %q, %v; want %q", filepath.Base(file), bytesOf, markersOf, err, want)
	}
}
