package packtest

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pushPack pushes a small pack as team/a:1.0.0 in a folder of the server.
func pushPack(t *testing.T, d *Distribution, folder string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.gtpack")
	if err := os.WriteFile(file, Zip("a", "1.0.0", 0), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := d.OrasPush(t.Context(), d.Host()+"/"+folder+"/a:1.0.0", file+":"+PackMediaType); err != nil {
		t.Fatal(err)
	}
}

// asked sends a GET to the real server.
func asked(t *testing.T, d *Distribution, path, authorization string) reply {
	t.Helper()
	headers := []string{"Accept", ociManifest}
	if authorization != "" {
		headers = append(headers, "Authorization", authorization)
	}
	got, err := send(t, d.Client(), "GET", d.URL()+path, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestDistributionWithPasswords(t *testing.T) {
	for name, plain := range map[string]bool{"tls": false, "plain": true} {
		t.Run(name, func(t *testing.T) {
			d := startDistribution(t, DistributionOptions{Basic: true, Plain: plain})
			NeedProgram(t, "oras")
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

func TestDistributionWithTokens(t *testing.T) {
	NeedProgram(t, DistributionProgram)
	NeedProgram(t, "oras")
	issuer := StartRegistry(t, Options{Token: true, User: User, Password: Password, Private: privateOnly, Refusal: RefuseScope})
	d := startDistribution(t, DistributionOptions{Issuer: issuer})
	pushPack(t, d, "public")
	pushPack(t, d, "private")

	const path = "/v2/public/a/manifests/1.0.0"
	got := asked(t, d, path, "")
	wantHeader(t, got, "WWW-Authenticate", `Bearer realm="`+issuer.URL()+`/token",service="`+d.Host()+`",scope="repository:public/a:pull"`)
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
		token := "Bearer " + tokenFor(t, issuer, test.folder+"/a", headers...)
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
	// Nobody pushes without credentials, to what is public either.
	anonymous := "Bearer " + tokenIn(t, issuer, ask(t, issuer, "GET", "/token?scope=repository:public/a:pull,push").body)
	got, err := send(t, d.Client(), http.MethodPost, d.URL()+"/v2/public/a/blobs/uploads/", "Authorization", anonymous)
	if err != nil || got.StatusCode != 401 || !strings.Contains(got.Header.Get("WWW-Authenticate"), `error="insufficient_scope"`) {
		t.Errorf("anonymous push: %s, %v", got.Status, err)
	}
	wantReply(t, ask(t, issuer, "GET", "/token?scope=repository:public/a:pull", "Authorization", wrong64), 401, saysUnauthorized)
}

// Where the issuer knows no users, everybody may do everything.
func TestDistributionWithTokensForAll(t *testing.T) {
	NeedProgram(t, DistributionProgram)
	NeedProgram(t, "oras")
	issuer := StartRegistry(t, Options{Plain: true, Token: true, AccessTokenOnly: true})
	d := startDistribution(t, DistributionOptions{Issuer: issuer, Plain: true})
	pushPack(t, d, "team")
	token := "Bearer " + tokenFor(t, issuer, "team/a")
	if got := asked(t, d, "/v2/team/a/manifests/1.0.0", token); got.StatusCode != 200 {
		t.Errorf("manifest: %s", got.Status)
	}
}
