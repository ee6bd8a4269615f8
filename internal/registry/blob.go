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

// A Sink receives a blob's bytes. Reset forgets all that were written: the blob
// begins anew.
type Sink interface {
	io.Writer
	Reset() error
}

// Blob copies the blob want of ref's repository to w, verified: unless it
// returns nil, the bytes in w prove nothing. A body that breaks off goes on
// where it did, if the registry can do that, and else begins anew.
//
// kept has the first bytes that an interrupted call left, as far as anybody knows;
// nil means none. They are copied and hashed before the registry is asked for the
// rest; if they prove wrong, the blob begins anew. Where kept is the whole blob, the
// registry is not asked at all.
//
// Errors: *Error, *verified.MismatchError, *verified.WriteError, *ProtocolError.
func (c *Client) Blob(ctx context.Context, ref ociref.Reference, want verified.Content, w Sink, kept io.Reader) error {
	d := &download{want: want, sink: w, stream: verified.NewStream(w, want)}
	if done, err := d.restore(ctx, kept); done || err != nil {
		return err
	}
	return c.retry(ctx, func(ctx context.Context) error {
		err := c.fetchRest(ctx, ref, d)
		if d.mustBeginAnew(err) {
			err = c.fetchRest(ctx, ref, d)
		}
		return err
	})
}

// A download is a blob on its way.
type download struct {
	want   verified.Content
	sink   Sink
	stream *verified.Stream
	pieced bool // more than one response made it what it is
	whole  bool // pieces were of no use: each further response is to be the whole blob
}

// restore begins the blob with bytes that were kept of it. done tells that they are all
// of it, and right. The error is *verified.WriteError.
func (d *download) restore(ctx context.Context, kept io.Reader) (done bool, err error) {
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

// A truncated reader breaks off where the other ends: there is more to come, from
// elsewhere.
type truncated struct{ io.Reader }

func (u truncated) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// errNotContinued says that a registry answered a request for the rest of a blob
// with something else.
var errNotContinued = errors.New("the registry does not continue a blob")

// mustBeginAnew tells whether err comes of asking for pieces, or of putting them
// together. It is so once; then the blob begins anew, and that counts.
func (d *download) mustBeginAnew(err error) bool {
	var e *Error
	unable := errors.Is(err, errNotContinued) || errors.As(err, &e) && e.Status == http.StatusRequestedRangeNotSatisfiable
	anew := !d.whole && d.stream.N() > 0 && unable || d.pieced && errors.As(err, new(*verified.MismatchError))
	d.whole = d.whole || anew
	return anew
}

func (d *download) restart() error {
	d.stream, d.pieced = verified.NewStream(d.sink, d.want), false
	if err := d.sink.Reset(); err != nil {
		return &verified.WriteError{Err: err}
	}
	return nil
}

// fetchRest makes one request for what is missing of the blob: of the registry,
// never of where it sent the last one, whose leave to read may be over.
func (c *Client) fetchRest(ctx context.Context, ref ociref.Reference, d *download) error {
	if d.whole {
		if err := d.restart(); err != nil {
			return err
		}
	}
	resp, err := c.send(ctx, ref, request{
		method: http.MethodGet,
		accept: "*/*",
		first:  d.stream.N(),
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

// begin sees that a response is the rest of the blob, or the whole of it, and
// makes ready for that.
func (d *download) begin(resp *http.Response) error {
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
