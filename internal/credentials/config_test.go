package credentials

import (
	"strings"
	"testing"
)

func TestKeys(t *testing.T) {
	for _, test := range []struct{ key, host string }{
		{"ghcr.io", "ghcr.io"},
		{"GHCR.io", "ghcr.io"},
		{"ghcr.io/", "ghcr.io"},
		{"https://ghcr.io", "ghcr.io"},
		{"http://ghcr.io", "ghcr.io"},
		{"https://ghcr.io/v1/", "ghcr.io"},
		{"https://ghcr.io/v2", "ghcr.io"},
		{"ghcr.io/v2/", "ghcr.io"},
		{"ghcr.io:443", "ghcr.io:443"},
		{"[::1]:5000", "[::1]:5000"},
		{"docker.io", "docker.io"},
		{"index.docker.io", "docker.io"},
		{"registry-1.docker.io", "docker.io"},
		{"https://index.docker.io/v1/", "docker.io"},
		// Docker's own tokens, Podman's namespaces, and what is no key at all.
		{"https://index.docker.io/v1/access-token", ""},
		{"https://index.docker.io/v1/refresh-token", ""},
		{"ghcr.io/greenticai", ""},
		{"ghcr.io/greenticai/packs", ""},
		{"https://ghcr.io/v1?x", ""},
		{"", ""},
		{"user:secret@ghcr.io", "user:secret@ghcr.io"}, // which no host is
	} {
		if got := registryOf(test.key); got != test.host {
			t.Errorf("%q is about %q, want %q", test.key, got, test.host)
		}
	}
}

// Every kind of entry, found under every form of key, and no other host's.
func TestEntries(t *testing.T) {
	for _, test := range []struct {
		name, text, host string
		want             Credentials // none: the zero value
		key              string
	}{
		{"auth", `{"auths": {"ghcr.io": {"auth": "dTpw"}}}`, "ghcr.io", Credentials{Username: "u", Password: "p"}, "ghcr.io"},
		{"password with a colon", `{"auths": {"ghcr.io": {"auth": "dTpwOnE="}}}`, "ghcr.io", Credentials{Username: "u", Password: "p:q"}, "ghcr.io"},
		{"padded password", `{"auths": {"ghcr.io": {"auth": "dTpwAAA="}}}`, "ghcr.io", Credentials{Username: "u", Password: "p"}, "ghcr.io"},
		{"auth wins", `{"auths": {"ghcr.io": {"auth": "dTpw", "username": "x", "password": "y"}}}`, "ghcr.io", Credentials{Username: "u", Password: "p"}, "ghcr.io"},
		{"words", `{"auths": {"ghcr.io": {"username": "u", "password": "p"}}}`, "ghcr.io", Credentials{Username: "u", Password: "p"}, "ghcr.io"},
		{"identity token", `{"auths": {"ghcr.io": {"auth": "dTo=", "identitytoken": "t"}}}`, "ghcr.io", Credentials{Username: "u", IdentityToken: "t"}, "ghcr.io"},
		{"registry token", `{"auths": {"ghcr.io": {"registrytoken": "t"}}}`, "ghcr.io", Credentials{RegistryToken: "t"}, "ghcr.io"},
		{"URL", `{"auths": {"https://ghcr.io/v1/": {"auth": "dTpw"}}}`, "ghcr.io", Credentials{Username: "u", Password: "p"}, "https://ghcr.io/v1/"},
		{"host in capitals", `{"auths": {"ghcr.io": {"auth": "dTpw"}}}`, "GHCR.IO", Credentials{Username: "u", Password: "p"}, "ghcr.io"},
		{"port", `{"auths": {"localhost:5000": {"auth": "dTpw"}}}`, "localhost:5000", Credentials{Username: "u", Password: "p"}, "localhost:5000"},
		{"Docker Hub", `{"auths": {"https://index.docker.io/v1/": {"auth": "dTpw"}}}`, "docker.io", Credentials{Username: "u", Password: "p"}, "https://index.docker.io/v1/"},
		{"Docker Hub's own name", `{"auths": {"https://index.docker.io/v1/": {"auth": "dTpw"}}}`, "registry-1.docker.io", Credentials{Username: "u", Password: "p"}, "https://index.docker.io/v1/"},
		{"Docker Hub as Podman has it", `{"auths": {"docker.io": {"auth": "dTpw"}}}`, "index.docker.io", Credentials{Username: "u", Password: "p"}, "docker.io"},
		{"Docker's key first", `{"auths": {"http://ghcr.io": {"auth": "eDp5"}, "ghcr.io": {"auth": "dTpw"}, "GHCR.io": {"auth": "eDp5"}}}`, "ghcr.io", Credentials{Username: "u", Password: "p"}, "ghcr.io"},
		{"an empty entry first", `{"auths": {"ghcr.io": {}, "https://ghcr.io": {"auth": "dTpw"}}}`, "ghcr.io", Credentials{Username: "u", Password: "p"}, "https://ghcr.io"},
		{"other keys of Docker's", `{"auths": {"ghcr.io": {"auth": "dTpw", "email": 1}}, "plugins": [1], "HttpHeaders": 2}`, "ghcr.io", Credentials{Username: "u", Password: "p"}, "ghcr.io"},

		{"empty entry", `{"auths": {"ghcr.io": {}}}`, "ghcr.io", Credentials{}, ""},
		{"user name alone", `{"auths": {"ghcr.io": {"auth": "dTo="}}}`, "ghcr.io", Credentials{}, ""},
		{"null", `{"auths": {"ghcr.io": null}}`, "ghcr.io", Credentials{}, ""},
		{"another host", `{"auths": {"ghcr.io": {"auth": "dTpw"}}}`, "evilghcr.io", Credentials{}, ""},
		{"another host's prefix", `{"auths": {"ghcr.io.evil.example": {"auth": "dTpw"}}}`, "ghcr.io", Credentials{}, ""},
		{"another port", `{"auths": {"ghcr.io:444": {"auth": "dTpw"}}}`, "ghcr.io", Credentials{}, ""},
		{"namespace", `{"auths": {"ghcr.io/greenticai": {"auth": "dTpw"}}}`, "ghcr.io", Credentials{}, ""},
		{"namespace, for what is no host", `{"auths": {"ghcr.io/greenticai": {"auth": "dTpw"}, "": {"auth": "dTpw"}}}`, "ghcr.io/other", Credentials{}, ""},
		{"another entry is broken", `{"auths": {"quay.io": {"auth": "!"}}}`, "ghcr.io", Credentials{}, ""},
		{"no auths", `{}`, "ghcr.io", Credentials{}, ""},
		{"empty file", "\n", "ghcr.io", Credentials{}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newFixture(t)
			b.write(dockerFile, test.text)
			found := b.find(test.host)
			if test.key == "" {
				if found != nil {
					t.Fatalf("found %v", found)
				}
				return
			}
			test.want.Source = Source{File: b.path(dockerFile), Key: test.key}
			if found == nil || *found != test.want {
				t.Errorf("found %v, want others", found)
			}
		})
	}
}

