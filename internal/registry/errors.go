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
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/greenticai/packvendor/internal/printable"
)

// maxErrorBody bounds how much of an error's body is read, maxMessage how much
// of it is shown; both in bytes.
const (
	maxErrorBody = 8 << 10
	maxMessage   = 200
	maxURL       = 1 << 10 // a registry may have redirected to it
	maxText      = 2 << 10
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
	// Tries is how often the request was made before it was given up; 0 where
	// trying again would not help.
	Tries int
	// RetryAfter is how long the response asks to be left alone; negative if it
	// does not say.
	RetryAfter time.Duration
	// Reason says what became of another try with the user's credentials; "" if
	// that was not to be thought of. Registry is whose they are; "" if there is no
	// use in looking for some.
	Reason, Registry string

	raw        string // Code and Message as they came
	elsewhere  bool   // it was not the registry itself that failed, but where it sent us
	refused    bool   // the user's credentials were tried, and are not good
	foreign    bool   // the status is that of another host, to which a request was redirected
	identified bool   // the user's credentials were tried
}

func (e *Error) Error() string {
	s := e.Method + " " + e.URL + ": " + e.what()
	if e.Tries > 1 {
		s += fmt.Sprintf(" (after %d tries)", e.Tries)
	}
	if e.Reason != "" {
		s += "; " + e.Reason
	}
	return s
}

// what is what happened.
func (e *Error) what() string {
	if e.Status == 0 {
		return oneLine(e.Err.Error())
	}
	s := e.statusText()
	for _, word := range []string{e.Code, e.Message} {
		if word != "" {
			s += ": " + word
		}
	}
	return s + e.pause()
}

// pause is how long the registry is to be left alone, where that is too long.
func (e *Error) pause() string {
	if e.RetryAfter <= maxRetryAfter || !isTransientStatus(e.Status) {
		return ""
	}
	limited := ""
	if e.Status == http.StatusTooManyRequests {
		limited = "rate limited, "
	}
	if e.RetryAfter > 24*time.Hour {
		return ": " + limited + "to be tried again in more than a day"
	}
	return fmt.Sprintf(": %sto be tried again in %s", limited, e.RetryAfter)
}

func (e *Error) statusText() string {
	if e.Status == http.StatusNotFound && !e.identified {
		return "404 not found or private" // registries hide what one may not see
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)))
}

func (e *Error) Unwrap() error { return e.Err }

// IsNotFound tells whether the registry does not have what was asked for, or
// hides it, though not from somebody whose credentials are no good.
func (e *Error) IsNotFound() bool {
	return e.Status == http.StatusNotFound && !e.elsewhere && !e.refused
}

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
	if errno := exhausted(err); errno != nil {
		err = errno
	} else if !isPlain(err) {
		err = &redactedError{text: unquoted(err.Error()), err: err}
	}
	return &Error{Method: req.Method, URL: redacted(req.URL), Host: req.URL.Host, Err: err, RetryAfter: -1, elsewhere: elsewhere}
}

// exhausted returns what err is at bottom if that is the want of descriptors, whatever
// failed for it, such as to read the certificates that the system trusts; else nil. A
// connection may be had another time.
func exhausted(err error) error {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE} {
		switch {
		case !errors.Is(err, errno):
		case errors.As(err, new(*transientError)):
			return &transientError{errno}
		default:
			return errno
		}
	}
	return nil
}

// An ownError has a text of ours.
type ownError interface {
	error
	own()
}

// A refusal is an ownError that says all with its text.
type refusal string

func (r refusal) Error() string { return string(r) }
func (refusal) own()            {}

// isPlain tells whether an error's text holds nothing secret: of what a registry
// sent but names in certificates.
func isPlain(err error) bool {
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	for _, target := range []any{&op, &certificate, &record, new(ownError)} {
		if errors.As(err, target) {
			return true
		}
	}
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, http.ErrSchemeMismatch, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// A redactedError says only the beginning of another error, whose text may quote
// what a registry sent: redirect targets are often secret.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }

func newStatusError(req *http.Request, resp *http.Response) *Error {
	e := &Error{
		Method: req.Method, URL: redacted(req.URL), Host: req.URL.Host,
		Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header, time.Now()),
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	var reply struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(body, &reply) == nil && len(reply.Errors) > 0 {
		first := reply.Errors[0]
		e.Code, e.Message, e.raw = shown(first.Code), shown(first.Message), first.Code+first.Message
	}
	return e
}

// errorCodes are those of the specification, and older ones that are in use.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
var errorCodes = []string{
	"BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID",
	"MANIFEST_UNKNOWN", "NAME_INVALID", "NAME_UNKNOWN", "SIZE_INVALID", "UNAUTHORIZED", "DENIED", "UNSUPPORTED", "TOOMANYREQUESTS",
	"MANIFEST_UNVERIFIED", "TAG_INVALID", "UNAVAILABLE", "UNKNOWN",
}

// withoutEcho leaves out of e what may be a secret that the request showed: there
// are hosts that answer with what they were sent.
func (e *Error) withoutEcho() *Error {
	e.Message = ""
	if !slices.Contains(errorCodes, e.Code) {
		e.Code = ""
	}
	return e
}

// after is e of a request that was given up after so many tries.
func (e *Error) after(tries int) error {
	told := *e
	told.Tries = tries
	return &told
}

// ended is e after a wait that was cut off by err.
func (e *Error) ended(err error) error {
	return &Error{Method: e.Method, URL: e.URL, Host: e.Host, Err: err, RetryAfter: -1}
}

// shown makes a foreign string fit for a terminal.
func shown(s string) string {
	if len(s) > maxMessage {
		return printable.Phrase(s[:maxMessage], maxMessage) + "..."
	}
	return printable.Phrase(s, maxMessage)
}

// oneLine is the text of an error that may name what a server sent, such as the
// names in its certificate.
func oneLine(s string) string {
	if printable.Line(s, len(s)) != s {
		return printable.Quote(s, maxText)
	}
	return printable.Line(s, maxText)
}

// redacted is u without what may be secret: presigned queries, user names,
// passwords.
func redacted(u *url.URL) string {
	clean := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	s := clean.String()
	if len(s) > maxURL {
		return s[:maxURL] + "..."
	}
	return s
}

// unquoted is what can be told of a text that may quote a foreign one.
func unquoted(text string) string {
	for _, mark := range []string{"\n", `"`, "header line:", "://"} {
		text, _, _ = strings.Cut(text, mark)
	}
	return shown(strings.TrimRight(text, " :"))
}
