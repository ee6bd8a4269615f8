package registry_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// A token that is worn out is followed by one new one, whoever needs it.
func TestTokenIsWornOut(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]packtest.Options{"public": {Token: true}, "private": private(packtest.Options{Token: true})} {
		t.Run(name, func(t *testing.T) {
			onEachProtocol(t, o, func(t *testing.T, b *fixture) {
				b.use(t, registry.Options{Keychain: b.holding(good())})
				token := "GET /token"
				if name == "private" {
					token += " basic"
				}
				if err := b.manifest(); err != nil {
					t.Fatal(err)
				}
				b.reg.ExpireTokens()
				b.reg.ResetRequests()
				got, err := b.fetch()
				b.wantPack(t, got, err)
				wantShown(t, b.reg, "GET "+b.blobPath()+" bearer", token, "GET "+b.blobPath()+" bearer")
				if r := b.reg.Requests(); r[0].Header.Get("Authorization") == r[2].Header.Get("Authorization") {
					t.Error("the worn out token was shown again")
				}
			})
		})
	}
}

func TestTokenIsGoodForOneRequest(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{Token: true, TokenUses: 1})
	for range 3 {
		if err := b.manifest(); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(b.reg, "/token"); n != 3 {
		t.Errorf("%d requests for a token, want 3", n)
	}
}

func TestTokenIsWornOutConcurrently(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, private(packtest.Options{Token: true}), func(t *testing.T, b *fixture) {
		b.use(t, registry.Options{Keychain: b.holding(good())})
		if err := b.manifest(); err != nil {
			t.Fatal(err)
		}
		b.reg.ExpireTokens()
		b.reg.ResetRequests()
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() {
				if err := b.manifest(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := count(b.reg, "/token"); n != 1 {
			t.Errorf("%d requests for a token, want 1", n)
		}
	})
}

// A token that was never good is not got again for ever.
func TestTokenIsNeverGood(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{Token: true})
	b.reg.Inject(fault.ErrorBody("/token", http.StatusOK, []byte(`{"token":"no-good"}`)))
	for range 2 {
		wantText(t, b.manifest(), "GET "+b.reg.URL()+b.manifestPath()+": 401 Unauthorized: UNAUTHORIZED: authentication required")
	}
	manifest := "GET " + b.manifestPath() + " bearer"
	wantShown(t, b.reg, "GET /v2/", "GET /token", manifest, manifest)
}

// A text that cannot stand in a header is no token, and is not shown.
func TestTokenIsNone(t *testing.T) {
	t.Parallel()
	for name, token := range map[string]string{
		"a line break": `s3cret\r\nX-Injected: 1`, "white space": "s3cret s3cret", "control": `s3cret\u001b[2J`, "Unicode": `s3cret\u00e9`, "DEL": `s3cret\u007f`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, packtest.Options{Token: true})
			b.reg.Inject(fault.ErrorBody("/token", http.StatusOK, []byte(`{"token":"`+token+`"}`)))
			err := b.manifest()
			wantText(t, err, "GET "+b.reg.URL()+"/token: what is said to be a token is none")
			wantHarmless(t, err)
			wantShown(t, b.reg, "GET /v2/", "GET /token")
		})
	}
}

// A token endpoint may repeat what it was shown.
func TestFault10_TokenEndpointEchoes(t *testing.T) {
	t.Parallel()
	for name, who := range map[string]credentials.Credentials{"password": stale(), "identity token": {IdentityToken: "s3cret", Source: good().Source}} {
		for _, status := range []int{http.StatusBadRequest, http.StatusForbidden, http.StatusInternalServerError} {
			t.Run(name+" "+http.StatusText(status), func(t *testing.T) {
				b := newFixture(t, private(packtest.Options{Token: true, IdentityToken: "right"}))
				b.use(t, registry.Options{Keychain: b.holding(who)})
				echo := fault.ErrorBody("/token", status, []byte(`{"errors":[{"code":"DENIED","message":"no such user: s3cret-user, s3cret-password, s3cret"}]}`))
				echo.Match = func(r *http.Request) bool {
					return r.URL.Path == "/token" && (r.Method == http.MethodPost || r.Header.Get("Authorization") != "")
				}
				b.reg.Inject(echo)
				err := b.manifest()
				as[*registry.Error](t, err)
				wantHarmless(t, err)
			})
		}
	}
}

