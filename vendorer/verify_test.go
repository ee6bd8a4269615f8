package vendorer_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

func TestVerify(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(*project)
		want  []string
	}{
		{"all agree", func(*project) {}, nil},
		{"cold cache", (*project).coldCache, nil},
		{"no lock", func(p *project) { p.remove("app/packs.lock") }, []string{"$DIR/packs.lock would change (missing: a, b)"}},
		{"stale", func(p *project) { p.packs(`a = "$REG/a:stable@$A"`, `b = "$REG/b@$B"`) }, []string{"$DIR/packs.lock would change (stale: a)"}},
		{"surplus", func(p *project) { p.packs(`a = "$REG/a@$A"`) }, []string{"$DIR/packs.lock would change (surplus: b)"}},
		{"stale, and another missing", func(p *project) {
			p.packs(`a = "$REG/a:stable@$A"`, `b = "$REG/b@$B"`)
			p.remove("app/packs")
		}, []string{"$DIR/packs.lock would change (stale: a)", "$DIR/packs/b.gtpack is missing"}},
		{"form", func(p *project) { p.replace("app/packs.lock", "version = 1\n", "version = 1\n\n") }, []string{"$DIR/packs.lock would change (it is not in canonical form)"}},
		{"no file", func(p *project) { p.remove("app/packs/b.gtpack") }, []string{"$DIR/packs/b.gtpack is missing"}},
		{"no folder", func(p *project) { p.remove("app/packs") }, []string{"$DIR/packs/a.gtpack is missing", "$DIR/packs/b.gtpack is missing"}},
		{"changed", func(p *project) {
			p.flip("app/packs/a.gtpack")
			p.names["GOT"] = digestOf(p.read("app/packs/a.gtpack"))
		}, []string{"$DIR/packs/a.gtpack is not the pack that is locked\n\tgot:  $GOT\n\twant: $A_LAYER"}},
		{"another size", func(p *project) { p.write("app/packs/a.gtpack", "x") },
			[]string{"$DIR/packs/a.gtpack is not the pack that is locked\n\tgot:  1 bytes\n\twant: $A_SIZE bytes"}},
		{"LFS pointer", func(p *project) {
			p.write("app/packs/a.gtpack", "version https://git-lfs.github.com/spec/v1\noid sha256:00\n")
		}, []string{"$DIR/packs/a.gtpack is a Git LFS pointer, not the pack"}},
		{"a large file that begins like a pointer", func(p *project) {
			text := "version https://git-lfs.github.com/spec/v1" + strings.Repeat(" ", 1024)
			p.write("app/packs/a.gtpack", text)
		}, []string{"$DIR/packs/a.gtpack is not the pack that is locked\n\tgot:  1066 bytes\n\twant: $A_SIZE bytes"}},
		{"no Go file", func(p *project) { p.remove("app/packs_gen.go") }, []string{"$DIR/packs_gen.go is missing"}},
		{"Go file changed", func(p *project) { p.replace("app/packs_gen.go", "func Packs()", "func Packz()") }, []string{"$DIR/packs_gen.go is not what packvendor generates"}},
		{"the lock lies", func(p *project) { p.replaceIn("a", `manifest_digest = "$A"`, `manifest_digest = "$B"`) },
			[]string{"$DIR/packs.lock:4: a: manifest_digest is $B, but ref pins $A"}},
		{"all at once", func(p *project) {
			p.replaceIn("a", `manifest_digest = "$A"`, `manifest_digest = "$B"`)
			p.write("app/packs/a.gtpack", "x")
			p.remove("app/packs/b.gtpack")
			p.remove("app/packs_gen.go") // the right text is unknown
		}, []string{
			"$DIR/packs.lock:4: a: manifest_digest is $B, but ref pins $A",
			"$DIR/packs/a.gtpack is not the pack that is locked\n\tgot:  1 bytes\n\twant: $A_SIZE bytes",
			"$DIR/packs/b.gtpack is missing",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProject(t)
			p.push("A", "a")
			p.push("B", "b")
			p.packs(`a = "$REG/a@$A"`, `b = "$REG/b@$B"`)
			p.mustRun()
			p.reg.ResetRequests()
			test.spoil(p)
			p.wantFound(false, test.want...)
			p.wantRequests()
		})
	}
}

func TestVerifyResult(t *testing.T) {
	p := newVendored(t)
	p.replace("app/packs_gen.go", "func Packs()", "func Packz()")
	v, err := vendorer.Verify(context.Background(), p.options, false)
	p.must(err)
	if v.Packs != 1 || v.Unembedded != nil {
		t.Errorf("%+v", v)
	}
	var generated *vendorer.GeneratedError
	if len(v.Findings) != 1 || !errors.As(v.Findings[0], &generated) {
		t.Fatalf("findings %v", v.Findings)
	}
	shown := p.expand("$DIR/packs_gen.go")
	for _, want := range []string{"--- " + shown + "\n", "+++ " + shown + " as generated\n", "\n-func Packz() []Pack {\n+func Packs() []Pack {\n"} {
		if !strings.Contains(generated.Diff, want) {
			t.Errorf("the difference lacks %q:\n%s", want, generated.Diff)
		}
	}
}

