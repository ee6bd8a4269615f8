package packfetch

import (
	"time"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/registry"
)

type (
	// A Keychain finds the user's credentials for a host[:port]; nil if there
	// are none. It is asked only where a registry refused an anonymous request,
	// and what it finds goes to that registry, or to the token endpoint that it
	// names, and never over plain HTTP but on this machine. It may be called
	// concurrently; its errors hold no secrets.
	Keychain = registry.Keychain
	// Credentials are a user's for one registry.
	Credentials = credentials.Credentials
	// A CredentialsSource says where Credentials are. It never holds them.
	CredentialsSource = credentials.Source
)

// UserKeychain returns the credentials that Docker and Podman keep for the user
// whose environment getenv looks up. Credential helpers are started once for
// each host, when they are needed, and for as long as patience; 0 is 30 s.
func UserKeychain(getenv func(string) string, patience time.Duration) Keychain {
	return credentials.New(credentials.Options{Getenv: getenv, HelperTimeout: patience})
}
