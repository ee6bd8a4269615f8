//go:build unix

package credentials

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// canary is the secret that stands everywhere.
const canary = "CANARY"

// wantSilent fails if any way to show a value shows the canary.
func wantSilent(t *testing.T, values ...any) {
	t.Helper()
	for _, value := range values {
		var shown []string
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
			shown = append(shown, fmt.Sprintf(verb, value), fmt.Sprintf(verb, []any{value}), fmt.Sprintf(verb, struct{ X any }{value}))
		}
		text, err := json.Marshal(value)
		if err != nil {
			t.Error(err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
		shown = append(shown, string(text), log.String(), fmt.Sprint(fmt.Errorf("cannot pull: %v", value)))
		for _, s := range shown {
			hex := fmt.Sprintf("%x", canary)
			if strings.Contains(s, canary) || strings.Contains(strings.ToLower(s), hex) || strings.Contains(s, base64.StdEncoding.EncodeToString([]byte(canary))) {
				t.Errorf("%T shows it: %s", value, s)
			}
		}
	}
}

// No secret is in any message: not of a configuration, nor of a helper's
// output or standard error, whether they are good or not.
func TestFault10_NoSecretIsShown(t *testing.T) {
	auth := base64.StdEncoding.EncodeToString([]byte("alice:" + canary))
	for name, config := range map[string]string{
		"auth":              `{"auths": {"ghcr.io": {"auth": "` + auth + `"}}}`,
		"password":          `{"auths": {"ghcr.io": {"username": "CANARY", "password": "CANARY"}}}`,
		"identity token":    `{"auths": {"ghcr.io": {"identitytoken": "CANARY"}}}`,
		"registry token":    `{"auths": {"ghcr.io": {"registrytoken": "CANARY"}}}`,
		"not JSON":          `CANARY`,
		"broken off":        `{"auths": {"ghcr.io": {"auth": "` + auth,
		"wrong type":        `{"auths": {"ghcr.io": {"password": ["CANARY"]}}}`,
		"no object":         `"CANARY"`,
		"not base64":        `{"auths": {"ghcr.io": {"auth": "CANARY!"}}}`,
		"base64 of half":    `{"auths": {"ghcr.io": {"auth": "` + base64.StdEncoding.EncodeToString([]byte(canary)) + `"}}}`,
		"key":               `{"auths": {"https://alice:CANARY@ghcr.io/v1/": {"auth": "` + auth + `"}}}`,
		"no helper's name":  `{"credsStore": "CANARY "}`,
		"helper: good":      `{"credsStore": "good"}`,
		"helper: token":     `{"credsStore": "token"}`,
		"helper: fails":     `{"credsStore": "fails"}`,
		"helper: not JSON":  `{"credsStore": "text"}`,
		"helper: half JSON": `{"credsStore": "half"}`,
		"helper: number":    `{"credsStore": "number"}`,
		"helper: long":      `{"credsStore": "long"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t)
			b.helper("good", `echo '{"Username": "CANARY", "Secret": "CANARY"}'; echo CANARY >&2`)
			b.helper("token", `echo '{"Username": "<token>", "Secret": "CANARY"}'`)
			b.helper("fails", `echo CANARY; echo CANARY >&2; exit 1`)
			b.helper("text", `echo CANARY; echo CANARY >&2`)
			b.helper("half", `echo '{"Username": "CANARY", "Secret": "CANARY'`)
			b.helper("number", `echo '{"Username": "CANARY", "Secret": {"CANARY": "CANARY"}}'`)
			b.helper("long", `while :; do echo CANARY; done`)
			for _, inVariable := range []bool{false, true} {
				b.write(dockerFile, config)
				if inVariable {
					b.env[dockerAuthConfig] = config
				}
				k := b.keychain()
				found, err := k.Find(t.Context(), "ghcr.io")
				e := k.Explain(t.Context(), "ghcr.io")
				values := []any{k, e}
				if found != nil {
					values = append(values, found, *found, found.Source)
				}
				var failed *Error
				if errors.As(err, &failed) {
					values = append(values, err, err.Error(), failed, *failed)
				}
				for _, place := range e.Places {
					values = append(values, place, place.Source)
					if place.Err != nil {
						values = append(values, place.Err, place.Err.Error())
					}
				}
				wantSilent(t, values...)
			}
		})
	}
}

// Their text shows their kind and their place instead.
func TestCredentialsString(t *testing.T) {
	source := Source{File: "/home/u/.docker/config.json", Key: "ghcr.io"}
	helped := Source{File: "/home/u/.docker/config.json", Key: "ghcr.io", Helper: "docker-credential-gh"}
	for _, test := range []struct {
		c    Credentials
		want string
	}{
		{Credentials{Username: "u", Password: "p", Source: source}, "a user name and a password from /home/u/.docker/config.json"},
		{Credentials{Username: "u", IdentityToken: "t", Source: helped}, "an identity token from docker-credential-gh, which /home/u/.docker/config.json names"},
		{Credentials{RegistryToken: "t", IdentityToken: "t", Source: source}, "a registry token from /home/u/.docker/config.json"},
	} {
		for _, got := range []string{test.c.String(), fmt.Sprintf("%+v", &test.c), fmt.Sprintf("%#v", test.c), test.c.GoString()} {
			if got != test.want {
				t.Errorf("%s\nwant %s", got, test.want)
			}
		}
	}
}
