package vendorer_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/vendorer"
)

func TestPackageName(t *testing.T) {
	for _, test := range []struct {
		name, dir string
		files     map[string]string
		gopackage string // with the package's folder as the working directory
		toml      string
		want      string // the package's name, or an error
		fails     bool
	}{
		{name: "of the folder", dir: "app", want: "app"},
		{name: "of the files", dir: "app", files: map[string]string{"a.go": "package tools\n", "b.go": "package tools\n"}, want: "tools"},
		{name: "given", dir: "app", files: map[string]string{"a.go": "package tools\n"}, toml: "package = \"given\"\n", want: "given"},
		{name: "tests do not count", dir: "app", files: map[string]string{"a_test.go": "package x_test\n", "b_test.go": "package x\n"}, want: "app"},
		{name: "tests, go generate", dir: "app", files: map[string]string{"a_test.go": "package x_test\n"}, gopackage: "x_test", want: "x"},
		{name: "ignored files do not count", dir: "app", files: map[string]string{"_a.go": "package x\n", ".b.go": "package y\n", "c.txt": "package z\n", "d.go/e.go": "package v\n", "broken.go": "pakage w\n"}, want: "app"},
		{name: "several, go generate", dir: "app", files: map[string]string{"a.go": "package x\n", "b.go": "package y\n"}, gopackage: "y", want: "y"},
		{name: "several, one is the folder's", dir: "app", files: map[string]string{"a.go": "package app\n", "b.go": "package b\n"}, want: "app"},
		{name: "what is never built does not count", dir: "no-name", files: map[string]string{"a.go": "package tools\n", "gen.go": "//go:build ignore\n\npackage main\n"}, want: "tools"},
		{name: "several, go generate of another", dir: "no-name", files: map[string]string{"a.go": "package x\n", "b.go": "package y\n"}, gopackage: "z",
			fails: true, want: "$MOD/no-name holds several packages (x, y): set package under [embed] in packs.toml"},
		{name: "several", dir: "no-name", files: map[string]string{"a.go": "package y\n", "b.go": "package x\n"},
			fails: true, want: "$MOD/no-name holds several packages (x, y): set package under [embed] in packs.toml"},
		{name: "none", dir: "no-name",
			fails: true, want: "$MOD/no-name has no Go files and is no package name itself: set package under [embed] in packs.toml"},
		{name: "no ASCII", dir: "größe",
			fails: true, want: "$MOD/größe has no Go files and is no package name itself: set package under [embed] in packs.toml"},
		{name: "blank", dir: "_",
			fails: true, want: "$MOD/_ has no Go files and is no package name itself: set package under [embed] in packs.toml"},
		{name: "documentation", dir: "documentation",
			fails: true, want: "$MOD/documentation has no Go files and is no package name itself: set package under [embed] in packs.toml"},
		{name: "keyword", dir: "type",
			fails: true, want: "$MOD/type has no Go files and is no package name itself: set package under [embed] in packs.toml"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProject(t)
			p.push("A", "a")
			p.write(test.dir+"/packs.toml", "[embed]\n"+test.toml+"[packs]\na = \"$REG/a@$A\"\n")
			p.options.File = filepath.Join(p.mod, test.dir, "packs.toml")
			for name, source := range test.files {
				p.write(filepath.Join(test.dir, name), source)
			}
			if test.gopackage != "" {
				t.Chdir(filepath.Join(p.mod, test.dir))
				p.options.Getenv = func(key string) string { return map[string]string{"GOPACKAGE": test.gopackage}[key] }
			}
			if test.fails {
				err := p.fails(p.runs(), test.want)
				var name *vendorer.PackageNameError
				if !errors.As(err, &name) {
					t.Errorf("error is a %T", err)
				}
				p.wantRequests()
				return
			}
			p.mustRun()
			if source := p.read(test.dir + "/packs_gen.go"); !strings.Contains(source, "\n\npackage "+test.want+"\n") {
				t.Errorf("the generated file is not of package %s:\n%s", test.want, source)
			}
			p.wantNothingWritten()
		})
	}
}

