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

// A session speaks to one repository: anonymously, until the registry refuses that and
// accepts the user's credentials.
type session struct {
	host       *host
	repository string

	mu         sync.Mutex
	identified *credentials.Credentials // nil: anonymous
	rejected   string                   // why the user's credentials do not help; "" if they may
	noneFound  bool                     // the user has no credentials
	anonymous  token
	own        token // with credentials
}

func newSession(h *host, repository string) *session {
	s := &session{host: h, repository: repository}
	s.anonymous.values.Passing, s.own.values.Passing = isTemporary, isTemporary
	return s
}

// who returns the credentials that the session uses.
func (s *session) who() *credentials.Credentials {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identified
}

// An authorization is the proof of identity in one request.
type authorization struct {
	header string // Authorization; "" for nothing
	token  *token // of header; nil if it holds none
	asked  bool   // the registry asks for authentication
}

// secret returns the secret part of an authorization; without one, a text that no
// server sends.
func (a authorization) secret() string {
	if _, secret, ok := strings.Cut(a.header, " "); ok {
		return secret
	}
	return "\x00"
}

// authorization returns the authorization for who; nil is anonymous.
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

// exchange asks for a token for who until it gets one or a final error. It does not
// wait out a limit on anonymous requests while the user may have credentials.
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

// mayIdentify reports whether the user's credentials are still untried, and not known
// to be missing.
func (s *session) mayIdentify() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.host.keychain != nil && !s.noneFound && s.rejected == ""
}

// refused reports whether another try may help with what the response adds: a token may
// be worn out, or the registry asks for authentication only now.
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

// notOverPlainHTTP is the reason why credentials are not looked for.
const notOverPlainHTTP = "credentials are not sent over plain HTTP"

// credentials returns the user's credentials, nil if there are none or the registry has
// rejected them. reason says why, for the error; doubtful, that there may be some which
// the registry would accept.
func (s *session) credentials(ctx context.Context) (found *credentials.Credentials, reason string, doubtful bool) {
	s.mu.Lock()
	rejected := s.rejected
	s.mu.Unlock()
	if rejected != "" || s.host.keychain == nil {
		return nil, rejected, rejected != ""
	}
	challenge, err := s.host.challenge(ctx)
	switch {
	case err != nil || challenge == nil:
		return nil, "", false // the registry asks for none
	case s.host.scheme == "http" && !s.host.transports.isOnThisMachine(s.host.url()):
		return nil, notOverPlainHTTP, false
	}
	found, err = s.host.keychain.Find(ctx, s.host.name)
	switch {
	case err != nil:
		s.foundNone()
		return nil, fmt.Sprintf("there may be credentials, but %v", err), true
	case found == nil:
		s.foundNone()
		return nil, fmt.Sprintf("there are no credentials for %s", s.host.name), false
	}
	return found, "", false
}

// foundNone records that the user has no credentials.
func (s *session) foundNone() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noneFound = true
}

// identify makes the session use credentials from now on.
func (s *session) identify(who *credentials.Credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identified = who
}

// rejectCredentials makes the session stay anonymous from now on.
func (s *session) rejectCredentials(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identified, s.rejected = nil, reason
}

// send makes one request of a repository: anonymously first, then with the user's
// credentials. The response has status 200, or 206 if the request asked for a part, and
// its body has no Content-Encoding.
func (s *session) send(ctx context.Context, r request) (*http.Response, error) {
	who := s.who()
	if who == nil {
		resp, err := s.ask(ctx, r, nil)
		if !isDenied(err) {
			return resp, err
		}
		return s.identifiedOr(ctx, r, err)
	}
	resp, err := s.ask(ctx, r, who)
	if !isRefused(err) {
		return resp, err
	}
	if resp, anonymousErr := s.ask(ctx, r, nil); anonymousErr == nil {
		s.rejectCredentials(failed(who, err))
		return resp, nil
	}
	return nil, s.withReason(err, whose(who), err)
}

