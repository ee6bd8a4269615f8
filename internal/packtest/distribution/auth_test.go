package distribution

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

const (
	right64 = "Basic c29tZWJvZHk6b3Blbi1zZXNhbWU=" // somebody:open-sesame
	wrong64 = "Basic c29tZWJvZHk6Z3Vlc3NlZA=="     // somebody:guessed
)

// pushPack pushes a small pack as team/a:1.0.0 in a folder of the server.
func pushPack(t *testing.T, d *Server, folder string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.gtpack")
	if err := os.WriteFile(file, packtest.Zip("a", "1.0.0", 0), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := d.OrasPush(t.Context(), d.Host()+"/"+folder+"/a:1.0.0", file+":"+packtest.PackMediaType); err != nil {
		t.Fatal(err)
	}
}

// asked sends a GET with that Authorization header, if any.
func asked(t *testing.T, s reply.Server, path, authorization string) reply.Reply {
	t.Helper()
	headers := []string{"Accept", packtest.ManifestMediaType}
	if authorization != "" {
		headers = append(headers, "Authorization", authorization)
	}
	return reply.Ask(t, s, "GET", path, headers...)
}

func TestWithPasswords(t *testing.T) {
	for name, plain := range map[string]bool{"tls": false, "plain": true} {
		t.Run(name, func(t *testing.T) {
			d := start(t, Options{Basic: true, Plain: plain})
			packtest.NeedProgram(t, "oras")
			pushPack(t, d, "team")
			for authorization, want := range map[string]int{"": 401, wrong64: 401, right64: 200} {
				for _, path := range []string{"/v2/", "/v2/team/a/manifests/1.0.0"} {
					got := asked(t, d, path, authorization)
					if got.StatusCode != want {
						t.Errorf("GET %s with %q: %s, want %d", path, authorization, got.Status, want)
					}
					if challenge := got.Header.Get("WWW-Authenticate"); want == 401 && challenge != `Basic realm="packtest"` {
						t.Errorf("challenge = %q", challenge)
					}
				}
			}
		})
	}
}

func TestWithTokens(t *testing.T) {
	packtest.NeedProgram(t, Program)
	packtest.NeedProgram(t, "oras")
	issuer := packtest.StartRegistry(t, packtest.Options{Token: true, User: packtest.User, Password: packtest.Password, Private: []string{"private/*"}, Refusal: packtest.RefuseScope})
	d := start(t, Options{Issuer: issuer})
	pushPack(t, d, "public")
	pushPack(t, d, "private")

	const path = "/v2/public/a/manifests/1.0.0"
	got := asked(t, d, path, "")
	reply.WantHeader(t, got, "WWW-Authenticate", `Bearer realm="`+issuer.URL()+`/token",service="`+d.Host()+`",scope="repository:public/a:pull"`)
	for _, test := range []struct {
		folder, authorization string
		status                int
	}{
		{"public", "", 200}, {"public", right64, 200}, {"private", right64, 200}, {"private", "", 401},
	} {
		headers := []string{"Authorization", test.authorization}
		if test.authorization == "" {
			headers = nil
		}
		token := "Bearer " + reply.Token(t, issuer, test.folder+"/a", headers...)
		if got := asked(t, d, "/v2/"+test.folder+"/a/manifests/1.0.0", token); got.StatusCode != test.status {
			t.Errorf("%s with %q: %s, want %d", test.folder, test.authorization, got.Status, test.status)
		}
		if got := asked(t, d, "/v2/", token); got.StatusCode != 200 {
			t.Errorf("version check: %s", got.Status)
		}
		if got := asked(t, d, path, token[:len(token)-4]+"AAAA"); got.StatusCode != 401 {
			t.Errorf("a token with another signature: %s", got.Status)
		}
	}
	// Nobody pushes without credentials, not even to a public repository.
	anonymous := "Bearer " + reply.TokenIn(t, reply.Ask(t, issuer, "GET", "/token?scope=repository:public/a:pull,push"))
	got, err := reply.Send(t, d.Client(), http.MethodPost, d.URL()+"/v2/public/a/blobs/uploads/", "Authorization", anonymous)
	if err != nil || got.StatusCode != 401 || !strings.Contains(got.Header.Get("WWW-Authenticate"), `error="insufficient_scope"`) {
		t.Errorf("anonymous push: %s, %v", got.Status, err)
	}
	reply.Want(t, reply.Ask(t, issuer, "GET", "/token?scope=repository:public/a:pull", "Authorization", wrong64), 401, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`+"\n")
}

// Without users, the issuer allows everybody everything.
func TestWithTokensForAll(t *testing.T) {
	packtest.NeedProgram(t, Program)
	packtest.NeedProgram(t, "oras")
	issuer := packtest.StartRegistry(t, packtest.Options{Plain: true, Token: true, AccessTokenOnly: true})
	root, err := url.Parse(issuer.URL())
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(httputil.NewSingleHostReverseProxy(root))
	defer front.Close()
	d := start(t, Options{Issuer: issuer, Plain: true, TokenURL: front.URL})
	pushPack(t, d, "team")
	token := "Bearer " + reply.Token(t, issuer, "team/a")
	if got := asked(t, d, "/v2/team/a/manifests/1.0.0", token); got.StatusCode != 200 {
		t.Errorf("manifest: %s", got.Status)
	}
	reply.WantHeader(t, asked(t, d, "/v2/", ""), "WWW-Authenticate", `Bearer realm="`+front.URL+`/token",service="`+d.Host()+`"`)
}
