package fault

import (
	"encoding/binary"
	"net/http"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
)

// The faults of this file affect whole connections: with HTTP/2, all its other streams,
// too.

// Drop resets the connection without an answer.
func Drop(prefix string) packtest.Fault {
	return packtest.Fault{Match: under(prefix), Serve: func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		reset(r)
	}}
}

// ResetBlob promises the whole blob, sends n bytes of it and resets the
// connection.
func ResetBlob(digest ociref.Digest, n int) packtest.Fault {
	return packtest.Fault{Match: blob(digest), Serve: altered(func(w http.ResponseWriter, r *http.Request, a answer) {
		deliverPart(w, r, a, n)
		reset(r)
	})}
}

// Freeze sends nothing and freezes the connection, like [packtest.Registry.Freeze],
// until the registry stops.
func Freeze(prefix string) packtest.Fault {
	return packtest.Fault{Match: under(prefix), Serve: func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		freeze(r)
	}}
}

// FreezeBlob promises the whole blob, sends n bytes of it and freezes the
// connection until the registry stops.
func FreezeBlob(digest ociref.Digest, n int) packtest.Fault {
	return packtest.Fault{Match: blob(digest), Serve: altered(func(w http.ResponseWriter, r *http.Request, a answer) {
		deliverPart(w, r, a, n)
		freeze(r)
	})}
}

// GoAway answers honestly and refuses further requests on this connection: with HTTP/2
// it sends GOAWAY, else "Connection: close".
func GoAway(prefix string) packtest.Fault {
	return packtest.Fault{Match: under(prefix), Serve: func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		w.Header().Set("Connection", "close") // net/http turns this into GOAWAY
		honest.ServeHTTP(w, r)
	}}
}

// GoAwayBlob promises the whole blob, sends n bytes of it and closes the connection:
// with HTTP/2 after a GOAWAY with an internal error.
func GoAwayBlob(digest ociref.Digest, n int) packtest.Fault {
	return packtest.Fault{Match: blob(digest), Serve: altered(func(w http.ResponseWriter, r *http.Request, a answer) {
		c, over := packtest.ConnOf(r)
		deliverPart(w, r, a, n)
		if r.ProtoMajor == 2 {
			over.Write(goAwayFrame(lastPossible, internalError))
		}
		c.Close()
		panic(http.ErrAbortHandler)
	})}
}

// deliverPart is sendPart, but returns after the bytes have left the process. HTTP/2's
// Flush is not enough: it leaves the writing to another goroutine. So the last byte
// gets its own frame, and deliverPart waits for a write of that size, which no other
// frame has. Other busy streams may share the write; then deliverPart waits for a time.
func deliverPart(w http.ResponseWriter, r *http.Request, a answer, n int) {
	n = min(n, len(a.body))
	if r.ProtoMajor < 2 || n == 0 {
		sendPart(w, a, n)
		return
	}
	const frameOfOneByte = 5 + (9 + 1) + 17 // TLS 1.3 adds bytes before and after it
	c, _ := packtest.ConnOf(r)
	seen, _ := c.Written(frameOfOneByte)
	sendPart(w, a, n-1)
	if n == 2 {
		c.Await(frameOfOneByte, seen+1)
		seen++
	}
	w.Write(a.body[n-1 : n])
	http.NewResponseController(w).Flush()
	c.Await(frameOfOneByte, seen+1)
}

// GoAwayNow closes the connection without an answer: with HTTP/2 after a GOAWAY that says that
// of all requests only the connection's first one was looked at.
func GoAwayNow(prefix string) packtest.Fault {
	return packtest.Fault{Match: under(prefix), Serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		c, over := packtest.ConnOf(r)
		if r.ProtoMajor == 2 {
			// A server's settings must be its first frame. net/http writes them before these
			// hints, and waits for the hints because they have a field.
			w.Header().Set("Link", "</>")
			w.WriteHeader(http.StatusEarlyHints)
			over.Write(goAwayFrame(1, noError))
		}
		c.Close()
		panic(http.ErrAbortHandler)
	}}
}

// Codes of https://www.rfc-editor.org/rfc/rfc9113#section-7, and the last stream of GOAWAY that
// leaves none out.
const (
	noError       = 0
	internalError = 2
	lastPossible  = 1<<31 - 1
)

// goAwayFrame returns a frame of https://www.rfc-editor.org/rfc/rfc9113#section-6.8.
func goAwayFrame(last, code uint32) []byte {
	const goAway = 7
	frame := []byte{0, 0, 8, goAway, 0, 0, 0, 0, 0} // length, type, flags, stream
	frame = binary.BigEndian.AppendUint32(frame, last)
	return binary.BigEndian.AppendUint32(frame, code)
}

// reset closes the connection without TLS's closing alert, so that the client sees a
// TCP reset.
func reset(r *http.Request) {
	c, _ := packtest.ConnOf(r)
	if tcp, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		tcp.SetLinger(0)
	}
	c.Close()
	panic(http.ErrAbortHandler) // net/http's own way to break off; it logs nothing
}

func freeze(r *http.Request) {
	c, _ := packtest.ConnOf(r)
	c.Freeze()
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}
