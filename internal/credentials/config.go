package credentials

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/greenticai/packvendor/internal/regularfile"
)

// maxConfig bounds a configuration, in bytes. Credentials for hundreds of registries
// take a tenth of it.
const maxConfig = 1 << 20

var errTooLong = fmt.Errorf("larger than %d bytes", maxConfig)

// A config is the part of Docker's config.json, and of Podman's auth.json, that
// concerns credentials.
// https://github.com/docker/cli/blob/master/cli/config/configfile/file.go
//
// This package does not use that one: there, one entry that it cannot decode costs the
// whole file; it looks at the process's environment and writes to its standard error;
// and its errors quote the file.
type config struct {
	Auths       map[string]entry  `json:"auths"`
	CredsStore  string            `json:"credsStore"`
	CredHelpers map[string]string `json:"credHelpers"`
}

// An entry is a value in "auths".
type entry struct {
	Auth          string `json:"auth"` // base64 of user:password; beats Username and Password
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

// parseConfig reads a configuration. Its errors quote nothing from it, as those of
// encoding/json may. Empty data is an empty configuration, as for Docker.
func parseConfig(data []byte) (*config, error) {
	if len(data) > maxConfig {
		return nil, errTooLong
	}
	c := &config{}
	if len(bytes.TrimSpace(data)) == 0 {
		return c, nil
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	err := json.Unmarshal(data, c)
	switch {
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("line %d: not valid JSON", lineAt(data, syntax.Offset))
	case errors.As(err, &kind):
		return nil, fmt.Errorf("line %d: a value of the wrong type", lineAt(data, kind.Offset))
	case err != nil:
		return nil, errors.New("not valid JSON")
	}
	return c, nil
}

// lineAt returns the number of the line that holds data's byte before offset.
func lineAt(data []byte, offset int64) int {
	end := min(max(offset-1, 0), int64(len(data)))
	return 1 + bytes.Count(data[:end], []byte("\n"))
}

// helper returns the name of the helper to ask about a host, "" if the configuration
// names none.
func (c *config) helper(host string) string {
	if keys := matching(maps.Keys(c.CredHelpers), host); len(keys) > 0 {
		return c.CredHelpers[keys[0]]
	}
	return c.CredsStore
}

// find returns the credentials of the first entry for a host that has any, and the key
// of the entry; nil if no entry has any.
func (c *config) find(host string) (found *Credentials, key string, err error) {
	for _, key := range matching(maps.Keys(c.Auths), host) {
		found, err := c.Auths[key].credentials()
		if err != nil {
			return nil, key, err
		}
		if found.finding().Held() {
			return found, key, nil
		}
	}
	return nil, "", nil
}

// matching returns the keys that concern a host, in a fixed order: first the one that
// Docker writes.
func matching(keys iter.Seq[string], host string) []string {
	var found []string
	for _, key := range slices.Sorted(keys) {
		switch {
		case key == addressOf(host):
			found = slices.Insert(found, 0, key)
		case registryOf(key) == host:
			found = append(found, key)
		}
	}
	return found
}

func (e entry) credentials() (*Credentials, error) {
	c := &Credentials{Username: e.Username, Password: e.Password, IdentityToken: e.IdentityToken, RegistryToken: e.RegistryToken}
	if e.Auth == "" {
		return c, nil
	}
	text, err := base64.StdEncoding.DecodeString(e.Auth)
	user, password, ok := strings.Cut(string(text), ":")
	if err != nil || !ok || user == "" {
		return nil, errors.New(`"auth" is not the base64 form of user:password`)
	}
	// Old versions of Docker padded passwords.
	c.Username, c.Password = user, strings.Trim(password, "\x00")
	return c, nil
}

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
