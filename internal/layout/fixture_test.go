package layout

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	layerType    = "application/vnd.greentic.gtpack.v1+zip"
	emptyType    = "application/vnd.oci.empty.v1+json"
)

func contentOf(data []byte) verified.Content {
	return verified.Content{Digest: ociref.DigestOf(data), Size: int64(len(data))}
}

// blob returns bytes as a blob.
func blob(data []byte) Blob {
	return Blob{Content: contentOf(data), Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}

// manifestOf returns a manifest with one layer.
func manifestOf(t testing.TB, layer []byte) []byte {
	t.Helper()
	descriptorOf := func(mediaType string, data []byte) descriptor {
		return descriptor{MediaType: mediaType, Digest: ociref.DigestOf(data), Size: int64(len(data))}
	}
	body, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType, "artifactType": layerType,
		"config": descriptorOf(emptyType, []byte("{}")), "layers": []descriptor{descriptorOf(layerType, layer)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// packs returns contents with two packs; one of them has a long name and a large layer.
func packs(t testing.TB) (c Contents, layers [][]byte) {
	t.Helper()
	c.Blobs = []Blob{blob([]byte("{}"))}
	layers = [][]byte{[]byte("the first pack"), bytes.Repeat([]byte("second"), 100_000)}
	for i, layer := range layers {
		manifest := manifestOf(t, layer)
		name := []string{"slack", "redis"}[i]
		c.Entries = append(c.Entries, Entry{Name: name, Reference: "reg.example/team/" + name + ":1.0.0@" + ociref.DigestOf(manifest).String(), MediaType: manifestType, Content: contentOf(manifest)})
		c.Blobs = append(c.Blobs, blob(manifest), blob(layer))
	}
	c.Files = map[string][]byte{"packs.lock": []byte("version = 1\n"), "slack.evidence": {}}
	return c, layers
}

// A kind is a folder or an archive, in which tests do the same.
type kind struct {
	name  string
	write func(t testing.TB, c Contents) (path string, err error)
}

var kinds = []kind{
	{"folder", func(t testing.TB, c Contents) (string, error) {
		dir := t.TempDir()
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		return filepath.Join(dir, "bundle"), c.WriteFolder(t.Context(), root, "bundle")
	}},
	{"archive", func(t testing.TB, c Contents) (string, error) {
		path := filepath.Join(t.TempDir(), "bundle.tar")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		return path, c.WriteArchive(t.Context(), file)
	}},
}

// eachKind runs a test with a layout of each kind.
func eachKind(t *testing.T, c Contents, test func(t *testing.T, path string)) {
	t.Helper()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			path, err := k.write(t, c)
			if err != nil {
				t.Fatal(err)
			}
			test(t, path)
		})
	}
}

// archived writes an archive, and returns its bytes as well.
func archived(t testing.TB, c Contents) (path string, data []byte) {
	t.Helper()
	path, err := kinds[1].write(t, c)
	if err == nil {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path, data
}

func mustOpen(t testing.TB, path string) *Layout {
	t.Helper()
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// members are files by name, for layouts that Contents would not write.
type files []file

type file struct{ name, text string }

const (
	goodMarker = `{"imageLayoutVersion":"1.0.0"}`
	goodIndex  = `{"schemaVersion":2,"manifests":[]}`
)

// minimal is the smallest layout, with more files.
func minimal(more ...file) files {
	return append(files{{markerName, goodMarker}, {indexName, goodIndex}}, more...)
}

// folder writes files into a folder.
func (f files) folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, one := range f {
		path := filepath.Join(dir, filepath.FromSlash(one.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(one.text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// archive writes files into an archive.
func (f files) archive(t testing.TB) string {
	t.Helper()
	var headers []tar.Header
	for _, one := range f {
		headers = append(headers, tar.Header{Typeflag: tar.TypeReg, Name: one.name, Size: int64(len(one.text)), Mode: 0o644})
	}
	return writeArchive(t, headers, f, true)
}

// writeArchive writes an archive of headers, and the bytes of files in their order.
func writeArchive(t testing.TB, headers []tar.Header, f files, ended bool) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := io.WriteString(w, f[i].text); err != nil {
				t.Fatal(err)
			}
		}
	}
	finish := w.Flush
	if ended {
		finish = w.Close
	}
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.tar")
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// tree returns the files below a folder with their modes, a line each.
func tree(t testing.TB, dir string) string {
	t.Helper()
	var text string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		digest := ""
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			digest = ociref.DigestOf(data).String()
		}
		text += fmt.Sprintf("%s %s %s\n", info.Mode(), filepath.ToSlash(name), digest)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}
