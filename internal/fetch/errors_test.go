package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

// A faulty registry: what Fetch says, and that nothing of it stays. The rows
// of every fault that Fetch can meet.
func TestFaultyRegistry(t *testing.T) {
	data := packtest.Zip("bed", "1.0.0", 1000)
	evil := []byte(`{"schemaVersion":2,"layers":[]}`)
	mismatch := func(t *testing.T, err error) { as[*verified.MismatchError](t, err) }
	protocol := func(t *testing.T, err error) { as[*registry.ProtocolError](t, err) }
	status := func(code int) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			if e := as[*registry.Error](t, err); e.Status != code {
				t.Errorf("status %d, want %d", e.Status, code)
			}
		}
	}
	for name, test := range map[string]struct {
		fault packtest.Fault
		check func(*testing.T, error)
		verb  string // "cannot VERB REFERENCE: " begins the message
		want  string // it ends in this
	}{
		"1 wrong blob": {fault.WrongBlob(""), mismatch, "fetch", "digest mismatch\n\tgot:  %[3]s\n\twant: %[2]s"},
		"3 short blob": {fault.ShortBlob("", 1), mismatch, "fetch", fmt.Sprintf("size mismatch\n\tgot:  %d bytes\n\twant: %d bytes", len(data)-1, len(data))},
		"3 long blob":  {fault.LongBlob("", 1), mismatch, "fetch", fmt.Sprintf("size mismatch\n\tgot:  more than %[1]d bytes\n\twant: %[1]d bytes", len(data))},
		"4 endless":    {fault.EndlessBlob(""), mismatch, "fetch", fmt.Sprintf("size mismatch\n\tgot:  more than %[1]d bytes\n\twant: %[1]d bytes", len(data))},
		"5 manifest":   {fault.HugeManifest("", 4<<20+1), protocol, "resolve", "manifest is larger than 4194304 bytes"},
		"16 evil":      {fault.EvilManifest(evil, "application/vnd.oci.image.manifest.v1+json"), mismatch, "resolve", "digest mismatch\n\tgot:  " + ociref.DigestOf(evil).String() + "\n\twant: %[1]s"},
		"16 prettyjws": {fault.EvilManifest(evil, fault.PrettyJWS), mismatch, "resolve", "digest mismatch\n\tgot:  " + ociref.DigestOf(evil).String() + "\n\twant: %[1]s"},
		"18 contradicting type": {fault.ManifestType("", "application/vnd.oci.image.index.v1+json"),
			func(t *testing.T, err error) { as[*fetch.ManifestError](t, err) }, "use",
			"invalid manifest: ambiguous manifest: its Content-Type is application/vnd.oci.image.index.v1+json, its mediaType application/vnd.oci.image.manifest.v1+json"},
		"24 terminal":    {fault.ErrorBody("/v2/"+repository, 403, []byte(`{"errors":[{"code":"DENIED","message":"\u001b[2J"}]}`)), status(403), "resolve", `: 403 Forbidden: DENIED: "\x1b[2J"`},
		"private":        {fault.Status("/v2/"+repository, 401, nil), status(401), "resolve", ": 401 Unauthorized: UNAUTHORIZED: unauthorized"},
		"blob not found": {fault.Status("/v2/"+repository+"/blobs/", 404, nil), status(404), "fetch", ": 404 not found or private: MANIFEST_UNKNOWN: not found"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			b.reg.Inject(test.fault)
			inverted := make([]byte, len(b.data))
			for i, c := range b.data {
				inverted[i] = ^c
			}
			f := b.fetcher(t)
			for method, call := range map[string]func() error{
				"Fetch":        func() error { _, err := fetchBytes(context.Background(), f, b.byDigest()); return err },
				"FetchToCache": func() error { _, err := fetchToCache(context.Background(), f, b.byDigest()); return err },
			} {
				err := call()
				if err == nil {
					t.Fatalf("%s: got no error", method)
				}
				test.check(t, err)
				end := test.want
				if strings.Contains(end, "%[") {
					end = strings.NewReplacer("%[1]s", b.pushed.ManifestDigest.String(), "%[2]s", b.pushed.Layers[0].String(),
						"%[3]s", ociref.DigestOf(inverted).String()).Replace(end)
				}
				if got := err.Error(); !strings.HasPrefix(got, "cannot "+test.verb+" "+b.byDigest()+": ") || !strings.HasSuffix(got, end) {
					t.Errorf("%s: got %q, want cannot %s …: …%s", method, got, test.verb, end)
				}
				if test.verb == "fetch" { // the manifest was right
					b.wantFiles(t, "manifest.json")
				} else {
					b.wantFiles(t)
				}
			}
			wantNoTemporaries(t, f, b)
			b.reg.Inject()
			b.fetch(t, f) // and it harms nothing that follows
			b.wantWhole(t)
		})
	}
}

// wantNoTemporaries wants nothing in the cache root but locks and entries.
func wantNoTemporaries(t *testing.T, _ *fetch.Fetcher, b *fixture) {
	t.Helper()
	filepath.WalkDir(b.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) != ".lock" && d.Name() != "manifest.json" {
			t.Errorf("%s was left behind", path)
		}
		return nil
	})
}

