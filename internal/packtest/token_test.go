package packtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
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
		got := reply.Ask(t, r, test.method, test.path)
		reply.Want(t, got, 401, denied)
		reply.WantHeader(t, got, "WWW-Authenticate", test.challenge)
	}
	mine := reply.Token(t, r, "team/x")
	other := reply.Token(t, r, "team/y")
	for token, status := range map[string]int{mine: 200, other: 401, "x": 401} {
		if got := reply.Ask(t, r, "GET", path, "Authorization", "Bearer "+token); got.StatusCode != status {
			t.Errorf("token %s: %s, want %d", token, got.Status, status)
		}
	}
	if got := reply.Ask(t, r, "GET", "/v2/", "Authorization", "Bearer "+other); got.StatusCode != 200 {
		t.Errorf("version check with a token: %s", got.Status)
	}
	reply.Want(t, reply.Ask(t, r, "GET", "/token", "Authorization", "Basic c3RhbGU6eA=="), 401, denied)
}

func TestAccessTokenOnly(t *testing.T) {
	for _, only := range []bool{false, true} {
		r := StartRegistry(t, Options{Token: true, AccessTokenOnly: only})
		got := reply.Ask(t, r, "GET", "/token")
		if token := reply.TokenIn(t, got); token == "" || strings.Contains(string(got.Body), `"token":"`+token) == only {
			t.Errorf("AccessTokenOnly: %t: reply = %s", only, got.Body)
		}
	}
}

func TestPrivateRegistry(t *testing.T) {
	const right, wrong = "Basic bWU6c2VjcmV0", "Basic bWU6d3Jvbmc=" // me:secret, me:wrong
	t.Run("token", func(t *testing.T) {
		r := StartRegistry(t, Options{Plain: true, Token: true, AccessTokenOnly: true, User: "me", Password: "secret"})
		MustPush(t, r, "x", "1", Artifact{})
		reply.WantHeader(t, reply.Ask(t, r, "GET", "/v2/"), "WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service=%q`, r.Host(), r.Host()))
		for _, headers := range [][]string{nil, {"Authorization", wrong}} {
			if got := reply.Ask(t, r, "GET", "/token?scope=repository:x:pull", headers...); got.StatusCode != 401 {
				t.Errorf("token with %q: %s", headers, got.Status)
			}
		}
		token := reply.Token(t, r, "x", "Authorization", right)
		if got := reply.Ask(t, r, "GET", "/v2/x/manifests/1", "Authorization", "Bearer "+token); got.StatusCode != 200 {
			t.Errorf("manifest: %s", got.Status)
		}
	})
	t.Run("basic", func(t *testing.T) {
		r := StartRegistry(t, Options{User: "me", Password: "secret"})
		reply.WantHeader(t, reply.Ask(t, r, "GET", "/v2/"), "WWW-Authenticate", `Basic realm="packtest"`)
		for header, status := range map[string]int{right: 200, wrong: 401} {
			if got := reply.Ask(t, r, "GET", "/v2/", "Authorization", header); got.StatusCode != status {
				t.Errorf("%s: %s, want %d", header, got.Status, status)
			}
		}
	})
}
