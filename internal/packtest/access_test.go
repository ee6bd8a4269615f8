package packtest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

const (
	right64 = "Basic c29tZWJvZHk6b3Blbi1zZXNhbWU=" // somebody:open-sesame
	wrong64 = "Basic c29tZWJvZHk6Z3Vlc3NlZA=="     // somebody:guessed
)

const (
	saysUnauthorized = `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}` + "\n"
	saysDenied       = `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}` + "\n"
	saysUnknown      = `{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}` + "\n"
	saysLimited      = `{"errors":[{"code":"TOOMANYREQUESTS","message":"you have reached your pull rate limit"}]}` + "\n"
)

// startPrivate starts a registry with a public and a private repository.
func startPrivate(t *testing.T, opts Options) *Registry {
	t.Helper()
	opts.User, opts.Password = User, Password
	r := StartRegistry(t, opts)
	MustPush(t, r, "public/x", "1", Artifact{})
	MustPush(t, r, "private/x", "1", Artifact{})
	return r
}

var privateOnly = []string{"private/*"}

// pull requests a manifest like a client: first a token, if there is one, with
// authorization.
func pull(t *testing.T, r *Registry, repository, authorization string) (refusedAt string, got reply.Reply) {
	t.Helper()
	header := []string{"Authorization", authorization}
	if authorization == "" {
		header = nil
	}
	if r.opts.Token {
		got = reply.Ask(t, r, "GET", "/token?service=s&scope=repository:"+repository+":pull", header...)
		if got.StatusCode != 200 {
			return "token", got
		}
		header = []string{"Authorization", "Bearer " + reply.Token(t, r, repository, header...)}
	}
	got = reply.Ask(t, r, "GET", "/v2/"+repository+"/manifests/1", header...)
	if got.StatusCode != 200 {
		return "manifest", got
	}
	return "", got
}

func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		name      string
		opts      Options
		refusedAt string
		status    int
		body      string
		challenge string // a part of it
	}{
		{"unauthorized, token", Options{Token: true}, "token", 401, saysUnauthorized, ""},
		{"denied, token", Options{Token: true, Refusal: RefuseDenied}, "token", 403, saysDenied, ""},
		{"scope, token", Options{Token: true, Refusal: RefuseScope}, "manifest", 401, saysUnauthorized, `scope="repository:private/x:pull",error="insufficient_scope"`},
		{"hidden, token", Options{Token: true, Refusal: RefuseHidden}, "manifest", 404, saysUnknown, ""},
		{"limited, token", Options{Token: true, Refusal: RefuseLimited}, "manifest", 429, saysLimited, ""},
		{"unauthorized, basic", Options{}, "manifest", 401, saysUnauthorized, `Basic realm="packtest"`},
		{"denied, basic", Options{Refusal: RefuseDenied}, "manifest", 403, saysDenied, ""},
		{"hidden, basic", Options{Refusal: RefuseHidden}, "manifest", 404, saysUnknown, ""},
		{"limited, basic", Options{Refusal: RefuseLimited}, "manifest", 429, saysLimited, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.opts.Private = privateOnly
			r := startPrivate(t, test.opts)
			at, got := pull(t, r, "private/x", "")
			reply.Want(t, got, test.status, test.body)
			if challenge := got.Header.Get("WWW-Authenticate"); at != test.refusedAt || !strings.Contains(challenge, test.challenge) || (challenge == "") != (test.challenge == "") {
				t.Errorf("refused at %q with %q, want at %q with %q", at, challenge, test.refusedAt, test.challenge)
			}
			if limited := test.status == 429; limited != (got.Header.Get("Retry-After") == LimitedFor) {
				t.Errorf("Retry-After = %q", got.Header.Get("Retry-After"))
			}
			for _, pulled := range []struct{ repository, authorization string }{
				{"public/x", ""}, {"public/x", right64}, {"private/x", right64},
			} {
				if at, got := pull(t, r, pulled.repository, pulled.authorization); at != "" {
					t.Errorf("%s with %q: %s at %s", pulled.repository, pulled.authorization, got.Status, at)
				}
			}
			for _, repository := range []string{"public/x", "private/x"} {
				_, got := pull(t, r, repository, wrong64)
				reply.Want(t, got, 401, saysUnauthorized)
			}
		})
	}
}

