package fault

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

func TestNoRange(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.Inject(NoRange(b.blob))
	reply.Want(t, reply.Ask(t, b.Registry, "GET", b.blobPath, "Range", "bytes=4-"), 200, string(b.data))
	b.Inject(WrongBlob(b.blob))
	reply.Want(t, reply.Ask(t, b.Registry, "GET", b.blobPath, "Range", "bytes=9-"), 206, string([]byte{^byte('9')}))
}

func TestRangeFaults(t *testing.T) {
	inverted := []byte("456789")
	for i := range inverted {
		inverted[i] ^= 0xff
	}
	refused := `{"errors":[{"code":"RANGE_INVALID","message":"invalid content range"}]}` + "\n"
	for _, test := range []struct {
		fault        string // DIGEST is the blob's
		status       int
		body         string
		contentRange string
	}{
		{"no-range DIGEST", 200, "0123456789", ""},
		{"refuse-range DIGEST", 416, refused, "bytes */10"},
		{"other-range DIGEST 0 9", 206, "0123456789", "bytes 0-9/10"},
		{"other-range DIGEST 5 6", 206, "56", "bytes 5-6/10"},
		{"other-range DIGEST 3 99", 206, "3456789", "bytes 3-9/10"},
		{"content-range DIGEST", 206, "456789", ""},
		{"content-range DIGEST *", 206, "456789", "*"},
		{"content-range DIGEST bytes=4-9/11", 206, "456789", "bytes=4-9/11"},
		{"wrong-range DIGEST", 206, string(inverted), "bytes 4-9/10"},
	} {
		t.Run(test.fault, func(t *testing.T) {
			onEachProtocol(t, func(t *testing.T, b fixture) {
				for _, digest := range []string{b.blob.String(), "any"} {
					b.Inject(parse(t, "first 1 "+strings.Replace(test.fault, "DIGEST", digest, 1)))
					if !strings.HasPrefix(test.fault, "no-range") { // its first request counts
						reply.Want(t, reply.Ask(t, b.Registry, "GET", b.blobPath), 200, string(b.data))
					}
					got := reply.Ask(t, b.Registry, "GET", b.blobPath, "Range", "bytes=4-")
					reply.Want(t, got, test.status, test.body)
					reply.WantHeader(t, got, "Content-Range", test.contentRange)
					reply.WantHeader(t, got, "Content-Length", fmt.Sprint(len(test.body)))
					reply.Want(t, reply.Ask(t, b.Registry, "GET", b.blobPath, "Range", "bytes=4-"), 206, "456789")
				}
				b.Inject(parse(t, strings.Replace(test.fault, "DIGEST", ociref.DigestOf(nil).String(), 1)))
				reply.Want(t, reply.Ask(t, b.Registry, "GET", b.blobPath, "Range", "bytes=4-"), 206, "456789")
			})
		})
	}
}

func parse(t *testing.T, script string) packtest.Fault {
	t.Helper()
	f, err := New(strings.Fields(script)...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestMultipartRange(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b fixture) {
		b.Inject(MultipartRange(b.blob))
		reply.Want(t, reply.Ask(t, b.Registry, "GET", b.blobPath), 200, string(b.data))
		got := reply.Ask(t, b.Registry, "GET", b.blobPath, "Range", "bytes=4-")
		mediaType, params, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
		if err != nil || mediaType != "multipart/byteranges" || got.StatusCode != 206 || got.Header.Get("Content-Range") != "" {
			t.Fatalf("%s %v, %v", got.Status, got.Header, err)
		}
		parts := multipart.NewReader(strings.NewReader(string(got.Body)), params["boundary"])
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(part); err != nil || string(body) != "456789" || part.Header.Get("Content-Range") != "bytes 4-9/10" {
			t.Errorf("part = %q %v, %v", body, part.Header, err)
		}
		if _, err := parts.NextPart(); err != io.EOF {
			t.Errorf("second part: %v", err)
		}
	})
}

// A body breaks off more than once, each time a little later.
func TestBlobBreaksOffAgainAndAgain(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b fixture) {
		b.Inject(First(2, AbortBlob(b.blob, 3)))
		for i, want := range []string{"012", "345", "6789"} {
			headers := []string{"Range", fmt.Sprintf("bytes=%d-", 3*i)}
			if i == 0 {
				headers = nil
			}
			got := reply.Ask(t, b.Registry, "GET", b.blobPath, headers...)
			if string(got.Body) != want || (got.Err == nil) != (i == 2) {
				t.Errorf("try %d: %q, %v; want %q", i, got.Body, got.Err, want)
			}
			if i > 0 {
				reply.WantHeader(t, got, "Content-Range", fmt.Sprintf("bytes %d-9/10", 3*i))
			}
		}
	})
}
