package vendorer_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/vendorer"
)

const (
	evilInit = "package app\n\nfunc init() { gtpackA = \"evil\" }\n"
	evilLink = "package other\n\nimport _ \"unsafe\"\n\n//go:linkname a example.com/app/app.gtpackA\nvar a string\n"
)

func TestVerifyTouches(t *testing.T) {
	const init, link = "$DIR/init.go:3 uses gtpackA, which is the generated file's alone", ":5 uses example.com/app/app.gtpackA, a symbol of the packs' package"
	for _, test := range []struct {
		name  string
		spoil func(*project)
		want  []string
	}{
		{"beside other drift", func(p *project) {
			p.write("app/init.go", evilInit)
			p.remove("app/packs/a.gtpack")
			p.replace("app/packs_gen.go", "func Packs()", "func Packz()")
		}, []string{"$DIR/packs/a.gtpack is missing", "$DIR/packs_gen.go is not what packvendor generates", init}},
		{"without packs.lock", func(p *project) {
			p.write("app/init.go", evilInit)
			p.remove("app/packs.lock")
		}, []string{"$DIR/packs.lock would change (missing: a)", init}},
		{"tests", func(p *project) {
			p.write("app/init_test.go", evilInit)
			p.write("other/link_test.go", evilLink)
		}, nil},
		{"files that the go command ignores", func(p *project) {
			p.write("app/_init.go", evilInit)
			p.write("app/.init.go", evilInit)
			p.write("app/init.txt", evilInit)
			p.write("other/_link.go", evilLink)
		}, nil},
		{"another package", func(p *project) {
			p.write("app/app.go", "package app\n")
			p.write("app/init.go", "//go:build ignore\n\n"+strings.Replace(evilInit, "package app", "package main", 1))
		}, nil},
		{"a name of the package that is not generated", func(p *project) {
			p.write("other/link.go", strings.Replace(evilLink, "gtpackA", "helper", 1))
		}, []string{"$MOD/other/link.go:5 uses example.com/app/app.helper, a symbol of the packs' package"}},
		{"a large file", func(p *project) {
			p.write("other/link.go", strings.Replace(evilLink, "\n//go", strings.Repeat("\n// x", 1<<18)+"\n//go", 1))
		}, []string{"$MOD/other/link.go:262149 uses example.com/app/app.gtpackA, a symbol of the packs' package"}},
		{"a directive far down", func(p *project) {
			p.write("other/link.go", strings.Replace(evilLink, "\n//go", "\nvar b int"+strings.Repeat("\n// x", 2000)+"\n//go", 1))
		}, []string{"$MOD/other/link.go:2006 uses example.com/app/app.gtpackA, a symbol of the packs' package"}},
		{"many folders", func(p *project) {
			for dir := range strings.FieldsSeq("a a/b a/b/c d d/testdata e/_f e/.g f/vendor") {
				p.write(filepath.Join(dir, "link.go"), evilLink)
			}
		}, []string{"$MOD/a/b/c/link.go" + link, "$MOD/a/b/link.go" + link, "$MOD/a/link.go" + link, "$MOD/d/link.go" + link,
			"$MOD/d/testdata/link.go" + link, "$MOD/e/.g/link.go" + link, "$MOD/e/_f/link.go" + link, "$MOD/f/vendor/link.go" + link}},
		{"other modules, vendor and git", func(p *project) {
			for dir := range strings.FieldsSeq("nested vendor/x x/vendor/y .git/x") {
				p.write(filepath.Join(dir, "link.go"), evilLink)
			}
			p.write("nested/go.mod", "module example.com/app/nested\n")
			p.write("vendor/modules.txt", "")
		}, nil},
		{"a link in another package", func(p *project) {
			outside := filepath.Join(p.t.(*testing.T).TempDir(), "outside")
			p.must(os.WriteFile(outside, []byte(evilLink), 0o666))
			p.write("other/doc.go", "package other\n")
			p.must(os.Symlink(outside, filepath.Join(p.mod, "other", "link.go")))
			p.must(os.Symlink("nowhere", filepath.Join(p.mod, "other", "nowhere.go")))
			p.must(os.Symlink(p.mod, filepath.Join(p.mod, "other", "again")))
		}, []string{"$MOD/other/link.go" + link}},
		{"what is no file", func(p *project) {
			p.write("other/folder.go/doc.go", "package folder\n")
			p.write("other/doc.go", "package other\n")
			p.fifo("other/fifo.go")
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newVendored(t)
			test.spoil(p)
			p.wantFound(false, test.want...)
		})
	}
}

// Symbols of a package main contain no path: those of other programs are no finding.
func TestVerifyTouchesMain(t *testing.T) {
	p := newProject(t)
	p.push("A", "a")
	p.packs(`a = "$REG/a@$A"`)
	p.write("app/main.go", "package main\n\nfunc main() {}\n")
	p.mustRun()
	p.write("other/link.go", strings.Replace(evilLink, "example.com/app/app.gtpackA", "main.helper", 1))
	p.wantFound(false)
	p.write("other/link.go", strings.Replace(evilLink, "example.com/app/app.gtpackA", "main.gtpackA", 1))
	p.wantFound(false, "$MOD/other/link.go:5 uses main.gtpackA, a symbol of the packs' package")
}

// A module behind a link is scanned as well.
func TestSourceLinkInLinkedModule(t *testing.T) {
	p := newVendored(t)
	p.names["LINKED"] = filepath.Join(t.TempDir(), "linked")
	p.must(os.Symlink(p.mod, p.names["LINKED"]))
	p.options.File = filepath.Join(p.names["LINKED"], "app", "packs.toml")
	p.write("app/sub/init.txt", evilInit)
	p.must(os.Symlink(filepath.Join(p.mod, "app", "sub", "init.txt"), filepath.Join(p.dir, "init.go")))
	p.wantFound(false, "$LINKED/app/init.go:3 uses gtpackA, which is the generated file's alone")
}

// The end of a verify ends its scan at any point.
func TestVerifyTouchesInterrupted(t *testing.T) {
	p := newVendored(t)
	p.write("other/link.go", evilLink)
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("enough"))
	p.fails(func() error { _, err := vendorer.Verify(ctx, p.options, false); return err }, "enough")
}
