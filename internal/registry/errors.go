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

// Bounds on an error, in bytes: of the body that is read, and of the texts that are
// shown.
const (
	maxErrorBody = 8 << 10
	maxMessage   = 200
	maxURL       = 1 << 10 // a registry may have redirected to it
	maxText      = 2 << 10
)

// An Error reports a failed request: the registry answered with a status other than
// 200, or no response came.
type Error struct {
	Method string
	URL    string // without user, password and query
	Host   string // host[:port] the first request went to
	Status int    // HTTP status, 0 if there was no response
	// Code and Message are the first error of the response's body, in the form of the
	// distribution specification, escaped and bounded.
	Code, Message string
	Err           error // why there was no response
	// Tries counts the attempts before the request was given up; 0 if a retry could not
	// help.
	Tries int
	// RetryAfter is the pause that the response asks for; negative if it asks for none.
	RetryAfter time.Duration
	// Reason says how a second request, with the user's credentials, ended; "" if there
	// was no point in one. Registry is the host that the credentials are for; "" if
	// looking for some is useless.
	Reason, Registry string

	raw        string // Code and Message as they came
	elsewhere  bool   // another host failed, to which the registry sent the request
	refused    bool   // the registry rejected the user's credentials
	foreign    bool   // the status comes from another host, after a redirect
	identified bool   // the user's credentials were tried
	unanswered bool   // no host answered, the registry or another one
	own        bool   // the status is the registry's answer to the request itself
	doubtful   bool   // other credentials might change it: those that there are cannot be had, or are refused
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

// what says what happened.
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

// pause says how long the registry asks to be left alone, if that is too long for a
// retry.
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
		return "404 not found or private" // registries hide private repositories
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)))
}

func (e *Error) Unwrap() error { return e.Err }

// IsNotFound reports whether the registry lacks the manifest or blob, or hides it. It
// is false if the registry rejected the user's credentials.
func (e *Error) IsNotFound() bool {
	return e.Status == http.StatusNotFound && !e.elsewhere && !e.refused
}

// IsAbsent is IsNotFound without a doubt: the registry itself says so, no other host and
// no token endpoint, and no credentials of the user were there to be tried in vain.
func (e *Error) IsAbsent() bool { return e.IsNotFound() && e.own && !e.doubtful }

// IsDenied reports whether the registry refuses whoever asks, with 401 or 403: it does itself, or
// the token endpoint that it names. The storage to which it redirects is not meant, which often
// answers 403 for what it lacks.
func (e *Error) IsDenied() bool {
	return (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) && !e.foreign
}

// IsUnanswered reports whether the registry did not answer a request at all: there was no
// connection to it, or nothing came over it.
func (e *Error) IsUnanswered() bool { return e.unanswered && !e.elsewhere }

// IsRefusal reports whether packvendor itself refuses what the registry asks for, such as a
// redirect to a local address.
func (e *Error) IsRefusal() bool {
	return errors.As(e.Err, new(refusal)) || errors.As(e.Err, new(*localAddressError)) || errors.As(e.Err, new(*mirrorAddressError))
}

// unanswered marks the error of a request without a response.
func unanswered(err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.unanswered = true
	}
	return err
}

// MayBePlain reports whether the registry may speak plain HTTP: it answered HTTPS with
// HTTP, or it is on this machine or a private network and refused the connection.
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

// A ProtocolError reports a response that no honest registry gives.
type ProtocolError struct {
	Subject string // the request; "" if it is the one that the caller made
	Reason  string
}

func (e *ProtocolError) Error() string {
	if e.Subject == "" {
		return e.Reason
	}
	return e.Subject + ": " + e.Reason
}

// newError wraps the error of a request without a usable response. It returns an *Error
// or *ProtocolError as it is.
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
		err = urlErr.Err // the URL is added below, redacted
	}
	if errno := exhausted(err); errno != nil {
		err = errno
	} else if !isPlain(err) {
		err = &redactedError{text: unquoted(err.Error()), err: err}
	}
	return &Error{Method: req.Method, URL: redacted(req.URL), Host: req.URL.Host, Err: err, RetryAfter: -1, elsewhere: elsewhere}
}

// exhausted returns the error EMFILE or ENFILE if the lack of descriptors caused err,
// for example while reading the certificates that the system trusts; else nil. A retry
// may get a connection.
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

// An ownError has a text that this package wrote.
type ownError interface {
	error
	own()
}

// A refusal is an ownError that consists of its text.
type refusal string

func (r refusal) Error() string { return string(r) }
func (refusal) own()            {}

// isPlain reports whether an error's text is safe to show. Of the registry's data it
// holds at most the names in certificates.
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

// A redactedError shows only the beginning of another error, whose text may quote the
// registry: redirect targets are often secret.
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

// errorCodes are the codes of the specification, and older ones that are in use.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
var errorCodes = []string{
	"BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID",
	"MANIFEST_UNKNOWN", "NAME_INVALID", "NAME_UNKNOWN", "SIZE_INVALID", "UNAUTHORIZED", "DENIED", "UNSUPPORTED", "TOOMANYREQUESTS",
	"MANIFEST_UNVERIFIED", "TAG_INVALID", "UNAVAILABLE", "UNKNOWN",
}

// withoutEcho removes texts from e that may repeat a secret of the request: some hosts
// answer with the headers they received.
func (e *Error) withoutEcho() *Error {
	e.Message = ""
	if !slices.Contains(errorCodes, e.Code) {
		e.Code = ""
	}
	return e
}

// after returns e as the error of a request that was given up after that many tries.
func (e *Error) after(tries int) error {
	told := *e
	told.Tries = tries
	return &told
}

// ended returns the error of a request whose wait for a retry err cut off.
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

// oneLine returns the text of an error, which may hold names from the server's
// certificate.
func oneLine(s string) string {
	if printable.Line(s, len(s)) != s {
		return printable.Quote(s, maxText)
	}
	return printable.Line(s, maxText)
}

// redacted returns u without its secrets: presigned queries, user names, passwords.
func redacted(u *url.URL) string {
	clean := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	s := clean.String()
	if len(s) > maxURL {
		return s[:maxURL] + "..."
	}
	return s
}

// unquoted returns the beginning of a text, up to the first quotation of foreign text.
func unquoted(text string) string {
	for _, mark := range []string{"\n", `"`, "header line:", "://"} {
		text, _, _ = strings.Cut(text, mark)
	}
	return shown(strings.TrimRight(text, " :"))
}
