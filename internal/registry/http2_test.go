package registry_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/frames"
	"github.com/greenticai/packvendor/internal/registry"
)

// serveFrames starts a server of frames.
func serveFrames(t *testing.T, settings []uint32, answer func(c frames.Conn, stream uint32)) *frames.Server {
	t.Helper()
	_, cert := identity()
	s, err := frames.Serve(cert, settings, answer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// askFor asks a server for a manifest.
func askFor(t *testing.T, s *frames.Server, o registry.Options) error {
	t.Helper()
	b := newFixture(t, packtest.Options{HTTP2: true})
	transport := b.reg.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	transport.MaxResponseHeaderBytes = registry.NewTransport().MaxResponseHeaderBytes
	o.Transport = transport
	b.use(t, o)
	ref := b.byTag()
	ref.Registry = s.Host
	_, err := b.client.Manifest(t.Context(), ref)
	return err
}

// What ends a response or a connection is told in one way, whichever version of HTTP is
// spoken. Only what may pass is tried again.
func TestFault72_Ends(t *testing.T) {
	t.Parallel()
	const eof, calm = "unexpected EOF", "the server closed the connection: ENHANCE_YOUR_CALM"
	for name, test := range map[string]struct {
		answer func(c frames.Conn, stream uint32)
		want   string
		final  bool
	}{
		"reset":               {func(c frames.Conn, stream uint32) { c.Reset(stream, frames.InternalError) }, eof, false},
		"cancelled":           {func(c frames.Conn, stream uint32) { c.Reset(stream, frames.Cancel) }, eof, false},
		"reset calm":          {func(c frames.Conn, stream uint32) { c.Reset(stream, frames.EnhanceYourCalm) }, "the server ended the response: ENHANCE_YOUR_CALM", false},
		"unknown code":        {func(c frames.Conn, stream uint32) { c.Reset(stream, 0x1234) }, "the server ended the response: unknown error code 0x1234", false},
		"HTTP/1.1 only":       {func(c frames.Conn, stream uint32) { c.Reset(stream, frames.HTTP11Required) }, "the server ended the response: HTTP_1_1_REQUIRED", true},
		"closed":              {func(c frames.Conn, _ uint32) { c.Close() }, eof, false},
		"closed after GOAWAY": {func(c frames.Conn, stream uint32) { c.GoAway(stream, frames.NoError, "s3cret"); c.Close() }, eof, false},
		"closed calm": {func(c frames.Conn, stream uint32) {
			c.GoAway(stream, frames.EnhanceYourCalm, "s3cret\x1b[2J")
			c.Close()
		}, calm, false},
		"GOAWAY calm": {func(c frames.Conn, _ uint32) { c.GoAway(0, frames.EnhanceYourCalm, "s3cret") }, calm, false},
	} {
		for _, of := range []string{"ping", "manifest"} {
			t.Run(of+" "+name, func(t *testing.T) {
				t.Parallel()
				s := serveFrames(t, nil, func(c frames.Conn, stream uint32) {
					if c.Number == 1 && of == "manifest" {
						c.OK(stream, "")
					} else {
						test.answer(c, stream)
					}
				})
				var w waits
				o := w.options()
				o.Stall = patience
				err := askFor(t, s, o)
				path, end, waited := "/v2/", afterTries, 4
				if of == "manifest" {
					path += repository + "/manifests/1.0"
				}
				if test.final {
					end, waited = "", 0
				}
				wantText(t, err, "GET https://"+s.Host+path+": "+test.want+end)
				w.want(t, waited, 0)
			})
		}
	}
}

// A response that is not HTTP/2 is not asked for again, as one that is not HTTP/1.1.
func TestFault72_InvalidIsNotRetried(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(c frames.Conn, stream uint32){
		"no status":           func(c frames.Conn, stream uint32) { c.Headers(stream, frames.EndStream, "s3cret", "x") },
		"status is no number": func(c frames.Conn, stream uint32) { c.Headers(stream, frames.EndStream, ":status", "s3cret") },
		"field name": func(c frames.Conn, stream uint32) {
			c.Headers(stream, frames.EndStream, ":status", "200", "S3cret", "")
		},
		"field value": func(c frames.Conn, stream uint32) {
			c.Headers(stream, frames.EndStream, ":status", "200", "x", "s3cret\n")
		},
		"informational end": func(c frames.Conn, stream uint32) { c.Headers(stream, frames.EndStream, ":status", "103") },
		"no header":         func(c frames.Conn, stream uint32) { c.Frame(frames.Data, frames.EndStream, stream, []byte("s3cret")) },
		"no compression": func(c frames.Conn, stream uint32) {
			c.Frame(frames.Headers, frames.EndHeaders, stream, []byte("\xff\xff\xff\xff\xff\xff"))
		},
		"settings of 5 bytes": func(c frames.Conn, _ uint32) { c.Frame(frames.Settings, 0, 0, []byte("s3cre")) },
		"window too large":    func(c frames.Conn, _ uint32) { c.Settings(frames.InitialWindowSize, 1<<31) },
		"no frames":           func(c frames.Conn, _ uint32) { c.Write([]byte("HTTP/1.1 200 OK\r\nX: s3cret\r\n\r\n")) },
		"huge frame":          func(c frames.Conn, _ uint32) { c.Write([]byte("\xff\xff\xff\x00\x00\x00\x00\x00\x01")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveFrames(t, nil, answer)
			var w waits
			o := w.options()
			o.Stall = patience
			wantText(t, askFor(t, s, o), "GET https://"+s.Host+"/v2/: the response is not valid HTTP/2")
			w.want(t, 0, 0)
			if n := s.Streams.Load(); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

// Errors of net/http that need seconds, or luck, to come about.
func TestFault72_Rare(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"http2: client connection lost":                                           "the connection was lost",
		"http2: Transport received Server's graceful shutdown GOAWAY":             "unexpected EOF",
		"http2: Transport received GOAWAY from server ErrCode:FLOW_CONTROL_ERROR": "the server closed the connection: FLOW_CONTROL_ERROR",
	} {
		var w waits
		o := w.options()
		o.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New(text) })
		_, err := registry.New(o).Manifest(t.Context(), ociref.Reference{Registry: "registry.example", Repository: "a", Tag: "1"})
		wantText(t, err, "GET https://registry.example/v2/: "+want+afterTries)
		w.want(t, 4, 0)
	}
}

// once gives up before a second try.
func once(context.Context, time.Duration) error { return errEnough }

var errEnough = errors.New("enough")

// flooded asks a server for a manifest that sends the same frames again and again, after some
// others, and wants that error.
func flooded(t *testing.T, begin func(c frames.Conn, stream uint32), again func(c frames.Conn, stream uint32) error, stall time.Duration, want string) {
	t.Helper()
	s := serveFrames(t, nil, func(c frames.Conn, stream uint32) {
		for begin(c, stream); again(c, stream) == nil; {
		}
	})
	var told error
	o := registry.Options{Stall: stall, Sleep: once, Retrying: func(r registry.Retry) { told = r.Err }}
	err := askFor(t, s, o)
	if stalls := stall < patience; stalls != (told != nil) {
		t.Errorf("told of a retry: %v", told)
	} else if stalls {
		err = told
	}
	wantText(t, err, "GET https://"+s.Host+"/v2/: "+want)
	if n := s.Connections.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// A server may send a header without an end, in one of many ways.
func TestFault72_EndlessHeaders(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("A", 100)
	status := func(c frames.Conn, stream uint32) {
		c.Frame(frames.Headers, frames.EndStream, stream, frames.Fields(":status", "200"))
	}
	t.Run("fields", func(t *testing.T) {
		t.Parallel()
		flooded(t, status, func(c frames.Conn, stream uint32) error {
			return c.Frame(frames.Continuation, 0, stream, frames.Fields("x", long))
		}, patience, "the response is not valid HTTP/2")
	})
	t.Run("informational responses", func(t *testing.T) {
		t.Parallel()
		flooded(t, func(frames.Conn, uint32) {}, func(c frames.Conn, stream uint32) error {
			return c.Headers(stream, 0, ":status", "103", "x", long)
		}, patience, "the header of the response is too large")
	})
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		flooded(t, status, func(c frames.Conn, stream uint32) error {
			return c.Frame(frames.Continuation, 0, stream, nil)
		}, time.Second, "no progress for 1s")
	})
}

// A header is too large in the same words over both versions of HTTP.
func TestFault72_LargeHeader(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		var w waits
		o := w.options()
		transport := b.reg.Transport()
		t.Cleanup(transport.CloseIdleConnections)
		transport.MaxResponseHeaderBytes = 9 << 10
		o.Transport = transport
		b.use(t, o)
		b.reg.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
			for range 100 {
				w.Header().Add("X-Large", strings.Repeat("A", 100))
			}
			return false
		})
		wantText(t, b.manifest(), "GET "+b.reg.URL()+"/v2/: the header of the response is too large")
		w.want(t, 0, 0)
	})
}

