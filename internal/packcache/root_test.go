package packcache

import (
	"os/user"
	"path/filepath"
	"runtime"
	"testing"
)

// known is a userHome that knows the user.
func known() string { return "/var/lib/u" }

// unknown is one in a container that runs as a number.
func unknown() string { return "" }

func TestSystemCache(t *testing.T) {
	dir := t.TempDir() // absolute, as this system writes it
	for _, test := range []struct {
		goos string
		env  map[string]string
		home func() string
		want string
	}{
		{"linux", map[string]string{"XDG_CACHE_HOME": dir, "HOME": "/home/u"}, known, dir},
		{"linux", map[string]string{"XDG_CACHE_HOME": dir}, known, dir},
		{"linux", map[string]string{"XDG_CACHE_HOME": "relative", "HOME": "/home/u"}, known, filepath.Join("/home/u", ".cache")},
		{"linux", map[string]string{"XDG_CACHE_HOME": "./relative"}, known, filepath.Join("/var/lib/u", ".cache")},
		{"linux", map[string]string{"XDG_CACHE_HOME": "./relative"}, unknown, ""},
		{"linux", map[string]string{"XDG_CACHE_HOME": "", "HOME": "/home/u"}, known, filepath.Join("/home/u", ".cache")},
		{"linux", map[string]string{"HOME": ""}, known, filepath.Join("/var/lib/u", ".cache")},
		{"linux", map[string]string{"LocalAppData": dir}, unknown, ""},
		{"linux", nil, known, filepath.Join("/var/lib/u", ".cache")},
		{"linux", nil, unknown, ""},
		{"freebsd", map[string]string{"HOME": "/home/u"}, known, filepath.Join("/home/u", ".cache")},
		{"darwin", map[string]string{"XDG_CACHE_HOME": dir, "HOME": "/Users/u"}, known, filepath.Join("/Users/u", "Library", "Caches")},
		{"darwin", map[string]string{"XDG_CACHE_HOME": dir}, known, filepath.Join("/var/lib/u", "Library", "Caches")},
		{"darwin", map[string]string{"XDG_CACHE_HOME": dir}, unknown, ""},
		{"ios", map[string]string{"HOME": "/Users/u"}, known, filepath.Join("/Users/u", "Library", "Caches")},
		{"windows", map[string]string{"LocalAppData": `C:\Users\u\AppData\Local`, "HOME": "/home/u"}, known, `C:\Users\u\AppData\Local`},
		{"windows", map[string]string{"HOME": "/home/u", "XDG_CACHE_HOME": dir}, known, ""},
	} {
		s := system{os: test.goos, getenv: func(key string) string { return test.env[key] }, userHome: test.home}
		if got := s.cache(); got != test.want {
			t.Errorf("on %s with %v, at home in %q: %q, want %q", test.goos, test.env, test.home(), got, test.want)
		}
	}
}

// TestRoot removes one variable after the other, each of which hides those below
// it.
func TestRoot(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{
		"GREENTIC_PACK_CACHE_DIR": filepath.Join(dir, "own"),
		"XDG_CACHE_HOME":          dir, // where the system looks for none of these three,
		"LocalAppData":            dir, // it passes them over
		"HOME":                    dir,
		"GREENTIC_HOME":           filepath.Join(dir, "greentic"),
	}
	s := system{os: runtime.GOOS, getenv: func(key string) string { return env[key] }, userHome: unknown}
	systems := s.cache()
	for _, test := range []struct {
		want   string
		remove []string
	}{
		{filepath.Join(dir, "own"), []string{"GREENTIC_PACK_CACHE_DIR"}},
		{filepath.Join(systems, "greentic", "packs"), []string{"XDG_CACHE_HOME", "LocalAppData", "HOME"}},
		{filepath.Join(dir, "greentic", "cache", "packs"), []string{"GREENTIC_HOME"}},
		{filepath.Join("the", "project", ".greentic", "cache", "packs"), nil},
	} {
		if got := s.root(filepath.Join("the", "project")); got != test.want {
			t.Errorf("with %v: %s, want %s", env, got, test.want)
		}
		for _, key := range test.remove {
			delete(env, key)
		}
	}
}

// TestDefaultRoot sees that the home directory without HOME is the user database's.
func TestDefaultRoot(t *testing.T) {
	if got := DefaultRoot(func(string) string { return "/own" }, "p"); got != "/own" {
		t.Errorf("got %s, want /own", got)
	}
	u, err := user.Current()
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("the user has no home here: ", err)
	}
	s := system{os: runtime.GOOS, getenv: func(string) string { return "" }, userHome: func() string { return u.HomeDir }}
	if got, want := DefaultRoot(s.getenv, "p"), s.root("p"); got != want {
		t.Errorf("without HOME: %s, want %s", got, want)
	}
}