// identifiedOr makes a request with the user's credentials. If there are none, or they
// do not help, the error is refused, with the reason.
func (s *session) identifiedOr(ctx context.Context, r request, refused error) (*http.Response, error) {
	who, reason, doubtful := s.credentials(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, s.host.asError(context.Cause(ctx))
	case who == nil:
		return nil, inDoubt(s.withReason(refused, reason, nil), doubtful)
	}
	resp, err := s.ask(ctx, r, who)
	switch {
	case !isRefused(err):
		s.identify(who)
		return resp, err
	case isUnknown(err):
		s.rejectCredentials(failed(who, err))
	case isMissing(err) && !isMissing(refused): // with credentials it is missing, not hidden
		s.identify(who)
		return nil, s.withReason(err, whose(who), err)
	case isUnknown(refused):
		return nil, s.withReason(err, whose(who), err)
	}
	return nil, s.withReason(refused, failed(who, err), err)
}

// whose says, as a reason, whose credentials a request had.
func whose(who *credentials.Credentials) string {
	if who.Source == (credentials.Source{}) {
		return "with the credentials that there are"
	}
	return fmt.Sprintf("with the credentials of %s", who.Source)
}

// failed says, as a reason, how a request with credentials failed.
func failed(who *credentials.Credentials, err error) string {
	return fmt.Sprintf("%s: %s", whose(who), statusText(err))
}

// ask makes one request for who; nil is anonymous. It makes a second one if the
// response explains how to authenticate, or a token is worn out.
func (s *session) ask(ctx context.Context, r request, who *credentials.Credentials) (*http.Response, error) {
	for again := false; ; again = true {
		by, err := s.authorization(ctx, who)
		if err != nil {
			return nil, err
		}
		resp, err := s.host.do(ctx, r, by.header)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent {
			if by.token != nil {
				by.token.prove(by.header)
			}
			return resp, nil
		}
		e := newStatusError(&http.Request{Method: r.method, URL: r.url}, resp)
		e.foreign = !s.host.sent(resp)
		e.own = !e.foreign
		if who != nil || e.foreign || strings.Contains(e.raw, by.secret()) {
			e = e.withoutEcho()
		}
		resp.Body.Close()
		if again || e.foreign || !s.refused(by, resp) {
			return nil, e
		}
	}
}

// withReason returns a refusal with a reason: identified is the error of the request
// with credentials, nil if there was none. The refusal may be shared, so withReason
// copies it.
func (s *session) withReason(refused error, reason string, identified error) error {
	var e *Error
	if reason == "" || !errors.As(refused, &e) {
		return refused
	}
	told := *e
	told.Reason = reason
	if reason != notOverPlainHTTP {
		told.Registry = s.host.name
	}
	told.identified, told.refused = identified != nil, isUnknown(identified)
	told.doubtful = identified != nil && !isMissing(identified)
	return &told
}

// inDoubt marks the copy that withReason has made.
func inDoubt(refused error, doubtful bool) error {
	var e *Error
	if doubtful && errors.As(refused, &e) {
		e.doubtful = true
	}
	return refused
}

// isDenied reports whether other credentials may change err: registries answer 404 for
// private repositories, and limit anonymous requests first.
func isDenied(err error) bool {
	return isStatus(err, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests)
}

// isRefused reports whether the registry refused the credentials; a rate limit does not
// count.
func isRefused(err error) bool {
	return isStatus(err, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound)
}

// isUnknown reports whether the registry does not accept the credentials at all,
// whatever the request.
func isUnknown(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Status == http.StatusUnauthorized || e.elsewhere)
}

// isMissing reports whether the registry says that the manifest or blob does not exist.
func isMissing(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.IsNotFound()
}

// statusText returns the status of an error in words.
func statusText(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	return fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
}

// isStatus reports whether err has one of these statuses, from the registry or its
// token endpoint. The status of a host after a redirect says nothing about the user.
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
