package layout

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
)

// FuzzArchive: never a panic; an archive is refused, or has for each name the one file that
// archive/tar reads, and no other.
func FuzzArchive(f *testing.F) {
	c, _ := packs(f)
	c.Blobs, c.Entries = c.Blobs[:2], nil
	for _, contents := range []Contents{{}, c} {
		_, data := archived(f, contents)
		f.Add(data)
	}
	f.Add([]byte{})
	path := filepath.Join(f.TempDir(), "x.tar")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		a, err := openArchive(path)
		if err != nil {
			if !errors.As(err, new(*FormatError)) || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%T %+q", err, err)
			}
			return
		}
		defer a.Close()
		checkMembers(t, a, data)
		if l, err := Open(path); err == nil {
			l.Close()
		} else if !errors.As(err, new(*FormatError)) {
			t.Errorf("%T %v", err, err)
		}
	})
}

func checkMembers(t *testing.T, a *archive, data []byte) {
	t.Helper()
	seen := 0
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		seen++
		name := strings.TrimSuffix(strings.TrimPrefix(h.Name, "./"), "/")
		want, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		file, size, err := a.open(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(file)
		if err != nil || !bytes.Equal(got, want) || size != int64(len(want)) || !fs.ValidPath(name) {
			t.Errorf("%q: %q, %d, %v; want %q", name, got, size, err, want)
		}
	}
	for _, m := range a.members {
		if !m.folder {
			seen--
		}
	}
	if seen != 0 {
		t.Errorf("%d members more than names", seen)
	}
}

// FuzzIndex: never a panic, and what Contents writes is read as the same entries.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(goodIndex), "slack", "reg.example/a:1")
	f.Add([]byte(`{"manifests":[{"mediaType":"a/b","digest":"sha256:x","size":1,"annotations":{}}]}`), "", "")
	f.Fuzz(func(t *testing.T, data []byte, name, reference string) {
		if entries, err := parseIndex(data); err != nil && entries != nil {
			t.Errorf("%+v beside %v", entries, err)
		}
		name, reference = strings.ToValidUTF8(name, "?"), strings.ToValidUTF8(reference, "?")
		want := Entry{Name: name, Reference: reference, MediaType: manifestType, Content: contentOf(data)}
		got, err := parseIndex(formatIndex([]Entry{want, want}))
		if err != nil || len(got) != 2 || got[0] != want || got[1] != want || got[0].Digest != ociref.DigestOf(data) {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	})
}
