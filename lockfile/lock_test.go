package lockfile_test

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/lockfile"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with the file, or writes it.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

// inputs runs f on every .lock file of a testdata folder.
func inputs(t *testing.T, folder string, f func(t *testing.T, base string, data []byte)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.lock"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no inputs in %s: %v", folder, err)
	}
	for _, file := range files {
		base := strings.TrimSuffix(file, ".lock")
		t.Run(filepath.Base(base), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f(t, base, data)
		})
	}
}

func parse(t *testing.T, data []byte) *lockfile.Lock {
	t.Helper()
	l, err := lockfile.Parse("packs.lock", data)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestFormat(t *testing.T) {
	inputs(t, "format", func(t *testing.T, base string, data []byte) {
		l := parse(t, data)
		text := lockfile.Format(l)
		golden(t, base+".golden", text)
		again := parse(t, text)
		if !slices.Equal(again.Entries, l.Entries) {
			t.Errorf("parsed again: got %+v\nwant %+v", again.Entries, l.Entries)
		}
		if twice := lockfile.Format(again); !bytes.Equal(twice, text) {
			t.Errorf("formatted twice: got\n%s\nwant\n%s", twice, text)
		}
	})
}

func TestCanonicalIsIdentity(t *testing.T) {
	for _, name := range []string{"canonical", "empty", "largest", "signed"} {
		data, err := os.ReadFile(filepath.Join("testdata", "format", name+".lock"))
		if err != nil {
			t.Fatal(err)
		}
		if got := lockfile.Format(parse(t, data)); !bytes.Equal(got, data) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, data)
		}
	}
}

func TestFault53c_CRLF(t *testing.T) {
	data, err := os.ReadFile("testdata/format/canonical.golden")
	if err != nil {
		t.Fatal(err)
	}
	crlf := bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
	if got := lockfile.Format(parse(t, crlf)); !bytes.Equal(got, data) {
		t.Errorf("got\n%s\nwant\n%s", got, data)
	}
}

func TestParse(t *testing.T) {
	data, err := os.ReadFile("testdata/format/canonical.lock")
	if err != nil {
		t.Fatal(err)
	}
	l := parse(t, data)
	got, ok := l.Entry("state-redis")
	want := lockfile.Entry{
		Name: "state-redis", Ref: "ghcr.io/greenticai/greentic-packs/state-redis:stable", Tag: "stable",
		IndexDigest: digestC, ManifestDigest: digestA, LayerDigest: digestB,
		Size: 1279746, MediaType: "application/vnd.greentic.gtpack.v1+zip",
	}
	if !ok || got != want {
		t.Errorf("got %+v, %t\nwant %+v", got, ok, want)
	}
	if got, ok := l.Entry("nobody"); ok || got != (lockfile.Entry{}) {
		t.Errorf("nobody: got %+v, %t", got, ok)
	}
}

func TestLine(t *testing.T) {
	data, err := os.ReadFile("testdata/format/unsorted.lock")
	if err != nil {
		t.Fatal(err)
	}
	l := parse(t, data)
	for name, want := range map[string]int{"zeta": 4, "alpha": 12, "mid": 20, "nobody": 0} {
		if got := l.Line(name); got != want {
			t.Errorf("%s: got line %d, want %d", name, got, want)
		}
	}
	if got := new(lockfile.Lock).Line("zeta"); got != 0 {
		t.Errorf("zero Lock: got line %d, want 0", got)
	}
}

func TestFormatSortsWithoutTouching(t *testing.T) {
	l := &lockfile.Lock{Entries: []lockfile.Entry{slack("b"), slack("a")}}
	want := lockfile.Format(&lockfile.Lock{Entries: []lockfile.Entry{slack("a"), slack("b")}})
	if got := lockfile.Format(l); !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if l.Entries[0].Name != "b" {
		t.Error("Format sorted its argument")
	}
}

// A value that Parse would not accept must not become lines of its own.
func TestFault51_FormatDoesNotInject(t *testing.T) {
	p := slack("a")
	p.Ref = "x\"\n[[pack]]\nname = \"b"
	_, err := lockfile.Parse("packs.lock", lockfile.Format(&lockfile.Lock{Entries: []lockfile.Entry{p}}))
	want := `packs.lock:6: ref: character "\\" is not accepted in a string`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// The size of all packs is never negative, whatever a file says.
func TestLockSize(t *testing.T) {
	for _, test := range []struct {
		sizes []int64
		want  int64
	}{{nil, 0}, {[]int64{1, 2, 3}, 6}, {[]int64{math.MaxInt64, 1, math.MaxInt64}, math.MaxInt64}} {
		l := &lockfile.Lock{}
		for _, size := range test.sizes {
			l.Entries = append(l.Entries, lockfile.Entry{Size: size})
		}
		if got := l.Size(); got != test.want {
			t.Errorf("%v: got %d, want %d", test.sizes, got, test.want)
		}
	}
}
