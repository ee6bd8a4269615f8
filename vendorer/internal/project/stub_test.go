package project

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/greenticai/packvendor/embedgen"
)

// newStub returns a project without the key stub that has a stub all the same.
func newStub(t *testing.T) (p *Project, stub string) {
	t.Helper()
	dir := t.TempDir()
	stub = filepath.Join(dir, "packs_gen_stub.go")
	source, err := embedgen.GenerateStub(embedgen.Package{Name: "app", Data: "packs"})
	if err != nil {
		t.Fatal(err)
	}
	toml := filepath.Join(dir, "packs.toml")
	for name, data := range map[string]string{
		filepath.Join(dir, GoMod): "module example.com/app\n", toml: "[packs]\n", stub: string(source),
	} {
		if err := os.WriteFile(name, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	mutex, err := Lock(t.Context(), toml, 0, func() {})
	if err != nil {
		t.Fatal(err)
	}
	if p, err = Open(toml, mutex, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, stub
}

func TestDropStub(t *testing.T) {
	p, stub := newStub(t)
	c := p.NewChange()
	if err := c.DropStub(); err != nil {
		t.Fatal(err)
	}
	if err := c.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(stub); !os.IsNotExist(err) || len(c.Deleted) != 1 || filepath.Base(c.Deleted[0]) != "packs_gen_stub.go" {
		t.Errorf("deleted %q, %v", c.Deleted, err)
	}
}

// A file of the user that comes to the stub's place while a run works stays.
func TestDropStubOfUser(t *testing.T) {
	for name, replace := range map[string]func(stub string) error{
		"file": func(stub string) error { return os.WriteFile(stub, []byte("package app\n"), 0o666) },
		"link": func(stub string) error { return os.Symlink("packs.toml", stub) },
		"none": func(stub string) error { return nil },
	} {
		if name == "link" && runtime.GOOS == "windows" { // links need rights there
			continue
		}
		p, stub := newStub(t)
		c := p.NewChange()
		if err := c.DropStub(); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(stub); err != nil {
			t.Fatal(err)
		}
		if err := replace(stub); err != nil {
			t.Fatal(err)
		}
		if err := c.Commit(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(stub); (err == nil) != (name != "none") || len(c.Deleted) != 0 {
			t.Errorf("%s: deleted %q, %v", name, c.Deleted, err)
		}
	}
}
