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

// send makes one request of a repository: anonymously, and if that is refused,
// with the user's credentials. The response has status 200, or 206 where not
// all of the body was asked for, and its body is not encoded.
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

// identifiedOr makes a request with the user's credentials; if there are none,
// or they are no better, refused is the answer, and says so.
func (s *session) identifiedOr(ctx context.Context, r request, refused error) (*http.Response, error) {
	who, reason := s.credentials(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, s.host.asError(context.Cause(ctx))
	case who == nil:
		return nil, s.withReason(refused, reason, nil)
	}
	resp, err := s.ask(ctx, r, who)
	switch {
	case !isRefused(err):
		s.identify(who)
		return resp, err
	case isUnknown(err):
		s.rejectCredentials(failed(who, err))
	case isMissing(err) && !isMissing(refused): // for those who may see it, it is not there
		s.identify(who)
		return nil, s.withReason(err, whose(who), err)
	case isUnknown(refused):
		return nil, s.withReason(err, whose(who), err)
	}
	return nil, s.withReason(refused, failed(who, err), err)
}

// whose is the reason that says whose request it was.
func whose(who *credentials.Credentials) string {
	if who.Source == (credentials.Source{}) {
		return "with the credentials that there are"
	}
	return fmt.Sprintf("with the credentials of %s", who.Source)
}

// failed is the reason that says how a request with credentials failed.
func failed(who *credentials.Credentials, err error) string {
	return fmt.Sprintf("%s: %s", whose(who), statusText(err))
}

// ask makes one request of who, nil being nobody; and one more if the first
// one's answer says how to authenticate, or a token is worn out.
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
		if who != nil || e.foreign || strings.Contains(e.raw, by.secret()) {
			e = e.withoutEcho()
		}
		resp.Body.Close()
		if again || e.foreign || !s.refused(by, resp) {
			return nil, e
		}
	}
}

// withReason adds a reason to a refusal: identified is the error of the try with
// credentials, if there was one. The refusal may be shared, so it is copied.
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
	return &told
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