// An identity token is exchanged in the body of a POST, and goes nowhere else.
func TestIdentityToken(t *testing.T) {
	t.Parallel()
	const secret = "s3cret-identity"
	onEachProtocol(t, private(packtest.Options{Token: true, IdentityToken: secret}), func(t *testing.T, b *fixture) {
		b.use(t, registry.Options{Keychain: b.holding(credentials.Credentials{IdentityToken: secret, Source: credentials.Source{File: configFile}})})
		if err := b.manifest(); err != nil {
			t.Fatal(err)
		}
		wantShown(t, b.reg, "GET /v2/", "GET /token", "POST /token", "GET "+b.manifestPath()+" bearer")
		for _, r := range b.reg.Requests() {
			if post := r.Method == http.MethodPost; r.Carries(secret) != post {
				t.Errorf("%s: carries the identity token: %t", r, !post)
			}
		}
		if body := b.reg.Requests()[2].Body; !strings.Contains(body, "grant_type=refresh_token") || !strings.Contains(body, "refresh_token="+secret) {
			t.Errorf("body %q", body)
		}
	})
}

// A wrong identity token is told of by its source.
func TestFault10_WrongIdentityToken(t *testing.T) {
	t.Parallel()
	b := newFixture(t, private(packtest.Options{Token: true, IdentityToken: "right"}))
	b.use(t, registry.Options{Keychain: b.holding(credentials.Credentials{IdentityToken: "s3cret", Source: credentials.Source{File: configFile}})})
	err := b.manifest()
	wantText(t, err, "GET "+b.reg.URL()+"/token: 401 Unauthorized: UNAUTHORIZED: authentication required; with the credentials of "+configFile+": 401 Unauthorized")
	wantShown(t, b.reg, "GET /v2/", "GET /token", "POST /token")
}

// If an endpoint has no POST, the library tries GET.
func TestIdentityTokenWithoutPost(t *testing.T) {
	t.Parallel()
	b := newFixture(t, private(packtest.Options{Token: true}))
	who := good()
	who.IdentityToken = "s3cret"
	b.use(t, registry.Options{Keychain: b.holding(who)})
	post := fault.Status("/token", http.StatusNotFound, nil)
	post.Match = func(r *http.Request) bool { return r.Method == http.MethodPost }
	b.reg.Inject(post)
	err := b.manifest()
	if got := shown(b.reg); len(got) < 4 || got[2] != "POST /token" || !strings.HasPrefix(got[3], "GET /token") {
		t.Errorf("requests %q, error %v", got, err)
	}
	if err != nil {
		wantHarmless(t, err)
	}
}

// The registry itself accepts a registry token.
func TestRegistryToken(t *testing.T) {
	t.Parallel()
	b := newFixture(t, private(packtest.Options{Token: true}))
	b.use(t, registry.Options{Keychain: b.holding(credentials.Credentials{RegistryToken: "s3cret", Source: credentials.Source{File: configFile}})})
	b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != "Bearer s3cret" {
			return false
		}
		w.Write(b.pushed.Manifest)
		return true
	})
	if err := b.manifest(); err != nil {
		t.Fatal(err)
	}
	wantShown(t, b.reg, "GET /v2/", "GET /token", "GET "+b.manifestPath()+" bearer")

	b.reg.Intercept(nil)
	b.reg.ResetRequests()
	b.use(t, registry.Options{Keychain: b.holding(credentials.Credentials{RegistryToken: "s3cret-wrong", Source: credentials.Source{File: configFile}})})
	err := b.manifest()
	wantText(t, err, "GET "+b.reg.URL()+"/token: 401 Unauthorized: UNAUTHORIZED: authentication required; with the credentials of "+configFile+": 401 Unauthorized")
	wantShown(t, b.reg, "GET /v2/", "GET /token", "GET "+b.manifestPath()+" bearer")
}

// tokenEndpoint starts a server elsewhere that gives b's tokens, and has b's
// registry name it.
func tokenEndpoint(t *testing.T, b *fixture) *packtest.Registry {
	t.Helper()
	auth := start(t, packtest.Options{})
	client := b.reg.Client()
	t.Cleanup(client.CloseIdleConnections)
	auth.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		req, err := http.NewRequestWithContext(r.Context(), r.Method, b.reg.URL()+r.URL.RequestURI(), r.Body)
		if err != nil {
			return false
		}
		req.Header = r.Header.Clone()
		req.Header.Set("X-Relayed", "1")
		resp, err := client.Do(req)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, err = io.Copy(w, resp.Body)
		return err == nil
	})
	b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v2/" {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+auth.URL()+`/token",service="elsewhere"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	return auth
}

