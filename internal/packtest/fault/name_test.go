package fault

import (
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

// Every form is built from its own usage, so that none is forgotten.
func TestNewKnowsEveryForm(t *testing.T) {
	examples := map[string]string{
		"BASE": "list", "BODY": "{}", "BYTES": "10", "CONTENT-RANGE": "bytes 1-2/3", "CONTENT-TYPE": "text/plain", "DIGEST": ociref.DigestOf(nil).String(), "FIRST": "1", "LAST": "2", "MILLISECONDS": "1", "PREFIX": "/v2/",
		"REFERENCE": "any", "REQUESTS": "1", "RETRY-AFTER": "7", "SECONDS": "1", "STATUS": "429", "TAG": "t", "URL": "https://example.com/", "WWW-AUTHENTICATE": "Basic",
	}
	for _, form := range forms() {
		script := strings.Fields(form.usage)
		required := 0
		for i, word := range script[1:] {
			name := strings.Trim(word, "[]")
			if examples[name] == "" {
				t.Fatalf("%s: no example of %s", form.usage, name)
			}
			script[i+1] = examples[name]
			if name == word {
				required = i + 1
			}
		}
		for n := required; n < len(script); n++ {
			if f, err := New(script[:n+1]...); err != nil || f.Match == nil || f.Serve == nil {
				t.Errorf("New(%q) = %v, %v", script[:n+1], f, err)
			}
		}
		if required > 0 {
			_, err := New(script[:required]...)
			reply.WantError(t, err, "fault "+form.usage+": an argument is missing")
		} else if _, err := New(script[0]); err != nil {
			t.Errorf("New(%q) = %v", script[0], err)
		}
		_, err := New(append(slices.Clone(script), "more")...)
		reply.WantError(t, err, "fault "+form.usage+": too many arguments")
	}
	if names := names(); !slices.IsSorted(names) || names[0] != "abort-blob" {
		t.Errorf("names = %q, want them sorted", names)
	}
}

func TestNewErrors(t *testing.T) {
	for script, want := range map[string]string{
		"first 1 wrong-blob x":      `fault wrong-blob DIGEST: digest "x" does not start with "sha256:"`,
		"first x wrong-blob any":    `fault first: "x" is not a number of at least 0`,
		"after":                     `fault after: an argument is missing`,
		"short-blob any -1":         `fault short-blob DIGEST BYTES: "-1" is not a number of at least 0`,
		"short-blob sha256:x 1 2 3": `fault short-blob DIGEST BYTES: digest "sha256:x" has 1 characters after "sha256:", not 64`,
		"only":                      `fault only: an argument is missing`,
		"only GET":                  `no fault is named "": there are ` + strings.Join(names(), ", "),
		"drop / with x":             `no fault is named "x": there are ` + strings.Join(names(), ", "),
		"drop with drop /":          `fault drop PREFIX: an argument is missing`,
		"":                          `no fault is named "": there are ` + strings.Join(names(), ", "),
		"after 1 wrong\x1b":         `no fault is named "wrong\x1b": there are ` + strings.Join(names(), ", "),
	} {
		_, err := New(strings.Fields(script)...)
		reply.WantError(t, err, want)
	}
}

func TestNamedFaultsServe(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	for _, test := range []struct {
		script, path string
		status       int
		header, want string
		body         string
	}{
		{"first 1 after 0 short-blob any 8", b.blobPath, 200, "Content-Length", "", "01"},
		{"drip-blob any 1", b.blobPath, 200, "Content-Length", "10", "0123456789"},
		{"status /v2/ 429 60", "/v2/", 429, "Retry-After", "60", `{"errors":[{"code":"TOOMANYREQUESTS","message":"too many requests"}]}` + "\n"},
		{"challenge /v2/$ Basic", "/v2/", 401, "Www-Authenticate", "Basic", `{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized"}]}` + "\n"},
		{"big-error /v2/ 500 3", "/v2/", 500, "Content-Type", "application/json", "   "},
		{"evil-manifest evil", b.byDigest, 200, "Content-Type", packtest.ManifestMediaType, "evil"},
		{"only GET evil-manifest evil", b.byDigest, 200, "Content-Type", packtest.ManifestMediaType, "evil"},
		{"only POST evil-manifest evil", b.byDigest, 200, "Content-Type", packtest.ManifestMediaType, string(b.pushed.Manifest)},
		{"gzip-blob any with status /v2/x/blobs/ 429 7", b.blobPath, 429, "Retry-After", "7", `{"errors":[{"code":"TOOMANYREQUESTS","message":"too many requests"}]}` + "\n"},
		{"short-blob any 8 with wrong-blob any", b.blobPath, 200, "Content-Length", "", string([]byte{^byte('0'), ^byte('1')})},
		{"redirect /v2/ https://example.com/", "/v2/", 307, "Location", "https://example.com/", ""},
	} {
		f, err := New(strings.Fields(test.script)...)
		if err != nil {
			t.Fatal(err)
		}
		b.Inject(f)
		got := reply.Ask(t, b.Registry, "GET", test.path)
		reply.Want(t, got, test.status, test.body)
		reply.WantHeader(t, got, test.header, test.want)
	}
}
