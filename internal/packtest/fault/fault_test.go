package fault

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

// fixture is a registry with one pack, served over each protocol in turn.
type fixture struct {
	*packtest.Registry
	opts     packtest.Options
	data     []byte
	pushed   packtest.Pushed
	blob     ociref.Digest
	blobPath string
	byTag    string
	byDigest string
}

func onEachProtocol(t *testing.T, test func(*testing.T, fixture)) {
	for name, opts := range map[string]packtest.Options{"plain": {Plain: true}, "http1": {}, "http2": {HTTP2: true}} {
		t.Run(name, func(t *testing.T) {
			test(t, newFixture(t, opts))
		})
	}
}

func newFixture(t *testing.T, opts packtest.Options) fixture {
	b := fixture{Registry: packtest.StartRegistry(t, opts), opts: opts, data: []byte("0123456789")}
	b.pushed = packtest.MustPush(t, b.Registry, "x", "tag", packtest.Pack(b.data, ""))
	b.blob = b.pushed.Layers[0]
	b.blobPath = "/v2/x/blobs/" + b.blob.String()
	b.byTag = "/v2/x/manifests/tag"
	b.byDigest = "/v2/x/manifests/" + b.pushed.ManifestDigest.String()
	return b
}

func TestBlobFaults(t *testing.T) {
	inverted := []byte(nil)
	for _, c := range []byte("0123456789") {
		inverted = append(inverted, ^c)
	}
	for name, test := range map[string]struct {
		fault  func(ociref.Digest) packtest.Fault
		body   string
		length string // Content-Length
	}{
		"wrong":    {WrongBlob, string(inverted), "10"},
		"short":    {func(d ociref.Digest) packtest.Fault { return ShortBlob(d, 3) }, "0123456", ""},
		"shorter":  {func(d ociref.Digest) packtest.Fault { return ShortBlob(d, 30) }, "", ""},
		"long":     {func(d ociref.Digest) packtest.Fault { return LongBlob(d, 2) }, "0123456789\x00\x00", ""},
		"no range": {NoRange, "0123456789", "10"},
	} {
		t.Run(name, func(t *testing.T) {
			onEachProtocol(t, func(t *testing.T, b fixture) {
				for _, digest := range []ociref.Digest{b.blob, ""} {
					b.Inject(test.fault(digest))
					got := reply.Ask(t, b.Registry, "GET", b.blobPath)
					reply.Want(t, got, 200, test.body)
					reply.WantHeader(t, got, "Content-Length", test.length)
				}
				b.Inject(test.fault(ociref.DigestOf(nil)))
				reply.Want(t, reply.Ask(t, b.Registry, "GET", b.blobPath), 200, string(b.data))
				b.Inject(test.fault(b.blob))
				reply.Want(t, reply.Ask(t, b.Registry, "HEAD", b.blobPath), 200, "")
				b.Inject()
				reply.Want(t, reply.Ask(t, b.Registry, "GET", b.blobPath), 200, string(b.data))
			})
		})
	}
}

func TestBrokenBodies(t *testing.T) {
	for name, test := range map[string]struct {
		fault         func(ociref.Digest, int) packtest.Fault
		http1, stream string // the error after reading the body
	}{
		"abort": {AbortBlob, "unexpected EOF", "stream error"},
		"reset": {ResetBlob, "connection reset by peer", ""}, // its text depends on who sees the reset first
	} {
		t.Run(name, func(t *testing.T) {
			onEachProtocol(t, func(t *testing.T, b fixture) {
				b.Inject(First(1, test.fault(b.blob, 4)))
				got := reply.Ask(t, b.Registry, "GET", b.blobPath)
				want := test.http1
				if b.opts.HTTP2 {
					want = test.stream
				}
				if got.Err == nil || !strings.Contains(got.Err.Error(), want) || string(got.Body) != "0123" || got.ContentLength != 10 {
					t.Errorf("body = %q of %d, %v; want 0123 of 10 and %s", got.Body, got.ContentLength, got.Err, want)
				}
				reply.Want(t, reply.Ask(t, b.Registry, "GET", b.blobPath, "Range", "bytes=4-"), 206, "456789")
			})
		})
	}
}

