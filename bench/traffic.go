package main

import (
	"bufio"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// Traffic is what was asked of a registry.
type traffic struct {
	Pings, Manifests, Heads, Blobs, Tokens, Others int

	Bytes int64 // of the bodies that were sent

	// Through a link: the connections, and the round trips of the one that had most.
	Connections, Turns int
}

// requests is how many there were in all.
func (t traffic) requests() int {
	return t.Pings + t.Manifests + t.Heads + t.Blobs + t.Tokens + t.Others
}

// accessLine is a line of an access log in the combined format:
// https://httpd.apache.org/docs/2.4/logs.html#combined
var accessLine = regexp.MustCompile(`^\S+ \S+ \S+ \[[^]]*\] "([A-Z]+) (\S+) [^"]*" (\d+) (\d+|-) `)

// readTraffic counts the lines of an access log. Others than those are passed over.
func readTraffic(log io.Reader) (traffic, error) {
	var t traffic
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if found := accessLine.FindStringSubmatch(lines.Text()); found != nil {
			t.count(found[1], found[2], found[4])
		}
	}
	return t, lines.Err()
}

// count counts a request in. size is that of its answer's body, also where none
// is sent, as for HEAD.
func (t *traffic) count(method, path, size string) {
	if n, err := strconv.ParseInt(size, 10, 64); err == nil && method != "HEAD" {
		t.Bytes += n
	}
	switch {
	case method == "HEAD":
		t.Heads++
	case method == "GET" && path == "/v2/":
		t.Pings++
	case method == "GET" && strings.Contains(path, "/manifests/"):
		t.Manifests++
	case method == "GET" && strings.Contains(path, "/blobs/"):
		t.Blobs++
	default:
		t.Others++
	}
}
