package registry

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// leastRate is the least number of bytes a second that a body must have, on average.
// Less is useless: at a byte a minute a run would never end.
const leastRate = 10

// A stallError reports a registry that kept the connection open and sent nothing, or
// almost nothing.
type stallError struct {
	after time.Duration
	came  int64 // bytes
}

func (e *stallError) Error() string {
	switch e.came {
	case 0:
		return fmt.Sprintf("no progress for %s", e.after)
	case 1:
		return fmt.Sprintf("no progress: 1 byte in %s", e.after)
	}
	return fmt.Sprintf("no progress: %d bytes in %s", e.came, e.after)
}

func (*stallError) own() {}

// watched sends req by transport and ends it when it stalls, over any version of HTTP:
// for the time stall no response begins, or its body falls below leastRate. The time
// between two reads does not count. onStall is called first.
func watched(transport http.RoundTripper, req *http.Request, stall time.Duration, onStall func()) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	ctx = httptrace.WithClientTrace(ctx, limitSends(func() { cancel(errNotTaken) }))
	dog := time.AfterFunc(stall, func() {
		onStall() // first: the caller may retry at once
		cancel(&stallError{after: stall})
	})
	resp, err := transport.RoundTrip(req.WithContext(ctx))
	dog.Stop()
	if err != nil {
		err = stalled(ctx, err)
		cancel(nil)
		return nil, err
	}
	body := &watchedBody{body: resp.Body, ctx: ctx, cancel: cancel, dog: dog, stall: stall, left: stall}
	if body.whole = resp.StatusCode/100 != 2; body.whole {
		dog.Reset(stall)
	}
	resp.Body = body
	return resp, nil
}

// Bounds on how often net/http sends a request by itself. Over HTTP/1.1 it tries each
// connection that it holds. Over HTTP/2 it repeats what the server refuses, and pauses for
// seconds before the third time: retries with pauses are ours, which are counted and told.
const (
	maxSends      = 10
	maxSendsHTTP2 = 2
)

// errNotTaken ends a request that net/http has sent too often.
const errNotTaken = refusal("the server takes no request")

// limitSends calls end when a request is sent too often.
func limitSends(end func()) *httptrace.ClientTrace {
	var sent atomic.Int64
	return &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		most := int64(maxSends)
		if isHTTP2(info.Conn) {
			most = maxSendsHTTP2
		}
		if sent.Add(1) > most {
			end()
		}
	}}
}

func isHTTP2(conn net.Conn) bool {
	secured, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	return ok && secured.ConnectionState().NegotiatedProtocol == "h2"
}

// stalled returns the watchdog's reason if the watchdog caused err, else err in words.
func stalled(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if _, ok := cause.(*stallError); ok || cause == errNotTaken {
		return cause
	}
	return inWords(err)
}

type watchedBody struct {
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	dog    *time.Timer
	stall  time.Duration
	whole  bool // the time is for all of it, as for the body of a redirect or an error

	left time.Duration // until enough bytes must have come
	came int64         // bytes, since left was stall
}

func (b *watchedBody) Read(p []byte) (n int, err error) {
	if b.whole {
		n, err = b.body.Read(p)
	} else {
		begun := time.Now()
		b.dog.Reset(b.left)
		n, err = b.body.Read(p)
		b.dog.Stop()
		b.count(n, time.Since(begun))
	}
	if err != nil { // io.EOF, too: a connection that is cut off may end like a complete one
		err = stalled(b.ctx, err)
	}
	if _, ok := err.(*stallError); ok {
		err = &stallError{after: b.stall, came: b.came}
	}
	return n, err
}

// count records n bytes that came in a time. Once they are enough, the next ones have
// the full time again.
func (b *watchedBody) count(n int, took time.Duration) {
	b.came += int64(n)
	b.left -= took
	if float64(b.came) >= max(1, leastRate*b.stall.Seconds()) {
		b.left, b.came = b.stall, 0
	}
}

func (b *watchedBody) Close() error {
	b.dog.Stop()
	err := b.body.Close()
	b.cancel(nil)
	return err
}