// A configuration that cannot be read is told with its file and line, and with
// nothing that it holds; a public pull does not come to read it.
func TestFault25_MalformedConfig(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"no JSON", "\n\nsecret", "line 3: not valid JSON"},
		{"broken off", "{\"auths\":\n{\"ghcr.io\": {\"auth\": \"secret", "line 2: not valid JSON"},
		{"more than one document", "{}\n{}", "line 2: not valid JSON"},
		{"no object", `["secret"]`, "line 1: a value of the wrong type"},
		{"number for a password", "{\"auths\": {\"ghcr.io\":\n{\"password\": 4711}}}", "line 2: a value of the wrong type"},
		{"helper of the wrong type", "{\"credsStore\":\n\n[\"secret\"]}", "line 3: a value of the wrong type"},
		{"no base64", `{"auths": {"ghcr.io": {"auth": "secret!"}}}`, `"auth" is not the base64 form of user:password`},
		{"base64 without a colon", `{"auths": {"ghcr.io": {"auth": "c2VjcmV0"}}}`, `"auth" is not the base64 form of user:password`},
		{"base64 without a user", `{"auths": {"ghcr.io": {"auth": "OnNlY3JldA=="}}}`, `"auth" is not the base64 form of user:password`},
		{"too large", `{"auths": "` + strings.Repeat("x", maxConfig) + `"}`, "larger than 1048576 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newFixture(t)
			b.write(dockerFile, test.text)
			found, err := b.keychain().Find(t.Context(), "ghcr.io")
			if want := b.path(dockerFile) + ": " + test.want; found != nil || err == nil || err.Error() != want {
				t.Errorf("%v, error %v\nwant %s", found, err, want)
			}

			// Credentials at another place are found nevertheless.
			b.write(podmanFile, authsOf("ghcr.io", "alice"))
			b.wantUser(b.find("ghcr.io"), "alice")

			// The same in a variable.
			b.env[dockerAuthConfig], b.env["HOME"], b.env["USERPROFILE"] = test.text, "", ""
			_, err = b.keychain().Find(t.Context(), "ghcr.io")
			if want := "$DOCKER_AUTH_CONFIG: " + test.want; err == nil || err.Error() != want {
				t.Errorf("error %v\nwant %s", err, want)
			}
		})
	}
}

// FuzzConfig sees that no configuration makes parsing panic, that errors quote
// nothing of it, and that an entry is found for no other host than its key's.
func FuzzConfig(f *testing.F) {
	for _, text := range []string{
		authsOf("ghcr.io", "alice", "https://quay.io/v1/", "bob"), `{"auths": {"ghcr.io": {"password": 4711}}}`,
		`{"credHelpers": {"ghcr.io": "x"}, "credsStore": "y"}`, `{"auths": {"ghcr.io": null}}`, "{", "",
	} {
		f.Add(text, "ghcr.io")
	}
	known := map[string]bool{
		"not valid JSON": true, "a value of the wrong type": true, "larger than 1048576 bytes": true,
		`"auth" is not the base64 form of user:password`: true,
	}
	f.Fuzz(func(t *testing.T, text, host string) {
		host = registryOf(host)
		c, err := parseConfig([]byte(text))
		var found *Credentials
		var key string
		if err == nil && host != "" {
			c.helper(host)
			found, key, err = c.find(host)
		}
		if err != nil {
			if _, reason, ok := strings.Cut(err.Error(), ": "); !known[err.Error()] && !(ok && known[reason]) {
				t.Errorf("unexpected words: %v", err)
			}
		}
		if found != nil && registryOf(key) != host {
			t.Errorf("%q is used for %q", key, host)
		}
	})
}
