package credentials

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/greenticai/packvendor/internal/once"
)

// DefaultHelperTimeout bounds the time that the helpers of one host take.
const DefaultHelperTimeout = 30 * time.Second

// Options configure a Keychain. The zero value is ready for use.
type Options struct {
	// Getenv looks up the user's environment; nil is os.Getenv. Helpers get the
	// same environment.
	Getenv func(string) string
	// HelperTimeout bounds the time that the helpers of one host take together; 0 is
	// DefaultHelperTimeout.
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
// It finds a little more than Docker does: after a place that has nothing for the host,
// or that cannot be read, it looks at the next. A key matches if it is the host, with
// or without a scheme and /v1/ or /v2/; Docker Hub's three names are one host. Podman's
// keys for a part of a registry (host/namespace) do not match.
//
// Any number of goroutines may use a Keychain. It searches once for each host, and
// concurrent callers wait for the result, failures included. It repeats only a search
// that was cancelled.
type Keychain struct {
	getenv  func(string) string
	timeout time.Duration

	hosts once.Cache[string, *search] // by registryOf
}

// New returns a Keychain. It reads nothing yet.
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

// Find returns the credentials for a registry's host[:port], nil if there are none. The
// error is an *Error, or the context's.
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

// Explain lists the places where Find looks for a host's credentials, with the
// findings. It starts the helpers that Find would start. If ctx ends meanwhile, the
// list is empty.
func (k *Keychain) Explain(ctx context.Context, host string) Explanation {
	e := Explanation{Host: host}
	if found, err := k.search(ctx, host); err == nil {
		e.Places = append(e.Places, found.places...)
	}
	return e
}

// search returns the finished search for a host.
func (k *Keychain) search(ctx context.Context, host string) (*search, error) {
	host = registryOf(host)
	return k.hosts.Do(ctx, host, func(ctx context.Context) (*search, error) {
		s := &search{host: host, getenv: k.getenv, timeout: k.timeout}
		s.run(ctx)
		return s, ctx.Err()
	})
}

// registryOf returns the host that a configuration's key names, in lower case and
// Docker Hub always as docker.io; "" if the key names no whole registry. A key with a
// longer path does not: Docker keeps tokens of its own beside its credentials, under
// https://index.docker.io/v1/refresh-token.
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

// addressOf returns Docker's name of a registry, in its files and for its helpers.
func addressOf(host string) string {
	if host == "docker.io" {
		return "https://index.docker.io/v1/"
	}
	return host
}
