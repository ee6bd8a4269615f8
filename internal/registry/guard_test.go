package registry_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// Addresses that servers of these tests seem to have.
const (
	somewhere = "203.0.113.9" // public
	nearby    = "10.0.0.5"
)

// moved gives b a client for which its registry is registry.example at an
// address, and knows the other names in elsewhere. Insecure hosts are as told.
func (b *fixture) moved(t *testing.T, at string, elsewhere map[string]place, o registry.Options) *wire {
	t.Helper()
	port := map[bool]string{true: ":80", false: ":443"}[slices.Contains(o.Insecure, "registry.example")]
	w := &wire{places: map[string]place{"registry.example" + port: {b.reg.Host(), at}}}
	for name, p := range elsewhere {
		w.places[name] = p
	}
	transport := w.over(b.reg.Transport())
	t.Cleanup(transport.CloseIdleConnections)
	o.Transport = transport
	b.use(t, o)
	return w
}

// named is the fixture's pack where its registry is registry.example.
func (b *fixture) named() ociref.Reference {
	ref := b.byTag()
	ref.Registry = "registry.example"
	return ref
}

// pull reads the manifest and the blob by that name.
func (b *fixture) pull() error {
	if _, err := b.client.Manifest(context.Background(), b.named()); err != nil {
		return err
	}
	return b.client.Blob(context.Background(), b.named(), b.content(), discard, nil)
}

// localPlaces are where a name may lead that a registry elsewhere has no
// business to name.
var localPlaces = []string{"127.0.0.1", "127.0.0.53", "::1", "0.0.0.0", "169.254.169.254", "fe80::1", "fd00:ec2::254", "100.100.100.200", "::ffff:127.0.0.1", "2002:a9fe:a9fe::", "::ffff:0:7f00:1"}

func TestFault11_RedirectToANameWithALocalAddress(t *testing.T) {
	t.Parallel()
	for _, at := range localPlaces {
		for _, from := range []string{somewhere, nearby} {
			if from == nearby && at != "127.0.0.1" {
				continue
			}
			t.Run(from+" to "+at, func(t *testing.T) {
				t.Parallel()
				everyRequest(t, packtest.Options{}, func(t *testing.T, b *fixture, path string, _ func() error) {
					victim := start(t, packtest.Options{})
					w := b.moved(t, from, map[string]place{"cdn.example:443": {victim.Host(), at}}, registry.Options{})
					b.reg.Inject(fault.Redirect(path+"$", "https://cdn.example/x?s3cret"))
					err := b.pull()
					shown := netip.MustParseAddr(at).Unmap().String()
					wantText(t, err, "GET https://registry.example"+path+": sent to a name with the local address "+shown)
					if e := as[*registry.Error](t, err); e.Tries != 0 {
						t.Errorf("%d tries", e.Tries)
					}
					wantRequests(t, victim)
					if n := countOf(w.targets(), "cdn.example:443"); n != 1 {
						t.Errorf("%d connections: a refusal is never retried", n)
					}
				})
			})
		}
	}
}

func countOf(list []string, word string) (n int) {
	for _, one := range list {
		if one == word {
			n++
		}
	}
	return n
}

