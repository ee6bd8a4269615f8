package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// A stallError reports a registry that kept the connection and sent nothing.
type stallError struct{ after time.Duration }

func (e *stallError) Error() string { return fmt.Sprintf("no progress for %s", e.after) }

// watched sends req by lane and ends it when nothing has come for that long,
// over any version of HTTP: neither the beginning of the response nor a byte of
// its body. The time that a reader lets pass between reads does not count.
// onStall is called then, before anybody is told.
func watched(lane http.RoundTripper, req *http.Request, stall time.Duration, onStall func()) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	ctx = httptrace.WithClientTrace(ctx, patience(func() { cancel(errRestless) }))
	dog := time.AfterFunc(stall, func() {
		onStall() // first: who is told tries again at once
		cancel(&stallError{stall})
	})
	resp, err := lane.RoundTrip(req.WithContext(ctx))
	dog.Stop()
	if err != nil {
		err = stalled(ctx, err)
		cancel(nil)
		return nil, err
	}
	body := &watchedBody{body: resp.Body, ctx: ctx, cancel: cancel, dog: dog, stall: stall}
	if body.whole = resp.StatusCode/100 != 2; body.whole {
		dog.Reset(stall)
	}
	resp.Body = body
	return resp, nil
}

// maxConnections bounds how many connections one request takes.
const maxConnections = 10

// errRestless ends a request whose every connection the server closes: over
// HTTP/2 net/http would dial anew for as long as it may.
var errRestless = errors.New("the server closes every connection")

// patience calls end when a request takes one connection more than it may.
func patience(end func()) *httptrace.ClientTrace {
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
	if _, ok := cause.(*stallError); ok || cause == errRestless {
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
}

func (b *watchedBody) Read(p []byte) (int, error) {
	if !b.whole {
		b.dog.Reset(b.stall)
		defer b.dog.Stop()
	}
	n, err := b.body.Read(p)
	if err != nil { // an end, too: who is cut off may say goodbye as if all had come
		err = stalled(b.ctx, err)
	}
	return n, err
}

func (b *watchedBody) Close() error {
	b.dog.Stop()
	err := b.body.Close()
	b.cancel(nil)
	return err
}