// An impossible package name is refused before any download.
func TestPackageNameOfFiles(t *testing.T) {
	p := newProject(t)
	p.push("A", "a")
	p.packs(`a = "$REG/a@$A"`)
	p.write("app/a.go", "package größe\n")
	before := p.snapshot(false)
	_, err := p.run()
	var name *vendorer.PackageNameError
	if !errors.As(err, &name) {
		t.Errorf("error %v is a %T", err, err)
	}
	if p.snapshot(false) != before {
		t.Error("files changed")
	}
	p.wantRequests()
}

// GOPACKAGE counts only if go generate runs in the package's folder.
func TestGoPackageElsewhere(t *testing.T) {
	p := newProject(t)
	p.push("A", "a")
	p.packs(`a = "$REG/a@$A"`)
	p.options.Getenv = func(string) string { return "elsewhere" }
	p.options.CacheDir = t.TempDir()
	p.mustRun()
	if source := p.read("app/packs_gen.go"); !strings.Contains(source, "\npackage app\n") {
		t.Errorf("the generated file:\n%s", source)
	}
}

func TestClashes(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"accessor", map[string]string{"x.go": "package app\n\nfunc Slack() {}\n"},
			"$DIR/x.go declares Slack, which packs.slack needs: set its go_name in packs.toml, such as \"SlackPack\", or rename that"},
		{"several, in tests too", map[string]string{"x.go": "package app\n\ntype Pack int\nvar Packs, Lookup int\n", "x_test.go": "package app\n\nconst gtpackSlack = 1\n"},
			"$DIR/x.go declares Lookup, Pack, Packs, which the generated file needs: rename that, or give the packs a package of their own (dir under [embed])\n" +
				"$DIR/x_test.go declares gtpackSlack, which packs.slack needs: set its go_name in packs.toml, such as \"SlackPack\", or rename that"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProject(t)
			p.push("A", "a")
			p.packs(`slack = "$REG/a@$A"`)
			for name, source := range test.files {
				p.write("app/"+name, source)
			}
			err := p.fails(p.runs(), test.want)
			var clash *vendorer.ClashError
			if !errors.As(err, &clash) {
				t.Errorf("error is a %T", err)
			}
			p.wantRequests()
			p.packs(`slack = { ref = "$REG/a@$A", go_name = "Other" }`)
			if test.name == "accessor" {
				p.mustRun()
			}
		})
	}
	t.Run("not of this package", func(t *testing.T) {
		p := newProject(t)
		p.push("A", "a")
		p.packs(`slack = "$REG/a@$A"`)
		p.write("app/app.go", "package app\n")
		p.write("app/x_test.go", "package app_test\n\nfunc Slack() {}\n")
		p.write("app/sub/x.go", "package app\n\nfunc Slack() {}\n")
		p.write("app/broken.go", "package\n")
		p.must(os.Symlink("sub", filepath.Join(p.dir, "folder.go"))) // no source to the go command
		p.mustRun()
	})
}

// A changed go_name changes the Go file alone.
func TestGoNameChanges(t *testing.T) {
	p := newVendored(t)
	p.packs(`a = { ref = "$REG/a@$A", go_name = "Alpha" }`)
	p.options.Locked, p.options.Offline = true, true
	report := p.mustRun()
	if len(report.Written) != 1 || report.Written[0] != p.expand("$DIR/packs_gen.go") {
		t.Errorf("written %v", report.Written)
	}
	if !strings.Contains(p.read("app/packs_gen.go"), "func Alpha() Pack") {
		t.Error("no accessor Alpha")
	}
}

// A generated file under its former name is reported as such.
func TestGeneratedFileIsRenamed(t *testing.T) {
	p := newVendored(t)
	p.embed(`file = "other.go"`)
	err := p.fails(p.runs(), "$DIR/packs_gen.go was generated by packvendor, and other.go is to take its place: remove it")
	var place *vendorer.PlaceError
	if !errors.As(err, &place) {
		t.Errorf("error is a %T", err)
	}
	p.remove("app/packs_gen.go")
	p.mustRun()
	p.wantFound(false)
}

// A clash of names stops add before any request.
func TestAddClashes(t *testing.T) {
	p := newVendored(t)
	p.write("app/x.go", "package app\n\nvar Slack int\n")
	p.reg.ResetRequests()
	p.fails(p.adds("slack", "$REG/a:stable"), "$DIR/x.go declares Slack, which packs.slack needs: add the pack under another name, or rename that")
	p.wantRequests()
}
