package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Bounds on retries: the waits of one request take less than 30 s together, with
// jitter, not counting those that the registry asks for.
const (
	maxTries      = 5
	maxRetryAfter = 60 * time.Second
)

func newBackOff() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval:     500 * time.Millisecond,
		RandomizationFactor: backoff.DefaultRandomizationFactor,
		Multiplier:          2.5,
		MaxInterval:         10 * time.Second,
	}
}

// A Retry announces a wait, after which a request is tried again.
type Retry struct {
	Err  error         // of the last try
	Wait time.Duration // before the next try
	Told bool          // the registry asked for the wait
	Try  int           // number of the next try, of Of in all
	Of   int
}

// Sleep waits until d has passed or ctx ends.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// retry is that of core, for requests of c.
func (c *Client) retry(ctx context.Context, do func(context.Context) error) error {
	return c.core.retry(c.mark(ctx), do)
}

// retry calls do until it succeeds, fails for good, or has failed too often. It returns
// do's error; an *Error counts the tries.
func (c *core) retry(ctx context.Context, do func(context.Context) error) error {
	pause := newBackOff()
	for try := 1; ; try++ {
		err := do(ctx)
		var e *Error
		if errors.As(err, &e) && ctx.Err() != nil {
			return e.ended(context.Cause(ctx))
		}
		if e = temporary(err); e == nil || mirrorOf(ctx).isAskedOnce() {
			return err
		}
		if try == maxTries || e.RetryAfter > maxRetryAfter {
			return e.after(try)
		}
		wait := Retry{Err: err, Wait: pause.NextBackOff(), Try: try + 1, Of: maxTries}
		if e.RetryAfter > wait.Wait {
			wait.Wait, wait.Told = e.RetryAfter, true
		}
		if c.retrying != nil {
			c.retrying(wait)
		}
		if err := c.sleep(ctx, wait.Wait); err != nil {
			return e.ended(err)
		}
	}
}

// waitForTurn waits as long as a busy host asks, before a request is sent again that does not
// count as a try: refusal is the host's answer to it, nil if there was none.
func (c *core) waitForTurn(ctx context.Context, refusal *Error) error {
	if refusal == nil || refusal.RetryAfter <= 0 {
		return nil
	}
	if c.retrying != nil {
		c.retrying(Retry{Err: refusal, Wait: refusal.RetryAfter, Told: true, Try: 1, Of: maxTries})
	}
	return c.sleep(ctx, refusal.RetryAfter)
}

// temporary returns the *Error in err if a retry may help and none was made; else nil.
// A protocol violation or a wrong certificate is final.
func temporary(err error) *Error {
	var e *Error
	if !errors.As(err, &e) || e.Tries > 0 {
		return nil
	}
	again := isTransientStatus(e.Status)
	if e.Status == 0 {
		again = errors.As(e.Err, new(*transientError))
	}
	if !again {
		return nil
	}
	return e
}

func isTemporary(err error) bool { return temporary(err) != nil }

func isTransientStatus(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || 500 <= status && status < 600
}

// A transientError reports a failure of the transport that may pass: no response came,
// or only a part.
type transientError struct{ err error }

func (e *transientError) Error() string { return e.err.Error() }
func (e *transientError) Unwrap() error { return e.err }

// asTransient returns err as a transientError, unless a retry would end the same way.
func asTransient(err error) error {
	if isFinal(err) {
		return err
	}
	return &transientError{err}
}

// isFinal reports whether a retry would end with the same error of the transport.
func isFinal(err error) bool {
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, http.ErrSchemeMismatch} {
		if errors.Is(err, known) {
			return true
		}
	}
	var dns *net.DNSError
	var op *net.OpError
	var proxy *proxyError
	var http2 *http2Error
	switch {
	case errors.As(err, &http2):
		return http2.final
	case errors.As(err, &dns):
		return dns.IsNotFound
	case errors.As(err, &proxy):
		return !isTransientStatus(proxy.status)
	case errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"): // a TLS alert
		return true
	case op == nil && strings.HasPrefix(err.Error(), "net/http: HTTP/1.x transport connection broken: "):
		return !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) // the response is not HTTP
	}
	for _, target := range []any{new(*localAddressError), new(*mirrorAddressError), new(tls.RecordHeaderError), new(*tls.CertificateVerificationError), new(textproto.ProtocolError), new(*net.AddrError)} {
		if errors.As(err, target) {
			return true
		}
	}
	return false
}

// retryAfter returns the pause that a response asks for, -1 if it asks for none. A date
// counts from the response's own, since clocks differ.
// https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	seconds, err := strconv.ParseUint(value, 10, 31)
	switch {
	case err == nil:
		return time.Duration(seconds) * time.Second
	case errors.Is(err, strconv.ErrRange):
		return math.MaxInt64
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return -1
	}
	if own, err := http.ParseTime(header.Get("Date")); err == nil {
		now = own
	}
	return max(0, date.Sub(now))
}