var goodLayer = layerJSON(string(ociref.DigestOf([]byte("pack"))), `,"size":4`)

// layerJSON is a pack layer's descriptor; size is the key with a comma before it.
func layerJSON(digest, size string) string {
	return `{"mediaType":"` + packtest.PackMediaType + `","digest":"` + digest + `"` + size + `}`
}

func TestFault18_BothLists(t *testing.T) {
	wantBadManifests(t, map[string]string{
		`{"layers":[` + goodLayer + `],"manifests":[]}`: "ambiguous manifest: it has both layers and manifests",
		`{"layers":[],"manifests":[]}`:                  "ambiguous manifest: it has both layers and manifests",
	})
}

func TestFault19_TwoReadings(t *testing.T) {
	wantBadManifests(t, map[string]string{
		`{"layers":[` + goodLayer + `],"LAYERS":[]}`: `key "LAYERS" and another that differs only by case`,
		`{"layers":[],"layers":[` + goodLayer + `]}`: `key "layers" twice in one object`,
		`{"layers":[` + goodLayer + `]}{}`:           "data after the JSON object",
	})
}

func TestFault20_BadLayer(t *testing.T) {
	digest := string(ociref.DigestOf([]byte("pack")))
	const noSize = "pack layer: its size is missing or not a number of bytes"
	wantBadManifests(t, map[string]string{
		`{"layers":[` + layerJSON(digest, `,"size":-1`) + `]}`:                  noSize,
		`{"layers":[` + layerJSON(digest, ``) + `]}`:                            noSize,
		`{"layers":[` + layerJSON(digest, `,"size":4.0`) + `]}`:                 noSize,
		`{"layers":[` + layerJSON(digest, `,"size":9223372036854775808`) + `]}`: noSize,
		`{"layers":[` + layerJSON("sha512:00", `,"size":4`) + `]}`:              `pack layer: digest algorithm "sha512" is not supported: only sha256`,
	})
}

// wantBadManifests fetches manifests whose bytes are what the digest says, and
// whose meaning is bad, and wants to be told what is wrong with each.
func wantBadManifests(t *testing.T, manifests map[string]string) {
	for body, want := range manifests {
		t.Run(want, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			at, err := b.reg.PutManifest(repository, "bad", "application/vnd.oci.image.manifest.v1+json", []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			_, err = fetchBytes(context.Background(), b.fetcher(t), b.refOf(at))
			wantText(t, err, "cannot use "+b.refOf(at)+": invalid manifest: "+want)
			as[*fetch.ManifestError](t, err)
		})
	}
}

// The largest size that can be written down, and a blob whose Content-Length
// does not give it away.
func TestFault20_AbsurdSize(t *testing.T) {
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("panic: %v", r)
		}
	}()
	data := []byte("pack")
	size := int64(math.MaxInt64)
	b := newFixtureOf(t, packtest.Options{}, data, packtest.Artifact{Layers: []packtest.Layer{{Data: data, Size: &size}}})
	b.reg.Inject(fault.LongBlob("", 0))
	_, err := fetchBytes(context.Background(), b.fetcher(t), b.byDigest())
	if err == nil {
		t.Fatal("got no error")
	}
	var mismatch *verified.MismatchError
	var manifest *fetch.ManifestError
	if !errors.As(err, &mismatch) && !errors.As(err, &manifest) {
		t.Errorf("got %v (%T)", err, err)
	}
}

func TestFault18_NotAmbiguous(t *testing.T) {
	for _, contentType := range []string{"application/json", "application/vnd.oci.image.manifest.v1+json; charset=utf-8", "text/plain", ""} {
		b := newFixture(t, packtest.Options{})
		b.reg.Inject(fault.ManifestType("", contentType))
		b.fetch(t, b.fetcher(t))
	}
	b := newFixture(t, packtest.Options{})
	at, err := b.reg.PutManifest(repository, "", "application/json", append(b.pushed.Manifest, " \n\t\r\n"...))
	if err != nil {
		t.Fatal(err)
	}
	got, err := fetchBytes(context.Background(), b.fetcher(t), b.refOf(at))
	if err != nil {
		t.Fatal(err)
	}
	wantBytes(t, got, b.data)
}

func TestFault20b_URLsAndInlineDataAreIgnored(t *testing.T) {
	other := packtest.StartRegistry(t, packtest.Options{})
	data := packtest.Zip("urls", "1.0.0", 0)
	b := newFixtureOf(t, packtest.Options{}, data, packtest.Artifact{Layers: []packtest.Layer{
		{Data: data, URLs: []string{other.URL() + "/evil"}, InlineData: []byte("evil")}}})
	b.fetch(t, b.fetcher(t))
	b.wantRequests(t, "GET /v2/", b.manifestLine(), b.blobLine())
	wantRequests(t, other)
}

