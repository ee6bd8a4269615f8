package credentials

import (
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
)

// A bed is a user's environment: a home, and variables.
type bed struct {
	*testing.T
	dir string
	env map[string]string
}

func newBed(t *testing.T) *bed {
	t.Helper()
	dir := t.TempDir()
	return &bed{T: t, dir: dir, env: map[string]string{
		"HOME": filepath.Join(dir, "home"), "USERPROFILE": filepath.Join(dir, "home"),
		"XDG_RUNTIME_DIR": filepath.Join(dir, "run"),
		"PATH":            filepath.Join(dir, "bin") + string(filepath.ListSeparator) + os.Getenv("PATH"),
	}}
}

// The files of a bed's user.
const (
	dockerFile  = "home/.docker/config.json"
	runtimeFile = "run/containers/auth.json"
	podmanFile  = "home/.config/containers/auth.json"
)

func (b *bed) path(name string) string { return filepath.Join(b.dir, filepath.FromSlash(name)) }

func (b *bed) write(name, text string) {
	b.Helper()
	if err := os.MkdirAll(filepath.Dir(b.path(name)), 0o777); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(b.path(name), []byte(text), 0o666); err != nil {
		b.Fatal(err)
	}
}

func (b *bed) keychain() *Keychain {
	return New(Options{Getenv: func(key string) string { return b.env[key] }})
}

// find must succeed.
func (b *bed) find(host string) *Credentials {
	b.Helper()
	found, err := b.keychain().Find(context.Background(), host)
	if err != nil {
		b.Fatal(err)
	}
	return found
}

// wantUser fails unless found has this user name, with the password that the
// beds' users have.
func (b *bed) wantUser(found *Credentials, user string) {
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
