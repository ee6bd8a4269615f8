package registry_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

func (b *fixture) referrersPath() string {
	return "/v2/" + repository + "/referrers/" + b.pushed.ManifestDigest.String()
}

func (b *fixture) referrers(artifactType string) ([]registry.Descriptor, error) {
	return b.client.Referrers(context.Background(), b.byTag(), b.pushed.ManifestDigest, artifactType)
}

// attach pushes n artifacts of a type about b's manifest. It returns their descriptors,
// in the order of their digests.
func (b *fixture) attach(t *testing.T, artifactType string, n int) []registry.Descriptor {
	t.Helper()
	var list []registry.Descriptor
	about := b.pushed.Child()
	for i := range n {
		pushed := packtest.MustPush(t, b.reg, repository, "", packtest.Artifact{
			ArtifactType: artifactType, Subject: &about, Annotations: map[string]string{"number": fmt.Sprint(i)},
		})
		list = append(list, registry.Descriptor{
			MediaType: pushed.MediaType, ArtifactType: artifactType, Digest: pushed.ManifestDigest.String(), Size: int64(len(pushed.Manifest)),
		})
	}
	slices.SortFunc(list, func(a, b registry.Descriptor) int { return strings.Compare(a.Digest, b.Digest) })
	return list
}

// answered has b's registry answer every request for referrers with f.
func (b *fixture) answered(f func(w http.ResponseWriter, r *http.Request)) {
	b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != b.referrersPath() {
			return false
		}
		f(w, r)
		return true
	})
}

// entry is a descriptor, and indexOf the index of descriptors.
const entry = `{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:x","size":7}`

func indexOf(entries ...string) string {
	return `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[` + strings.Join(entries, ",") + `]}`
}

func TestReferrers(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{Token: true, Referrers: true, ReferrersPage: 2}, func(t *testing.T, b *fixture) {
		if got, err := b.referrers(""); err != nil || len(got) != 0 {
			t.Errorf("without referrers: %v, %v", got, err)
		}
		want := append(b.attach(t, "application/spdx+json", 3), b.attach(t, "text/plain", 2)...)
		slices.SortFunc(want, func(a, b registry.Descriptor) int { return strings.Compare(a.Digest, b.Digest) })
		b.reg.ResetRequests()
		if got, err := b.referrers(""); err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v\nwant %v", got, err, want)
		}
		path := b.referrersPath()
		next := func(d registry.Descriptor) string { return path + "?last=" + strings.ReplaceAll(d.Digest, ":", "%3A") }
		wantRequests(t, b.reg, "GET "+path, "GET "+next(want[1]), "GET "+next(want[3]))
		if got := b.reg.Requests()[0].Header.Get("Accept"); got != packtest.IndexMediaType {
			t.Errorf("Accept: %s", got)
		}

		b.reg.ResetRequests()
		got, err := b.referrers("text/plain")
		if err != nil || len(got) != 2 || got[0].ArtifactType != "text/plain" || got[1].ArtifactType != "text/plain" {
			t.Errorf("of one type: %v, %v", got, err)
		}
		wantRequests(t, b.reg, "GET "+path+"?artifactType=text%2Fplain")
	})
}

// A told is an answer about referrers.
type told struct {
	status         int // 0 is 200
	contentType    string
	body           string
	location, link string
}

func (a told) serve(w http.ResponseWriter, _ *http.Request) {
	for key, value := range map[string]string{"Content-Type": a.contentType, "Location": a.location, "Link": a.link} {
		if value != "" {
			w.Header().Set(key, value)
		}
	}
	w.WriteHeader(cmp.Or(a.status, http.StatusOK))
	fmt.Fprint(w, a.body)
}

