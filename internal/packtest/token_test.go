package packtest

import (
	"encoding/json"
	"fmt"
	"testing"
)

func TestToken(t *testing.T) {
	r := StartRegistry(t, Options{Token: true})
	MustPush(t, r, "team/x", "1", Artifact{})
	const path = "/v2/team/x/manifests/1"
	denied := `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}` + "\n"
	realm := fmt.Sprintf(`Bearer realm="https://%s/token",service=%q`, r.Host(), r.Host())
	for _, test := range []struct{ method, path, challenge string }{
		{"GET", path, realm + `,scope="repository:team/x:pull"`},
		{"POST", "/v2/team/x/blobs/uploads/", realm + `,scope="repository:team/x:pull,push"`},
		{"PUT", "/v2/team/x/blobs/uploads/12", realm + `,scope="repository:team/x:pull,push"`},
		{"GET", "/v2/", realm},
	} {
		got := ask(t, r, test.method, test.path)
		wantReply(t, got, 401, denied)
		wantHeader(t, got, "WWW-Authenticate", test.challenge)
	}
	mine := tokenFor(t, r, "team/x")
	other := tokenFor(t, r, "team/y")
	for token, status := range map[string]int{mine: 200, other: 401, "x": 401} {
		if got := ask(t, r, "GET", path, "Authorization", "Bearer "+token); got.StatusCode != status {
			t.Errorf("token %s: %s, want %d", token, got.Status, status)
		}
	}
	if got := ask(t, r, "GET", "/v2/", "Authorization", "Bearer "+other); got.StatusCode != 200 {
		t.Errorf("version check with a token: %s", got.Status)
	}
	wantReply(t, ask(t, r, "GET", "/token", "Authorization", "Basic c3RhbGU6eA=="), 401, denied)
}

func tokenFor(t *testing.T, r *Registry, repository string, headers ...string) string {
	t.Helper()
	return tokenIn(t, r, ask(t, r, "GET", "/token?service=s&scope=repository:"+repository+":pull", headers...).body)
}

func tokenIn(t *testing.T, r *Registry, body []byte) string {
	t.Helper()
	var reply struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		t.Fatal(err)
	}
	if onlyAccess := reply.Token == ""; onlyAccess != r.opts.AccessTokenOnly {
		t.Errorf("reply = %s", body)
	}
	return reply.AccessToken
}

func TestPrivateRegistry(t *testing.T) {
	const right, wrong = "Basic bWU6c2VjcmV0", "Basic bWU6d3Jvbmc=" // me:secret, me:wrong
	t.Run("token", func(t *testing.T) {
		r := StartRegistry(t, Options{Plain: true, Token: true, AccessTokenOnly: true, User: "me", Password: "secret"})
		MustPush(t, r, "x", "1", Artifact{})
		wantHeader(t, ask(t, r, "GET", "/v2/"), "WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service=%q`, r.Host(), r.Host()))
		for _, headers := range [][]string{nil, {"Authorization", wrong}} {
			if got := ask(t, r, "GET", "/token?scope=repository:x:pull", headers...); got.StatusCode != 401 {
				t.Errorf("token with %q: %s", headers, got.Status)
			}
		}
		token := tokenFor(t, r, "x", "Authorization", right)
		if got := ask(t, r, "GET", "/v2/x/manifests/1", "Authorization", "Bearer "+token); got.StatusCode != 200 {
			t.Errorf("manifest: %s", got.Status)
		}
	})
	t.Run("basic", func(t *testing.T) {
		r := StartRegistry(t, Options{User: "me", Password: "secret"})
		wantHeader(t, ask(t, r, "GET", "/v2/"), "WWW-Authenticate", `Basic realm="packtest"`)
		for header, status := range map[string]int{right: 200, wrong: 401} {
			if got := ask(t, r, "GET", "/v2/", "Authorization", header); got.StatusCode != status {
				t.Errorf("%s: %s, want %d", header, got.Status, status)
			}
		}
	})
}
