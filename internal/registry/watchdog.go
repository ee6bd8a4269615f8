package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"
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
	resp.Body = &watchedBody{body: resp.Body, ctx: ctx, cancel: cancel, dog: dog, stall: stall}
	return resp, nil
}

// stalled returns the watchdog's reason for err, if it was its doing.
func stalled(ctx context.Context, err error) error {
	if stall, ok := context.Cause(ctx).(*stallError); ok {
		return stall
	}
	return err
}

type watchedBody struct {
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	dog    *time.Timer
	stall  time.Duration
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.dog.Reset(b.stall)
	n, err := b.body.Read(p)
	b.dog.Stop()
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
