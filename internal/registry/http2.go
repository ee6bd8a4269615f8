package registry

import (
	"errors"
	"io"
	"slices"
	"strings"
)

// An http2Error says what happened to a request over HTTP/2. The errors of net/http have no
// types that another package can name, and some of them quote the server.
type http2Error struct {
	text  error
	code  string // the server's; "" if it says no more
	final bool   // a retry would end the same way
	err   error
}

func (e *http2Error) Error() string {
	if e.code != "" {
		return e.text.Error() + ": " + e.code
	}
	return e.text.Error()
}

func (e *http2Error) Unwrap() error { return e.err }
func (*http2Error) own()            {}

var (
	errNotHTTP2       = errors.New("the response is not valid HTTP/2")
	errLargeHeader    = errors.New("the header of the response is too large")
	errResponseEnded  = errors.New("the server ended the response")
	errClosed         = errors.New("the server closed the connection")
	errConnectionLost = errors.New("the connection was lost")
)

// Beginnings of errors of net/http, and an end of one.
const (
	streamError      = "stream error: "
	connectionError  = "connection error: "
	anyHTTP2Error    = "http2: "
	goAwayAndClosed  = "http2: server sent GOAWAY and closed the connection; "
	goAwayFromServer = "http2: Transport received GOAWAY from server ErrCode:"
	goAwayGracefully = "http2: Transport received Server's graceful shutdown GOAWAY"

	fromServer = "; received from peer"
)

// largeHeaders are parts of the errors about a header larger than maxHeader, over any version
// of HTTP.
var largeHeaders = []string{"server response headers exceeded", "header list larger than", "header list too large"}

// inWords returns an error of net/http about HTTP/2, or about a large header, as an
// http2Error; any other error as it is.
func inWords(err error) error {
	text := err.Error()
	has := func(prefix string) bool { return strings.HasPrefix(text, prefix) }
	switch {
	case slices.ContainsFunc(largeHeaders, func(part string) bool { return strings.Contains(text, part) }):
		return &http2Error{text: errLargeHeader, final: true, err: err}
	case has(streamError) && strings.HasSuffix(text, fromServer):
		_, code, _ := strings.Cut(strings.TrimSuffix(text, fromServer), "; ")
		return ended(errResponseEnded, code, err)
	case has(goAwayAndClosed):
		_, code, _ := strings.Cut(text, "ErrCode=")
		code, _, _ = strings.Cut(code, ",")
		return ended(errClosed, code, err)
	case has(goAwayFromServer):
		return ended(errClosed, strings.TrimPrefix(text, goAwayFromServer), err)
	case has(goAwayGracefully):
		return ended(errClosed, "NO_ERROR", err)
	case has(streamError), has(connectionError), strings.Contains(text, "http2: frame too large"):
		return &http2Error{text: errNotHTTP2, final: true, err: err}
	case has(anyHTTP2Error):
		return &http2Error{text: errConnectionLost, err: err}
	}
	return err
}

// ended returns the error of a response or a connection that the server ended with one of the
// codes of https://www.rfc-editor.org/rfc/rfc9113#section-7.
func ended(text error, code string, err error) error {
	switch code {
	case "NO_ERROR", "INTERNAL_ERROR", "CANCEL": // over HTTP/1.1 the connection just ends
		return &http2Error{text: io.ErrUnexpectedEOF, err: err}
	case "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED":
		return &http2Error{text: text, code: code, final: true, err: err}
	}
	return &http2Error{text: text, code: code, err: err}
}
