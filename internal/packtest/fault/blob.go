package fault

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
)

// The faults of this file meet GET requests for one blob, or for every blob if the
// digest is empty. A changed body includes that of a range.

// WrongBlob serves other bytes of the right length: the blob's, inverted.
func WrongBlob(digest ociref.Digest) packtest.Fault {
	return packtest.Fault{Match: blob(digest), Serve: altered(func(w http.ResponseWriter, _ *http.Request, a answer) {
		for i := range a.body {
			a.body[i] ^= 0xff
		}
		a.send(w)
	})}
}

// ShortBlob drops the last missing bytes, without a Content-Length.
func ShortBlob(digest ociref.Digest, missing int) packtest.Fault {
	return chunked(digest, func(body []byte) []byte { return body[:max(0, len(body)-missing)] })
}

// LongBlob adds extra zero bytes, without a Content-Length.
func LongBlob(digest ociref.Digest, extra int) packtest.Fault {
	return chunked(digest, func(body []byte) []byte { return append(body, make([]byte, extra)...) })
}

func chunked(digest ociref.Digest, change func([]byte) []byte) packtest.Fault {
	return packtest.Fault{Match: blob(digest), Serve: altered(func(w http.ResponseWriter, _ *http.Request, a answer) {
		sendChunked(w, answer{a.status, change(a.body)})
	})}
}

// EndlessBlob sends the blob and then zero bytes until the client closes or the
// registry stops.
func EndlessBlob(digest ociref.Digest) packtest.Fault {
	return packtest.Fault{Match: blob(digest), Serve: altered(func(w http.ResponseWriter, r *http.Request, a answer) {
		sendChunked(w, a)
		zeros := make([]byte, 1<<15)
		for r.Context().Err() == nil {
			if _, err := w.Write(zeros); err != nil {
				return
			}
		}
	})}
}

// AbortBlob promises the whole blob, sends n bytes of it and closes the connection
// properly (with HTTP/2, it resets the stream). A range of the blob breaks off after n
// bytes as well.
func AbortBlob(digest ociref.Digest, n int) packtest.Fault {
	return packtest.Fault{Match: blob(digest), Serve: altered(func(w http.ResponseWriter, _ *http.Request, a answer) {
		sendPart(w, a, n)
		panic(http.ErrAbortHandler)
	})}
}

// StallBlob promises the whole blob, sends n bytes of it and stalls until the client
// gives up or the registry stops.
func StallBlob(digest ociref.Digest, n int) packtest.Fault {
	return packtest.Fault{Match: blob(digest), Serve: altered(func(w http.ResponseWriter, r *http.Request, a answer) {
		sendPart(w, a, n)
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})}
}

// DripBlob promises the whole blob, and sends one byte after each pause.
func DripBlob(digest ociref.Digest, pause time.Duration) packtest.Fault {
	return packtest.Fault{Match: blob(digest), Serve: altered(func(w http.ResponseWriter, r *http.Request, a answer) {
		sendPart(w, a, 0)
		for i := range a.body {
			select {
			case <-time.After(pause):
			case <-r.Context().Done():
				panic(http.ErrAbortHandler)
			}
			w.Write(a.body[i : i+1])
			http.NewResponseController(w).Flush()
		}
	})}
}

// GzipBlob compresses the blob as Content-Encoding, even unasked.
func GzipBlob(digest ociref.Digest) packtest.Fault {
	return gzipped(digest, func(a answer) io.Reader { return bytes.NewReader(a.body) })
}

// GzipBomb sends size zero bytes in place of the blob, compressed as Content-Encoding.
func GzipBomb(digest ociref.Digest, size int64) packtest.Fault {
	return gzipped(digest, func(answer) io.Reader { return io.LimitReader(zeroReader{}, size) })
}

func gzipped(digest ociref.Digest, body func(answer) io.Reader) packtest.Fault {
	return packtest.Fault{Match: blob(digest), Serve: altered(func(w http.ResponseWriter, _ *http.Request, a answer) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Del("Content-Length")
		w.WriteHeader(a.status)
		z := gzip.NewWriter(w)
		io.Copy(z, body(a))
		z.Close()
	})}
}