// By these answers a registry has no such API; nothing is asked twice, and no other host.
func TestReferrersOfNoAPI(t *testing.T) {
	t.Parallel()
	const (
		index = packtest.IndexMediaType
		login = "<html><title>s3cret</title></html>"
	)
	for name, test := range map[string]struct {
		answer told
		want   string
	}{
		"400":             {told{status: 400}, "400 Bad Request"},
		"404":             {told{status: 404}, "404 Not Found"},
		"405":             {told{status: 405}, "405 Method Not Allowed"},
		"406":             {told{status: 406}, "406 Not Acceptable"},
		"303 elsewhere":   {told{status: 303, location: "OTHER/v2/"}, "a redirect to another host (303 See Other)"},
		"307 elsewhere":   {told{status: 307, location: "OTHER/v2/"}, "a redirect to another host (307 Temporary Redirect)"},
		"302 to HTTP":     {told{status: 302, location: "http://HOST/v2/"}, "a redirect to another host (302 Found)"},
		"303 to metadata": {told{status: 303, location: "http://169.254.169.254/latest/meta-data"}, "a redirect to another host (303 See Other)"},
		"HTML":            {told{contentType: "text/html", body: login}, "no image index: not JSON: invalid character '<' looking for beginning of value"},
		"HTML as index":   {told{contentType: index, body: login}, "no image index: not JSON: invalid character '<' looking for beginning of value"},
		"nothing":         {told{contentType: index}, "no image index: not JSON: unexpected EOF"},
		"other JSON":      {told{contentType: "application/json", body: `{"referrers":[]}`}, "no image index: mediaType: not " + index},
		"Docker's list":   {told{contentType: "application/vnd.docker.distribution.manifest.list.v2+json", body: `{"manifests":[]}`}, "no image index: mediaType: not " + index},
		"image manifest":  {told{contentType: index, body: `{"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[]}`}, "no image index: mediaType: not " + index},
		"no list":         {told{contentType: index, body: `{"manifests":null}`}, "no image index: manifests: not a list"},
		"a key twice":     {told{contentType: index, body: `{"manifests":[],"manifests":[` + entry + `]}`}, `no image index: key "manifests" stands twice in one object`},
		"other case":      {told{contentType: index, body: `{"Manifests":[]}`}, "no image index: manifests: missing"},
		"no digest":       {told{contentType: index, body: indexOf(entry, `{"mediaType":"x","size":1}`)}, "no image index: manifests[1].digest: missing"},
		"negative size":   {told{contentType: index, body: indexOf(`{"mediaType":"x","digest":"x","size":-1}`)}, "no image index: manifests[0].size: not a whole number that is small enough"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, other := newFixture(t, packtest.Options{Token: true}), start(t, packtest.Options{})
			if err := b.manifest(); err != nil { // from now on there is a token
				t.Fatal(err)
			}
			b.reg.ResetRequests()
			test.answer.location = strings.NewReplacer("OTHER", other.URL(), "HOST", b.reg.Host()).Replace(test.answer.location)
			b.answered(test.answer.serve)
			_, err := b.referrers("")
			wantText(t, err, "no referrers API: the answer is "+test.want)
			as[*registry.NoReferrersAPIError](t, err)
			wantRequests(t, b.reg, "GET "+b.referrersPath())
			wantRequests(t, other)
		})
	}
}

// The answer may be the manifest itself.
func TestReferrersThatAreTheSubject(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{})
	subject, err := b.reg.PushIndex(repository, "", []packtest.Child{b.pushed.Child()})
	if err != nil {
		t.Fatal(err)
	}
	b.reg.Inject(fault.SubjectAsReferrers())
	_, err = b.client.Referrers(context.Background(), b.byTag(), subject.ManifestDigest, "")
	wantText(t, err, "no referrers API: the answer is the manifest itself")
	as[*registry.NoReferrersAPIError](t, err)
}

// A redirect that stays at the registry is followed.
func TestReferrersRedirectedAtHome(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{Referrers: true})
	want := b.attach(t, "text/plain", 1)
	b.reg.Inject(fault.SeeOther(b.referrersPath()+"$", b.reg.URL()+"/x/.."+b.referrersPath()+"?here"), fault.RedirectLoop("/loop"))
	b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.RawQuery != "here" {
			return false
		}
		told{contentType: packtest.IndexMediaType, body: indexOf(fmt.Sprintf(`{"mediaType":%q,"artifactType":"text/plain","digest":%q,"size":%d}`, want[0].MediaType, want[0].Digest, want[0].Size))}.serve(w, r)
		return true
	})
	if got, err := b.referrers(""); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	b.reg.Intercept(nil)
	b.reg.Inject(fault.RedirectLoop(b.referrersPath()))
	_, err := b.referrers("")
	wantText(t, err, "GET "+b.reg.URL()+b.referrersPath()+": stopped after 10 redirects")
}

// A registry in trouble does not say that it has no such API.
func TestReferrersInTrouble(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 408, 410, 429, 500, 501, 502, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, packtest.Options{Referrers: true})
			b.attach(t, "text/plain", 1)
			b.reg.Inject(fault.ErrorBody(b.referrersPath(), status, nil))
			got, err := b.referrers("")
			if len(got) != 0 {
				t.Errorf("got %v", got)
			}
			n, end := tries(status)
			wantText(t, err, "GET "+b.reg.URL()+b.referrersPath()+": "+statusText(status)+end)
			if e := as[*registry.Error](t, err); e.Status != status {
				t.Errorf("status %d", e.Status)
			}
			if got := count(b.reg, b.referrersPath()); got != n {
				t.Errorf("%d requests, want %d", got, n)
			}
		})
	}
}

