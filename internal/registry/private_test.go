package registry_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

const configFile = "/home/me/.docker/config.json"

// good are the credentials of the private registries of these tests.
func good() credentials.Credentials {
	return credentials.Credentials{Username: packtest.User, Password: packtest.Password, Source: credentials.Source{File: configFile}}
}

// stale are credentials that nobody takes.
func stale() credentials.Credentials {
	who := good()
	who.Username, who.Password = "s3cret-user", "s3cret-password"
	return who
}

// holding returns a keychain with these credentials for b's registry.
func (b *fixture) holding(who credentials.Credentials) *keychain {
	return &keychain{has: map[string]credentials.Credentials{b.reg.Host(): who}}
}

// private returns options of a registry whose repositories are private.
func private(o packtest.Options) packtest.Options {
	o.User, o.Password = packtest.User, packtest.Password
	return o
}

// shown returns the requests that reached reg, without queries, and what each
// showed of who made it.
func shown(reg *packtest.Registry) []string {
	list := []string{}
	for _, r := range reg.Requests() {
		path, _, _ := strings.Cut(r.Path, "?")
		list = append(list, strings.TrimSpace(r.Method+" "+path+" "+r.Scheme()))
	}
	return list
}

func wantShown(t *testing.T, reg *packtest.Registry, want ...string) {
	t.Helper()
	if got := shown(reg); !slices.Equal(got, want) {
		t.Errorf("requests:\n got %q\nwant %q", got, want)
	}
}

// A refusal is a way of private registries, and what is asked of one.
type refusal struct {
	options packtest.Options
	before  []string // the requests up to the refusal of the anonymous one
	after   []string // those with credentials
	status  int      // of the refusal
	says    string   // it
	atToken bool     // it is the token endpoint that refuses
}

func refusals() map[string]refusal {
	const (
		ping, token, own             = "GET /v2/", "GET /token", "GET /token basic"
		manifest                     = "GET /v2/" + repository + "/manifests/1.0"
		asked, unknown, denied, many = "UNAUTHORIZED: authentication required", "NAME_UNKNOWN: repository name not known to registry",
			"DENIED: requested access to the resource is denied", "TOOMANYREQUESTS: you have reached your pull rate limit"
	)
	basic := []string{manifest + " basic"}
	bearer := []string{own, manifest + " bearer"}
	atManifest := []string{ping, token, manifest + " bearer"}
	return map[string]refusal{
		"basic":              {packtest.Options{}, []string{ping, manifest}, basic, 401, asked, false},
		"basic, denied":      {packtest.Options{Refusal: packtest.RefuseDenied}, []string{ping, manifest}, basic, 403, denied, false},
		"basic, hidden":      {packtest.Options{Refusal: packtest.RefuseHidden}, []string{ping, manifest}, basic, 404, unknown, false},
		"basic, limited":     {packtest.Options{Refusal: packtest.RefuseLimited}, []string{ping, manifest}, basic, 429, many, false},
		"basic, open ping":   {packtest.Options{OpenPing: true}, []string{ping, manifest}, basic, 401, asked, false},
		"token":              {packtest.Options{Token: true}, []string{ping, token}, bearer, 401, asked, true},
		"token, denied":      {packtest.Options{Token: true, Refusal: packtest.RefuseDenied}, []string{ping, token}, bearer, 403, denied, true},
		"token, open ping":   {packtest.Options{Token: true, OpenPing: true}, []string{ping, manifest, token}, bearer, 401, asked, true},
		"access token alone": {packtest.Options{Token: true, AccessTokenOnly: true}, []string{ping, token}, bearer, 401, asked, true},
		"scope":              {packtest.Options{Token: true, Refusal: packtest.RefuseScope}, atManifest, bearer, 401, asked, false},
		"hidden":             {packtest.Options{Token: true, Refusal: packtest.RefuseHidden}, atManifest, bearer, 404, unknown, false},
		"limited":            {packtest.Options{Token: true, Refusal: packtest.RefuseLimited}, atManifest, bearer, 429, many, false},
	}
}

// url returns the URL that the refusal's message names.
func (r refusal) url(b *fixture) string {
	if r.atToken {
		return b.reg.URL() + "/token"
	}
	return b.reg.URL() + b.manifestPath()
}

// eachRefusal runs a test for every way of private registries.
func eachRefusal(t *testing.T, test func(t *testing.T, b *fixture, r refusal)) {
	t.Helper()
	for name, r := range refusals() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newFixture(t, private(r.options)), r)
		})
	}
}

// Anonymous first, then with credentials, and from then on with them alone.
func TestPrivateWithCredentials(t *testing.T) {
	eachRefusal(t, func(t *testing.T, b *fixture, r refusal) {
		var w waits
		o := w.options()
		keys := b.holding(good())
		o.Keychain = keys
		b.use(t, o)
		if err := b.manifest(); err != nil {
			t.Fatal(err)
		}
		wantShown(t, b.reg, slices.Concat(r.before, r.after)...)
		w.want(t, 0, 0)
		b.wantAuthorizations(t, r.options.Token)

		b.reg.ResetRequests()
		got, err := b.fetch()
		b.wantPack(t, got, err)
		scheme := map[bool]string{true: "bearer", false: "basic"}[r.options.Token]
		wantShown(t, b.reg, "GET "+b.blobPath()+" "+scheme)
		if got := keys.hosts(); !slices.Equal(got, []string{b.reg.Host()}) {
			t.Errorf("the keychain was asked for %q", got)
		}
	})
}

