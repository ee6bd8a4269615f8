package registry_test

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

// Every request to a mirror carries the namespace, however it got its query.
func TestMirrorNamespace(t *testing.T) {
	b := newFixture(t, packtest.Options{TagPage: 1, Referrers: true})
	packtest.MustPush(t, b.reg, repository, "1.1", packtest.Pack(b.data, "bed.gtpack"))
	c := b.client.Mirror(registry.Mirror{Namespace: "ghcr.io:5000"})
	ctx := t.Context()
	_, manifestErr := c.Manifest(ctx, b.byTag())
	blobErr := c.Blob(ctx, b.byTag(), b.content(), discard, nil)
	tags, tagsErr := c.Tags(ctx, b.byTag())
	_, sameErr := c.Unchanged(ctx, b.byTag(), b.pushed.ManifestDigest)
	_, referrersErr := c.Referrers(ctx, b.byTag(), b.pushed.ManifestDigest, "x/y")
	if err := errors.Join(manifestErr, blobErr, tagsErr, sameErr, referrersErr); err != nil || len(tags) != 2 {
		t.Fatalf("tags %q, %v", tags, err)
	}
	for _, r := range b.reg.Requests() {
		if got := namespaces(t, r); r.Path != "/v2/" && !slices.Equal(got, []string{"ghcr.io:5000"}) {
			t.Errorf("%s: ns = %q", r, got)
		}
	}
	b.reg.ResetRequests()
	if _, err := b.client.Manifest(ctx, b.byTag()); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.reg.Requests() {
		if got := namespaces(t, r); got != nil {
			t.Errorf("%s: ns = %q", r, got)
		}
	}
}

// namespaces returns the values of ns in a request.
func namespaces(t *testing.T, r packtest.Request) []string {
	t.Helper()
	u, err := url.Parse(r.Path)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()["ns"]
}

// A source after which another comes is asked once, the ping too; nobody waits.
func TestMirrorOnce(t *testing.T) {
	for _, path := range []string{"/v2/" + repository, "/v2/"} {
		b := newFixture(t, packtest.Options{})
		b.use(t, registry.Options{Sleep: func(context.Context, time.Duration) error {
			t.Error("it waits")
			return nil
		}})
		b.reg.Inject(fault.Status(path, 503, nil))
		_, err := b.client.Mirror(registry.Mirror{Once: true}).Manifest(t.Context(), b.byTag())
		var e *registry.Error
		if !errors.As(err, &e) || e.Status != 503 || e.Tries != 0 || e.IsUnanswered() {
			t.Errorf("%s: %v", path, err)
		}
		b.reg.Inject()
		if _, err := b.client.Manifest(t.Context(), b.byTag()); err != nil {
			t.Errorf("%s: afterwards: %v", path, err)
		}
	}
}

func TestMirrorUnanswered(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.reg.Stop()
	_, err := b.client.Mirror(registry.Mirror{Once: true}).Manifest(t.Context(), b.byTag())
	var e *registry.Error
	if !errors.As(err, &e) || !e.IsUnanswered() || e.IsRefusal() {
		t.Errorf("%v", err)
	}
}

// A mirror may be on this machine or in a private network, where the user has it. Nobody
// has one at a link-local address.
func TestMirrorAddresses(t *testing.T) {
	for _, test := range []struct {
		at      string
		refused bool
	}{{somewhere, false}, {nearby, false}, {"127.0.0.1", false}, {"::1", false}, {"169.254.169.254", true}, {"fe80::1", true}, {"fd00:ec2::254", true}, {"100.100.100.200", true}, {"2002:a9fe:a9fe::", true}} {
		b := newFixture(t, packtest.Options{Plain: true})
		b.moved(t, test.at, nil, registry.Options{Insecure: []string{"registry.example"}})
		if _, err := b.client.Manifest(t.Context(), b.named()); err != nil {
			t.Errorf("%s: as a registry: %v", test.at, err)
		}
		b = newFixture(t, packtest.Options{Plain: true})
		b.moved(t, test.at, nil, registry.Options{Insecure: []string{"registry.example"}})
		_, err := b.client.Mirror(registry.Mirror{}).Manifest(t.Context(), b.named())
		var e *registry.Error
		if refused := errors.As(err, &e) && e.IsRefusal(); refused != test.refused || !refused && err != nil || len(b.reg.Requests()) > 0 == refused {
			t.Errorf("%s: %v", test.at, err)
		}
	}
}

