package layout

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/distribution"
)

// oras runs oras and returns what it prints.
func oras(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(packtest.NeedProgram(t, "oras"), args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+cmd.Dir, "HOME="+cmd.Dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("oras %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// has demands that a layout has the first pack, whole.
func has(t *testing.T, path string, c Contents, layers [][]byte) {
	t.Helper()
	l := mustOpen(t, path)
	if _, err := l.Manifest(c.Entries[0].Digest); err != nil {
		t.Errorf("%s: %v", path, err)
	}
	var b bytes.Buffer
	if err := l.Copy(t.Context(), &b, contentOf(layers[0])); err != nil || !bytes.Equal(b.Bytes(), layers[0]) {
		t.Errorf("%s: %v", path, err)
	}
	if len(l.Entries()) == 0 || l.Entries()[0].Digest != c.Entries[0].Digest {
		t.Errorf("%s: %+v", path, l.Entries())
	}
}

// oras finds each pack by its name, copies it into a layout of its own and into a
// registry, and pulls its file: from a folder and from an archive.
func TestOrasReads(t *testing.T) {
	c, layers := packs(t)
	eachKind(t, c, func(t *testing.T, path string) {
		if got := oras(t, "repo", "tags", "--oci-layout", path); got != "redis\nslack\n" {
			t.Errorf("tags: %q", got)
		}
		if got := oras(t, "resolve", "--oci-layout", path+":redis"); got != string(c.Entries[1].Digest)+"\n" {
			t.Errorf("redis is %q", got)
		}
		if got := oras(t, "manifest", "fetch", "--oci-layout", path+"@"+string(c.Entries[0].Digest)); ociref.DigestOf([]byte(got)) != c.Entries[0].Digest {
			t.Errorf("got the manifest %s", got)
		}
		to := filepath.Join(t.TempDir(), "copy")
		oras(t, "cp", "--no-tty", "--from-oci-layout", path+":slack", "--to-oci-layout", to+":1.0.0")
		has(t, to, c, layers)
		if l := mustOpen(t, to); len(l.Entries()) != 1 || l.Entries()[0].Name != "1.0.0" {
			t.Errorf("%+v", l.Entries())
		}
	})
}

// A bundle goes into a registry, and out of it again, with oras.
func TestOrasRegistry(t *testing.T) {
	packtest.NeedProgram(t, distribution.Program)
	packtest.NeedProgram(t, "oras")
	server, err := distribution.Start(distribution.Options{Dir: t.TempDir(), Plain: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	c, layers := packs(t)
	eachKind(t, c, func(t *testing.T, path string) {
		repository := server.Host() + "/" + filepath.Base(path)
		oras(t, "restore", "--plain-http", "--no-tty", "--input", path, repository+":slack,redis")
		if got := oras(t, "repo", "tags", "--plain-http", repository); got != "redis\nslack\n" {
			t.Errorf("tags: %q", got)
		}
		oras(t, "cp", "--no-tty", "--from-oci-layout", "--to-plain-http", path+":slack", server.Host()+"/other/"+filepath.Base(path)+":1.0.0")
		for _, name := range []string{"backup", "backup.tar"} {
			to := filepath.Join(t.TempDir(), name)
			oras(t, "backup", "--plain-http", "--no-tty", "--output", to, repository+":slack")
			has(t, to, c, layers)
		}
	})
}

// A layout that oras makes of a file.
func TestOrasWrites(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.gtpack"), []byte("a pack"), 0o666); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "layout")
	oras(t, "push", "--no-tty", "--disable-path-validation", "--oci-layout", path+":v1", filepath.Join(dir, "a.gtpack")+":"+layerType)
	l := mustOpen(t, path)
	if len(l.Entries()) != 1 || l.Entries()[0].Name != "v1" {
		t.Fatalf("%+v", l.Entries())
	}
	if _, err := l.Manifest(l.Entries()[0].Digest); err != nil {
		t.Error(err)
	}
	if err := l.Copy(t.Context(), io.Discard, contentOf([]byte("a pack"))); err != nil {
		t.Error(err)
	}
}
