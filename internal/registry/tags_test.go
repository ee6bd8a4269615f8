package registry_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/registry"
)

const tagsPath = "/v2/" + repository + "/tags/list"

func (b *fixture) tags() ([]string, error) { return b.client.Tags(context.Background(), b.byTag()) }

// listed has b's registry answer every request for tags with f.
func (b *fixture) listed(f func(w http.ResponseWriter, r *http.Request)) {
	b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != tagsPath {
			return false
		}
		f(w, r)
		return true
	})
}

// page writes a page of tags with a link to the next one; "" for none.
func page(w http.ResponseWriter, next string, tags ...string) {
	if next != "" {
		w.Header().Add("Link", "<"+next+`>; rel="next"`)
	}
	json.NewEncoder(w).Encode(map[string]any{"name": repository, "tags": tags})
}

func TestFault28_ManyPages(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{Token: true, TagPage: 100}, func(t *testing.T, b *fixture) {
		want := []string{"1.0"}
		for i := range 10_000 {
			tag := fmt.Sprintf("v%05d", i)
			want = append(want, tag)
			if err := b.reg.Tag(repository, tag, b.pushed.ManifestDigest); err != nil {
				t.Fatal(err)
			}
		}
		got, err := b.tags()
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("got %d tags, %v", len(got), err)
		}
		if n := count(b.reg, tagsPath); n != 101 {
			t.Errorf("%d requests, want 101", n)
		}
		if n := count(b.reg, "/token"); n != 1 {
			t.Errorf("%d requests for a token", n)
		}
		if first := b.reg.Requests()[2].String(); first != "GET "+tagsPath+"?n=1000" {
			t.Errorf("first request %s", first)
		}
	})
}

// A next page may be named in any way that leads to the same list.
func TestFault28_LinksThatAreFine(t *testing.T) {
	t.Parallel()
	for name, link := range map[string]string{
		"absolute":        `<URL/v2/REPO/tags/list?last=a>; rel="next"`,
		"path":            `</v2/REPO/tags/list?last=a>; rel="next"`,
		"relative":        `<list?last=a>; rel="next"`,
		"query":           `<?last=a>; rel="next"`,
		"dots":            `<../x/../tags/list?last=a>; rel="next"`,
		"no quotes":       `</v2/REPO/tags/list?last=a>;rel=next`,
		"other case":      `</v2/REPO/tags/list?last=a>; REL="Next"`,
		"more parameters": `</v2/REPO/tags/list?last=a>; title="x"; rel="next"`,
		"with a fragment": `</v2/REPO/tags/list?last=a#x>; rel="next"`,
		"other host case": `<HTTPS://HOST/v2/REPO/tags/list?last=a>; rel="next"`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			link := strings.NewReplacer("URL", b.reg.URL(), "REPO", repository, "HOST", b.reg.Host()).Replace(link)
			b.listed(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.RawQuery == "last=a" {
					page(w, "", "b")
					return
				}
				w.Header().Add("Link", `<https://elsewhere.example/>; rel="prev"`)
				w.Header().Add("Link", link)
				page(w, "", "a")
			})
			got, err := b.tags()
			if err != nil || !slices.Equal(got, []string{"a", "b"}) {
				t.Errorf("got %q, %v", got, err)
			}
			wantRequests(t, b.reg, "GET /v2/", "GET "+tagsPath+"?n=1000", "GET "+tagsPath+"?last=a")
		})
	}
}

// Several links may stand in one header: RFC 8288, section 3.
func TestFault28_LinksInOneHeader(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{})
	b.listed(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "last=a" {
			page(w, "", "b")
			return
		}
		w.Header().Set("Link", `</v2/>; rel="first", <`+tagsPath+`?last=a>; rel="next"`)
		page(w, "", "a")
	})
	if got, err := b.tags(); err != nil || !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

// A list is never continued elsewhere, and nothing is sent there.
func TestFault28_LinksElsewhere(t *testing.T) {
	t.Parallel()
	const elsewhere, noURL = "the next page of tags is said to be elsewhere", "the link to the next page of tags is no URL"
	for name, test := range map[string]struct{ link, want string }{
		"other host":       {"OTHER" + tagsPath + "?last=a", elsewhere},
		"no scheme":        {"//other.example" + tagsPath + "?last=a", elsewhere},
		"other port":       {"https://127.0.0.1" + tagsPath + "?last=a", elsewhere},
		"plain HTTP":       {"PLAIN" + tagsPath + "?last=a", elsewhere},
		"other repository": {"/v2/other/tags/list?last=a", elsewhere},
		"other path":       {"/admin?delete=all", elsewhere},
		"manifest":         {"/v2/" + repository + "/manifests/1.0", elsewhere},
		"out of the path":  {tagsPath + "/../../../../admin", elsewhere},
		"with a login":     {"https://s3cret:s3cret@other.example" + tagsPath, elsewhere},
		"file":             {"file:///etc/passwd", elsewhere},
		"no URL":           {"https://%zz/s3cret", noURL},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, other := newFixture(t, packtest.Options{}), start(t, packtest.Options{})
			link := strings.NewReplacer("OTHER", other.URL(), "PLAIN", "http://"+b.reg.Host()).Replace(test.link)
			b.listed(func(w http.ResponseWriter, _ *http.Request) { page(w, link, "a") })
			got, err := b.tags()
			if len(got) != 0 {
				t.Errorf("got %q with the error", got)
			}
			wantText(t, err, "GET "+b.reg.URL()+tagsPath+": "+test.want)
			wantHarmless(t, err)
			if e := as[*registry.Error](t, err); e.Tries != 0 || e.Host != b.reg.Host() {
				t.Errorf("got %+v", e)
			}
			wantRequests(t, b.reg, "GET /v2/", "GET "+tagsPath+"?n=1000")
			wantRequests(t, other)
		})
	}
}