func TestFault17_HeaderLiesOnATag(t *testing.T) {
	for _, lie := range []ociref.Digest{"", ociref.DigestOf([]byte("another")), "nonsense"} {
		b := newFixture(t, packtest.Options{})
		b.reg.Inject(fault.LyingDigest("", lie))
		p, err := b.fetcher(t, allowTags).Resolve(context.Background(), parse(b.byTag()), "")
		if err != nil || p.ManifestDigest != b.pushed.ManifestDigest {
			t.Errorf("header %q: got %+v, %v", lie, p, err)
		}
	}
}

func TestFault22_TagFlipsBetweenTwoRequests(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	other := packtest.MustPush(t, b.reg, repository, "", packtest.Pack([]byte("other"), ""))
	b.reg.Inject(fault.FlipTag("1.0", 1, other.ManifestDigest))
	result, err := fetchToCache(context.Background(), b.fetcher(t, allowTags), b.byTag())
	if err != nil {
		t.Fatal(err)
	}
	if result.ResolvedDigest != b.pushed.ManifestDigest.String() {
		t.Errorf("got %s, want %s", result.ResolvedDigest, b.pushed.ManifestDigest)
	}
	wantBytes(t, read(t, result.Path), b.data)
	b.wantRequests(t, "GET /v2/", "GET /v2/"+repository+"/manifests/1.0", b.blobLine())
}

func TestFault23_DigestDeletedFromTheRegistry(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	warm := b.dir
	b.fill(t)
	if err := b.reg.Delete(repository, b.pushed.ManifestDigest.String()); err != nil {
		t.Fatal(err)
	}
	b.dir = filepath.Join(t.TempDir(), "cold")
	_, err := fetchBytes(context.Background(), b.fetcher(t), b.byDigest())
	wantText(t, err, "cannot resolve "+b.byDigest()+": GET "+b.reg.URL()+strings.TrimPrefix(b.manifestLine(), "GET ")+
		": 404 not found or private: MANIFEST_UNKNOWN: manifest unknown")
	if e := as[*registry.Error](t, err); e.Status != 404 {
		t.Errorf("status %d", e.Status)
	}
	b.dir = warm
	b.fetch(t, b.fetcher(t))
}

func TestFault26_OfflineMiss(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	f := b.offline(t)
	_, err := fetchBytes(context.Background(), f, b.byDigest())
	wantText(t, err, b.byDigest()+" is not cached, and the network is off")
	if e := as[*fetch.OfflineError](t, err); e.NoManifest {
		t.Errorf("got %+v", e)
	}
	b.fill(t)
	os.Remove(b.file("pack.gtpack"))
	_, err = fetchToCache(context.Background(), f, b.byDigest())
	wantText(t, err, b.byDigest()+" is not cached, and the network is off")
	as[*fetch.OfflineError](t, err)
	b.wantRequests(t)
}

func TestFault27_UnknownCA(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	other := newFixture(t, packtest.Options{})
	_, err := fetchBytes(context.Background(), b.fetcher(t, func(o *fetch.Options) { o.Transport = other.reg.Transport() }), b.byDigest())
	as[*registry.Error](t, err)
	if !strings.Contains(err.Error(), ": tls: failed to verify certificate: x509: certificate signed by unknown authority") {
		t.Errorf("got %v", err)
	}
	b.wantRequests(t)
}

var errFull = errors.New("no space left on device")

// A fullSink takes nothing.
type fullSink struct{ sink }

func (*fullSink) Write([]byte) (int, error) { return 0, errFull }

// A stuckSink takes all and forgets nothing.
type stuckSink struct{ sink }

func (*stuckSink) Reset() error { return errFull }

func TestStorageErrors(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	resolve := func() *fetch.Resolved {
		t.Helper()
		p, err := b.fetcher(t).Resolve(context.Background(), parse(b.byDigest()), "")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	wantStorage := func(what string, err error) {
		t.Helper()
		as[*fetch.StorageError](t, err)
		if !errors.Is(err, errFull) || err.Error() != errFull.Error() {
			t.Errorf("%s: got %v", what, err)
		}
	}
	_, err := b.fetcher(t).Copy(context.Background(), resolve(), &fullSink{})
	wantStorage("from the network", err)
	b.wantFiles(t, "manifest.json")
	b.fill(t)
	_, err = b.fetcher(t).Copy(context.Background(), resolve(), &fullSink{})
	wantStorage("from the cache", err)
	b.wantWhole(t)
	write(t, b.file("pack.gtpack"), b.data[1:])
	_, err = b.fetcher(t).Copy(context.Background(), resolve(), &stuckSink{})
	wantStorage("that cannot be reset", err)
}

func TestStorageErrorOfTheTemporaryFile(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	write(t, b.dir, []byte("a file where the cache root should be"))
	t.Setenv("TMPDIR", filepath.Join(b.dir, "none"))
	t.Setenv("TMP", filepath.Join(b.dir, "none"))
	_, err := fetchToCache(context.Background(), b.fetcher(t), b.byDigest())
	as[*fetch.StorageError](t, err)
}
