package packfetch

import (
	"time"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/registry"
)

type (
	// A Keychain finds the user's credentials for a host[:port]; nil if there are none.
	// A Fetcher asks it only after a registry has refused an anonymous request, and
	// sends the credentials to that registry or its token endpoint, over plain HTTP on
	// this machine only. It may be called concurrently; its errors hold no secrets.
	Keychain = registry.Keychain
	// Credentials are a user's for one registry.
	Credentials = credentials.Credentials
	// A CredentialsSource says where Credentials are. It never holds them.
	CredentialsSource = credentials.Source
)

// UserKeychain returns the credentials that Docker and Podman keep for the user
// whose environment getenv looks up. It starts credential helpers on demand, once for
// each host, and waits for them as long as patience; 0 is 30 s.
func UserKeychain(getenv func(string) string, patience time.Duration) Keychain {
	return credentials.New(credentials.Options{Getenv: getenv, HelperTimeout: patience})
}