func TestEndlessBlob(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b fixture) {
		b.Inject(EndlessBlob(b.blob))
		resp := open(t, t.Context(), b.Registry, b.blobPath)
		defer resp.Body.Close()
		const enough = 1 << 20
		if n, err := io.CopyN(io.Discard, resp.Body, enough); n != enough || err != nil {
			t.Errorf("read %d bytes, %v; want %d", n, err, enough)
		}
		if resp.ContentLength != -1 {
			t.Errorf("Content-Length = %d", resp.ContentLength)
		}
	})
}

func TestStalls(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b fixture) {
		b.Inject(StallBlob(b.blob, 4))
		resp := open(t, t.Context(), b.Registry, b.blobPath)
		defer resp.Body.Close()
		head := make([]byte, 4)
		if _, err := io.ReadFull(resp.Body, head); err != nil || string(head) != "0123" {
			t.Errorf("read %q, %v; want 0123", head, err)
		}
		// Stopping the registry ends every stall, so that no test hangs.
		stopped := make(chan error)
		go func() {
			_, err := io.ReadAll(resp.Body)
			stopped <- err
		}()
		b.Stop()
		if err := <-stopped; err == nil {
			t.Error("the rest of the body came")
		}
		if err := b.Start(); err != nil {
			t.Fatal(err)
		}
		b.Inject(Stall("/v2/$"))
		ctx, cancel := context.WithCancel(t.Context())
		b.Intercept(func(http.ResponseWriter, *http.Request) bool { cancel(); return false })
		req, err := http.NewRequestWithContext(ctx, "GET", b.URL()+"/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Client().Do(req); !errors.Is(err, context.Canceled) {
			t.Errorf("request = %v, want %v", err, context.Canceled)
		}
	})
}

func open(t *testing.T, ctx context.Context, r *packtest.Registry, path string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", r.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestGzip(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b fixture) {
		for _, test := range []struct {
			fault packtest.Fault
			want  []byte
		}{{GzipBlob(b.blob), b.data}, {GzipBomb(b.blob, 1<<20), make([]byte, 1<<20)}} {
			b.Inject(test.fault)
			got := reply.Ask(t, b.Registry, "GET", b.blobPath)
			reply.WantHeader(t, got, "Content-Encoding", "gzip")
			z, err := gzip.NewReader(bytes.NewReader(got.Body))
			if err != nil {
				t.Fatal(err)
			}
			if plain, err := io.ReadAll(z); err != nil || !bytes.Equal(plain, test.want) {
				t.Errorf("unzipped to %d bytes, %v; want %d", len(plain), err, len(test.want))
			}
			if len(got.Body) > 4096 {
				t.Errorf("compressed to %d bytes", len(got.Body))
			}
		}
	})
}

func TestManifestFaults(t *testing.T) {
	other := ociref.DigestOf(nil)
	onEachProtocol(t, func(t *testing.T, b fixture) {
		for _, method := range []string{"GET", "HEAD"} {
			honest := string(b.pushed.Manifest)
			for name, test := range map[string]struct {
				fault                         packtest.Fault
				path, body, mediaType, digest string
			}{
				"evil":         {EvilManifest([]byte("evil"), PrettyJWS), b.byDigest, "evil", PrettyJWS, b.pushed.ManifestDigest.String()},
				"evil by tag":  {EvilManifest([]byte("evil"), PrettyJWS), b.byTag, honest, packtest.ManifestMediaType, b.pushed.ManifestDigest.String()},
				"lying digest": {LyingDigest("tag", other), b.byTag, honest, packtest.ManifestMediaType, other.String()},
				"no digest":    {LyingDigest("tag", ""), b.byTag, honest, packtest.ManifestMediaType, ""},
				"type":         {ManifestType("", "application/json"), b.byTag, honest, "application/json", b.pushed.ManifestDigest.String()},
				"type, other":  {ManifestType("other", "application/json"), b.byTag, honest, packtest.ManifestMediaType, b.pushed.ManifestDigest.String()},
				"huge":         {HugeManifest("tag", 5<<20), b.byTag, honest + strings.Repeat(" ", 5<<20-len(honest)), packtest.ManifestMediaType, b.pushed.ManifestDigest.String()},
			} {
				t.Run(method+" "+name, func(t *testing.T) {
					b.Inject(test.fault)
					got := reply.Ask(t, b.Registry, method, test.path)
					reply.WantHeader(t, got, "Content-Type", test.mediaType)
					reply.WantHeader(t, got, "Docker-Content-Digest", test.digest)
					reply.WantHeader(t, got, "Content-Length", fmt.Sprint(len(test.body)))
					if method == "GET" && sha256.Sum256(got.Body) != sha256.Sum256([]byte(test.body)) {
						t.Errorf("body of %d bytes is not the one of %d", len(got.Body), len(test.body))
					}
				})
			}
		}
	})
}

