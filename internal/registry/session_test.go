package registry_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// identified gives b, a public registry with tokens, a client that was refused
// once and therefore shows credentials.
func identified(t *testing.T) *fixture {
	t.Helper()
	b := newFixture(t, private(packtest.Options{Token: true, Private: []string{"elsewhere/*"}}))
	b.use(t, registry.Options{Keychain: b.holding(good())})
	for range 2 {
		if err := b.manifest(); err != nil {
			t.Fatal(err)
		}
		b.reg.Inject(fault.First(1, fault.Status(b.manifestPath(), http.StatusTooManyRequests, nil)))
	}
	manifest := "GET " + b.manifestPath() + " bearer"
	wantShown(t, b.reg, "GET /v2/", "GET /token", manifest, manifest, "GET /token basic", manifest)
	b.reg.Inject()
	b.reg.ResetRequests()
	return b
}

// Credentials that are revoked meanwhile do not stand in the way of what
// everybody may see.
func TestFault25_CredentialsRevokedInTheMiddle(t *testing.T) {
	t.Parallel()
	b := identified(t)
	b.reg.ExpireTokens()
	revoked := fault.Status("/token", http.StatusUnauthorized, nil)
	revoked.Match = func(r *http.Request) bool { return r.URL.Path == "/token" && r.Header.Get("Authorization") != "" }
	b.reg.Inject(revoked)
	manifest := "GET " + b.manifestPath() + " bearer"
	for range 2 {
		if err := b.manifest(); err != nil {
			t.Fatal(err)
		}
	}
	wantShown(t, b.reg, manifest, "GET /token basic", manifest, "GET /token", manifest, manifest)
}

// The failure of an anonymous request beside one with credentials says nothing about
// the credentials.
func TestPrivateRepositoryWithoutATagInTrouble(t *testing.T) {
	t.Parallel()
	b := newFixture(t, private(packtest.Options{}))
	b.use(t, registry.Options{Keychain: b.holding(good())})
	if err := b.manifest(); err != nil {
		t.Fatal(err)
	}
	missing := b.byTag()
	missing.Tag = "2.0"
	trouble := fault.Status("/v2/", http.StatusServiceUnavailable, nil)
	match := trouble.Match
	trouble.Match = func(r *http.Request) bool { return match(r) && r.Header.Get("Authorization") == "" }
	b.reg.Inject(fault.First(1, trouble))
	if _, err := b.client.Manifest(context.Background(), missing); !as[*registry.Error](t, err).IsNotFound() {
		t.Errorf("got %v", err)
	}
	if err := b.manifest(); err != nil {
		t.Errorf("what is there: %v", err)
	}
}

// A look-up of credentials ends when its last caller leaves, and the error says so.
func TestFault07_CancelWhileCredentialsAreLookedUp(t *testing.T) {
	t.Parallel()
	b := newFixture(t, private(packtest.Options{Token: true}))
	ctx, cancel := context.WithCancel(context.Background())
	asked := make(chan struct{})
	b.use(t, registry.Options{Keychain: keychainFunc(func(ctx context.Context) (*credentials.Credentials, error) {
		close(asked)
		<-ctx.Done()
		return nil, context.Cause(ctx)
	})})
	done := ended(func() error {
		_, err := b.client.Manifest(ctx, b.byTag())
		return err
	})
	wait(t, "the keychain", asked)
	cancel()
	wantCanceled(t, done)
}

type keychainFunc func(context.Context) (*credentials.Credentials, error)

func (f keychainFunc) Find(ctx context.Context, _ string) (*credentials.Credentials, error) {
	return f(ctx)
}

// A missing manifest in a private repository says nothing about the credentials: the
// rest of the repository stays readable.
func TestPrivateRepositoryWithoutATag(t *testing.T) {
	eachRefusal(t, func(t *testing.T, b *fixture, r refusal) {
		b.use(t, registry.Options{Keychain: b.holding(good())})
		missing := b.byTag()
		missing.Tag = "2.0"
		path := strings.Replace(b.manifestPath(), "1.0", "2.0", 1)
		for range 2 {
			_, err := b.client.Manifest(context.Background(), missing)
			if e := as[*registry.Error](t, err); !e.IsNotFound() || !strings.HasPrefix(err.Error(), "GET "+b.reg.URL()+path+": 404 ") {
				t.Errorf("got %v", err)
			}
			if !strings.Contains(err.Error(), configFile) {
				t.Errorf("%q does not say with which credentials", err)
			}
			if err := b.manifest(); err != nil {
				t.Errorf("what is there: %v", err)
			}
		}
	})
}

// Any number of goroutines share one token for nobody and one for the user.
func TestPrivateConcurrently(t *testing.T) {
	for name, r := range refusals() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := private(r.options)
			o.HTTP2 = name != "token" // many connections take their time
			pullByMany(t, newFixture(t, o), r)
		})
	}
}

func pullByMany(t *testing.T, b *fixture, r refusal) {
	b.use(t, registry.Options{Keychain: b.holding(good())})
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			if err := b.manifest(); err != nil {
				t.Error(err)
			}
			if err := b.client.Blob(context.Background(), b.byDigest(), b.content(), discard, nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	seen := map[string]int{}
	for _, line := range shown(b.reg) {
		seen[line]++
	}
	if seen["GET /v2/"] != 1 || r.options.Token && (seen["GET /token"] != 1 || seen["GET /token basic"] != 1) {
		t.Errorf("requests: %v", seen)
	}
}