// A server may keep a client busy with frames that belong to no response. They are no progress.
func TestFault72_Floods(t *testing.T) {
	t.Parallel()
	n := uint32(0)
	for name, again := range map[string]func(c frames.Conn, stream uint32) error{
		"settings": func(c frames.Conn, _ uint32) error {
			n++
			return c.Settings(frames.HeaderTableSize, 1<<32-1-n%2, frames.InitialWindowSize, n%2)
		},
		"pings":   func(c frames.Conn, _ uint32) error { return c.Frame(frames.Ping, 0, 0, make([]byte, 8)) },
		"resets":  func(c frames.Conn, _ uint32) error { return c.Reset(1001, frames.Cancel) },
		"goaways": func(c frames.Conn, _ uint32) error { return c.GoAway(1<<31-1, frames.NoError, "s3cret") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flooded(t, func(frames.Conn, uint32) {}, again, time.Second, "no progress for 1s")
		})
	}
}

// A server that refuses every request has net/http send it again and again, behind our back.
func TestFault72_RefusedStreams(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		settings []uint32
		answer   func(c frames.Conn, stream uint32)
	}{
		"refused":        {nil, func(c frames.Conn, stream uint32) { c.Reset(stream, frames.RefusedStream) }},
		"protocol error": {nil, func(c frames.Conn, stream uint32) { c.Reset(stream, frames.ProtocolError) }},
		"unseen":         {nil, func(c frames.Conn, _ uint32) { c.GoAway(0, frames.NoError, "") }},
		"no streams":     {[]uint32{frames.MaxConcurrentStreams, 0}, func(c frames.Conn, stream uint32) { c.Reset(stream, frames.RefusedStream) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveFrames(t, test.settings, test.answer)
			var w waits
			o := w.options()
			o.Stall = patience
			err := askFor(t, s, o)
			wantText(t, err, "GET https://"+s.Host+"/v2/: the server takes no request"+afterTries)
			if requests, connections := s.Streams.Load(), s.Connections.Load(); requests > 10 || connections > 15 {
				t.Errorf("%d requests over %d connections in 5 tries", requests, connections)
			}
		})
	}
}
