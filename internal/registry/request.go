package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/printable"
)

// A request is one that is made of a registry, as often as it takes.
type request struct {
	method string
	url    *url.URL
	accept string // media types
	first  int64  // the first byte that is wanted of the body
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

// do makes one request with that Authorization header.
func (h *host) do(ctx context.Context, r request, authorization string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(withRegistry(ctx, h.url()), r.method, r.url.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", r.accept)
	if r.first > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", r.first))
	}
	client := http.Client{
		Transport:     &authorized{base: h.transport, host: r.url.Host, scheme: r.url.Scheme, header: authorization},
		CheckRedirect: checkRedirect,
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, newError(req, err)
	}
	if resp.StatusCode == http.StatusPartialContent && r.first == 0 {
		resp.Body.Close()
		return nil, &ProtocolError{Reason: "the registry sent a part of what was asked for"}
	}
	done := resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent
	if encoding := resp.Header.Get("Content-Encoding"); done && encoding != "" && encoding != "identity" {
		resp.Body.Close()
		return nil, &ProtocolError{Reason: fmt.Sprintf("the registry sent Content-Encoding %s, which was not asked for", printable.Quote(encoding, maxMessage))}
	}
	return resp, nil
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
