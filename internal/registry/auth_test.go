package registry_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

func TestOnePingARegistryAndOneTokenARepository(t *testing.T) {
	onEachProtocol(t, packtest.Options{Token: true}, func(t *testing.T, b *fixture) {
		const other = repository + "/other"
		packtest.MustPush(t, b.reg, other, "1.0", packtest.Pack(b.data, ""))
		var all sync.WaitGroup
		for i := range 32 {
			all.Go(func() {
				ref := b.byTag()
				if i%2 == 1 {
					ref.Repository = other
				}
				_, err := b.client.Manifest(context.Background(), ref)
				if err == nil && i%4 < 2 {
					err = b.client.Blob(context.Background(), ref, b.content(), discard, nil)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for prefix, want := range map[string]int{
			"/token":                            2,
			"/v2/" + repository + "/blobs/":     8,
			"/v2/" + repository + "/manifests/": 16,
			"/v2/" + other + "/blobs/":          8,
			"/v2/" + other + "/manifests/":      16,
			"/":                                 1 + 2 + 32 + 16,
		} {
			if got := count(b.reg, prefix); got != want {
				t.Errorf("%d requests under %s, want %d", got, prefix, want)
			}
		}
	})
}

func TestToken(t *testing.T) {
	for name, o := range map[string]packtest.Options{
		"token":             {Token: true},
		"access_token only": {Token: true, AccessTokenOnly: true},
		"over plain HTTP":   {Token: true, Plain: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, o)
			if err := b.manifest(); err != nil {
				t.Fatal(err)
			}
			if got, err := b.blob(); err != nil || !bytes.Equal(got, b.data) {
				t.Fatalf("got %d bytes, %v", len(got), err)
			}
			token := fmt.Sprintf("GET /token?scope=repository%%3A%s%%3Apull&service=%s",
				strings.ReplaceAll(repository, "/", "%2F"), strings.ReplaceAll(b.reg.Host(), ":", "%3A"))
			wantRequests(t, b.reg, "GET /v2/", token, "GET "+b.manifestPath(), "GET "+b.blobPath())
			for i, want := range []bool{false, false, true, true} {
				if r := b.reg.Requests()[i]; r.Authorization != want {
					t.Errorf("%s: Authorization %t, want %t", r, r.Authorization, want)
				}
			}
		})
	}
}

// A token endpoint that refuses is asked once, however many packs there are.
func TestFault10_TokenEndpointFails(t *testing.T) {
	for status, code := range map[int]string{
		http.StatusUnauthorized:        "UNAUTHORIZED: unauthorized",
		http.StatusForbidden:           "DENIED: forbidden",
		http.StatusNotFound:            "MANIFEST_UNKNOWN: not found",
		http.StatusInternalServerError: "UNKNOWN: internal server error",
	} {
		b := newFixture(t, packtest.Options{Token: true})
		b.reg.Inject(fault.Status("/token", status, nil))
		each, end := tries(status)
		for range 2 {
			err := b.manifest()
			wantText(t, err, fmt.Sprintf("GET %s/token: %s: %s%s", b.reg.URL(), statusText(status), code, end))
			if e := as[*registry.Error](t, err); e.Status != status || e.Host != b.reg.Host() {
				t.Errorf("got %+v", e)
			}
		}
		if n := count(b.reg, b.manifestPath()); n != 0 {
			t.Errorf("%d requests for the manifest without a token", n)
		}
		if n := count(b.reg, "/token"); each == 1 && n != 1 || n > 2*each {
			t.Errorf("%d: %d requests for a token", status, n)
		}
	}
}

// A token endpoint's response may be a secret, and is not for the terminal.
func TestFault10_TokenReplyIsNotShown(t *testing.T) {
	for name, reply := range map[string]string{
		"other secret":  `{"refresh_token":"s3cret"}`,
		"escapes":       "{\"note\":\"s3cret \\u001b[2J\"}\x1b[2J",
		"raw escapes":   "{\"note\":\"\x7f\x1b[2J s3cret\"}",
		"no JSON":       "s3cret",
		"DEL and C1":    "{\"note\":\"s3cret\x7f\u009b2J\"}",
		"wrong type":    `{"token":{"s3cret":1}}`,
		"huge":          `{"note":"` + strings.Repeat("s3cret", 9000) + `"}`,
		"empty strings": `{"token":"","access_token":"","note":"s3cret"}`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, packtest.Options{Token: true})
			b.reg.Inject(fault.ErrorBody("/token", http.StatusOK, []byte(reply)))
			err := b.manifest()
			as[*registry.Error](t, err)
			wantHarmless(t, err)
			if !strings.HasPrefix(err.Error(), "GET "+b.reg.URL()+"/token: ") {
				t.Errorf("got %q", err)
			}
			if n := count(b.reg, b.manifestPath()); n != 0 {
				t.Errorf("%d requests for the manifest without a token", n)
			}
		})
	}
}