func TestFault28_EndlessLists(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		next     func(n int64) string
		tags     int // a page
		want     string
		requests int
	}{
		"link to itself":  {func(int64) string { return tagsPath + "?n=1000" }, 1, "the next page of tags is one that was there before", 1},
		"without a query": {func(int64) string { return tagsPath }, 1, "the next page of tags is one that was there before", 2},
		"circle":          {func(n int64) string { return fmt.Sprint(tagsPath, "?last=", n%3) }, 1, "the next page of tags is one that was there before", 4},
		"no end of pages": {func(n int64) string { return fmt.Sprint(tagsPath, "?last=", n) }, 0, "more than 1000 pages of tags", 1000},
		"no end of tags":  {func(n int64) string { return fmt.Sprint(tagsPath, "?last=", n) }, 50_000, "more than 200000 tags", 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, packtest.Options{})
			tags := make([]string, test.tags)
			for i := range tags {
				tags[i] = fmt.Sprint("v", i)
			}
			var n atomic.Int64
			b.listed(func(w http.ResponseWriter, _ *http.Request) { page(w, test.next(n.Add(1)), tags...) })
			_, err := b.tags()
			wantText(t, err, "GET "+b.reg.URL()+tagsPath+": "+test.want)
			as[*registry.Error](t, err)
			if n := count(b.reg, tagsPath); n != test.requests {
				t.Errorf("%d requests, want %d", n, test.requests)
			}
		})
	}
}

// Names that are no tags are left out: they would lead to paths of the registry's
// choice, and be shown.
func TestFault28_HostileNames(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{})
	long := strings.Repeat("x", 128)
	b.listed(func(w http.ResponseWriter, _ *http.Request) {
		page(w, "", "1.0", "", "../../x", "a/b", "a b", "\x1b[2J", "a\n//go:embed x", "-a", ".a", "é", "\u202e", "a?b", "a@sha256:x", long, long+"x", "_ok", "V1-a.b_c")
	})
	got, err := b.tags()
	if want := []string{"1.0", long, "_ok", "V1-a.b_c"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestFault28_BadPages(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ body, want string }{
		"huge":        {`{"tags":["` + strings.Repeat("x", 4<<20) + `"]}`, "a page of tags is larger than 4194304 bytes"},
		"cut off":     {`{"tags":["a"`, "the list of tags is not what the specification says"},
		"HTML":        {"<html>s3cret</html>", "the list of tags is not what the specification says"},
		"wrong types": {`{"tags":{"s3cret":1}}`, "the list of tags is not what the specification says"},
		"nothing":     {"", "the list of tags is not what the specification says"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			b.listed(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, test.body) })
			_, err := b.tags()
			wantText(t, err, test.want)
			as[*registry.ProtocolError](t, err)
			if n := count(b.reg, tagsPath); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
	for _, body := range []string{`{}`, `{"tags":null}`, `{"name":"x","tags":[]}`} {
		b := newFixture(t, packtest.Options{})
		b.listed(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
		if got, err := b.tags(); err != nil || len(got) != 0 {
			t.Errorf("%s: got %q, %v", body, got, err)
		}
	}
}

func TestFault28_ListBreaksOff(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{})
	b.listed(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"tags":["a",`)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	_, err := b.tags()
	wantText(t, err, "GET "+b.reg.URL()+tagsPath+": the list of tags broke off: unexpected EOF"+afterTries)
	if n := count(b.reg, tagsPath); n != 5 {
		t.Errorf("%d requests, want 5", n)
	}
}

func TestTagsOfNoRepository(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{})
	ref := b.byTag()
	ref.Repository = "gone"
	_, err := b.client.Tags(context.Background(), ref)
	wantText(t, err, "GET "+b.reg.URL()+"/v2/gone/tags/list: 404 not found or private: NAME_UNKNOWN: repository name not known to registry")
}
