package registry_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// everyRequest runs a test for each kind of request: the path that a fault is
// to match, and the call that makes the request.
func everyRequest(t *testing.T, o packtest.Options, test func(t *testing.T, b *fixture, path string, call func() error)) {
	t.Helper()
	o.Token = true
	for _, kind := range []string{"ping", "token", "manifest", "blob"} {
		t.Run(kind, func(t *testing.T) {
			onEachProtocol(t, o, func(t *testing.T, b *fixture) {
				blob := func() error { _, err := b.blob(); return err }
				switch kind {
				case "ping":
					test(t, b, "/v2/", b.manifest)
				case "token":
					test(t, b, "/token", b.manifest)
				case "manifest":
					test(t, b, b.manifestPath(), b.manifest)
				case "blob":
					test(t, b, b.blobPath(), blob)
				}
			})
		})
	}
}

func TestFault12_RedirectLoop(t *testing.T) {
	everyRequest(t, packtest.Options{}, func(t *testing.T, b *fixture, path string, call func() error) {
		b.reg.Inject(fault.RedirectLoop(path + "$"))
		err := call()
		wantText(t, err, "GET "+b.reg.URL()+path+": stopped after 10 redirects")
		as[*registry.Error](t, err)
		n := 0
		for _, r := range b.reg.Requests() {
			if at, _, _ := strings.Cut(r.Path, "?"); at == path {
				n++
			}
		}
		if n < 2 || n > 11 {
			t.Errorf("%d requests, want at most 1 and 10 hops", n)
		}
	})
}

func TestFault12_TenHopsAreFollowed(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.reg.Inject(fault.First(10, fault.RedirectLoop(b.blobPath())))
	if got, err := b.blob(); err != nil || !bytes.Equal(got, b.data) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestFault13_BlobRedirectedToAnotherHost(t *testing.T) {
	ca, err := packtest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	onEachProtocol(t, packtest.Options{CA: ca, Token: true}, func(t *testing.T, b *fixture) {
		other := packtest.StartRegistry(t, packtest.Options{CA: ca})
		other.PutBlob("store", b.data)
		path := "/v2/store/blobs/" + b.pushed.Layers[0].String() + "?X-Signature=s3cret"
		b.reg.Inject(fault.RedirectBlob("", other.URL()+path))
		got, err := b.blob()
		if err != nil || !bytes.Equal(got, b.data) {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		wantRequests(t, other, "GET "+path)
		if r := other.Requests()[0]; r.Authorization {
			t.Errorf("the other host was sent an Authorization")
		}
		if r := b.reg.Requests()[2]; r.String() != "GET "+b.blobPath() || !r.Authorization {
			t.Errorf("%s: Authorization %t", r, r.Authorization)
		}
	})
}

func TestRedirectWithinTheRegistryKeepsTheToken(t *testing.T) {
	b := newFixture(t, packtest.Options{Token: true})
	b.reg.Inject(fault.Redirect(b.manifestPath(), "/v2/"+repository+"/manifests/"+b.pushed.ManifestDigest.String()))
	if err := b.manifest(); err != nil {
		t.Error(err)
	}
}

func TestFault14_RedirectToPlainHTTP(t *testing.T) {
	for name, listed := range map[string]bool{"a host that is not listed": false, "a listed host": true} {
		t.Run(name, func(t *testing.T) {
			everyRequest(t, packtest.Options{}, func(t *testing.T, b *fixture, path string, call func() error) {
				plain := packtest.StartRegistry(t, packtest.Options{Plain: true})
				w := &wire{}
				var insecure []string
				if listed {
					insecure = []string{plain.Host()}
				}
				b.client = newClient(t, w.over(b.reg.Transport()), insecure...)
				b.reg.Inject(fault.Redirect(path+"$", plain.URL()+"/away?s3cret=1"))
				err := call()
				wantText(t, err, fmt.Sprintf("GET %s%s: redirected to plain HTTP (%s/away)", b.reg.URL(), path, plain.URL()))
				as[*registry.ProtocolError](t, err)
				wantRequests(t, plain)
				for _, protocol := range w.protocols() {
					if protocol != "tls" {
						t.Errorf("a connection was %s", protocol)
					}
				}
			})
		})
	}
}

func TestRedirectBetweenListedPlainHosts(t *testing.T) {
	b := newFixture(t, packtest.Options{Plain: true})
	other := packtest.StartRegistry(t, packtest.Options{Plain: true})
	other.PutBlob(repository, b.data)
	b.reg.Inject(fault.Redirect(b.blobPath(), other.URL()+b.blobPath()))

	_, err := b.blob()
	wantText(t, err, fmt.Sprintf("GET %s%s: redirected to plain HTTP (%s%[2]s)", b.reg.URL(), b.blobPath(), other.URL()))
	wantRequests(t, other)

	b.client = newClient(t, b.reg.Transport(), b.reg.Host(), other.Host())
	if got, err := b.blob(); err != nil || !bytes.Equal(got, b.data) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

// A redirect's target may hold a signature, and does not belong in a message.
func TestFault10_RedirectTargetIsNotShown(t *testing.T) {
	ca, err := packtest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	other := packtest.StartRegistry(t, packtest.Options{CA: ca})
	other.Inject(fault.Status("/", http.StatusForbidden, nil))
	gone := packtest.StartRegistry(t, packtest.Options{CA: ca})
	gone.Stop()
	for name, location := range map[string]string{
		"refuses":       other.URL() + "/blob?X-Signature=s3cret",
		"with a login":  strings.Replace(gone.URL(), "://", "://user:s3cret@", 1) + "/blob?X-Signature=s3cret",
		"not a URL":     "https://" + other.Host() + "/%zz?X-Signature=s3cret",
		"no scheme's":   "ftp://user:s3cret@" + other.Host() + "/blob?X-Signature=s3cret",
		"control bytes": "https://" + other.Host() + "/\x1b[2J?X-Signature=s3cret",
	} {
		t.Run(name, func(t *testing.T) {
			everyRequest(t, packtest.Options{CA: ca}, func(t *testing.T, b *fixture, path string, call func() error) {
				if path == "/v2/" && name == "refuses" {
					t.Skip("a ping that is refused is forgiven")
				}
				if b.reg.HTTP2() && name == "control bytes" {
					t.Skip("net/http sends no such header over HTTP/2")
				}
				b.reg.Inject(fault.Redirect(path+"$", location))
				err := call()
				wantHarmless(t, err)
			})
		})
	}
}
