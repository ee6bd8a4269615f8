package sysregistries_test

import (
	"os"
	"strings"
	"testing"

	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/pkg/sysregistriesv2"

	"github.com/greenticai/packvendor/internal/mirrors"
	"github.com/greenticai/packvendor/internal/ociref"
)

// The files that only one of the two accepts: each line of the comment of package mirrors
// that is about reading. If the library changes, this test says so.
func TestDifferencesOfReading(t *testing.T) {
	const rule = "[[registry]]\nlocation = \"reg.example\"\n"
	for name, test := range map[string]struct{ text, ours, theirs string }{
		"a search registry that is none": {"unqualified-search-registries = [\"a/b\"]\n" + rule, "", `Invalid unqualified-search-registries entry "a/b"`},
		"an unknown mode of short names": {"short-name-mode = \"x\"\n" + rule, "", `invalid short-name mode: "x"`},
		"an alias that is none":          {rule + "[aliases]\n\"a:1\" = \"reg.example/a\"\n", "", "a:1"},
		"version 1":                      {"[registries.search]\nregistries = [\"a.example\"]\n", "", "registries.conf must be in v2 format but is in v1"},
		"both versions":                  {rule + "[registries.search]\nregistries = [\"a.example\"]\n", "version 1 of the format, and [[registry]] version 2", "registries.conf must be in v2 format but is in v1"},
		"a key in two cases":             {rule + "Blocked = true\nBLOCKED = true\n", "BLOCKED and Blocked are one key", ""},
		"deep nesting":                   {rule + "a = " + strings.Repeat("[", 17) + strings.Repeat("]", 17), "nested more than 16 levels deep", ""},
		"a long key":                     {rule + "[" + strings.Repeat("a", 1025) + "]", "more than 1024 bytes", ""},
		"many keys":                      {rule + strings.Repeat("[[a]]\n", 50_000), "more than 50000 keys", ""},
		"a large file":                   {rule + strings.Repeat("#", 1<<20), "larger than 1048576 bytes", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := setting{main: test.text}
			_, err := s.ours()
			wantError(t, "ours", err, test.ours)
			_, err = s.theirs(t, t.TempDir())
			wantError(t, "theirs", err, test.theirs)
		})
	}
}

// wantError demands an error with some words; none if there are no words.
func wantError(t *testing.T, whose string, err error, words string) {
	t.Helper()
	if (err == nil) != (words == "") || err != nil && !strings.Contains(err.Error(), words) {
		t.Errorf("%s: %v, want %q", whose, err, words)
	}
}

// The references for which the two have another rule.
func TestDifferencesOfMatching(t *testing.T) {
	for _, test := range []struct{ prefix, ref, ours, theirs string }{
		{"*.example.com", "a.example.com.example.com/a", "*.example.com", ""},
		{"reg.example/a", "reg.example:443/a", "reg.example/a", ""},
		{"reg.example/a", "REG.example/a", "reg.example/a", ""},
		{"docker.io", "registry-1.docker.io/a/b", "docker.io", ""},
		{"docker.io", "index.docker.io/a/b", "docker.io", "docker.io"},
		{"index.docker.io", "index.docker.io/a/b", "index.docker.io", ""},
		{"docker.io/library", "docker.io/a", "", "docker.io/library"},
		{"docker.io/a", "docker.io/a", "docker.io/a", ""},
	} {
		s := setting{main: "[[registry]]\nprefix = \"" + test.prefix + "\"\nlocation = \"in.example\"\n"}
		c, err := s.ours()
		if err != nil {
			t.Fatal(err)
		}
		l, err := s.theirs(t, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		ref, err := ociref.Parse(test.ref)
		if err != nil {
			t.Fatal(err)
		}
		named, err := reference.ParseNormalizedNamed(test.ref)
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := "", ""
		if r := c.Rule(ref); r != nil {
			ours = r.Prefix
		}
		if r := l.rule(t, named.Name()); r != nil {
			theirs = r.Prefix
		}
		if ours != test.ours || theirs != test.theirs {
			t.Errorf("prefix %s, reference %s: ours %q, theirs %q; want %q and %q", test.prefix, ref, ours, theirs, test.ours, test.theirs)
		}
	}
}

// Both find the same files. The folders of all users are this machine's own.
func TestFiles(t *testing.T) {
	files := map[string]string{}
	write := func(dir, name string) {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		files[name] = dir + "/" + name
		text := "[[registry]]\nprefix = \"" + name + "\"\nlocation = \"reg.example\"\n[[registry]]\nprefix = \"all\"\nlocation = \"" + name + "\"\n"
		if err := os.WriteFile(files[name], []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	config := dir + "/.config/containers"
	write(config, "registries.conf")
	write(config+"/registries.conf.d", "20.conf")
	write(config+"/registries.conf.d", "10.conf")
	write(config+"/registries.conf.d", "30.config")
	write(config+"/registries.conf.d/40.conf", "x.conf")
	write(dir+"/xdg/containers", "registries.conf")
	write(dir+"/xdg/containers/registries.conf.d", "xdg.conf")
	write(dir, "mine.conf")
	write(dir, "last.conf")

	for name, env := range map[string]map[string]string{
		"the user's files":        {"HOME": dir},
		"XDG_CONFIG_HOME":         {"HOME": dir, "XDG_CONFIG_HOME": dir + "/xdg"},
		"no files of the user":    {"HOME": dir + "/xdg"},
		"a variable":              {"HOME": dir, mirrors.Variable: files["mine.conf"]},
		"both variables":          {"HOME": dir, mirrors.Variable: files["mine.conf"], mirrors.OverrideVariable: files["last.conf"]},
		"the second variable":     {"HOME": dir, mirrors.OverrideVariable: files["last.conf"]},
		"a variable without file": {"HOME": dir, mirrors.Variable: dir + "/absent"},
		"the null device":         {"HOME": dir, mirrors.Variable: os.DevNull},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variable := range []string{"HOME", "XDG_CONFIG_HOME", mirrors.Variable, mirrors.OverrideVariable} {
				t.Setenv(variable, env[variable])
				if env[variable] == "" {
					os.Unsetenv(variable)
				}
			}
			var ours, theirs []string
			c, ourErr := mirrors.Load(os.Getenv)
			if ourErr == nil {
				for _, r := range c.Rules {
					ours = append(ours, r.Prefix+" "+r.Location)
				}
			}
			sysregistriesv2.InvalidateCache()
			all, theirErr := sysregistriesv2.GetRegistries(nil)
			for _, r := range all {
				theirs = append(theirs, r.Prefix+" "+r.Location)
			}
			if (ourErr == nil) != (theirErr == nil) || strings.Join(ours, "\n") != strings.Join(theirs, "\n") {
				t.Errorf("ours: %q, %v\ntheirs: %q, %v", ours, ourErr, theirs, theirErr)
			}
		})
	}
}