// 404 means that there is no such API only if it is beyond doubt: some registries hide
// private repositories, and a token endpoint says nothing about referrers.
func TestReferrersHidden(t *testing.T) {
	t.Parallel()
	secret := credentials.Credentials{Username: "somebody", Password: "wrong"}
	for name, test := range map[string]struct {
		keychain *keychain // nil: no keychain
		inject   func(b *fixture) packtest.Fault
		want     string
	}{
		"no keychain":    {nil, nil, "no referrers API: the answer is 404 Not Found"},
		"no credentials": {&keychain{}, nil, "no referrers API: the answer is 404 Not Found"},
		"helper fails": {&keychain{err: errors.New("docker-credential-x: exit status 1")}, nil,
			"GET LIST: 404 not found or private: METHOD_UNKNOWN: We don't understand your method + url; there may be credentials, but docker-credential-x: exit status 1"},
		"wrong credentials": {&keychain{has: map[string]credentials.Credentials{"HOST": secret}}, nil,
			"GET LIST: 404 Not Found: METHOD_UNKNOWN: We don't understand your method + url; with the credentials that there are: 401 Unauthorized"},
		"token endpoint": {nil, func(b *fixture) packtest.Fault { return fault.Status("/token", 404, nil) },
			"GET URL/token: 404 not found or private: MANIFEST_UNKNOWN: not found"},
		"token endpoint, 400": {nil, func(b *fixture) packtest.Fault { return fault.ErrorBody("/token", 400, nil) },
			"GET URL/token: 400 Bad Request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, packtest.Options{Token: true})
			o := registry.Options{}
			if k := test.keychain; k != nil {
				if k.has != nil {
					k.has = map[string]credentials.Credentials{b.reg.Host(): secret}
				}
				o.Keychain = k
			}
			b.use(t, o)
			if test.inject != nil {
				b.reg.Inject(test.inject(b))
			}
			for _, notFound := range []string{"404 Not Found", statusText(404)} { // it stays so
				_, err := b.referrers("")
				wantText(t, err, strings.NewReplacer("LIST: 404 Not Found", b.reg.URL()+b.referrersPath()+": "+notFound, "LIST", b.reg.URL()+b.referrersPath(), "URL", b.reg.URL()).Replace(test.want))
				var none *registry.NoReferrersAPIError
				if errors.As(err, &none) != strings.HasPrefix(test.want, "no referrers API") {
					t.Errorf("got %T", err)
				}
			}
		})
	}
}

// A registry that refuses the user's credentials, after it has hidden something without
// them, may still have it.
func TestReferrersForbidden(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{User: packtest.User, Password: packtest.Password, Private: []string{"none"}})
	b.use(t, registry.Options{Keychain: &keychain{has: map[string]credentials.Credentials{
		b.reg.Host(): {Username: packtest.User, Password: packtest.Password},
	}}})
	b.answered(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			told{status: 404}.serve(w, r)
			return
		}
		told{status: 403}.serve(w, r)
	})
	_, err := b.referrers("")
	wantText(t, err, "GET "+b.reg.URL()+b.referrersPath()+": 404 Not Found; with the credentials that there are: 403 Forbidden")
	if e := as[*registry.Error](t, err); e.IsAbsent() || !e.IsNotFound() {
		t.Errorf("absent %t, not found %t", e.IsAbsent(), e.IsNotFound())
	}
}

// What another host says of a manifest is not what the registry says.
func TestIsAbsent(t *testing.T) {
	t.Parallel()
	b, other := newFixture(t, packtest.Options{}), start(t, packtest.Options{})
	ref := b.byTag().WithTag("gone")
	_, err := b.client.Manifest(context.Background(), ref)
	if e := as[*registry.Error](t, err); !e.IsAbsent() {
		t.Errorf("a missing tag: %v", err)
	}
	b.reg.Inject(fault.Redirect("/v2/"+repository+"/manifests/", other.URL()+"/"))
	_, err = b.client.Manifest(context.Background(), ref)
	if e := as[*registry.Error](t, err); e.IsAbsent() || e.Status != 404 {
		t.Errorf("a tag at another host: %v", err)
	}
}

