package credentials

import (
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
)

// A fixture is a user's environment: a home, and variables.
type fixture struct {
	*testing.T
	dir string
	env map[string]string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	dir := t.TempDir()
	return &fixture{T: t, dir: dir, env: map[string]string{
		"HOME": filepath.Join(dir, "home"), "USERPROFILE": filepath.Join(dir, "home"),
		"XDG_RUNTIME_DIR": filepath.Join(dir, "run"),
		"PATH":            filepath.Join(dir, "bin") + string(filepath.ListSeparator) + os.Getenv("PATH"),
	}}
}

// The files of a fixture's user.
const (
	dockerFile  = "home/.docker/config.json"
	runtimeFile = "run/containers/auth.json"
	podmanFile  = "home/.config/containers/auth.json"
)

func (b *fixture) path(name string) string { return filepath.Join(b.dir, filepath.FromSlash(name)) }

func (b *fixture) write(name, text string) {
	b.Helper()
	if err := os.MkdirAll(filepath.Dir(b.path(name)), 0o777); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(b.path(name), []byte(text), 0o666); err != nil {
		b.Fatal(err)
	}
}

func (b *fixture) keychain() *Keychain {
	return New(Options{Getenv: func(key string) string { return b.env[key] }})
}

// find must succeed.
func (b *fixture) find(host string) *Credentials {
	b.Helper()
	found, err := b.keychain().Find(context.Background(), host)
	if err != nil {
		b.Fatal(err)
	}
	return found
}

// wantUser fails unless found has this user name, with the password that the
// beds' users have.
func (b *fixture) wantUser(found *Credentials, user string) {
	b.Helper()
	if found == nil || found.Username != user || found.Password != "pass-of-"+user || found.IdentityToken != "" || found.RegistryToken != "" {
		b.Errorf("credentials are not those of %s: %v", user, found)
	}
}

// authsOf is a configuration with a user for each key.
func authsOf(keysAndUsers ...string) string {
	text := ""
	for i := 0; i < len(keysAndUsers); i += 2 {
		if text != "" {
			text += ", "
		}
		text += `"` + keysAndUsers[i] + `": {"auth": "` + authOf(keysAndUsers[i+1]) + `"}`
	}
	return `{"auths": {` + text + `}}`
}

func authOf(user string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":pass-of-" + user))
}
