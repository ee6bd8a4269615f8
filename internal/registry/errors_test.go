package registry_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// wantHarmless wants an error whose message is short, printable and holds
// nothing that a test calls s3cret.
func wantHarmless(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("got no error")
	}
	message := err.Error()
	if strings.Contains(message, "s3cret") {
		t.Errorf("the message shows a secret: %.500q", message)
	}
	for i, c := range []byte(message) {
		if c < ' ' && c != '\n' && c != '\t' || c >= 0x7f {
			t.Errorf("byte %d of the message is %#x: %.500q", i, c, message)
			break
		}
	}
	if len(message) > 1000 {
		t.Errorf("the message has %d bytes: %.500q", len(message), message)
	}
}

func TestFault24_ErrorBodies(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for name, test := range map[string]struct {
		body string
		want string // after the status
	}{
		"ANSI": {fault.ANSI, ""}, // raw control characters are no JSON
		"escaped ANSI": {`{"errors":[{"code":"\u001b[1mDENIED","message":"\u001b[2J\r\n\u202eover\u009b"}]}`,
			`: "\x1b[1mDENIED": "\x1b[2J\r\n\u202eover\u009b"`},
		"long":        {`{"errors":[{"code":"DENIED","message":"` + long + `"}]}`, ": DENIED: " + long[:200] + "..."},
		"megabytes":   {`{"errors":[{"code":"DENIED","message":"` + strings.Repeat("x", 3<<20) + `"}]}`, ""},
		"no message":  {`{"errors":[{"code":"DENIED"}]}`, ": DENIED"},
		"no code":     {`{"errors":[{"message":"go away"}]}`, ": go away"},
		"no errors":   {`{"errors":[]}`, ""},
		"HTML":        {"<html>\x1b[2J</html>", ""},
		"nothing":     {"", ""},
		"quotes":      {`{"errors":[{"code":"A","message":"say \"x\" \\ 100%"}]}`, `: A: "say \"x\" \\ 100%"`},
		"wrong types": {`{"errors":"x"}`, ""},
		"cut rune":    {`{"errors":[{"code":"A","message":"` + long[:199] + `é"}]}`, `: A: "` + long[:199] + `\xc3"...`},
	} {
		t.Run(name, func(t *testing.T) {
			everyRequest(t, packtest.Options{}, func(t *testing.T, b *fixture, path string, call func() error) {
				status, end := http.StatusForbidden, ""
				if path == "/v2/" {
					status, end = http.StatusInternalServerError, afterTries // others are forgiven
				}
				b.reg.Inject(fault.ErrorBody(path+"$", status, []byte(test.body)))
				err := call()
				wantHarmless(t, err)
				wantText(t, err, fmt.Sprintf("GET %s%s: %s%s%s", b.reg.URL(), path, statusText(status), test.want, end))
				if e := as[*registry.Error](t, err); e.Status != status {
					t.Errorf("status %d, want %d", e.Status, status)
				}
			})
		})
	}
}

func TestFault24_ContentEncodingIsShownQuoted(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Encoding", `x"\u202e`)
		return false
	})
	err := b.manifest()
	wantText(t, err, `the registry sent Content-Encoding "x\"\\u202e", which was not asked for`)
	as[*registry.ProtocolError](t, err)
}

// The encoding of an error does not matter: its status is enough.
func TestContentEncodingOfAnError(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.reg.Inject(fault.Status(b.manifestPath(), http.StatusForbidden, http.Header{"Content-Encoding": {"gzip"}}))
	err := b.manifest()
	if e := as[*registry.Error](t, err); e.Status != http.StatusForbidden || !strings.Contains(err.Error(), ": 403 Forbidden") {
		t.Errorf("got %v", err)
	}
}

func TestHostThatIsNone(t *testing.T) {
	client := registry.New(registry.Options{Transport: roundTripper(nil)})
	ref := ociref.Reference{Registry: "no host", Repository: repository, Tag: "1.0"}
	if _, err := client.Manifest(context.Background(), ref); err == nil {
		t.Error("got no error")
	}
}

// Docker Hub's references name docker.io, its registry is elsewhere.
func TestDockerHub(t *testing.T) {
	var hosts []string
	client := registry.New(registry.Options{Sleep: soon, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Scheme+"://"+r.URL.Host+r.URL.Path)
		return nil, fmt.Errorf("not sent")
	})})
	ref := ociref.Reference{Registry: "docker.io", Repository: "library/pack", Tag: "1.0"}
	_, err := client.Manifest(context.Background(), ref)
	wantText(t, err, "GET https://index.docker.io/v2/: not sent"+afterTries)
	if want := slices.Repeat([]string{"https://index.docker.io/v2/"}, 5); !slices.Equal(hosts, want) {
		t.Errorf("requests: %q", hosts)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