// Credentials for a mirror are not sent over plain HTTP, except to this machine's loopback
// address, whatever the file of mirrors and insecure_registries allow.
func TestFault14f_MirrorOverPlainHTTP(t *testing.T) {
	t.Parallel()
	for _, at := range []string{somewhere, nearby, "127.0.0.1"} { // a name proves nothing of where it leads
		for _, o := range []packtest.Options{{Plain: true}, {Plain: true, Token: true}} {
			b := newFixture(t, private(o))
			keys := &keychain{has: map[string]credentials.Credentials{"registry.example": good()}}
			b.moved(t, at, nil, registry.Options{Keychain: keys, Insecure: []string{"registry.example"}})
			_, err := b.client.Mirror(registry.Mirror{Once: true}).Manifest(t.Context(), b.named())
			if err == nil || !strings.HasSuffix(err.Error(), "; credentials are not sent over plain HTTP") {
				t.Errorf("%s: %v", at, err)
			}
			for _, r := range b.reg.Requests() {
				if r.Scheme() == "basic" || r.Carries(packtest.Password) {
					t.Errorf("%s: %s shows credentials", at, r)
				}
			}
			if got := keys.hosts(); len(got) != 0 {
				t.Errorf("%s: the keychain was asked for %q", at, got)
			}
		}
	}
	b := newFixture(t, private(packtest.Options{Plain: true}))
	b.use(t, registry.Options{Keychain: b.holding(good())})
	if _, err := b.client.Mirror(registry.Mirror{Once: true}).Manifest(t.Context(), b.byTag()); err != nil {
		t.Errorf("loopback: %v", err)
	}
}

// So says its name.
func TestMirrorNames(t *testing.T) {
	b := newFixture(t, packtest.Options{Plain: true})
	for _, host := range []string{"169.254.169.254", "metadata.google.internal", "[fe80::1]", "127.1"} {
		w := b.moved(t, somewhere, map[string]place{host + ":443": {b.reg.Host(), somewhere}}, registry.Options{})
		ref := b.byTag()
		ref.Registry = host
		_, err := b.client.Mirror(registry.Mirror{Once: true}).Manifest(t.Context(), ref)
		const want = ": a mirror has no link-local address, and none of cloud metadata"
		if err == nil || !strings.HasSuffix(err.Error(), want) || len(w.targets()) > 0 {
			t.Errorf("%s: %v, dialled %q", host, err, w.targets())
		}
		if _, err := b.client.Mirror(registry.Mirror{}).Ping(t.Context(), host); err == nil || !strings.HasSuffix(err.Error(), want) || len(w.targets()) > 0 {
			t.Errorf("%s: Ping: %v, dialled %q", host, err, w.targets())
		}
	}
}

// The bytes that one registry sent before it broke off are not fetched again from the next.
func TestContinueElsewhere(t *testing.T) {
	a, b := newFixture(t, packtest.Options{}), newFixture(t, packtest.Options{})
	a.reg.Inject(fault.AbortBlob(a.content().Digest, 400))
	var got buffer
	d := registry.NewDownload(&got, b.content())
	err := a.client.Mirror(registry.Mirror{Once: true}).Continue(t.Context(), a.byTag(), d)
	var e *registry.Error
	if !errors.As(err, &e) || e.IsUnanswered() || got.Len() != 400 {
		t.Fatalf("%d bytes, %v", got.Len(), err)
	}
	if err := b.client.Continue(t.Context(), b.byTag(), d); err != nil || !bytes.Equal(got.Bytes(), b.data) {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
	var ranges []string
	for _, r := range b.reg.Requests() {
		if r.Path == b.blobPath() {
			ranges = append(ranges, r.Header.Get("Range"))
		}
	}
	if len(ranges) != 1 || ranges[0] != "bytes=400-" {
		t.Errorf("ranges %q", ranges)
	}
}

// Wrong bytes of one registry do not stay.
func TestContinueAfterWrongBytes(t *testing.T) {
	for _, f := range []func(*fixture) packtest.Fault{
		func(b *fixture) packtest.Fault { return fault.WrongBlob(b.content().Digest) },
		func(b *fixture) packtest.Fault { return fault.ShortBlob(b.content().Digest, 100) },
		func(b *fixture) packtest.Fault { return fault.LongBlob(b.content().Digest, 100) },
	} {
		a, b := newFixture(t, packtest.Options{}), newFixture(t, packtest.Options{})
		a.reg.Inject(f(a))
		var got buffer
		d := registry.NewDownload(&got, b.content())
		if err := a.client.Continue(t.Context(), a.byTag(), d); !errors.As(err, new(*verified.MismatchError)) {
			t.Fatal(err)
		}
		if err := d.Discard(); err != nil || got.Len() > 0 {
			t.Errorf("%d bytes, %v", got.Len(), err)
		}
		if err := b.client.Continue(t.Context(), b.byTag(), d); err != nil || !bytes.Equal(got.Bytes(), b.data) {
			t.Errorf("%d bytes, %v", got.Len(), err)
		}
	}
}