// Without Private, all repositories are private.
func TestEverythingIsPrivate(t *testing.T) {
	for _, token := range []bool{false, true} {
		r := startPrivate(t, Options{Token: token})
		for authorization, want := range map[string]int{"": 401, wrong64: 401, right64: 200} {
			for _, repository := range []string{"public/x", "private/x"} {
				if _, got := pull(t, r, repository, authorization); got.StatusCode != want {
					t.Errorf("token %t: %s with %q: %s, want %d", token, repository, authorization, got.Status, want)
				}
			}
		}
		if got := reply.Ask(t, r, "GET", "/v2/"); got.StatusCode != 401 {
			t.Errorf("token %t: version check: %s", token, got.Status)
		}
	}
}

func TestOpenPing(t *testing.T) {
	for scheme, token := range map[string]bool{"Bearer": true, "Basic": false} {
		r := startPrivate(t, Options{Token: token, OpenPing: true, Private: privateOnly})
		reply.Want(t, reply.Ask(t, r, "GET", "/v2/"), 200, "")
		got := reply.Ask(t, r, "GET", "/v2/private/x/manifests/1")
		reply.Want(t, got, 401, saysUnauthorized)
		if challenge := got.Header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, scheme+" ") {
			t.Errorf("challenge = %q, want %s", challenge, scheme)
		}
	}
}

func TestTokensExpire(t *testing.T) {
	r := StartRegistry(t, Options{Token: true, TokenUses: 2})
	MustPush(t, r, "x", "1", Artifact{})
	const path = "/v2/x/manifests/1"
	use := func(token string) reply.Reply { return reply.Ask(t, r, "GET", path, "Authorization", "Bearer "+token) }
	expired := fmt.Sprintf(`Bearer realm="https://%s/token",service=%q,scope="repository:x:pull",error="invalid_token"`, r.Host(), r.Host())
	token := reply.Token(t, r, "x")
	for _, want := range []int{200, 200, 401, 401} {
		if got := use(token); got.StatusCode != want {
			t.Errorf("use: %s, want %d", got.Status, want)
		}
	}
	reply.WantHeader(t, use(token), "WWW-Authenticate", expired)
	token = reply.Token(t, r, "x")
	if got := use(token); got.StatusCode != 200 {
		t.Errorf("next token: %s", got.Status)
	}
	r.ExpireTokens()
	reply.WantHeader(t, use(token), "WWW-Authenticate", expired)
	if got := use(reply.Token(t, r, "x")); got.StatusCode != 200 {
		t.Errorf("after ExpireTokens: %s", got.Status)
	}
}

func TestOneTokenForSeveralRepositories(t *testing.T) {
	r := startPrivate(t, Options{Token: true, Private: privateOnly})
	one := reply.Token(t, r, "public/x:pull+repository:private/x", "Authorization", right64)
	two := reply.Token(t, r, "public/x:pull&scope=repository:private/x", "Authorization", right64)
	for _, token := range []string{one, two} {
		for _, path := range []string{"/v2/public/x/manifests/1", "/v2/private/x/manifests/1"} {
			if got := reply.Ask(t, r, "GET", path, "Authorization", "Bearer "+token); got.StatusCode != 200 {
				t.Errorf("GET %s: %s", path, got.Status)
			}
		}
	}
	// A private scope needs credentials at any place in the list.
	if got := reply.Ask(t, r, "GET", "/token?scope=repository:public/x:pull&scope=repository:private/x:pull"); got.StatusCode != 401 {
		t.Errorf("anonymous token for both: %s", got.Status)
	}
}