func TestVerifyEmbeds(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(*project)
		want  []string
	}{
		{"others may embed others", func(p *project) {
			p.write("app/doc.txt", "doc")
			p.write("app/doc.go", "package app\n\nimport _ \"embed\"\n\n//go:embed doc.txt\nvar doc string\n")
		}, nil},
		{"one that is not locked", func(p *project) {
			p.write("app/packs/b.gtpack", "b")
			p.write("app/sub.go", "package app\n\nimport \"embed\"\n\n//go:embed packs\nvar all embed.FS\n")
		}, []string{"$DIR/packs/b.gtpack is embedded, but not locked"}},
		{"broken package", func(p *project) {
			p.write("app/sub.go", "package app\n\nimport \"embed\"\n\n//go:embed nothing\nvar none embed.FS\n")
		}, []string{"$DIR cannot be loaded by the Go toolchain: pattern nothing: no matching files found"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newVendored(t)
			test.spoil(p)
			p.wantFound(false, test.want...)
		})
	}
}

// Verify of a module without dependencies needs neither a vendor folder nor a proxy,
// whatever the environment says.
func TestVerifyEnvironment(t *testing.T) {
	for name, value := range map[string]string{"GOFLAGS": "-mod=vendor", "GOPROXY": "https://nowhere.invalid"} {
		p := newVendored(t)
		t.Setenv(name, value)
		p.wantFound(false)
	}
}

func TestVerifyWithoutGo(t *testing.T) {
	p := newVendored(t)
	t.Setenv("PATH", "")
	v, err := vendorer.Verify(context.Background(), p.options, false)
	p.must(err)
	if len(v.Findings) > 0 || !errors.Is(v.Unembedded, exec.ErrNotFound) {
		t.Errorf("%+v", v)
	}
	p.remove("app/packs") // findings without the toolchain remain
	p.wantFound(false, "$DIR/packs/a.gtpack is missing")
}

func TestVerifyRemote(t *testing.T) {
	p := newVendored(t)
	p.push("B", "b")
	p.packs(`a = "$REG/a@$A"`, `b = "$REG/b@$B"`)
	p.mustRun()
	p.reg.ResetRequests()
	p.wantFound(true)
	p.wantRequests("GET /v2/a/manifests/$A", "GET /v2/b/manifests/$B") // manifests alone, whatever is cached

	p.must(p.reg.Delete("a", p.names["A"]))
	p.wantFound(true, "$DIR/packs.toml:2: packs.a: cannot resolve $REG/a@$A: GET https://$REG/v2/a/manifests/$A: 404 not found or private: MANIFEST_UNKNOWN: manifest unknown")
	p.wantFound(false)

	// What the toolchain embeds is told where nothing else was found.
	p.write("app/packs/extra.txt", "x")
	p.write("app/extra.go", "package app\n\nimport _ \"embed\"\n\n//go:embed packs/extra.txt\nvar extra string\n")
	p.wantFound(false, "$DIR/packs/extra.txt is embedded, but not locked")
	p.wantFound(true, "$DIR/packs.toml:2: packs.a: cannot resolve $REG/a@$A: GET https://$REG/v2/a/manifests/$A: 404 not found or private: MANIFEST_UNKNOWN: manifest unknown")
	p.remove("app/packs/extra.txt")
	p.remove("app/extra.go")

	p.reg.Inject(fault.EvilManifest([]byte(`{"layers":[]}`), fault.PrettyJWS))
	v, err := vendorer.Verify(context.Background(), p.options, true)
	p.must(err)
	var mismatch *packfetch.DigestMismatchError
	if len(v.Findings) == 0 || !errors.As(v.Findings[len(v.Findings)-1], &mismatch) {
		t.Errorf("findings %v", v.Findings)
	}
	p.reg.Inject()

	p.options.Offline = true
	p.wantFound(true, "$DIR/packs.toml:2: packs.a: $REG/a@$A is not cached, and the network is off", "$DIR/packs.toml:3: packs.b: $REG/b@$B is not cached, and the network is off")
}

func TestVerifyFails(t *testing.T) {
	p := newVendored(t)
	verify := func() error {
		_, err := vendorer.Verify(context.Background(), p.options, false)
		return err
	}
	good := p.read("app/packs.toml")
	p.remove("app/packs.toml")
	p.fails(verify, "$DIR/packs.toml: no such file")
	p.packs(`a = "$REG/a:stable"`)
	p.fails(verify, `$DIR/packs.toml:2: packs.a: "$REG/a:stable" is a tag, not a pin: tags can move`)
	p.write("app/packs.toml", good)
	p.write("app/x.go", "package x\n")
	p.write("app/y.go", "package y\n")
	p.fails(verify, "$DIR holds several packages (x, y): set package under [embed] in packs.toml")
	p.remove("app/x.go")
	p.remove("app/y.go")
	p.must(os.Rename(filepath.Join(p.dir, "packs_gen.go"), filepath.Join(p.dir, "other.go")))
	p.write("app/packs_gen.go", "package app\n")
	p.fails(verify, "$DIR/packs_gen.go was not generated by packvendor")
}

func TestVerifyInterrupted(t *testing.T) {
	p := newVendored(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	p.reg.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		cancel(errors.New("enough"))
		<-r.Context().Done()
		return true
	})
	p.fails(func() error { _, err := vendorer.Verify(ctx, p.options, true); return err }, "enough")
}

// A read-only checkout can be verified.
func TestVerifyReadOnly(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write anywhere")
	}
	p := newVendored(t)
	for _, dir := range []string{"app/packs", "app"} {
		p.must(os.Chmod(filepath.Join(p.mod, dir), 0o555))
		t.Cleanup(func() { os.Chmod(filepath.Join(p.mod, dir), 0o777) })
	}
	p.wantFound(false)
}
