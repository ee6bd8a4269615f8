package mirrors

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/greenticai/packvendor/internal/regularfile"
)

// Variables that name a file. Override's is read after all others.
const (
	Variable         = "CONTAINERS_REGISTRIES_CONF"
	OverrideVariable = "CONTAINERS_REGISTRIES_CONF_OVERRIDE"
)

// maxDropIns bounds the number of drop-ins.
const maxDropIns = 1000

// Load reads the files of the user's environment. The main file is the one that
// CONTAINERS_REGISTRIES_CONF names, otherwise the first of ~/.config/containers,
// /etc/containers and /usr/share/containers that there is. Unless the variable is set, the
// drop-ins of these folders follow, sorted by name; of two with one name, only that in the
// earlier folder counts. /dev/null in the variable means no files at all.
//
// Errors: *Error, *MissingError, *regularfile.PlaceError, *regularfile.LongError,
// *fs.PathError.
func Load(getenv func(string) string) (*Config, error) {
	s := system{os: runtime.GOOS, getenv: getenv, userHome: userHome, uid: os.Getuid(), root: "/"}
	return s.load()
}

// A MissingError reports a variable that names a file which is not there.
type MissingError struct{ Variable, File string }

func (e *MissingError) Error() string { return fmt.Sprintf("%s: %s is not there", e.Variable, e.File) }

// A system is the environment that decides which files count.
type system struct {
	os       string
	getenv   func(string) string
	userHome func() string // from the user database; "" if unknown
	uid      int           // -1 on Windows
	root     string        // of the folders of all users
}

func userHome() string {
	if u, err := user.Current(); err == nil {
		return u.HomeDir
	}
	return ""
}

func (s system) load() (*Config, error) {
	if isNull(s.getenv(Variable)) {
		return Merge(), nil
	}
	files, err := s.mainFile()
	if err != nil {
		return nil, err
	}
	if s.getenv(Variable) == "" {
		dropIns, err := s.dropIns()
		if err != nil {
			return nil, err
		}
		for _, path := range dropIns {
			if files, err = read(files, path); err != nil && !isMissing(err) {
				return nil, err
			}
		}
	}
	if files, err = named(files, OverrideVariable, s.getenv(OverrideVariable)); err != nil {
		return nil, err
	}
	return Merge(files...), nil
}

// mainFile returns the main file, if there is one.
func (s system) mainFile() ([]*File, error) {
	if s.getenv(Variable) != "" {
		return named(nil, Variable, s.getenv(Variable))
	}
	for _, f := range s.folders() {
		path := filepath.Join(f.path, "registries.conf")
		files, err := read(nil, path)
		if err == nil || !isMissing(err) && isVisible(path) {
			return files, err
		}
	}
	return nil, nil
}

// named appends the file at path, which a variable names; "" is none.
func named(files []*File, variable, path string) ([]*File, error) {
	if path == "" {
		return files, nil
	}
	files, err := read(files, path)
	if isMissing(err) {
		return nil, &MissingError{Variable: variable, File: path}
	}
	return files, err
}

// A folder is a place of a main file and of drop-ins.
type folder struct {
	path   string
	shared bool // by all users: it may have drop-ins for root, or for all others
}

// folders returns the folders of configurations, the most important one first.
func (s system) folders() []folder {
	var all []folder
	add := func(dir string, shared bool) {
		if filepath.IsAbs(dir) {
			all = append(all, folder{filepath.Join(dir, "containers"), shared})
		}
	}
	switch s.os {
	case "windows":
		add(s.getenv("APPDATA"), false)
		add(s.getenv("ProgramData"), true)
	case "freebsd":
		add(s.userFolder(), false)
		add(filepath.Join(s.root, "/usr/local/etc"), true)
		add(filepath.Join(s.root, "/usr/local/share"), true)
	default:
		add(s.userFolder(), false)
		add(filepath.Join(s.root, "/etc"), true)
		add(filepath.Join(s.root, "/usr/share"), true)
	}
	return all
}

// userFolder returns the folder of the user's configurations; "" if it is unknown.
func (s system) userFolder() string {
	if dir := s.getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	home := s.getenv("HOME")
	if home == "" {
		home = s.userHome()
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".config")
}

// dropInFolders returns the folders of drop-ins, the most important one first.
func (s system) dropInFolders() []string {
	var all []string
	for _, f := range s.folders() {
		if f.shared && s.uid == 0 {
			all = append(all, filepath.Join(f.path, "registries.rootful.conf.d"))
		}
		if f.shared && s.uid > 0 {
			rootless := filepath.Join(f.path, "registries.rootless.conf.d")
			all = append(all, filepath.Join(rootless, strconv.Itoa(s.uid)), rootless)
		}
		all = append(all, filepath.Join(f.path, "registries.conf.d"))
	}
	return all
}

// dropIns returns the paths of the drop-ins, in the order in which to read them.
func (s system) dropIns() ([]string, error) {
	paths := map[string]string{} // by name
	for _, folder := range s.dropInFolders() {
		entries, err := os.ReadDir(folder)
		if err != nil && !isMissing(err) && isVisible(folder) {
			return nil, err
		}
		for _, entry := range entries {
			name := entry.Name()
			if _, known := paths[name]; !known && !entry.IsDir() && strings.HasSuffix(name, ".conf") {
				paths[name] = filepath.Join(folder, name)
			}
		}
		if len(paths) > maxDropIns {
			return nil, &Error{Position: Position{File: folder}, Msg: fmt.Sprintf("there are more than %d files", maxDropIns)}
		}
	}
	var sorted []string
	for _, path := range paths {
		sorted = append(sorted, path)
	}
	slices.SortFunc(sorted, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	return sorted, nil
}

// read appends a file.
func read(files []*File, path string) ([]*File, error) {
	var data []byte
	if !isNull(path) { // it hides a drop-in of the same name
		var err error
		if data, err = regularfile.Read(nil, path, MaxSize); err != nil {
			return files, err
		}
	}
	f, err := Parse(path, data)
	if err != nil {
		return files, err
	}
	return append(files, f), nil
}

// isNull reports whether a path leads to the null device.
func isNull(path string) bool {
	if path == "/dev/null" || path == os.DevNull {
		return true
	}
	null, err := os.Stat(os.DevNull)
	if err != nil || path == "" {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, null)
}

// isVisible reports whether this user can see that there is a file or a folder. What is in
// the home folder of another user, whose HOME is kept, is not there.
func isVisible(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrPermission)
}

// isMissing reports whether a file is not there. A path through a file (HOME=/dev/null)
// leads nowhere.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
