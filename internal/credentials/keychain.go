package credentials

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/greenticai/packvendor/internal/once"
)

// DefaultHelperTimeout is how long the helpers of one host may take.
const DefaultHelperTimeout = 30 * time.Second

// Options configure a Keychain. The zero value is ready for use.
type Options struct {
	// Getenv looks up the user's environment; nil is os.Getenv. Helpers get the
	// same environment.
	Getenv func(string) string
	// HelperTimeout bounds how long the helpers that are asked about one host may
	// take together; 0 is DefaultHelperTimeout.
	HelperTimeout time.Duration
}

// A Keychain finds credentials at these places, in this order:
//
//  1. $DOCKER_AUTH_CONFIG: its value is JSON, of which "auths" counts
//     (https://docs.docker.com/reference/cli/docker/#environment-variables)
//  2. Docker's config.json in $DOCKER_CONFIG, or where that is not set in
//     ~/.docker
//  3. Podman's auth.json: $REGISTRY_AUTH_FILE, or where that is not set
//     $XDG_RUNTIME_DIR/containers/auth.json (without XDG_RUNTIME_DIR, on Linux,
//     /run/containers/UID/auth.json) and then containers/auth.json in
//     $XDG_CONFIG_HOME or ~/.config (containers-auth.json(5))
//
// In a file, a helper for the host ("credHelpers") comes before the one for all
// hosts ("credsStore"), and a helper before the file's own entries ("auths").
// A helper named "" is none, as for Docker.
//
// It finds a little more than Docker does: a place that has nothing for the
// host, or that cannot be read, leads on to the next. A key counts if it is the
// host, with or without a scheme and /v1/ or /v2/; Docker Hub's three names are
// one host. Podman's keys for a part of a registry (host/namespace) do not
// count.
//
// Any number of goroutines may use a Keychain. Each host is looked up once, and
// whoever asks for it meanwhile waits for the answer, failures included; only a
// look-up that was cancelled is done again.
type Keychain struct {
	getenv  func(string) string
	timeout time.Duration

	hosts once.Cache[string, *search] // by registryOf
}

// New returns a Keychain. It looks at nothing yet.
func New(o Options) *Keychain {
	k := &Keychain{getenv: o.Getenv, timeout: o.HelperTimeout}
	if k.getenv == nil {
		k.getenv = os.Getenv
	}
	if k.timeout == 0 {
		k.timeout = DefaultHelperTimeout
	}
	return k
}

// Find returns the credentials for a registry's host[:port], nil if there are
// none. Its error is *Error, or the context's.
func (k *Keychain) Find(ctx context.Context, host string) (*Credentials, error) {
	found, err := k.search(ctx, host)
	switch {
	case err != nil:
		return nil, err
	case found.credentials != nil:
		c := *found.credentials
		return &c, nil
	}
	var failed []Place
	for _, place := range found.places {
		if place.Finding == Failed {
			failed = append(failed, place)
		}
	}
	if failed != nil {
		return nil, &Error{Places: failed}
	}
	return nil, nil
}

// Explain says where Find looks for the credentials for a host, and what is
// there. It starts the helpers that Find would start. With a context that is
// cancelled meanwhile it has no places.
func (k *Keychain) Explain(ctx context.Context, host string) Explanation {
	e := Explanation{Host: host}
	if found, err := k.search(ctx, host); err == nil {
		e.Places = append(e.Places, found.places...)
	}
	return e
}

// search returns what there is about a host.
func (k *Keychain) search(ctx context.Context, host string) (*search, error) {
	host = registryOf(host)
	return k.hosts.Do(ctx, host, func(ctx context.Context) (*search, error) {
		s := &search{host: host, getenv: k.getenv, timeout: k.timeout}
		s.run(ctx)
		return s, ctx.Err()
	})
}

// registryOf returns the host that a key of a configuration is about, in lower
// case and Docker Hub always as docker.io; "" if it is about no whole registry.
// A key with a longer path is none: Docker keeps tokens of its own beside its
// credentials, under https://index.docker.io/v1/refresh-token.
func registryOf(key string) string {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	host, path, _ := strings.Cut(key, "/")
	switch strings.TrimSuffix(path, "/") {
	case "", "v1", "v2":
	default:
		return ""
	}
	switch host = strings.ToLower(host); host {
	case "index.docker.io", "registry-1.docker.io":
		return "docker.io"
	}
	return host
}

// addressOf is how Docker calls a registry, in its files and to its helpers.
func addressOf(host string) string {
	if host == "docker.io" {
		return "https://index.docker.io/v1/"
	}
	return host
}
