package vendorer_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

func (p *project) inspect(what string) (*vendorer.Inspection, error) {
	return vendorer.Inspect(p.t.Context(), p.options, vendorer.InspectOptions{}, p.expand(what))
}

func TestInspect(t *testing.T) {
	p := newVendored(t)
	p.push("B", "b:1.0.0")
	t.Chdir(p.dir) // with packs, a folder, and packs.lock, a file
	p.must(os.WriteFile("other.gtpack", packtest.Zip("other", "1.0.0", 0), 0o666))
	for what, want := range map[string]string{
		"a":             "pack",
		"other.gtpack":  "other",
		"$REG/a@$A":     "pack",
		"$REG/a:stable": "pack",
		"$REG/b":        "pack",
	} {
		found, err := p.inspect(what)
		if err != nil || found.ID != want {
			t.Errorf("%s: %+v, error %v", what, found, err)
		}
	}
	for what, want := range map[string]string{
		"b":              `$DIR/packs.toml has no pack "b"`,
		"packs":          `$DIR/packs.toml has no pack "packs"`,
		"./packs":        `"./packs" is a directory, not a pack`,
		"./nowhere":      `"./nowhere" is neither a pack of packs.toml, nor a file, nor a reference`,
		"x/y.gtpack":     `"x/y.gtpack" is neither a pack of packs.toml, nor a file, nor a reference`,
		"packs.lock":     "packs.lock: not a pack: it is no zip archive",
		"x/y:1":          `invalid reference "x/y:1": no registry host: write host/repository, like ghcr.io/owner/name`,
		"packs.lock/sub": `"packs.lock/sub" is neither a pack of packs.toml, nor a file, nor a reference`,
	} {
		p.fails(func() error { _, err := p.inspect(what); return err }, want)
	}
	p.must(os.Remove("packs/a.gtpack"))
	p.must(os.Mkdir("packs/a.gtpack", 0o777))
	p.fails(func() error { _, err := p.inspect("a"); return err }, "$DIR/packs/a.gtpack is a directory")
}

// Packs that are copied before reading need disk space.
func TestInspectNoTemporaries(t *testing.T) {
	p := newVendored(t)
	noTemporaries(t)
	for _, what := range []string{"a", "$REG/a@$A"} {
		if _, err := p.inspect(what); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	if _, err := p.inspect(filepath.Join(p.dir, "packs/a.gtpack")); err != nil {
		t.Errorf("a file: error %v", err)
	}
}

// A pack beyond the limit can be used nowhere, but a program of that size has to be a file.
func TestInspectLargePipe(t *testing.T) {
	p := newVendored(t)
	t.Chdir(p.mod)
	p.fifo("pipe")
	for _, test := range []struct{ content, want string }{
		{"PK\x03\x04 a pack", "the pack has 11 bytes: more than 2000000000 cannot be linked into a Go program"},
		{"\x7fELF a program", `"pipe" is a pipe, and a program of more than 10 bytes is only read from a file`},
	} {
		written := make(chan error, 1)
		go func() { written <- os.WriteFile("pipe", []byte(test.content), 0) }()
		if _, err := vendorer.InspectPipe(t.Context(), p.options, "pipe", 10); err == nil || err.Error() != test.want {
			t.Errorf("%v\nwant: %s", err, test.want)
		}
		p.must(<-written)
	}
}

// Wrong arguments are reported before any look-up or write.
func TestFetchOptions(t *testing.T) {
	p := newVendored(t)
	p.coldCache()
	p.reg.ResetRequests()
	fo := vendorer.FetchOptions{InsecureRegistries: []string{"http://x"}}
	ref := p.expand("$REG/a@$A")
	output := filepath.Join(t.TempDir(), "a.gtpack")
	for name, run := range map[string]func() error{
		"fetch":    func() error { _, err := vendorer.Fetch(t.Context(), p.options, fo, ref); return err },
		"fetch -o": func() error { _, err := vendorer.FetchFile(t.Context(), p.options, fo, ref, output); return err },
		"fetch -":  func() error { return vendorer.FetchTo(t.Context(), p.options, fo, ref, nil) },
		"inspect": func() error {
			_, err := vendorer.Inspect(t.Context(), p.options, vendorer.InspectOptions{FetchOptions: fo}, ref)
			return err
		},
	} {
		var option *packfetch.OptionError
		if err := run(); !errors.As(err, &option) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	p.wantRequests()
	if _, err := os.Stat(output); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is something in its place: %v", err)
	}
}