// What a list holds beyond the bounds is cut off, with an error that says so.
func TestReferrersBounds(t *testing.T) {
	t.Parallel()
	entries := func(n int) string { return indexOf(slices.Repeat([]string{entry}, n)...) }
	onPage := func(n int64, link func(int64) string, body string) told {
		return told{contentType: packtest.IndexMediaType, body: body, link: "<PATH?n=" + link(n) + `>; rel="next"`}
	}
	onward := func(n int64) string { return fmt.Sprint(n) }
	for name, test := range map[string]struct {
		page     func(n int64) told
		list     int // descriptors that come with the error
		want     string
		limit    bool
		requests int
	}{
		"1,000 on one page": {func(int64) told { return told{contentType: packtest.IndexMediaType, body: entries(1000)} }, 256,
			"GET LIST: more than 256 referrers", true, 1},
		"many on pages":   {func(n int64) told { return onPage(n, onward, entries(100)) }, 256, "GET LIST: more than 256 referrers", true, 3},
		"no end of pages": {func(n int64) told { return onPage(n, onward, entries(1)) }, 4, "GET LIST: more than 4 pages of referrers", true, 4},
		"empty pages":     {func(n int64) told { return onPage(n, onward, entries(0)) }, 0, "GET LIST: more than 4 pages of referrers", true, 4},
		"huge page": {func(int64) told {
			return told{contentType: packtest.IndexMediaType, body: entries(1) + strings.Repeat(" ", 4<<20)}
		}, 0, "GET LIST: a page of referrers is larger than 4194304 bytes", true, 1},
		"too many values": {func(int64) told { return told{contentType: packtest.IndexMediaType, body: entries(30_000)} }, 0, "GET LIST: a page of referrers of 2640087 bytes cannot be read: more than 100000 values", true, 1},
		"link to itself": {func(n int64) told {
			return told{contentType: packtest.IndexMediaType, body: entries(1), link: `<PATH>; rel="next"`}
		}, 1, "GET LIST: the next page of referrers is one that was there before", false, 1},
		"circle": {func(n int64) told { return onPage(n, func(n int64) string { return fmt.Sprint(n % 2) }, entries(1)) }, 3, "GET LIST: the next page of referrers is one that was there before", false, 3},
		"link elsewhere": {func(n int64) told {
			return told{contentType: packtest.IndexMediaType, body: entries(1), link: `<https://other.example/x>; rel="next"`}
		}, 0, "GET LIST: the next page of referrers is said to be elsewhere", false, 1},
		"other repository": {func(n int64) told {
			return told{contentType: packtest.IndexMediaType, body: entries(1), link: `</v2/y/referrers/sha256:x>; rel="next"`}
		}, 0, "GET LIST: the next page of referrers is said to be elsewhere", false, 1},
		"second page is none": {func(n int64) told {
			if n == 2 {
				return told{contentType: "text/html", body: "<html>"}
			}
			return onPage(n, onward, entries(2))
		}, 2, "the next page of referrers is no image index: not JSON: invalid character '<' looking for beginning of value", false, 2},
		"second page is missing": {func(n int64) told {
			if n == 2 {
				return told{status: 404}
			}
			return onPage(n, onward, entries(2))
		}, 2, "GET LIST: 404 not found or private", false, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, packtest.Options{})
			var n atomic.Int64
			b.answered(func(w http.ResponseWriter, r *http.Request) {
				answer := test.page(n.Add(1))
				answer.link = strings.Replace(answer.link, "PATH", b.referrersPath(), 1)
				answer.serve(w, r)
			})
			got, err := b.referrers("")
			wantText(t, err, strings.Replace(test.want, "LIST", b.reg.URL()+b.referrersPath(), 1))
			if limit := new(registry.LimitError); errors.As(err, &limit) != test.limit {
				t.Errorf("got %T", err)
			}
			if len(got) != test.list {
				t.Errorf("%d descriptors, want %d", len(got), test.list)
			}
			if n := count(b.reg, b.referrersPath()); n != test.requests {
				t.Errorf("%d requests, want %d", n, test.requests)
			}
		})
	}
}

func TestReferrersBreakOff(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{})
	b.answered(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"manifests":[`)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	_, err := b.referrers("")
	wantText(t, err, "GET "+b.reg.URL()+b.referrersPath()+": the list of referrers broke off: unexpected EOF"+afterTries)
	if n := count(b.reg, b.referrersPath()); n != 5 {
		t.Errorf("%d requests, want 5", n)
	}
}
