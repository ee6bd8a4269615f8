package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// leastRate is how many bytes a second of a body must come, on the average of the
// time after which a request is stalled. Less is as good as nothing: a byte a minute
// would keep a run for ever.
const leastRate = 10

// A stallError reports a registry that kept the connection and sent nothing, or
// next to nothing.
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

// watched sends req by transport and ends it when it is stalled, over any version of
// HTTP: for that long the beginning of the response has not come, or fewer bytes of
// its body than leastRate. The time that a reader lets pass between reads does not
// count. onStall is called then, before anybody is told.
func watched(transport http.RoundTripper, req *http.Request, stall time.Duration, onStall func()) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	ctx = httptrace.WithClientTrace(ctx, limitConnections(func() { cancel(errReconnects) }))
	dog := time.AfterFunc(stall, func() {
		onStall() // first: who is told tries again at once
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

// maxConnections bounds how many connections one request takes.
const maxConnections = 10

// errReconnects ends a request whose every connection the server closes: over
// HTTP/2 net/http would dial anew for as long as it may.
const errReconnects = refusal("the server closes every connection")

// limitConnections calls end when a request takes more than maxConnections.
func limitConnections(end func()) *httptrace.ClientTrace {
	var taken atomic.Int64
	return &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		if taken.Add(1) > maxConnections {
			end()
		}
	}}
}

// stalled returns the watchdog's reason for err, if it was its doing.
func stalled(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if _, ok := cause.(*stallError); ok || cause == errReconnects {
		return cause
	}
	return err
}

type watchedBody struct {
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	dog    *time.Timer
	stall  time.Duration
	whole  bool // the time is for all of it: nobody waits for more of a redirect or an error

	left time.Duration // within which enough must have come
	came int64         // bytes, since that was all of stall
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
	if err != nil { // an end, too: who is cut off may say goodbye as if all had come
		err = stalled(b.ctx, err)
	}
	if _, ok := err.(*stallError); ok {
		err = &stallError{after: b.stall, came: b.came}
	}
	return n, err
}

// count takes note of what came in a time; once it is enough, the next is waited
// for as long as the first.
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
