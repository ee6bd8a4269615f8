package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
)

// A Sink receives a blob's bytes. Reset discards everything written so far: the blob
// starts again.
type Sink interface {
	io.Writer
	Reset() error
}

// Blob copies the blob want of ref's repository to w and verifies it: unless Blob
// returns nil, the bytes in w prove nothing. When a body breaks off, Blob continues at
// that byte if the registry supports it, and starts again otherwise.
//
// kept holds the first bytes, left by an interrupted call; nil means none. Blob copies
// and hashes them before it asks the registry for the rest. If the result is wrong, the
// blob starts again. If kept is the whole blob, Blob does not ask the registry.
//
// Errors: *Error, *verified.MismatchError, *verified.WriteError, *ProtocolError.
func (c *Client) Blob(ctx context.Context, ref ociref.Reference, want verified.Content, w Sink, kept io.Reader) error {
	d := NewDownload(w, want)
	if done, err := d.Restore(ctx, kept); done || err != nil {
		return err
	}
	return c.Continue(ctx, ref, d)
}

// Continue is Blob for the bytes that a download lacks. After an error, another repository
// may continue it.
func (c *Client) Continue(ctx context.Context, ref ociref.Reference, d *Download) error {
	return c.retry(ctx, func(ctx context.Context) error {
		err := c.fetchRest(ctx, ref, d)
		if d.mustBeginAnew(err) {
			err = c.fetchRest(ctx, ref, d)
		}
		return err
	})
}

// A Download is a blob in transit, from one repository or several.
type Download struct {
	want   verified.Content
	sink   Sink
	stream *verified.Stream
	pieced bool // its bytes come from more than one response
	whole  bool // pieces failed: each further response must be the whole blob
}

// NewDownload returns the download of a blob that has no bytes yet.
func NewDownload(w Sink, want verified.Content) *Download {
	return &Download{want: want, sink: w, stream: verified.NewStream(w, want)}
}

// Restore starts the blob with the kept bytes; nil means none. done reports that they are
// the whole blob and correct. The error is *verified.WriteError.
func (d *Download) Restore(ctx context.Context, kept io.Reader) (done bool, err error) {
	if kept == nil {
		return false, nil
	}
	err = d.stream.Append(ctx, truncated{kept})
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, new(*verified.ReadError)):
		return false, nil
	case errors.As(err, new(*verified.WriteError)):
		return false, err
	}
	return false, d.restart()
}

// A truncated reader reports io.ErrUnexpectedEOF at the end of the other reader: more
// bytes come from elsewhere.
type truncated struct{ io.Reader }

func (u truncated) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// errNotContinued reports that a registry answered a request for the rest of a blob
// with something else.
var errNotContinued = errors.New("the registry does not continue a blob")

// mustBeginAnew reports whether err results from asking for pieces, or from joining
// them. It reports that once; then the blob starts again, and that counts as a try.
func (d *Download) mustBeginAnew(err error) bool {
	var e *Error
	unable := errors.Is(err, errNotContinued) || errors.As(err, &e) && e.Status == http.StatusRequestedRangeNotSatisfiable
	anew := !d.whole && d.stream.N() > 0 && unable || d.pieced && errors.As(err, new(*verified.MismatchError))
	d.whole = d.whole || anew
	return anew
}

// Discard discards all bytes: they were wrong. The error is *verified.WriteError.
func (d *Download) Discard() error {
	d.whole = false
	return d.restart()
}

func (d *Download) restart() error {
	d.stream, d.pieced = verified.NewStream(d.sink, d.want), false
	if err := d.sink.Reset(); err != nil {
		return &verified.WriteError{Err: err}
	}
	return nil
}

// fetchRest makes one request for the missing bytes of the blob. It asks the registry,
// never the host that the registry redirected to before: that redirect may have
// expired.
func (c *Client) fetchRest(ctx context.Context, ref ociref.Reference, d *Download) error {
	if d.whole {
		if err := d.restart(); err != nil {
			return err
		}
	}
	resp, err := c.send(ctx, ref, request{
		method: http.MethodGet,
		accept: "*/*",
		first:  d.stream.N(),
		size:   d.want.Size - d.stream.N(),
	}, "/v2/"+ref.Repository+"/blobs/"+string(d.want.Digest))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := d.begin(resp); err != nil {
		return err
	}
	err = d.stream.Append(ctx, resp.Body)
	var broken *verified.ReadError
	if errors.As(err, &broken) {
		return newError(resp.Request, fmt.Errorf("the body broke off after %w", asTransient(broken)))
	}
	return err
}

// begin checks that a response is the rest of the blob or the whole blob, and prepares
// d for it.
func (d *Download) begin(resp *http.Response) error {
	if resp.StatusCode == http.StatusPartialContent {
		rest := fmt.Sprintf("bytes %d-%d/%d", d.stream.N(), d.want.Size-1, d.want.Size)
		if resp.Header.Get("Content-Range") != rest {
			return errNotContinued
		}
		d.pieced = true
		return nil
	}
	if d.stream.N() > 0 {
		if err := d.restart(); err != nil {
			return err
		}
	}
	if resp.ContentLength >= 0 && resp.ContentLength != d.want.Size {
		return &verified.MismatchError{Want: d.want, Got: verified.Content{Size: resp.ContentLength}}
	}
	return nil
}
