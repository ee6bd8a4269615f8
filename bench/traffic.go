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

	Connections connections // through a line
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
	switch requestKind(method, path) {
	case "HEAD":
		t.Heads++
	case "ping":
		t.Pings++
	case "manifest":
		t.Manifests++
	case "blob":
		t.Blobs++
	default:
		t.Others++
	}
}

// requestKind is what a request is for. A server of tokens has a path of its own.
func requestKind(method, path string) string {
	switch {
	case path == "/token":
		return "token"
	case method == "HEAD":
		return "HEAD"
	case method != "GET":
		return "other"
	case path == "/v2/":
		return "ping"
	case strings.Contains(path, "/manifests/"):
		return "manifest"
	case strings.Contains(path, "/blobs/"):
		return "blob"
	}
	return "other"
}
