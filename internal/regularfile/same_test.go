package regularfile_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/greenticai/packvendor/internal/regularfile"
)

func TestSame(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return dir + "/" + name } // not cleaned
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(at(name), []byte("alike"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	pairs := map[[2]string]bool{
		{"a", "a"}: true, {"a", "./a"}: true, {".", "../" + filepath.Base(dir)}: true,
		{"a", "b"}: false, {"a", "."}: false, {"a", "none"}: false, {"none", "none"}: false,
	}
	if runtime.GOOS != "windows" { // links need rights there
		if err := os.Symlink("a", at("link")); err != nil {
			t.Fatal(err)
		}
		pairs[[2]string{"a", "link"}] = true
		pairs[[2]string{"b", "link"}] = false
	}
	for pair, want := range pairs {
		for _, p := range [][2]string{pair, {pair[1], pair[0]}} {
			if got := regularfile.Same(at(p[0]), at(p[1])); got != want {
				t.Errorf("%q: %t, want %t", p, got, want)
			}
		}
	}
}
