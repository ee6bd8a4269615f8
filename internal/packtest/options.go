package packtest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"path"
)

// Options are the ways a [Registry] can be set up. The zero value is a public
// registry over HTTP/1.1 and TLS that asks for no token.
type Options struct {
	// Plain serves HTTP without TLS.
	Plain bool
	// HTTP2 offers HTTP/2 besides HTTP/1.1. It needs TLS.
	HTTP2 bool
	// CA signs the server's certificate; nil means one of its own.
	CA *Authority
	// Certificate overrides the one the CA issues, which is for localhost,
	// 127.0.0.1 and ::1.
	Certificate *tls.Certificate

	// Token asks for a bearer token, which /token gives to everybody unless
	// User is set.
	Token bool
	// AccessTokenOnly answers at /token with "access_token" and without
	// "token".
	AccessTokenOnly bool
	// TokenUses is how many requests a token is good for; 0 means no limit.
	// See also [Registry.ExpireTokens].
	TokenUses int
	// OpenPing answers the version check with 200, whatever it carries, so
	// that the first challenge is that of a manifest or a blob.
	OpenPing bool

	// User and Password make repositories private. They are asked for with
	// Basic authentication: at /token if Token is set, else with each
	// request. Wrong ones are refused with 401 for public repositories, too;
	// where User is empty, any are, as registries do with stale ones.
	User, Password string
	// IdentityToken is what User may show instead, with a POST to /token and
	// grant_type=refresh_token. Without it, /token answers POST with 405.
	IdentityToken string
	// Private lists the private repositories as patterns of package path;
	// nil means all. The version check is private only without Token.
	Private []string
	// Refusal is what becomes of anonymous requests for private
	// repositories.
	Refusal Refusal

	// TagPage is the most tags on one page of a tag list; 0 means no limit.
	TagPage int
	// Addr is the address to listen on; "" means a free port of 127.0.0.1.
	Addr string
}

// User and Password are the credentials of every private registry that has no
// wishes of its own.
const (
	User     = "somebody"
	Password = "open-sesame"
)

// A Refusal is the way a registry turns those away who show no credentials.
type Refusal int

const (
	// RefuseUnauthorized answers 401: at /token if there is one, as ghcr.io
	// does, else with a Basic challenge to each request, as ECR does.
	RefuseUnauthorized Refusal = iota
	// RefuseDenied answers 403 in the same place.
	RefuseDenied
	// RefuseScope gives everybody a token, and answers 401 to one without
	// rights, as Docker Hub does. Without Token it is RefuseUnauthorized.
	RefuseScope
	// RefuseHidden gives everybody a token, and answers 404 to one without
	// rights: whether the repository exists is a secret.
	RefuseHidden
	// RefuseLimited gives everybody a token, and answers 429 with
	// [LimitedFor] as Retry-After to one without rights, as Docker Hub does
	// once too many came from one address.
	RefuseLimited
)

// LimitedFor is the Retry-After of [RefuseLimited] in seconds. A client that
// waits so long before it shows its credentials ends the patience of a test.
const LimitedFor = "60"

func (o Options) check() error {
	if o.Plain && o.HTTP2 {
		return errors.New("test registry: HTTP/2 needs TLS")
	}
	if o.IdentityToken != "" && !o.Token {
		return errors.New("test registry: an identity token is for Token")
	}
	for _, pattern := range o.Private {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("test registry: private repositories %+q: %w", pattern, err)
		}
	}
	return nil
}

// closed reports whether a repository is private.
func (o Options) closed(name string) bool {
	if o.User == "" && o.IdentityToken == "" {
		return false
	}
	for _, pattern := range o.Private {
		if ok, _ := path.Match(pattern, name); ok {
			return true
		}
	}
	return o.Private == nil
}
