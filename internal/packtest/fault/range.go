package fault

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
)

// The faults of this file meet GET requests with a Range header for one blob, or
// for every blob if the digest is empty. What a client may do with the answers
// is in https://www.rfc-editor.org/rfc/rfc9110#section-14.

// ranged matches what the faults of this file are about.
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

// NoRange ignores the Range header and serves the whole blob with 200, as
// some registries do.
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

// OtherRange answers 206 with the bytes from first to last, whatever was asked
// for, and says so in Content-Range.
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

// ContentRange serves the right bytes with another Content-Range. An empty one
// leaves the header out.
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

// WrongRange serves other bytes of the right length: the range's, inverted.
// What was asked for without a range is right.
func WrongRange(digest ociref.Digest) packtest.Fault {
	return packtest.Fault{Match: ranged(digest), Serve: WrongBlob(digest).Serve}
}