func TestFault11_RealmIsANameWithALocalAddress(t *testing.T) {
	t.Parallel()
	for _, at := range localPlaces {
		t.Run(at, func(t *testing.T) {
			b := newFixture(t, private(packtest.Options{}))
			victim := start(t, packtest.Options{Token: true})
			b.reg.Inject(fault.Status("/v2/$", http.StatusUnauthorized, http.Header{"Www-Authenticate": {`Bearer realm="https://auth.example/token"`}}))
			keys := &keychain{has: map[string]credentials.Credentials{"registry.example": good()}}
			w := b.moved(t, somewhere, map[string]place{"auth.example:443": {victim.Host(), at}}, registry.Options{Keychain: keys})
			err := b.pull()
			as[*registry.Error](t, err)
			if want := "sent to a name with the local address " + netip.MustParseAddr(at).Unmap().String(); !strings.HasSuffix(err.Error(), want) {
				t.Errorf("got %q, want it to end with %q", err, want)
			}
			wantRequests(t, victim)
			if n := countOf(w.targets(), "auth.example:443"); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// Private networks may be named, and whoever is there may name its neighbours:
// TLS proves who they are. The same holds of this machine.
func TestFault11_AllowedNeighbours(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		registry, target string // addresses
		host             string // of the target
		want             bool
	}{
		"public, private by name":       {somewhere, "10.0.0.7", "cdn.example", true},
		"public, private literal":       {somewhere, "10.0.0.7", "10.0.0.7", false},
		"public, shared literal":        {somewhere, "100.64.0.7", "100.64.0.7", false},
		"private, private literal":      {nearby, "10.0.0.7", "10.0.0.7", true},
		"private, loopback literal":     {nearby, "127.0.0.1", "127.0.0.1", false},
		"private, metadata literal":     {nearby, "169.254.169.254", "169.254.169.254", false},
		"loopback, loopback by name":    {"127.0.0.1", "127.0.0.1", "cdn.example", true},
		"loopback, loopback literal":    {"127.0.0.1", "127.0.0.1", "127.0.0.1", true},
		"loopback, localhost":           {"::1", "127.0.0.1", "localhost", true},
		"loopback, metadata literal":    {"127.0.0.1", "169.254.169.254", "169.254.169.254", false},
		"loopback, metadata by name":    {"127.0.0.1", "169.254.169.254", "cdn.example", false},
		"loopback, metadata, its name":  {"127.0.0.1", "169.254.169.254", "metadata.google.internal", false},
		"public, name of a public host": {somewhere, somewhere, "cdn.example", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, packtest.Options{})
			ca, _ := identity()
			cert, err := ca.Issue(inYears, test.host)
			if err != nil {
				t.Fatal(err)
			}
			target := start(t, packtest.Options{CA: ca, Certificate: &cert})
			target.PutBlob(repository, b.data)
			b.moved(t, test.registry, map[string]place{test.host + ":443": {target.Host(), test.target}}, registry.Options{})
			b.reg.Inject(fault.RedirectBlob("", "https://"+test.host+b.blobPath()))
			err = b.pull()
			if test.want && err != nil {
				t.Error(err)
			}
			if !test.want {
				reason := ": redirected to a local address"
				if test.host == "cdn.example" {
					reason = ": sent to a name with the local address " + test.target
				}
				wantText(t, err, "GET https://registry.example"+b.blobPath()+reason)
				wantRequests(t, target)
			}
		})
	}
}

// A name may have a public address and a local one. That a connection to the
// local one was made, by whoever owns the name, does not make its owner local.
func TestFault11_NameWithTwoAddresses(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{})
	victim := start(t, packtest.Options{})
	w := b.moved(t, somewhere, nil, registry.Options{})
	if err := b.pull(); err != nil {
		t.Fatal(err)
	}
	w.places["registry.example:443"] = place{b.reg.Host(), "127.0.0.1"}
	w.places[victim.Host()] = place{victim.Host(), "127.0.0.1"}
	b.reg.Stop() // so that another connection is made
	if err := b.reg.Start(); err != nil {
		t.Fatal(err)
	}
	b.reg.Inject(fault.RedirectBlob("", victim.URL()+"/x"))
	err := b.pull()
	wantText(t, err, "GET https://registry.example"+b.blobPath()+": redirected to a local address")
	wantRequests(t, victim)
	if n := countOf(w.targets(), "registry.example:443"); n < 2 {
		t.Errorf("%d connections, want another one", n)
	}
}

// If the ping is redirected, the other host may not ask for anything: neither by a
// realm of its own nor for a password.
func TestFault14b_PingRedirectedElsewhere(t *testing.T) {
	t.Parallel()
	for name, challenge := range map[string]string{
		"Basic": `Basic realm="x"`, "Bearer": `Bearer realm="%s/token",service="x"`, "none": "Negotiate",
	} {
		onEachProtocol(t, private(packtest.Options{}), func(t *testing.T, b *fixture) {
			evil := start(t, packtest.Options{Token: true})
			if strings.Contains(challenge, "%s") {
				challenge = fmt.Sprintf(challenge, evil.URL())
			}
			evil.Inject(fault.Status("/v2/$", http.StatusUnauthorized, http.Header{"Www-Authenticate": {challenge}}))
			b.reg.Inject(fault.Redirect("/v2/$", evil.URL()+"/v2/"))
			keys := b.holding(good())
			keys.has[evil.Host()] = good()
			b.use(t, registry.Options{Keychain: keys})
			err := b.manifest()
			wantText(t, err, "GET "+b.reg.URL()+"/v2/: redirected to another host, which asks for authentication")
			as[*registry.Error](t, err)
			wantShown(t, evil, "GET /v2/")
			wantShown(t, b.reg, "GET /v2/")
			if got := keys.hosts(); len(got) != 0 {
				t.Errorf("%s: the keychain was asked for %q", name, got)
			}
		})
	}
}

// A ping that leads elsewhere and finds nobody who asks is no harm; and a
// manifest that does is a manifest's matter, with nothing shown.
func TestFault14b_ManifestRedirectedElsewhere(t *testing.T) {
	t.Parallel()
	for _, o := range []packtest.Options{{}, {OpenPing: true}, {Token: true}, {Token: true, OpenPing: true}} {
		for _, challenge := range []string{`Basic realm="x"`, `Bearer realm="%s/token"`} {
			b := newFixture(t, private(o))
			evil := start(t, packtest.Options{Token: true})
			challenge := strings.Replace(challenge, "%s", evil.URL(), 1)
			evil.Inject(fault.Status("/", http.StatusUnauthorized, http.Header{"Www-Authenticate": {challenge}}))
			b.reg.Inject(fault.Redirect(b.manifestPath(), evil.URL()+"/away"))
			keys := b.holding(good())
			keys.has[evil.Host()] = good()
			b.use(t, registry.Options{Keychain: keys})
			err := b.manifest()
			as[*registry.Error](t, err)
			for _, r := range evil.Requests() {
				if r.Authorization || r.Carries(packtest.Password) || !strings.HasPrefix(r.Path, "/away") {
					t.Errorf("%+v, %s: %s was sent elsewhere, Authorization %t", o, challenge, r, r.Authorization)
				}
			}
			if slices.Contains(keys.hosts(), evil.Host()) {
				t.Error("the keychain was asked for the other host")
			}
		}
	}
}

