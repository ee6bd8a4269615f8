//go:build !windows

// There is no toolchain where the tests for Windows run.

package packsfile

import (
	"go/build"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// goBuilds is isBuiltEverywhere by the toolchain, with a system that no name stands for.
func goBuilds(t *testing.T, file string) bool {
	t.Helper()
	none := build.Context{GOOS: "none", GOARCH: "none", Compiler: "gc"}
	none.OpenFile = func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("package p\n")), nil
	}
	match, err := none.MatchFile(".", file)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return match
}

// toolchainWords returns the words with a meaning in the names of Go files, from the source of
// the toolchain: some are those of ports that are no more, or not yet.
func toolchainWords(t *testing.T) (words []string) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(build.Default.GOROOT, "src", "internal", "syslist", "syslist.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`(?m)^\t"(\w+)": +true,$`).FindAllSubmatch(source, -1) {
		words = append(words, string(match[1]))
	}
	if !slices.Contains(words, "zos") || !slices.Contains(words, "wasm") {
		t.Fatalf("no systems, no architectures: %q", words)
	}
	return words
}

func TestIsBuiltEverywhere(t *testing.T) {
	words := toolchainWords(t)
	words = append(words, "gen", "unix", "Linux", "none", "packs", "test")
	for _, word := range append(words, platforms...) {
		for _, file := range []string{word + ".go", "packs_" + word + ".go", "packs_" + word + "_gen.go", "packs_" + word + ".x.go", "packs_" + word + "_test.x.go", "a_linux_" + word + ".go", "a_" + word + "_amd64.go", "a_" + word + "_.go"} {
			if strings.HasSuffix(file, "_test.go") { // refused before
				continue
			}
			if got, want := isBuiltEverywhere(file), goBuilds(t, file); got != want {
				t.Errorf("%s: %v, and %v by the go command", file, got, want)
			}
		}
	}
}