// The challenge is the registry's word: it may be no good, and hold what is
// not for the terminal.
func TestFault10_ChallengeIsNotShown(t *testing.T) {
	for name, challenge := range map[string]string{
		"no realm":         "Bearer service=\"\x1b[2J\"",
		"realm is no URL":  `Bearer realm="https://%zz/?q=s3cret"`,
		"realm over http":  `Bearer realm="http://registry.example/token?q=s3cret"`,
		"realm is a file":  `Bearer realm="file:///token?q=s3cret"`,
		"realm with login": `Bearer realm="https://s3cret:s3cret@127.0.0.1:1/token"`,
		"link-local realm": `Bearer realm="https://169.254.169.254/?q=s3cret"`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			if b.reg.HTTP2() && name == "no realm" {
				t.Skip("net/http sends no such header over HTTP/2")
			}
			b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/v2/" {
					return false
				}
				w.Header().Set("WWW-Authenticate", challenge)
				w.WriteHeader(http.StatusUnauthorized)
				return true
			})
			err := b.manifest()
			as[*registry.Error](t, err)
			wantHarmless(t, err)
			wantRequests(t, b.reg, "GET /v2/")
		})
	}
}

// Static hosts know no /v2/, and others guard it: the manifest will tell.
func TestPingForgiven(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusUnauthorized} {
		for name, size := range map[string]int{"short": 100, "long": 1 << 20} {
			t.Run(fmt.Sprint(status, " ", name), func(t *testing.T) {
				b := newFixture(t, packtest.Options{})
				b.reg.Inject(fault.ErrorBody("/v2/$", status, bytes.Repeat([]byte("<p>"), size/3)))
				if err := b.manifest(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestFault09_PingNotForgiven(t *testing.T) {
	for status, text := range map[int]string{
		http.StatusInternalServerError: "500 Internal Server Error: UNKNOWN: internal server error",
		http.StatusServiceUnavailable:  "503 Service Unavailable: UNKNOWN: service unavailable",
		http.StatusTooManyRequests:     "429 Too Many Requests: TOOMANYREQUESTS: too many requests",
	} {
		b := newFixture(t, packtest.Options{})
		b.reg.Inject(fault.Status("/v2/$", status, nil))
		for range 2 {
			err := b.manifest()
			wantText(t, err, "GET "+b.reg.URL()+"/v2/: "+text+afterTries)
			if e := as[*registry.Error](t, err); e.Status != status || e.Tries != 5 {
				t.Errorf("status %d, want %d; %d tries", e.Status, status, e.Tries)
			}
		}
		if n := count(b.reg, "/v2/"); n != 5 {
			t.Errorf("%d pings, want 5 in all: a dead registry is asked once", n)
		}
		if n := count(b.reg, "/v2/"+repository); n != 0 {
			t.Errorf("%d requests after the ping failed", n)
		}
	}
}

// Without credentials a Basic challenge is not answered: the request goes on.
func TestBasicChallenge(t *testing.T) {
	b := newFixture(t, packtest.Options{User: "somebody", Password: "secret"})
	err := b.manifest()
	wantText(t, err, "GET "+b.reg.URL()+b.manifestPath()+": 401 Unauthorized: UNAUTHORIZED: authentication required")
	wantRequests(t, b.reg, "GET /v2/", "GET "+b.manifestPath())
}

func TestPrivateRepository(t *testing.T) {
	b := newFixture(t, packtest.Options{User: "somebody", Password: "secret", Token: true})
	err := b.manifest()
	wantText(t, err, "GET "+b.reg.URL()+"/token: 401 Unauthorized: UNAUTHORIZED: authentication required")
}