// post sends a form to /token.
func post(t *testing.T, r *Registry, form url.Values) reply.Reply {
	t.Helper()
	client := r.Client()
	defer client.CloseIdleConnections()
	resp, err := client.PostForm(r.URL()+"/token", form)
	if err != nil {
		t.Fatal(err)
	}
	return reply.Read(resp)
}

func TestIdentityToken(t *testing.T) {
	r := startPrivate(t, Options{Token: true, IdentityToken: "identity", Private: privateOnly})
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"identity"}, "scope": {"repository:private/x:pull"}}
	got := post(t, r, form)
	if got.StatusCode != 200 {
		t.Fatalf("POST: %s", got.Status)
	}
	if got := reply.Ask(t, r, "GET", "/v2/private/x/manifests/1", "Authorization", "Bearer "+reply.TokenIn(t, got)); got.StatusCode != 200 {
		t.Errorf("manifest: %s", got.Status)
	}
	if got := r.Requests()[0]; got.Body != form.Encode() || !got.Carries("identity") {
		t.Errorf("recorded %+v, want the body %q", got, form.Encode())
	}
	for key, value := range map[string]string{"refresh_token": "guessed", "grant_type": "password"} {
		bad := url.Values{"grant_type": form["grant_type"], "refresh_token": form["refresh_token"], "scope": form["scope"]}
		bad.Set(key, value)
		reply.Want(t, post(t, r, bad), 401, saysUnauthorized)
	}
	none := startPrivate(t, Options{Token: true})
	reply.Want(t, post(t, none, form), 405, `{"errors":[{"code":"UNSUPPORTED","message":"method is not supported"}]}`+"\n")
}

func TestRequestsRecordCredentials(t *testing.T) {
	r := StartRegistry(t, Options{Token: true})
	escaped := "/v2/?sig=a%2Fsecret"
	for _, headers := range [][]string{{"Authorization", right64}, {"authorization", "bearer open-sesame"}, {"X-Other", "open-sesame"}, nil} {
		reply.Ask(t, r, "GET", escaped, headers...)
	}
	var schemes []string
	var carried []bool
	for _, got := range r.Requests() {
		schemes = append(schemes, got.Scheme())
		carried = append(carried, got.Carries(Password))
		if !got.Carries("a/secret") || !got.Carries("a%2Fsecret") || got.Carries("another") {
			t.Errorf("%s: secret in the query not found", got)
		}
	}
	if got, want := fmt.Sprint(schemes, carried), "[basic bearer  ] [true true true false]"; got != want {
		t.Errorf("schemes and secrets = %s, want %s", got, want)
	}
	if !r.Requests()[0].Carries(User+":"+Password) || r.Requests()[1].Carries(User) {
		t.Error("user name and password in one")
	}
}

// The server can still read a recorded body.
func TestRecordedBodyIsCapped(t *testing.T) {
	r := StartRegistry(t, Options{Token: true, IdentityToken: "identity"})
	form := url.Values{"grant_type": {"refresh_token"}, "pad": {strings.Repeat("x", maxRecorded)}, "refresh_token": {"identity"}}
	if got := post(t, r, form); got.StatusCode != http.StatusOK {
		t.Errorf("POST: %s", got.Status)
	}
	if got := r.Requests()[0].Body; got != form.Encode()[:maxRecorded] {
		t.Errorf("recorded %d bytes, want the first %d", len(got), maxRecorded)
	}
}

func TestOptionsErrors(t *testing.T) {
	_, err := NewRegistry(Options{Private: []string{"x", "["}})
	reply.WantError(t, err, `test registry: private repositories "[": syntax error in pattern`)
	_, err = NewRegistry(Options{IdentityToken: "x"})
	reply.WantError(t, err, "test registry: an identity token is for Token")
}
