package credentials

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"

	"github.com/greenticai/packvendor/internal/regularfile"
)

// dockerAuthConfig is the variable whose value is a configuration.
const dockerAuthConfig = "DOCKER_AUTH_CONFIG"

// A location is a possible place of a configuration.
type location struct {
	name    string
	read    func() ([]byte, error) // fs.ErrNotExist if there is none
	helpers bool                   // whether to start the helpers that it names
}

// locations returns the locations of a user's environment, in order.
func locations(getenv func(string) string) []location {
	var all []location
	if value := getenv(dockerAuthConfig); value != "" {
		all = append(all, location{name: "$" + dockerAuthConfig, read: func() ([]byte, error) { return []byte(value), nil }})
	}
	for _, path := range slices.Concat(dockerFiles(getenv), podmanFiles(getenv)) {
		isSame := func(l location) bool { return l.name == path }
		if !slices.ContainsFunc(all, isSame) { // Docker and Podman may share a file
			all = append(all, location{name: path, read: func() ([]byte, error) { return readFile(path) }, helpers: true})
		}
	}
	return all
}

func dockerFiles(getenv func(string) string) []string {
	if dir := getenv("DOCKER_CONFIG"); dir != "" {
		return []string{filepath.Join(dir, "config.json")}
	}
	if dir := home(getenv); dir != "" {
		return []string{filepath.Join(dir, ".docker", "config.json")}
	}
	return nil
}

func podmanFiles(getenv func(string) string) []string {
	if path := getenv("REGISTRY_AUTH_FILE"); path != "" {
		return []string{filepath.Clean(path)}
	}
	var files []string
	if dir := getenv("XDG_RUNTIME_DIR"); dir != "" {
		files = append(files, filepath.Join(dir, "containers", "auth.json"))
	} else if runtime.GOOS == "linux" {
		files = append(files, fmt.Sprintf("/run/containers/%d/auth.json", os.Getuid()))
	}
	if dir := getenv("XDG_CONFIG_HOME"); dir != "" {
		files = append(files, filepath.Join(dir, "containers", "auth.json"))
	} else if dir := home(getenv); dir != "" {
		files = append(files, filepath.Join(dir, ".config", "containers", "auth.json"))
	}
	return files
}

func home(getenv func(string) string) string {
	if runtime.GOOS == "windows" {
		return getenv("USERPROFILE")
	}
	return getenv("HOME")
}

// readFile returns the bytes of a regular file.
func readFile(path string) ([]byte, error) {
	if path == os.DevNull { // REGISTRY_AUTH_FILE=/dev/null means none
		return nil, nil
	}
	data, err := regularfile.Read(nil, path, maxConfig)
	if err != nil {
		return nil, unreadable(err)
	}
	return data, nil
}

// unreadable removes the path from err: the Source has it. A path that leads through a
// file (DOCKER_CONFIG=/dev/null) names no file.
func unreadable(err error) error {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fs.ErrNotExist
	case errors.As(err, new(*regularfile.PlaceError)):
		return errors.New("not a regular file")
	case errors.As(err, new(*regularfile.LongError)):
		return errTooLong
	case errors.As(err, &path):
		err = path.Err
	}
	return fmt.Errorf("cannot be read: %w", err)
}
