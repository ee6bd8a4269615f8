package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/registry"
)

func TestOptionErrors(t *testing.T) {
	for _, test := range []struct {
		o    fetch.Options
		want string
	}{
		{fetch.Options{InsecureRegistries: []string{"x.example", "bad_host.example"}}, `insecure registry: "bad_host.example" is not a registry host`},
		{fetch.Options{InsecureRegistries: []string{""}}, "insecure registry: registry host is empty"},
		{fetch.Options{AcceptMediaTypes: []string{"a/b", "no type"}}, `"no type" is not a media type`},
	} {
		_, err := fetch.New(test.o)
		wantText(t, err, test.want)
		if as[*fetch.OptionError](t, err); errors.Unwrap(err) == nil {
			t.Error("it wraps nothing")
		}
	}
}

func TestInsecureRegistry(t *testing.T) {
	b := newFixture(t, packtest.Options{Plain: true, Token: true})
	_, err := fetchBytes(context.Background(), b.fetcher(t), b.byDigest())
	if e := as[*registry.Error](t, err); !e.MayBePlain() {
		t.Errorf("got %+v", e)
	}
	b.wantRequests(t)
	b.fetch(t, b.fetcher(t, func(o *fetch.Options) { o.InsecureRegistries = []string{b.reg.Host()} }))
}

func TestUserAgent(t *testing.T) {
	for given, want := range map[string]string{"": "packvendor", "greentic/1.0": "greentic/1.0"} {
		b := newFixture(t, packtest.Options{})
		b.fetch(t, b.fetcher(t, func(o *fetch.Options) { o.UserAgent = given }))
		for _, r := range b.reg.Requests() {
			if got := r.Header.Get("User-Agent"); got != want {
				t.Errorf("%s: User-Agent %q, want %q", r, got, want)
			}
		}
	}
}

func TestAcceptMediaTypes(t *testing.T) {
	data := packtest.Zip("custom", "1.0.0", 0)
	b := newFixtureOf(t, packtest.Options{}, data, packtest.Artifact{Layers: []packtest.Layer{
		{MediaType: "image/png", Data: []byte("png")}, {MediaType: "application/vnd.acme", Data: data}}})
	_, err := fetchBytes(context.Background(), b.fetcher(t), b.byDigest())
	if e := as[*fetch.NoPackError](t, err); len(e.Layers) != 2 {
		t.Errorf("got %+v", e)
	}
	wantText(t, err, fmt.Sprintf(`cannot use %s: no layer has a media type that is accepted for packs ("image/png" %s, "application/vnd.acme" %s)`,
		b.byDigest(), b.pushed.Layers[0], b.pushed.Layers[1]))
	b.fetch(t, b.fetcher(t, func(o *fetch.Options) { o.AcceptMediaTypes = []string{"application/vnd.acme"} }))
	b.wantWhole(t)
}
