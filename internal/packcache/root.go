package packcache

import (
	"path/filepath"
	"runtime"
)

// DefaultRoot returns the cache's directory as the Rust client finds it: the
// first that applies of GREENTIC_PACK_CACHE_DIR, the system's cache directory
// with greentic/packs, GREENTIC_HOME with cache/packs, and .greentic/cache/packs
// in project. getenv looks up an environment variable, "" if it is not set.
func DefaultRoot(getenv func(string) string, project string) string {
	if dir := getenv("GREENTIC_PACK_CACHE_DIR"); dir != "" {
		return dir
	}
	if dir := systemCache(runtime.GOOS, getenv); dir != "" {
		return filepath.Join(dir, "greentic", "packs")
	}
	if dir := getenv("GREENTIC_HOME"); dir != "" {
		return filepath.Join(dir, "cache", "packs")
	}
	return filepath.Join(project, ".greentic", "cache", "packs")
}

// systemCache is os.UserCacheDir, but for a relative XDG_CACHE_HOME, which is
// passed over as the XDG specification says, and an environment handed in.
func systemCache(goos string, getenv func(string) string) string {
	switch goos {
	case "windows":
		return getenv("LocalAppData")
	case "darwin", "ios":
		return below(getenv("HOME"), "Library", "Caches")
	}
	if dir := getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	return below(getenv("HOME"), ".cache")
}

func below(home string, elements ...string) string {
	if home == "" {
		return ""
	}
	return filepath.Join(append([]string{home}, elements...)...)
}
