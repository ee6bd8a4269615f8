package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/greenticai/packvendor/bench/network"
)

// A record is all requests of a run, as servers see them. Several goroutines may add to it.
type record struct {
	now func() time.Duration

	mu       sync.Mutex
	requests []request
}

type request struct {
	begin, end    time.Duration
	client        string // its address
	what, version string
	status        int
	bytes         int64
}

// add adds a request that ends now.
func (r *record) add(asked *http.Request, given *answer, begin time.Duration) {
	one := request{begin: begin, end: r.now(), client: asked.RemoteAddr, what: requestKind(asked.Method, asked.URL.Path), version: asked.Proto, status: given.status, bytes: given.bytes}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, one)
}

// take returns the requests since the last call, in the order in which they began.
func (r *record) take() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.requests
	r.requests = nil
	slices.SortFunc(taken, func(a, b request) int { return int(a.begin - b.begin) })
	return taken
}

// An answer counts what a handler writes.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(data []byte) (int, error) {
	n, err := a.ResponseWriter.Write(data)
	a.bytes += int64(n)
	return n, err
}

// traced runs the first tool of a comparison, once before it is traced.
func (b *bench) traced(ctx context.Context, c comparison) (result, error) {
	var s sample
	for range 2 {
		b.line.Take()
		b.line.record.take()
		var err error
		if s, _, err = b.once(ctx, c.tools[0], false); err != nil {
			return result{}, err
		}
	}
	head := fmt.Sprintf("%s: %s took %d ms\n", c.title, c.tools[0].name, s.Wall.Milliseconds())
	return result{trace: head + timeline(b.line.Take(), b.line.record.take())}, nil
}

// writeTrace writes what was traced of a part.
func (r *report) writeTrace(w io.Writer, part string) error {
	if len(r.results) == 0 {
		return fmt.Errorf("there is no part %q: see -list", part)
	}
	_, err := io.WriteString(w, r.results[0].trace)
	return err
}

// timeline is a run as text: its connections on the link, then its requests as the servers
// see them. Times are in ms since the first connection was opened.
func timeline(past []network.Connection, requests []request) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	number := map[string]int{}
	since := func(t time.Duration) string { return fmt.Sprintf("%.1f", (t-past[0].Opened).Seconds()*1000) }
	fmt.Fprintln(w, "\nconnection\tserver\topened\tclosed\tbytes up\tdown\t")
	for i, c := range past {
		number[c.Client] = i + 1
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d\t%d\t\n", i+1, c.Server, since(c.Opened), since(c.Closed), c.Up, c.Down)
	}
	w.Flush()
	fmt.Fprintln(w, "\nasked\tanswered\tconnection\tversion\tfor\tstatus\tbytes\t")
	for _, r := range requests {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%d\t%d\t\n", since(r.begin), since(r.end), number[r.client], r.version, r.what, r.status, r.bytes)
	}
	w.Flush()
	return text.String()
}