// HEAD and the list of tags are no other than GET of a manifest.
func TestPrivateHeadAndTags(t *testing.T) {
	eachRefusal(t, func(t *testing.T, b *fixture, r refusal) {
		b.use(t, registry.Options{Keychain: b.holding(good())})
		if same, err := b.client.Unchanged(context.Background(), b.byTag(), b.pushed.ManifestDigest); err != nil || !same {
			t.Errorf("got %t, %v", same, err)
		}
		b.use(t, registry.Options{Keychain: b.holding(good())})
		if tags, err := b.client.Tags(context.Background(), b.byTag()); err != nil || !slices.Equal(tags, []string{"1.0"}) {
			t.Errorf("got %q, %v", tags, err)
		}
	})
}

// wantAuthorizations checks the values of all Authorization headers: Basic ones
// are the user's, and a token for credentials is another than one for nobody.
func (b *fixture) wantAuthorizations(t *testing.T, token bool) {
	t.Helper()
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(packtest.User+":"+packtest.Password))
	bearers := map[string]bool{}
	for _, r := range b.reg.Requests() {
		switch value := r.Header.Get("Authorization"); {
		case r.Scheme() == "basic" && value != basic:
			t.Errorf("%s: Authorization %q, want %q", r, value, basic)
		case r.Scheme() == "basic" && token && !strings.HasPrefix(r.Path, "/token"):
			t.Errorf("%s: was shown the password", r)
		case r.Scheme() == "bearer":
			if bearers[value] {
				t.Errorf("%s: shows a token that was refused", r)
			}
			bearers[value] = true
		}
	}
}

func TestFault10_PrivateWithoutCredentials(t *testing.T) {
	eachRefusal(t, func(t *testing.T, b *fixture, r refusal) {
		for name, keys := range map[string]*keychain{"no keychain": nil, "empty keychain": {}} {
			var w waits
			o := w.options()
			if keys != nil {
				o.Keychain = keys
			}
			b.reg.ResetRequests()
			b.use(t, o)
			err := b.manifest()
			_, end := tries(r.status)
			if keys != nil {
				end += "; there are no credentials for " + b.reg.Host()
			}
			wantText(t, err, fmt.Sprintf("GET %s: %s: %s%s", r.url(b), statusText(r.status), r.says, end))
			if r.status == 429 {
				w.want(t, 4, 429)
				continue
			}
			wantShown(t, b.reg, r.before...)
			if keys != nil && !slices.Equal(keys.hosts(), []string{b.reg.Host()}) {
				t.Errorf("%s: was asked for %q", name, keys.hosts())
			}
		}
	})
}

// The message names where the credentials are from, never what they are.
func TestFault10_PrivateWithWrongCredentials(t *testing.T) {
	eachRefusal(t, func(t *testing.T, b *fixture, r refusal) {
		b.use(t, registry.Options{Keychain: b.holding(stale())})
		err := b.manifest()
		_, end := tries(r.status)
		status := fmt.Sprintf("%d %s", r.status, http.StatusText(r.status))
		wantText(t, err, fmt.Sprintf("GET %s: %s: %s%s; with the credentials of %s: 401 Unauthorized", r.url(b), status, r.says, end, configFile))
		wantHarmless(t, err)
		if e := as[*registry.Error](t, err); e.Status != r.status {
			t.Errorf("status %d", e.Status)
		}
		// They are tried once, however often the rest is.
		n := 0
		for _, request := range b.reg.Requests() {
			if request.Scheme() == "basic" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("credentials were shown %d times: %q", n, shown(b.reg))
		}
	})
}

// A failed look-up of credentials is reported if they might have helped.
func TestFault25_KeychainFails(t *testing.T) {
	eachRefusal(t, func(t *testing.T, b *fixture, r refusal) {
		keys := &keychain{err: errors.New(configFile + ": not valid JSON")}
		b.use(t, registry.Options{Keychain: keys})
		err := b.manifest()
		_, end := tries(r.status)
		wantText(t, err, fmt.Sprintf("GET %s: %s: %s%s; there may be credentials, but %s: not valid JSON",
			r.url(b), statusText(r.status), r.says, end, configFile))
	})
}

// A public pull has nothing to do with credentials, be they stale or unreadable.
func TestFault25_PublicPullNeedsNoKeychain(t *testing.T) {
	t.Parallel()
	for _, o := range []packtest.Options{{}, {Token: true}, {Token: true, OpenPing: true}, private(packtest.Options{Token: true, Private: []string{"elsewhere/*"}})} {
		onEachProtocol(t, o, func(t *testing.T, b *fixture) {
			keys := b.holding(stale())
			b.use(t, registry.Options{Keychain: keys})
			if err := b.manifest(); err != nil {
				t.Error(err)
			}
			got, err := b.fetch()
			b.wantPack(t, got, err)
			if got := keys.hosts(); len(got) != 0 {
				t.Errorf("the keychain was asked for %q", got)
			}
			for _, r := range b.reg.Requests() {
				if r.Scheme() == "basic" || r.Carries("s3cret") {
					t.Errorf("%s: shows credentials", r)
				}
			}
		})
	}
}

// A limit for the anonymous has stale credentials tried, and then waits.
func TestFault25_StaleCredentialsWhereThePublicIsLimited(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{Token: true})
	var w waits
	o := w.options()
	o.Keychain = b.holding(stale())
	b.use(t, o)
	b.reg.Inject(fault.First(1, fault.Status(b.manifestPath(), http.StatusTooManyRequests, http.Header{"Retry-After": {"3"}})))
	if err := b.manifest(); err != nil {
		t.Fatal(err)
	}
	w.want(t, 1, http.StatusTooManyRequests)
	manifest := "GET " + b.manifestPath() + " bearer"
	wantShown(t, b.reg, "GET /v2/", "GET /token", manifest, "GET /token basic", manifest)
}