// A token endpoint on another host, named by the registry over HTTPS, gets the
// credentials: most registries work so.
func TestTokenEndpointElsewhere(t *testing.T) {
	t.Parallel()
	b := newFixture(t, private(packtest.Options{Token: true}))
	auth := tokenEndpoint(t, b)
	keys := b.holding(good())
	b.use(t, registry.Options{Keychain: keys})
	if err := b.manifest(); err != nil {
		t.Fatal(err)
	}
	wantShown(t, auth, "GET /token", "GET /token basic")
	for _, r := range b.reg.Requests() {
		if r.Header.Get("X-Relayed") == "" && r.Carries(packtest.Password) {
			t.Errorf("%s: the registry was shown what is for its token endpoint", r)
		}
	}
	if got := keys.hosts(); len(got) != 1 || got[0] != b.reg.Host() {
		t.Errorf("the keychain was asked for %q", got)
	}
}

// A token endpoint that redirects elsewhere takes no credentials with it.
func TestTokenEndpointRedirects(t *testing.T) {
	t.Parallel()
	for name, who := range map[string]credentials.Credentials{"password": good(), "identity token": {IdentityToken: packtest.Password, Source: good().Source}} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(name+" "+http.StatusText(status), func(t *testing.T) {
				t.Parallel()
				b := newFixture(t, private(packtest.Options{Token: true, IdentityToken: packtest.Password}))
				away := start(t, packtest.Options{})
				away.Inject(fault.ErrorBody("/token", http.StatusOK, []byte(`{"token":"taken"}`)))
				b.use(t, registry.Options{Keychain: b.holding(who)})
				redirect := fault.Redirect("/token", "")
				redirect.Match = func(r *http.Request) bool {
					return r.URL.Path == "/token" && (r.Method == http.MethodPost || r.Header.Get("Authorization") != "")
				}
				redirect.Serve = func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
					http.Redirect(w, r, away.URL()+"/token", status)
				}
				b.reg.Inject(redirect)
				err := b.manifest()
				as[*registry.Error](t, err)
				wantHarmless(t, err)
				for _, r := range away.Requests() {
					if r.Authorization || r.Carries(packtest.Password) || r.Method != http.MethodGet {
						t.Errorf("elsewhere: %s, with Authorization %t, body %q", r, r.Authorization, r.Body)
					}
				}
				if name == "identity token" && status > 303 {
					if want := "redirected to another host with credentials"; !strings.Contains(err.Error(), want) {
						t.Errorf("got %q, want one with %q", err, want)
					}
					wantRequests(t, away)
				}
			})
		}
	}
}

// Within the host it is the same endpoint.
func TestTokenEndpointRedirectsToItself(t *testing.T) {
	t.Parallel()
	for name, who := range map[string]credentials.Credentials{"password": good(), "identity token": {IdentityToken: "right", Source: good().Source}} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, private(packtest.Options{Token: true, IdentityToken: "right"}))
			b.use(t, registry.Options{Keychain: b.holding(who)})
			b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/token" || r.URL.Query().Has("again") {
					return false
				}
				http.Redirect(w, r, "/token?again=1&"+r.URL.RawQuery, http.StatusTemporaryRedirect)
				return true
			})
			if err := b.manifest(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A redirect by the registry takes the user's credentials nowhere.
func TestFault13_NoCredentialsElsewhere(t *testing.T) {
	eachRefusal(t, func(t *testing.T, b *fixture, r refusal) {
		b.use(t, registry.Options{Keychain: b.holding(good())})
		store := start(t, packtest.Options{})
		store.PutBlob(repository, b.data)
		if err := b.manifest(); err != nil {
			t.Fatal(err)
		}
		b.reg.Inject(fault.RedirectBlob("", store.URL()+b.blobPath()))
		got, err := b.fetch()
		b.wantPack(t, got, err)
		wantShown(t, store, "GET "+b.blobPath())

		// The store that asks for credentials, or denies, is asked once more at most
		// and never shown any.
		store.ResetRequests()
		store.Inject(fault.Status("/", http.StatusUnauthorized, http.Header{"Www-Authenticate": {`Basic realm="x"`}}))
		_, err = b.fetch()
		as[*registry.Error](t, err)
		wantHarmless(t, err)
		for _, r := range store.Requests() {
			if r.Authorization {
				t.Errorf("%s: was shown an Authorization", r)
			}
		}
	})
}