func TestFlipTag(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	next := packtest.MustPush(t, b.Registry, "x", "", packtest.Artifact{})
	b.Inject(FlipTag("tag", 2, next.ManifestDigest))
	var seen []string
	for _, method := range []string{"HEAD", "GET", "GET", "HEAD"} {
		seen = append(seen, reply.Ask(t, b.Registry, method, b.byTag).Header.Get("Docker-Content-Digest"))
	}
	before, after := b.pushed.ManifestDigest.String(), next.ManifestDigest.String()
	if want := []string{before, before, after, after}; !reflect.DeepEqual(seen, want) {
		t.Errorf("digests = %q, want %q", seen, want)
	}
}

func TestStatus(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b fixture) {
		for status, want := range map[int]string{
			401: `{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized"}]}`,
			403: `{"errors":[{"code":"DENIED","message":"forbidden"}]}`,
			404: `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"not found"}]}`,
			429: `{"errors":[{"code":"TOOMANYREQUESTS","message":"too many requests"}]}`,
			500: `{"errors":[{"code":"UNKNOWN","message":"internal server error"}]}`,
		} {
			b.Inject(Status("/v2/x/blobs/", status, http.Header{"retry-after": {"3"}}))
			got := reply.Ask(t, b.Registry, "GET", b.blobPath)
			reply.Want(t, got, status, want+"\n")
			reply.WantHeader(t, got, "Retry-After", "3")
			reply.Want(t, reply.Ask(t, b.Registry, "GET", b.byTag), 200, string(b.pushed.Manifest))
		}
		b.Inject(ErrorBody("/v2/$", 418, []byte(ANSI)))
		reply.Want(t, reply.Ask(t, b.Registry, "GET", "/v2/"), 418, ANSI)
		reply.Want(t, reply.Ask(t, b.Registry, "GET", b.byTag), 200, string(b.pushed.Manifest))
	})
}

func TestDrop(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b fixture) {
		b.Inject(Drop("/v2"))
		_, err := reply.Try(t, b.Registry, "POST", b.byTag)
		if err == nil || !b.opts.HTTP2 && !strings.Contains(err.Error(), "connection reset by peer") {
			t.Errorf("request = %v, want a reset", err)
		}
	})
}

// The client must show its token before it meets a fault of a body.
func TestFaultsLetTheDemandForATokenPass(t *testing.T) {
	b := newFixture(t, packtest.Options{Token: true})
	b.Inject(WrongBlob(""), LyingDigest("", ""))
	for _, path := range []string{b.blobPath, b.byTag} {
		got := reply.Ask(t, b.Registry, "GET", path)
		if got.StatusCode != 401 || got.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("GET %s = %s, want 401", path, got.Status)
		}
		if got := reply.Ask(t, b.Registry, "GET", path, "Authorization", "Bearer "+reply.Token(t, b.Registry, "x")); got.StatusCode != 200 {
			t.Errorf("GET %s with a token = %s", path, got.Status)
		}
	}
}

func TestFirstAfterOver(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.Inject(First(1, Over(AbortBlob(b.blob, 2), WrongBlob(b.blob))), After(2, Status("/v2/x/blobs/", 500, nil)))
	var seen []string
	for _, path := range []string{b.byTag, b.blobPath, b.blobPath, b.blobPath, b.blobPath} {
		got := reply.Ask(t, b.Registry, "GET", path)
		seen = append(seen, fmt.Sprintf("%d %d", got.StatusCode, len(got.Body)))
	}
	want := []string{fmt.Sprintf("200 %d", len(b.pushed.Manifest)), "200 2", "200 10", "200 10", "500 66"}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("answers = %q, want %q", seen, want)
	}
	b.Inject(Over(AbortBlob(b.blob, 2), WrongBlob(b.blob)))
	if got := reply.Ask(t, b.Registry, "GET", b.blobPath); string(got.Body) != string([]byte{^byte('0'), ^byte('1')}) {
		t.Errorf("body = %q", got.Body)
	}
	b.Inject(Over(AbortBlob(b.blob, 2), WrongBlob(ociref.DigestOf(nil))))
	if got := reply.Ask(t, b.Registry, "GET", b.blobPath); string(got.Body) != "01" {
		t.Errorf("body = %q", got.Body)
	}
}
