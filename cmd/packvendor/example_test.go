package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
)

// An example is packs.toml.example without the table trust, and with working references: its
// hosts, ghcr.io and localhost:5000, are a registry's over plain HTTP, and each digest is
// that of a pack pushed to the reference's repository and tag.
type example struct {
	registry *packtest.Registry
	file     *packsfile.File  // as it is in the project
	text     string           // packs.toml
	locked   []lockfile.Entry // the expected packs.lock
}

func readExample(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "packs.toml.example"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parseExample(t *testing.T, text string) *packsfile.File {
	t.Helper()
	file, err := packsfile.Parse("packs.toml.example", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func newExample(t *testing.T) *example {
	t.Helper()
	e := &example{registry: packtest.StartRegistry(t, packtest.Options{Plain: true}), text: withoutTrust(t, readExample(t))}
	for _, p := range parseExample(t, e.text).Packs {
		if p.Path != "" {
			e.locked = append(e.locked, lockfile.Entry{Name: p.Name, Path: p.Path, LayerDigest: ociref.DigestOf(fileOf(p)), Size: int64(len(fileOf(p)))})
			continue
		}
		e.push(t, p)
	}
	e.replace("ghcr.io", e.registry.Host())
	e.replace("localhost:5000", e.registry.Host())
	e.file = parseExample(t, e.text)
	for i, p := range e.file.Packs {
		e.locked[i].Ref, e.locked[i].Layer = p.Ref, p.Layer
	}
	return e
}

// withoutTrust cuts the table trust out of the example, with its comments.
func withoutTrust(t *testing.T, text string) string {
	t.Helper()
	before, rest, ok := strings.Cut(text, "# Who has to sign which pack.")
	at := strings.Index(rest, "# NAME = \"REFERENCE\"")
	if !ok || at < 0 || parseExample(t, before+rest[at:]).Trust != nil {
		t.Fatal("the table trust is not found")
	}
	return before + rest[at:]
}

func (e *example) replace(words, by string) { e.text = strings.ReplaceAll(e.text, words, by) }

// push pushes the pack's artifact, puts the digests into the text, and records the
// expected entry.
func (e *example) push(t *testing.T, p packsfile.Pack) {
	t.Helper()
	a, selected := artifact(p)
	tag := cmp.Or(p.Reference.Tag, versionOf[p.Version])
	pushed := packtest.MustPush(t, e.registry, p.Reference.Repository, tag, a)
	entry := lockfile.Entry{
		Name:           p.Name,
		ManifestDigest: pushed.ManifestDigest,
		LayerDigest:    pushed.Layers[selected],
		Size:           int64(len(a.Layers[selected].Data)),
		MediaType:      a.Layers[selected].MediaType,
	}
	if p.Reference.Digest == "" {
		entry.Tag, entry.Version = tag, p.Version
	} else {
		e.replace(string(p.Reference.Digest), string(pushed.ManifestDigest))
	}
	if strings.HasPrefix(p.Layer, "sha256:") {
		e.replace(p.Layer, string(entry.LayerDigest))
	}
	e.locked = append(e.locked, entry)
}

// fileOf returns the bytes of a pack that is a file.
func fileOf(p packsfile.Pack) []byte { return packtest.Zip(p.Name, "1.0.0", 100) }

// writeFiles writes the packs that are files. The folder's parent may have some, too.
func (e *example) writeFiles(t *testing.T) {
	t.Helper()
	for _, p := range e.file.Packs {
		if p.Path == "" {
			continue
		}
		name := filepath.FromSlash(p.Path)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		writeFile(t, name, string(fileOf(p)))
	}
}

// versionOf has a version in each range of the example.
var versionOf = map[string]string{"^0.4": "0.4.2"}

// artifact returns an artifact that fits the entry, and the index of the pack's layer.
// If the entry names a layer, the usual rules would select another.
func artifact(p packsfile.Pack) (packtest.Artifact, int) {
	usual := packtest.Layer{MediaType: packtest.PackMediaType, Data: packtest.Zip(p.Name, "1.0.0", 100)}
	other := packtest.Layer{MediaType: packtest.PackMediaType, Data: packtest.Zip(p.Name, "2.0.0", 200)}
	switch {
	case p.Name == "acme-intake":
		usual.MediaType = "application/vnd.acme.pack+zip"
		return packtest.Artifact{Layers: []packtest.Layer{usual}}, 0
	case p.Layer == "":
		return packtest.Artifact{Layers: []packtest.Layer{usual}}, 0
	case !strings.HasPrefix(p.Layer, "sha256:"):
		other.MediaType = p.Layer
	}
	return packtest.Artifact{Layers: []packtest.Layer{usual, other}}, 1
}

// packs.toml.example shows every key.
func TestExampleKeys(t *testing.T) {
	var file map[string]any
	if _, err := toml.Decode(readExample(t), &file); err != nil {
		t.Fatal(err)
	}
	inPacks := map[string]any{}
	for _, p := range file["packs"].(map[string]any) {
		if table, ok := p.(map[string]any); ok {
			maps.Copy(inPacks, table)
		}
	}
	trust := file["trust"].(map[string]any)
	inSigners := map[string]any{}
	for _, s := range trust["signers"].(map[string]any) {
		maps.Copy(inSigners, s.(map[string]any))
	}
	tests := []struct {
		table string
		keys  map[string]any
		want  []string
	}{
		{"the file", file, []string{"accept_media_types", "allow_tags", "embed", "insecure_registries", "limits", "packs", "trust"}},
		{"embed", file["embed"].(map[string]any), []string{"data", "dir", "file", "package", "stub"}},
		{"limits", file["limits"].(map[string]any), []string{"pack", "total"}},
		{"trust", trust, []string{"root", "rules", "signers"}},
		{"a signer", inSigners, []string{"identity", "issuer", "key", "names", "only", "refs", "repository", "repository_id", "self_hosted", "workflow"}},
		{"a pack", inPacks, []string{"allow_tags", "go_name", "layer", "path", "ref", "version"}},
	}
	for _, test := range tests {
		if got := slices.Sorted(maps.Keys(test.keys)); !slices.Equal(got, test.want) {
			t.Errorf("keys of %s: %q, want %q", test.table, got, test.want)
		}
	}
}

// packs.toml.example shows the real defaults.
func TestExampleDefaults(t *testing.T) {
	file, none := parseExample(t, readExample(t)), parseExample(t, "")
	file.Embed.Line, file.Embed.Package = 0, ""
	if file.AllowTags != none.AllowTags || file.Embed != none.Embed {
		t.Errorf("allow_tags = %v, embed = %+v; want %v, %+v", file.AllowTags, file.Embed, none.AllowTags, none.Embed)
	}
}

// packs.toml.example works unchanged but for the table trust, since its packs are not signed,
// and a second run has nothing to do.
func TestExampleRuns(t *testing.T) {
	e := newExample(t)
	dir, cache := filepath.Join(t.TempDir(), "app"), t.TempDir()
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	writeFile(t, "go.mod", "module example.com/app\n\ngo 1.25\n")
	writeFile(t, "packs.toml", e.text)
	e.writeFiles(t)
	vendorExample(t, cache)
	e.checkLock(t)
	e.checkVendored(t)
	e.checkGenerated(t)
	if t.Failed() {
		return
	}

	before := lookAt(t, dir)
	e.registry.ResetRequests()
	vendorExample(t, cache)
	if requests := e.registry.Requests(); len(requests) > 0 {
		t.Errorf("the second run sent requests: %v", requests)
	}
	if after := lookAt(t, dir); !maps.Equal(before, after) {
		t.Errorf("the second run changed files, from\n%v\nto\n%v", before, after)
	}
}

// vendorExample runs packvendor, which must succeed without output.
func vendorExample(t *testing.T, cache string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), process{
		args:   []string{"--quiet"},
		getenv: func(key string) string { return map[string]string{"GREENTIC_PACK_CACHE_DIR": cache}[key] },
		stdout: &stdout,
		stderr: &stderr,
	})
	if code != 0 || stdout.Len() > 0 || stderr.Len() > 0 {
		t.Fatalf("exit code %d, standard output:\n%s\nstandard error:\n%s", code, &stdout, &stderr)
	}
}

func (e *example) checkLock(t *testing.T) {
	t.Helper()
	lock, err := lockfile.Parse("packs.lock", readFile(t, "packs.lock"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(lock.Entries, e.locked) {
		t.Errorf("packs.lock has\n%+v\nwant\n%+v", lock.Entries, e.locked)
	}
}

func (e *example) checkVendored(t *testing.T) {
	t.Helper()
	for _, p := range e.locked {
		name := filepath.Join(e.file.Embed.Dir, e.file.Embed.Data, p.Name+".gtpack")
		if got := ociref.DigestOf(readFile(t, name)); got != p.LayerDigest {
			t.Errorf("%s is %s, want %s", name, got, p.LayerDigest)
		}
	}
}

func (e *example) checkGenerated(t *testing.T) {
	t.Helper()
	source := readFile(t, filepath.Join(e.file.Embed.Dir, e.file.Embed.File))
	if name, err := embedgen.PackageName(source); err != nil || name != e.file.Embed.Package {
		t.Errorf("package %s, %v; want %s", name, err, e.file.Embed.Package)
	}
	f, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, decl := range f.Decls {
		names = append(names, declared(decl)...)
	}
	for _, p := range e.file.Packs {
		if !slices.Contains(names, p.GoName) {
			t.Errorf("no function %s among %q", p.GoName, names)
		}
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// lookAt returns the modification time and content of each file below dir.
func lookAt(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		files[name] = fmt.Sprint(info.ModTime().UnixNano(), ociref.DigestOf(readFile(t, name)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
