package packcache

import (
	"path/filepath"
	"runtime"
	"testing"
)

func TestSystemCache(t *testing.T) {
	dir := t.TempDir() // absolute, as this system writes it
	for _, test := range []struct {
		goos string
		env  map[string]string
		want string
	}{
		{"linux", map[string]string{"XDG_CACHE_HOME": dir, "HOME": "/home/u"}, dir},
		{"linux", map[string]string{"XDG_CACHE_HOME": dir}, dir},
		{"linux", map[string]string{"XDG_CACHE_HOME": "relative", "HOME": "/home/u"}, filepath.Join("/home/u", ".cache")},
		{"linux", map[string]string{"XDG_CACHE_HOME": "./relative"}, ""},
		{"linux", map[string]string{"XDG_CACHE_HOME": "", "HOME": "/home/u"}, filepath.Join("/home/u", ".cache")},
		{"linux", map[string]string{"LocalAppData": dir}, ""},
		{"linux", nil, ""},
		{"freebsd", map[string]string{"HOME": "/home/u"}, filepath.Join("/home/u", ".cache")},
		{"darwin", map[string]string{"XDG_CACHE_HOME": dir, "HOME": "/Users/u"}, filepath.Join("/Users/u", "Library", "Caches")},
		{"darwin", map[string]string{"XDG_CACHE_HOME": dir}, ""},
		{"ios", map[string]string{"HOME": "/Users/u"}, filepath.Join("/Users/u", "Library", "Caches")},
		{"windows", map[string]string{"LocalAppData": `C:\Users\u\AppData\Local`, "HOME": "/home/u"}, `C:\Users\u\AppData\Local`},
		{"windows", map[string]string{"HOME": "/home/u", "XDG_CACHE_HOME": dir}, ""},
	} {
		if got := systemCache(test.goos, func(key string) string { return test.env[key] }); got != test.want {
			t.Errorf("on %s with %v: %q, want %q", test.goos, test.env, got, test.want)
		}
	}
}

// TestDefaultRoot removes one variable after the other, each of which hides
// those below it.
func TestDefaultRoot(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{
		"GREENTIC_PACK_CACHE_DIR": filepath.Join(dir, "own"),
		"XDG_CACHE_HOME":          dir, // where the system looks for none of these three,
		"LocalAppData":            dir, // it passes them over
		"HOME":                    dir,
		"GREENTIC_HOME":           filepath.Join(dir, "greentic"),
	}
	system := systemCache(runtime.GOOS, func(key string) string { return env[key] })
	for _, test := range []struct {
		want   string
		remove []string
	}{
		{filepath.Join(dir, "own"), []string{"GREENTIC_PACK_CACHE_DIR"}},
		{filepath.Join(system, "greentic", "packs"), []string{"XDG_CACHE_HOME", "LocalAppData", "HOME"}},
		{filepath.Join(dir, "greentic", "cache", "packs"), []string{"GREENTIC_HOME"}},
		{filepath.Join("the", "project", ".greentic", "cache", "packs"), nil},
	} {
		if got := DefaultRoot(func(key string) string { return env[key] }, filepath.Join("the", "project")); got != test.want {
			t.Errorf("with %v: %s, want %s", env, got, test.want)
		}
		for _, key := range test.remove {
			delete(env, key)
		}
	}
}