func sendChunked(w http.ResponseWriter, a answer) {
	w.Header().Del("Content-Length")
	w.WriteHeader(a.status)
	http.NewResponseController(w).Flush() // else net/http counts a small body
	w.Write(a.body)
}

func sendPart(w http.ResponseWriter, a answer, n int) {
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	w.Write(a.body[:min(n, len(a.body))])
	http.NewResponseController(w).Flush()
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// padded pads b with spaces at its end to size bytes.
func padded(b []byte, size int) []byte {
	return append(b, bytes.Repeat([]byte{' '}, max(0, size-len(b)))...)
}

// The faults below meet GET requests with a Range header for one blob, or for every
// blob if the digest is empty:
// https://www.rfc-editor.org/rfc/rfc9110#section-14.

// ranged matches a GET request with a Range header for a blob.
func ranged(digest ociref.Digest) func(*http.Request) bool {
	return func(r *http.Request) bool { return blob(digest)(r) && r.Header.Get("Range") != "" }
}

// whole is altered with the whole blob as the answer.
func whole(change func(w http.ResponseWriter, r *http.Request, a answer)) func(http.ResponseWriter, *http.Request, http.Handler) {
	serve := altered(change)
	return func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		r = r.Clone(r.Context())
		r.Header.Del("Range")
		serve(w, r, honest)
	}
}

// NoRange ignores the Range header and serves the whole blob with 200, like some
// registries.
func NoRange(digest ociref.Digest) packtest.Fault {
	return packtest.Fault{Match: blob(digest), Serve: whole(func(w http.ResponseWriter, _ *http.Request, a answer) { a.send(w) })}
}

// RefuseRange answers 416.
func RefuseRange(digest ociref.Digest) packtest.Fault {
	return packtest.Fault{Match: ranged(digest), Serve: whole(func(w http.ResponseWriter, _ *http.Request, a answer) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", len(a.body)))
		w.Header().Del("Content-Length")
		packtest.Refuse(w, http.StatusRequestedRangeNotSatisfiable, "RANGE_INVALID", "invalid content range")
	})}
}

// OtherRange answers any range with 206 and the bytes from first to last, and declares
// them in Content-Range.
func OtherRange(digest ociref.Digest, first, last int) packtest.Fault {
	return packtest.Fault{Match: ranged(digest), Serve: whole(func(w http.ResponseWriter, _ *http.Request, a answer) {
		size := len(a.body)
		last := min(last, size-1)
		a.status, a.body = http.StatusPartialContent, a.body[min(first, last+1):last+1]
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, size))
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
		a.send(w)
	})}
}

// ContentRange serves the right bytes with another Content-Range. An empty value
// removes the header.
func ContentRange(digest ociref.Digest, value string) packtest.Fault {
	return headed(ranged(digest), set("Content-Range", value))
}

// MultipartRange answers 206 with the right bytes as the only part of a
// multipart/byteranges body.
func MultipartRange(digest ociref.Digest) packtest.Fault {
	return packtest.Fault{Match: ranged(digest), Serve: altered(func(w http.ResponseWriter, _ *http.Request, a answer) {
		head := "--part\r\nContent-Type: application/octet-stream\r\nContent-Range: " + w.Header().Get("Content-Range") + "\r\n\r\n"
		a.body = []byte(head + string(a.body) + "\r\n--part--\r\n")
		w.Header().Del("Content-Range")
		w.Header().Set("Content-Type", "multipart/byteranges; boundary=part")
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
		a.send(w)
	})}
}

// WrongRange serves other bytes of the right length: the range's, inverted. Answers
// without a range are right.
func WrongRange(digest ociref.Digest) packtest.Fault {
	return packtest.Fault{Match: ranged(digest), Serve: WrongBlob(digest).Serve}
}
