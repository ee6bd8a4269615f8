package fault

import (
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

func TestRedirects(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	other := packtest.StartRegistry(t, packtest.Options{CA: b.CA()})
	b.Inject(RedirectBlob(b.blob, other.URL()+"/elsewhere"), Redirect("/v2/$", "http://"+other.Host()+"/v2/"), RedirectLoop("/token"))
	for path, want := range map[string]string{
		b.blobPath:           other.URL() + "/elsewhere",
		"/v2/":               "http://" + other.Host() + "/v2/",
		"/token":             "/token?hop=1",
		"/token?a=b&hop=777": "/token?hop=778",
	} {
		got := reply.Ask(t, b.Registry, "GET", path)
		reply.Want(t, got, 307, "")
		reply.WantHeader(t, got, "Location", want)
	}
}

func TestPresignedOnce(t *testing.T) {
	ca, err := packtest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	for _, http2 := range []bool{false, true} {
		b := newFixture(t, packtest.Options{CA: ca, HTTP2: http2})
		store := newFixture(t, packtest.Options{CA: ca, HTTP2: http2})
		b.Inject(PresignBlob(b.blob, store.URL()))
		store.Inject(Over(SignedOnce("/v2/"), First(1, AbortBlob("", 4))))

		broken := reply.Follow(t, b.Registry, b.blobPath)
		if broken.Err == nil || string(broken.Body) != "0123" {
			t.Errorf("first: %s %q, %v", broken.Status, broken.Body, broken.Err)
		}
		signed := strings.TrimPrefix(broken.Request.URL.String(), store.URL())
		if want := b.blobPath + "?X-Amz-Signature=secret-signature-1"; signed != want {
			t.Errorf("redirected to %s, want %s", signed, want)
		}
		expired := "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
		reply.Want(t, reply.Ask(t, store.Registry, "GET", signed, "Range", "bytes=4-"), 403, expired)
		reply.Want(t, reply.Ask(t, store.Registry, "GET", b.blobPath), 403, expired)
		reply.Want(t, reply.Ask(t, store.Registry, "GET", signed+"9", "Authorization", "Bearer x"), 400,
			"<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>")

		rest := reply.Follow(t, b.Registry, b.blobPath, "Range", "bytes=4-")
		reply.Want(t, rest, 206, "456789")
		reply.WantHeader(t, rest, "Content-Range", "bytes 4-9/10")
		if got := store.Requests()[len(store.Requests())-1]; got.Authorization || !got.Carries("secret-signature-2") {
			t.Errorf("the last request to the store was %+v", got)
		}
		if n := len(b.Requests()); n != 2 {
			t.Errorf("%d requests to the registry, want 2", n)
		}
	}
}

// Row 14b: another host than the registry's demands credentials.
func TestPingRedirectedToAnotherRealm(t *testing.T) {
	for _, challenge := range []string{`Basic realm="other"`, `Bearer realm="https://other.example/token"`} {
		b := newFixture(t, packtest.Options{})
		other := packtest.StartRegistry(t, packtest.Options{CA: b.CA()})
		b.Inject(Redirect("/v2/$", other.URL()+"/v2/"))
		f, err := New("challenge", "/v2/$", challenge)
		if err != nil {
			t.Fatal(err)
		}
		other.Inject(f)
		got := reply.Follow(t, b.Registry, "/v2/")
		reply.Want(t, got, 401, `{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized"}]}`+"\n")
		reply.WantHeader(t, got, "WWW-Authenticate", challenge)
		if got.Request.URL.Host != other.Host() {
			t.Errorf("answered by %s", got.Request.URL.Host)
		}
	}
}
