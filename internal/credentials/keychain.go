// Package credentials finds the user's credentials for a registry where Docker and
// Podman keep them. It only reads, and does not know what they are for.
package credentials

import (
	"context"
	"fmt"
	"io"
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
	// LookOnly starts no helper: one that is in PATH is Unasked.
	LookOnly bool
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
	getenv   func(string) string
	timeout  time.Duration
	lookOnly bool

	hosts once.Cache[string, *search] // by registryOf
}

// New returns a Keychain. It reads nothing yet.
func New(o Options) *Keychain {
	k := &Keychain{getenv: o.Getenv, timeout: o.HelperTimeout, lookOnly: o.LookOnly}
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
// findings. It starts the helpers that Find would start, unless LookOnly is set. If ctx
// ends meanwhile, the list is empty.
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
		s := &search{host: host, getenv: k.getenv, timeout: k.timeout, lookOnly: k.lookOnly}
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

// Credentials are a user's for one registry. The registry itself accepts RegistryToken
// as a bearer token. Its token endpoint exchanges IdentityToken for one. Both win over
// a user name and a password, as for Docker.
//
// They cannot be shown by accident: every format verb and every marshaller yields
// String's text.
type Credentials struct {
	Username, Password           string
	IdentityToken, RegistryToken string
	Source                       Source
}

// String names the kind and the place of the credentials, and reveals nothing else.
func (c Credentials) String() string {
	return fmt.Sprintf("%v from %v", c.finding(), c.Source)
}

// GoString is String.
func (c Credentials) GoString() string { return c.String() }

// Format writes String, whatever the verb is.
func (c Credentials) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// MarshalText returns String: for JSON and for logs.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// finding returns the kind of the credentials; a user name alone is none.
func (c Credentials) finding() Finding {
	switch {
	case c.RegistryToken != "":
		return RegistryToken
	case c.IdentityToken != "":
		return IdentityToken
	case c.Password != "":
		return Password
	}
	return Nothing
}

// A Source is the place of credentials. It never holds them.
type Source struct {
	File   string // a file's path, or $DOCKER_AUTH_CONFIG
	Key    string // of the entry in File, or the one that the helper was asked for
	Helper string // the program that has them and that File names; "" if File has them itself
}

// String names the helper and the file, or the file.
func (s Source) String() string {
	if s.Helper != "" {
		return s.Helper + ", which " + s.File + " names"
	}
	return s.File
}

// A Finding is the result of a search at one place. Its value is for programs, its
// String for people.
type Finding string

// The findings. The last three are credentials.
const (
	Absent        Finding = "absent"  // there is no such file
	Nothing       Finding = "nothing" // there is a file, but it has none for this host
	Failed        Finding = "failed"  // there may be some, but reading failed
	Skipped       Finding = "skipped" // an earlier place had some, or the helper was asked before
	Unasked       Finding = "unasked" // the helper is in PATH, and was not started
	Password      Finding = "password"
	IdentityToken Finding = "identity-token"
	RegistryToken Finding = "registry-token"
)

// Held reports whether the finding is credentials.
func (f Finding) Held() bool {
	return f == Password || f == IdentityToken || f == RegistryToken
}

func (f Finding) String() string {
	switch f {
	case Absent:
		return "not there"
	case Skipped:
		return "not looked at"
	case Unasked:
		return "not asked"
	case Password:
		return "a user name and a password"
	case IdentityToken:
		return "an identity token"
	case RegistryToken:
		return "a registry token"
	}
	return string(f)
}

// A Place is a file or a helper that may have credentials, with the finding there.
type Place struct {
	Source  Source
	Finding Finding
	Err     error // why it Failed, without its Source; holds no secret
}

// An Explanation lists the places of a search for a host's credentials. It holds none.
type Explanation struct {
	Host   string
	Places []Place // in the order of the search
}

// Used returns the place whose credentials the registry client would use, false if
// there is none.
func (e Explanation) Used() (Place, bool) {
	for _, place := range e.Places {
		if place.Finding.Held() {
			return place, true
		}
	}
	return Place{}, false
}

// An Error reports that the search found no credentials but may have missed some: it
// could not read a file, or could not ask a helper. It holds no secret: nothing that a
// file holds or a helper says.
type Error struct {
	Places []Place // those that Failed; at least one
}

func (e *Error) Error() string {
	var texts []string
	for _, place := range e.Places {
		texts = append(texts, place.Source.String()+": "+place.Err.Error())
	}
	return strings.Join(texts, "; ")
}
