package packtest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"path"
)

// Options set up a [Registry]. The zero value is a public registry over HTTP/1.1 and
// TLS without tokens.
type Options struct {
	// Plain serves HTTP without TLS.
	Plain bool
	// HTTP2 offers HTTP/2 besides HTTP/1.1. It needs TLS.
	HTTP2 bool
	// Streams bounds the requests at once of a connection with HTTP/2; 0 leaves it to net/http.
	Streams int
	// CA signs the server's certificate; nil means a new CA.
	CA *Authority
	// Certificate overrides the CA's certificate for localhost, 127.0.0.1 and ::1.
	Certificate *tls.Certificate

	// Token demands a bearer token, which /token gives to everybody unless User is set.
	Token bool
	// AccessTokenOnly answers at /token with "access_token" and without
	// "token".
	AccessTokenOnly bool
	// TokenUses bounds the requests of a token; 0 means no limit. See also
	// [Registry.ExpireTokens].
	TokenUses int
	// OpenPing answers any version check with 200, so that a manifest or a blob gets
	// the first challenge.
	OpenPing bool

	// User and Password make repositories private, by Basic authentication: at /token
	// if Token is set, else with each request. Wrong credentials get 401 for public
	// repositories, too. Without User all credentials are wrong, as registries treat
	// stale ones.
	User, Password string
	// IdentityToken is an alternative to User, with a POST to /token and
	// grant_type=refresh_token. Without it, /token answers POST with 405.
	IdentityToken string
	// Private lists the private repositories as patterns of package path;
	// nil means all. The version check is private only without Token.
	Private []string
	// Refusal is the answer to anonymous requests for private repositories.
	Refusal Refusal

	// TagPage bounds the tags on one page of a tag list; 0 means no limit.
	TagPage int
	// Referrers serves the referrers API. Without it the answer is 404.
	Referrers bool
	// ReferrersPage bounds the referrers on one page; 0 means no limit.
	ReferrersPage int
	// Addr is the address to listen on; "" means a free port of 127.0.0.1.
	Addr string
	// Single is what happens to further connections while there is one.
	Single Single
}

// User and Password are the default credentials of private registries.
const (
	User     = "somebody"
	Password = "open-sesame"
)

// A Refusal is a registry's answer to a request without credentials.
type Refusal int

const (
	// RefuseUnauthorized answers 401: at /token if there is one, like ghcr.io, else
	// with a Basic challenge to each request, like ECR.
	RefuseUnauthorized Refusal = iota
	// RefuseDenied answers 403 in the same place.
	RefuseDenied
	// RefuseScope gives everybody a token, and answers 401 to one without rights, like
	// Docker Hub. Without Token it is RefuseUnauthorized.
	RefuseScope
	// RefuseHidden gives everybody a token, and answers 404 to one without rights, to
	// hide whether the repository exists.
	RefuseHidden
	// RefuseLimited gives everybody a token, and answers 429 with [LimitedFor] as
	// Retry-After to one without rights, like Docker Hub after too many requests from
	// one address.
	RefuseLimited
)

// LimitedFor is the Retry-After of [RefuseLimited] in seconds. A test times out if a
// client waits so long before it shows its credentials.
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
