package credentials

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
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

// readFile returns the bytes of a file, at most maxConfig and one. It reads regular
// files alone, so that it never waits for the writer of a FIFO.
func readFile(path string) ([]byte, error) {
	if path == os.DevNull { // REGISTRY_AUTH_FILE=/dev/null means none
		return nil, nil
	}
	file, err := os.OpenFile(path, os.O_RDONLY|openNoWait, 0)
	if err != nil {
		return nil, unreadable(err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil {
		return nil, unreadable(err)
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	data, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err != nil {
		return nil, unreadable(err)
	}
	return data, nil
}

// unreadable removes the path from err: the Source has it. A path that leads through a
// file (DOCKER_CONFIG=/dev/null) names no file.
func unreadable(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fs.ErrNotExist
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("cannot be read: %w", err)
}
