package packcache

import (
	"os/user"
	"path/filepath"
	"runtime"
)

// DefaultRoot returns the cache's directory like the Rust client: the first that applies
// of GREENTIC_PACK_CACHE_DIR, the system's cache directory with greentic/packs,
// GREENTIC_HOME with cache/packs, and .greentic/cache/packs in project. getenv looks up
// an environment variable, "" if it is not set. Without HOME the user database has the
// home directory.
func DefaultRoot(getenv func(string) string, project string) string {
	s := system{os: runtime.GOOS, getenv: getenv, userHome: userHome}
	return s.root(project)
}

// A system is the environment that decides the cache root.
type system struct {
	os       string
	getenv   func(string) string
	userHome func() string // from the user database; "" if unknown
}

func (s system) root(project string) string {
	if dir := s.getenv("GREENTIC_PACK_CACHE_DIR"); dir != "" {
		return dir
	}
	if dir := s.cache(); dir != "" {
		return filepath.Join(dir, "greentic", "packs")
	}
	if dir := s.getenv("GREENTIC_HOME"); dir != "" {
		return filepath.Join(dir, "cache", "packs")
	}
	return filepath.Join(project, ".greentic", "cache", "packs")
}

// cache is os.UserCacheDir for a given environment. It ignores a relative
// XDG_CACHE_HOME, as the XDG specification says, and knows the home directory without
// HOME.
func (s system) cache() string {
	switch s.os {
	case "windows":
		return s.getenv("LocalAppData")
	case "darwin", "ios":
		return below(s.home(), "Library", "Caches")
	}
	if dir := s.getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	return below(s.home(), ".cache")
}

func (s system) home() string {
	if dir := s.getenv("HOME"); dir != "" {
		return dir
	}
	return s.userHome()
}

func userHome() string {
	if u, err := user.Current(); err == nil {
		return u.HomeDir
	}
	return ""
}

func below(home string, elements ...string) string {
	if home == "" {
		return ""
	}
	return filepath.Join(append([]string{home}, elements...)...)
}
