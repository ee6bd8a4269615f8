package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

func TestTagsLink(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	for _, link := range []string{"http://example.com/next", "/v2/x/tags/list", "?last=a"} {
		b.Inject(TagsLink(link))
		got := reply.Ask(t, b.Registry, "GET", "/v2/x/tags/list")
		reply.Want(t, got, 200, `{"name":"x","tags":["tag"]}`+"\n")
		reply.WantHeader(t, got, "Link", `<`+link+`>; rel="next"`)
	}
}

// tagPages follows the links from page to page, and returns all tags.
func tagPages(t *testing.T, r *packtest.Registry, pages int) (tags []string) {
	t.Helper()
	at, err := url.Parse(r.URL() + "/v2/x/tags/list")
	if err != nil {
		t.Fatal(err)
	}
	for range pages {
		got := reply.Ask(t, r, "GET", at.RequestURI())
		var list struct{ Tags []string }
		if err := json.Unmarshal(got.Body, &list); err != nil {
			t.Fatal(err)
		}
		tags = append(tags, list.Tags...)
		link := got.Header.Get("Link")
		if link == "" {
			return tags
		}
		next, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
		if at, err = at.Parse(next); err != nil {
			t.Fatal(err)
		}
	}
	return append(tags, "and more")
}

func TestTagsLinkFrom(t *testing.T) {
	b := newFixture(t, packtest.Options{TagPage: 2})
	names := []string{"a", "b", "c", "d", "e"}
	if err := b.TagMany("x", b.pushed.ManifestDigest, names); err != nil {
		t.Fatal(err)
	}
	for _, base := range []string{"", "list", "/v2/x/tags/list", b.URL() + "/v2/x/tags/list"} {
		b.Inject(TagsLinkFrom(base))
		if got, want := tagPages(t, b.Registry, 3), append(slices.Clone(names), "tag"); !slices.Equal(got, want) {
			t.Errorf("from %q: tags = %q, want %q", base, got, want)
		}
		got := reply.Ask(t, b.Registry, "GET", "/v2/x/tags/list")
		reply.WantHeader(t, got, "Link", "<"+base+`?last=b&n=2>; rel="next"`)
		reply.WantHeader(t, reply.Ask(t, b.Registry, "GET", "/v2/x/tags/list?last=d"), "Link", "")
	}
}

func TestEndlessTags(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.Inject(EndlessTags())
	want := []string{"1.0.1", "1.0.2", "1.0.3", "and more"}
	if got := tagPages(t, b.Registry, 3); !slices.Equal(got, want) {
		t.Errorf("tags = %q, want %q", got, want)
	}
}

func TestHostileTags(t *testing.T) {
	b := newFixture(t, packtest.Options{TagPage: 1})
	b.Inject(TagNames(HostileTags()...))
	if got := tagPages(t, b.Registry, 1); !slices.Equal(got, HostileTags()) {
		t.Errorf("tags = %q, want %q", got, HostileTags())
	}
}

func TestHugeTags(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.Inject(HugeTags(5 << 20))
	if got := reply.Ask(t, b.Registry, "GET", "/v2/x/tags/list"); len(got.Body) != 5<<20 || !json.Valid(got.Body) {
		t.Errorf("a page of %d bytes", len(got.Body))
	}
}

func TestTenThousandTags(t *testing.T) {
	b := newFixture(t, packtest.Options{TagPage: 1000})
	want := []string{"tag"}
	for i := range 10_000 {
		want = append(want, fmt.Sprintf("1.0.%d", i))
	}
	slices.Sort(want)
	reply.Want(t, reply.Ask(t, b.Registry, "GET", "/v2/x/tags/list"), 200, `{"name":"x","tags":["tag"]}`+"\n")
	if err := b.TagMany("x", b.pushed.ManifestDigest, want); err != nil {
		t.Fatal(err)
	}
	if got := tagPages(t, b.Registry, 11); !slices.Equal(got, want) {
		t.Errorf("%d tags, want %d", len(got), len(want))
	}
	if err := b.TagMany("x", ociref.DigestOf(nil), want); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("tags of a missing manifest: %v", err)
	}
}

func TestRetryAfterDate(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b fixture) {
		b.Inject(First(1, RetryAfterDate("/v2/$", 429, 90)))
		got := reply.Ask(t, b.Registry, "GET", "/v2/")
		reply.Want(t, got, 429, `{"errors":[{"code":"TOOMANYREQUESTS","message":"too many requests"}]}`+"\n")
		reply.WantHeader(t, got, "Date", "Fri, 01 Jan 2100 12:00:00 GMT")
		reply.WantHeader(t, got, "Retry-After", "Fri, 01 Jan 2100 12:01:30 GMT")
		if len(got.Header.Values("Date")) != 1 {
			t.Errorf("dates = %q", got.Header.Values("Date"))
		}
		reply.Want(t, reply.Ask(t, b.Registry, "GET", "/v2/"), 200, "")
	})
}
