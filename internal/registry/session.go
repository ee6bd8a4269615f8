package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/greenticai/packvendor/internal/credentials"
)

// A session is how one repository is spoken to: anonymously, until that is
// refused and the user's credentials are not.
type session struct {
	host       *host
	repository string

	mu         sync.Mutex
	identified *credentials.Credentials // nil: anonymous
	rejected   string                   // why the user's credentials are no help; "" if that is not known
	noneFound  bool                     // they were looked for, and there are none
	anonymous  token
	own        token // with credentials
}

func newSession(h *host, repository string) *session {
	s := &session{host: h, repository: repository}
	s.anonymous.values.Passing, s.own.values.Passing = isTemporary, isTemporary
	return s
}

// who returns whose requests the session makes.
func (s *session) who() *credentials.Credentials {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identified
}

// An authorization is what a request shows of who makes it.
type authorization struct {
	header string // Authorization; "" for nothing
	token  *token // that header is from; nil if it is not from one
	asked  bool   // the registry asks for some
}

// secret is what must not be shown of an authorization; a text that nobody sends
// if there is nothing.
func (a authorization) secret() string {
	if _, secret, ok := strings.Cut(a.header, " "); ok {
		return secret
	}
	return "\x00"
}

// authorization returns that of who, nil being nobody.
func (s *session) authorization(ctx context.Context, who *credentials.Credentials) (authorization, error) {
	challenge, err := s.host.challenge(ctx)
	switch {
	case err != nil || challenge == nil:
		return authorization{}, err
	case who != nil && who.RegistryToken != "":
		if !isToken(who.RegistryToken) {
			return authorization{}, newError(s.host.pingRequest(), errNoToken)
		}
		return authorization{header: "Bearer " + who.RegistryToken, asked: true}, nil
	case challenge.scheme == "basic":
		return authorization{header: basic(who), asked: true}, nil
	}
	from := s.token(who)
	value, err := from.get(ctx, func(ctx context.Context) (string, error) {
		return s.exchange(ctx, challenge, who)
	})
	return authorization{header: "Bearer " + value, token: from, asked: true}, s.host.asError(err)
}

// exchange asks for a token of who until it gets one or an answer that stays. A
// limit on the anonymous is no reason to wait while there may be credentials.
func (s *session) exchange(ctx context.Context, c *challenge, who *credentials.Credentials) (value string, err error) {
	var limited error
	err = s.host.retry(ctx, func(ctx context.Context) (err error) {
		value, err = s.host.exchange(ctx, s.repository, c, who)
		if limited = nil; who == nil && isStatus(err, http.StatusTooManyRequests) && s.mayIdentify() {
			limited, err = err, nil
		}
		return err
	})
	if limited != nil {
		err = limited
	}
	return value, err
}

// mayIdentify tells whether the user's credentials have not been tried or looked
// for in vain.
func (s *session) mayIdentify() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.host.keychain != nil && !s.noneFound && s.rejected == ""
}

// refused tells whether another try with what is known since is worth it: a
// token may be worn out, a registry may ask only now.
func (s *session) refused(a authorization, resp *http.Response) bool {
	switch {
	case resp.StatusCode != http.StatusUnauthorized:
		return false
	case !a.asked:
		return s.host.learn(resp)
	}
	return a.token != nil && a.token.renew(a.header)
}

func (s *session) token(who *credentials.Credentials) *token {
	if who == nil {
		return &s.anonymous
	}
	return &s.own
}

// notOverPlainHTTP is the reason where credentials are not even looked for.
const notOverPlainHTTP = "credentials are not sent over plain HTTP"

// credentials returns the user's credentials, where they may be tried: nil if
// there are none, or they were no help already. reason says what is to be told
// of that.
func (s *session) credentials(ctx context.Context) (found *credentials.Credentials, reason string) {
	s.mu.Lock()
	rejected := s.rejected
	s.mu.Unlock()
	if rejected != "" || s.host.keychain == nil {
		return nil, rejected
	}
	challenge, err := s.host.challenge(ctx)
	switch {
	case err != nil || challenge == nil:
		return nil, "" // nobody asked for any
	case s.host.scheme == "http" && !s.host.transports.isOnThisMachine(s.host.url()):
		return nil, notOverPlainHTTP
	}
	found, err = s.host.keychain.Find(ctx, s.host.name)
	switch {
	case err != nil:
		s.foundNone()
		return nil, fmt.Sprintf("there may be credentials, but %v", err)
	case found == nil:
		s.foundNone()
		return nil, fmt.Sprintf("there are no credentials for %s", s.host.name)
	}
	return found, ""
}

// foundNone notes that there are no credentials.
func (s *session) foundNone() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noneFound = true
}

// identify has the session make its further requests with credentials.
func (s *session) identify(who *credentials.Credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identified = who
}

// rejectCredentials has the session make its further requests anonymously, whatever
// credentials there are.
func (s *session) rejectCredentials(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identified, s.rejected = nil, reason
}

// isDenied tells whether err may be because of who asked: registries answer
// 404 for what one may not see, and limit the rate of the anonymous first.
func isDenied(err error) bool {
	return isStatus(err, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests)
}

// isRefused tells whether err is no to credentials; a limited rate is none.
func isRefused(err error) bool {
	return isStatus(err, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound)
}

// isUnknown tells whether err is about who asks, whatever is asked for.
func isUnknown(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Status == http.StatusUnauthorized || e.elsewhere)
}

// isMissing tells whether the registry says that what is asked for is not there.
func isMissing(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.IsNotFound()
}

// statusText is the status of an error, in words.
func statusText(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	return fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
}

// isStatus tells whether err is one of these statuses, of the registry or of its
// token endpoint: what a host says that a request was redirected to is not about
// the user.
func isStatus(err error, statuses ...int) bool {
	var e *Error
	if !errors.As(err, &e) || e.foreign {
		return false
	}
	for _, status := range statuses {
		if e.Status == status {
			return true
		}
	}
	return false
}
