package registry

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// maxErrorBody bounds how much of an error's body is read, maxMessage how much
// of it is shown; both in bytes.
const (
	maxErrorBody = 8 << 10
	maxMessage   = 200
)

// An Error is a request that did not get its answer: the registry answered
// with another status than 200, or nothing came.
type Error struct {
	Method string
	URL    string // without user, password and query
	Host   string // host[:port] the first request went to
	Status int    // HTTP status, 0 if there was no response
	// Code and Message are the first error of the response's body, as the
	// distribution specification shapes it, escaped and capped.
	Code, Message string
	Err           error // why there was no response

	elsewhere bool // it was not the registry itself that failed, but where it sent us
}

func (e *Error) Error() string {
	s := e.Method + " " + e.URL + ": "
	if e.Status == 0 {
		return s + e.Err.Error()
	}
	if e.Status == http.StatusNotFound {
		s += "404 not found or private" // registries hide what one may not see
	} else {
		s += strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)))
	}
	if e.Code != "" {
		s += ": " + shown(e.Code)
	}
	if e.Message != "" {
		s += ": " + shown(e.Message)
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// IsNotFound tells whether the registry does not have what was asked for, or
// hides it.
func (e *Error) IsNotFound() bool { return e.Status == http.StatusNotFound }

// MayBePlain tells whether the registry perhaps speaks plain HTTP: it answered
// HTTPS with HTTP, or it is on this machine or a private network and refused
// the connection.
func (e *Error) MayBePlain() bool {
	if e.elsewhere || strings.HasPrefix(e.URL, "http://") {
		return false
	}
	var record tls.RecordHeaderError
	if errors.Is(e.Err, http.ErrSchemeMismatch) || errors.As(e.Err, &record) {
		return true
	}
	return isLocal(e.Host) && errors.Is(e.Err, syscall.ECONNREFUSED)
}

// A ProtocolError is an answer that an honest registry does not give.
type ProtocolError struct {
	Subject string // the request it is about; "" if it is the one that was asked for
	Reason  string
}

func (e *ProtocolError) Error() string {
	if e.Subject == "" {
		return e.Reason
	}
	return e.Subject + ": " + e.Reason
}

// newError wraps the error of a request without a usable response. What is
// known by type already is passed on as it is.
func newError(req *http.Request, err error) error {
	var protocol *ProtocolError
	if errors.As(err, &protocol) {
		return protocol
	}
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	var urlErr *url.Error
	elsewhere := false
	if errors.As(err, &urlErr) {
		last, parseErr := url.Parse(urlErr.URL)
		elsewhere = parseErr != nil || last.Host != req.URL.Host
		err = urlErr.Err // our own URL is there, and redacted
	}
	if !isPlain(err) {
		err = &vagueError{text: firstWords(err.Error()), err: err}
	}
	return &Error{Method: req.Method, URL: redacted(req.URL), Host: req.URL.Host, Err: err, elsewhere: elsewhere}
}

// isPlain tells whether an error's text holds nothing that a registry sent but
// names in certificates, which crypto/x509 shows only if they are valid.
func isPlain(err error) bool {
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var redirects *redirectsError
	for _, target := range []any{&op, &certificate, &record, &redirects} {
		if errors.As(err, target) {
			return true
		}
	}
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, http.ErrSchemeMismatch, io.ErrUnexpectedEOF, io.EOF, errPlainHTTP, errLocalTarget, errLocalRealm} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// A vagueError says only the beginning of another error, whose text may quote
// what a registry sent: redirect targets are often secret.
type vagueError struct {
	text string
	err  error
}

func (e *vagueError) Error() string { return e.text }
func (e *vagueError) Unwrap() error { return e.err }

func newStatusError(req *http.Request, resp *http.Response) error {
	e := &Error{Method: req.Method, URL: redacted(req.URL), Host: req.URL.Host, Status: resp.StatusCode}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	var reply struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(body, &reply) == nil && len(reply.Errors) > 0 {
		e.Code, e.Message = reply.Errors[0].Code, reply.Errors[0].Message
	}
	return e
}

// shown makes a foreign string fit for a terminal.
func shown(s string) string {
	more := ""
	if len(s) > maxMessage {
		s, more = s[:maxMessage], "..."
	}
	quoted := fmt.Sprintf("%+q", s)
	if inner := quoted[1 : len(quoted)-1]; inner == s {
		return s + more
	}
	return quoted + more
}

// redacted is u without what may be secret: presigned queries, user names,
// passwords.
func redacted(u *url.URL) string {
	clean := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return clean.String()
}

// isLocal tells whether host[:port] is localhost or a literal address that is
// loopback, private or link-local.
func isLocal(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r > '~' }) {
		return true // net/http maps full-width digits to digits: who writes so hides something
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	addr = addr.Unmap()
	return err == nil && (addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || addr.IsUnspecified())
}