func TestFault14c_NoCredentialsOverPlainHTTP(t *testing.T) {
	t.Parallel()
	for name, r := range refusals() {
		for _, at := range []string{somewhere, nearby, "127.0.0.1"} { // a name proves nothing of where it leads
			t.Run(name+" "+at, func(t *testing.T) {
				t.Parallel()
				o := private(r.options)
				o.Plain = true
				b := newFixture(t, o)
				keys := &keychain{has: map[string]credentials.Credentials{"registry.example": good()}}
				b.moved(t, at, nil, registry.Options{Keychain: keys, Insecure: []string{"registry.example"}})
				err := b.pull()
				as[*registry.Error](t, err)
				_, end := tries(r.status)
				if want := r.says + end + "; credentials are not sent over plain HTTP"; !strings.HasSuffix(err.Error(), want) {
					t.Errorf("got %q, want it to end with %q", err, want)
				}
				for _, request := range b.reg.Requests() {
					if request.Scheme() == "basic" || request.Carries(packtest.Password) || request.Method != http.MethodGet {
						t.Errorf("%s: shows credentials", request)
					}
				}
				if got := keys.hosts(); len(got) != 0 {
					t.Errorf("the keychain was asked for %q", got)
				}
			})
		}
	}
}

// Not even where a name that is this machine's leads elsewhere.
func TestFault14c_LocalhostElsewhere(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]bool{"127.0.0.1": true, "::1": true, nearby: false, somewhere: false} {
		for _, o := range []packtest.Options{{Plain: true}, {Plain: true, Token: true}} {
			b := newFixture(t, private(o))
			keys := &keychain{has: map[string]credentials.Credentials{"localhost:5000": good()}}
			b.moved(t, somewhere, map[string]place{"localhost:5000": {b.reg.Host(), at}}, registry.Options{Keychain: keys, Insecure: []string{"localhost:5000"}})
			ref := b.byTag()
			ref.Registry = "localhost:5000"
			if _, err := b.client.Manifest(context.Background(), ref); (err == nil) != want {
				t.Errorf("%s: error %v", at, err)
			}
			for _, r := range b.reg.Requests() {
				if !want && (r.Scheme() == "basic" || r.Carries(packtest.Password)) {
					t.Errorf("%s: %s shows credentials", at, r)
				}
			}
		}
	}
}

// On this machine nobody listens in.
func TestFault14c_CredentialsOverLoopback(t *testing.T) {
	t.Parallel()
	for name, r := range refusals() {
		t.Run(name, func(t *testing.T) {
			o := private(r.options)
			o.Plain = true
			b := newFixture(t, o)
			b.use(t, registry.Options{Keychain: b.holding(good())})
			if err := b.manifest(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A realm over plain HTTP is no place for credentials, though the host be
// listed; neither if the registry itself is spoken to over HTTPS.
func TestFault14c_PlainRealm(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		plain bool
		at    string // of the registry
	}{"secure registry": {false, somewhere}, "registry on this machine": {true, "127.0.0.1"}} {
		t.Run(name, func(t *testing.T) {
			o := private(packtest.Options{Plain: test.plain})
			b := newFixture(t, o)
			auth := start(t, packtest.Options{Plain: true})
			auth.Inject(fault.Status("/token", http.StatusUnauthorized, nil))
			b.reg.Inject(fault.Status("/v2/$", http.StatusUnauthorized, http.Header{"Www-Authenticate": {`Bearer realm="http://auth.example:5000/token"`}}))
			for _, who := range []credentials.Credentials{good(), {IdentityToken: packtest.Password, Source: good().Source}} {
				host, ref := "registry.example", b.named()
				if test.plain {
					host, ref = b.reg.Host(), b.byTag()
				}
				keys := &keychain{has: map[string]credentials.Credentials{host: who}}
				insecure := []string{"auth.example:5000"}
				if test.plain {
					insecure = append(insecure, b.reg.Host())
				}
				b.moved(t, test.at, map[string]place{"auth.example:5000": {auth.Host(), somewhere}, b.reg.Host(): {b.reg.Host(), test.at}},
					registry.Options{Keychain: keys, Insecure: insecure})
				_, err := b.client.Manifest(context.Background(), ref)
				as[*registry.Error](t, err)
				for _, r := range auth.Requests() {
					if r.Authorization || r.Carries(packtest.Password) {
						t.Errorf("%s over plain HTTP shows credentials; %v", r, err)
					}
				}
			}
		})
	}
}
