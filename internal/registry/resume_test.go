package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

// cut is where the first response of these tests breaks off.
const cut = 500

// ranges returns the Range headers of the requests for blobs; "" where there
// was none.
func ranges(reg *packtest.Registry) []string {
	list := []string{}
	for _, r := range reg.Requests() {
		if strings.Contains(r.Path, "/blobs/") {
			list = append(list, r.Header.Get("Range"))
		}
	}
	return list
}

func wantRanges(t *testing.T, reg *packtest.Registry, want ...string) {
	t.Helper()
	if got := ranges(reg); !slices.Equal(got, want) {
		t.Errorf("Range headers:\n got %q\nwant %q", got, want)
	}
}

// fetch reads the pack into a buffer of its own.
func (b *fixture) fetch() (*buffer, error) {
	buf := &buffer{}
	return buf, b.client.Blob(context.Background(), b.byDigest(), b.content(), buf, nil)
}

func (b *fixture) wantPack(t *testing.T, got *buffer, err error) {
	t.Helper()
	if err != nil || !bytes.Equal(got.Bytes(), b.data) {
		t.Errorf("got %d bytes, %v; want the %d of the pack", got.Len(), err, len(b.data))
	}
}

// toRanges is f for requests that ask for the rest of a blob.
func toRanges(f packtest.Fault) packtest.Fault {
	match := f.Match
	f.Match = func(r *http.Request) bool { return match(r) && r.Header.Get("Range") != "" }
	return f
}

// piece answers a request for the rest of a blob with these headers and body.
func piece(status int, body []byte, header ...string) packtest.Fault {
	f := fault.WrongBlob("")
	f.Serve = func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		w.Write(body)
	}
	return toRanges(f)
}

func TestFault02_BodyBreaksOff(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(ociref.Digest, int) packtest.Fault{"abort": fault.AbortBlob, "reset": fault.ResetBlob} {
		onEachProtocol(t, packtest.Options{Token: true}, func(t *testing.T, b *fixture) {
			b.reg.Inject(fault.First(2, breaks("", cut)))
			got, err := b.fetch()
			b.wantPack(t, got, err)
			// A reset may take bytes with it that were under way.
			if name == "abort" {
				wantRanges(t, b.reg, "", "bytes=500-", "bytes=1000-")
			} else if n := len(ranges(b.reg)); n != 3 {
				t.Errorf("%d requests, want 3", n)
			}
			if name == "abort" && got.resets != 0 {
				t.Errorf("began anew %d times", got.resets)
			}
		})
	}
}

// Each try gets a little further, and the last one's failure says how far.
func TestFault02_BodyBreaksOffForEver(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		b.reg.Inject(fault.AbortBlob("", 40))
		got, err := b.fetch()
		e := as[*registry.Error](t, err)
		want := regexp.MustCompile(fmt.Sprintf(`^GET %s: the body broke off after 200 of %d bytes: (unexpected EOF|stream error: .+) \(after 5 tries\)$`,
			regexp.QuoteMeta(b.reg.URL()+b.blobPath()), len(b.data)))
		if !want.MatchString(err.Error()) {
			t.Errorf("got %q, want %s", err, want)
		}
		if e.Status != 0 || e.Tries != 5 || e.MayBePlain() {
			t.Errorf("status %d, %d tries, MayBePlain %t", e.Status, e.Tries, e.MayBePlain())
		}
		wantRanges(t, b.reg, "", "bytes=40-", "bytes=80-", "bytes=120-", "bytes=160-")
		if !bytes.Equal(got.Bytes(), b.data[:200]) {
			t.Errorf("%d bytes were written, want the first 200", got.Len())
		}
	})
}

// Without ranges each try starts the blob again.
func TestFault02_BreaksOffForEverWithoutRanges(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		b.reg.Inject(fault.Over(fault.AbortBlob("", 40), fault.NoRange("")))
		got, err := b.fetch()
		as[*registry.Error](t, err)
		if want := fmt.Sprintf("the body broke off after 40 of %d bytes: ", len(b.data)); !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want one with %q", err, want)
		}
		wantRanges(t, b.reg, "", "bytes=40-", "bytes=40-", "bytes=40-", "bytes=40-")
		if got.resets != 4 || got.Len() != 40 {
			t.Errorf("%d resets, %d bytes", got.resets, got.Len())
		}
	})
}

// Only a 206 of exactly what is missing is gone on with.
func TestFault02_NoPiece(t *testing.T) {
	t.Parallel()
	data := packtest.Zip("bed", "1.0.0", 1000)
	rest, last := data[cut:], len(data)-1
	exact := fmt.Sprintf("bytes %d-%d/%d", cut, last, len(data))
	again := []string{"", "bytes=500-", ""}
	for name, test := range map[string]struct {
		fault  packtest.Fault
		ranges []string
		resets int
	}{
		"exact":           {piece(206, rest, "Content-Range", exact), again[:2], 0},
		"200":             {toRanges(fault.NoRange("")), again[:2], 1},
		"no range":        {piece(206, rest), again, 1},
		"other start":     {piece(206, data[cut-1:], "Content-Range", fmt.Sprintf("bytes %d-%d/%d", cut-1, last, len(data))), again, 1},
		"from the start":  {piece(206, data, "Content-Range", fmt.Sprintf("bytes 0-%d/%d", last, len(data))), again, 1},
		"other end":       {piece(206, rest[:100], "Content-Range", fmt.Sprintf("bytes %d-%d/%d", cut, cut+99, len(data))), again, 1},
		"other total":     {piece(206, rest, "Content-Range", fmt.Sprintf("bytes %d-%d/%d", cut, last, len(data)+1)), again, 1},
		"unknown total":   {piece(206, rest, "Content-Range", fmt.Sprintf("bytes %d-%d/*", cut, last)), again, 1},
		"unsatisfied":     {piece(206, nil, "Content-Range", fmt.Sprintf("bytes */%d", len(data))), again, 1},
		"other unit":      {piece(206, rest, "Content-Range", fmt.Sprintf("items %d-%d/%d", cut, last, len(data))), again, 1},
		"other length":    {piece(206, rest[:9], "Content-Range", exact), again, 1},
		"multipart":       {piece(206, []byte("--x\r\n\r\n--x--"), "Content-Type", "multipart/byteranges; boundary=x"), again, 1},
		"416":             {piece(416, nil, "Content-Range", fmt.Sprintf("bytes */%d", len(data))), again, 1},
		"wrong bytes":     {toRanges(fault.WrongBlob("")), again, 1},
		"too long, piece": {toRanges(fault.LongBlob("", 3)), again, 1},
		"too short":       {toRanges(fault.ShortBlob("", 3)), again, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
				b.reg.Inject(fault.First(1, test.fault), fault.First(1, fault.AbortBlob("", cut)))
				got, err := b.fetch()
				b.wantPack(t, got, err)
				wantRanges(t, b.reg, test.ranges...)
				if got.resets != test.resets {
					t.Errorf("began anew %d times, want %d", got.resets, test.resets)
				}
			})
		})
	}
}

// Once pieces were of no use, none is asked for again, and tries are not spent
// on finding that out.
func TestFault02_NoPieceIsAskedForTwice(t *testing.T) {
	t.Parallel()
	for name, injected := range map[string]packtest.Fault{
		"416":         piece(416, nil),
		"wrong range": piece(206, nil, "Content-Range", "bytes 0-0/1"),
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			var told []registry.Retry
			b.use(t, registry.Options{Retrying: func(r registry.Retry) { told = append(told, r) }})
			b.reg.Inject(injected, fault.AbortBlob("", cut))
			got, err := b.fetch()
			e := as[*registry.Error](t, err)
			if want := fmt.Sprintf("GET %s%s: the body broke off after 500 of %d bytes: unexpected EOF (after 5 tries)", b.reg.URL(), b.blobPath(), len(b.data)); err.Error() != want {
				t.Errorf("got %q, want %q", err, want)
			}
			if e.Tries != 5 || len(told) != 4 {
				t.Errorf("%d tries, %d waits", e.Tries, len(told))
			}
			wantRanges(t, b.reg, "", "bytes=500-", "", "", "", "")
			if got.resets != 4 {
				t.Errorf("began anew %d times, want 4", got.resets)
			}
		})
	}
}

// A mismatch after a resume may be the seam's fault: the blob is asked for once
// more as a whole, and then it is the registry's.
func TestFault02_MismatchAfterAResume(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		b.reg.Inject(fault.First(1, fault.Over(fault.AbortBlob("", cut), fault.WrongBlob(""))))
		got, err := b.fetch()
		b.wantPack(t, got, err)
		wantRanges(t, b.reg, "", "bytes=500-", "")
		if got.resets != 1 {
			t.Errorf("began anew %d times", got.resets)
		}

		b.reg.ResetRequests()
		b.reg.Inject(fault.First(1, fault.AbortBlob("", cut)), fault.WrongBlob(""))
		got, err = b.fetch()
		as[*verified.MismatchError](t, err)
		wantText(t, err, fmt.Sprintf("digest mismatch\n\tgot:  %s\n\twant: %s", ociref.DigestOf(got.Bytes()), b.pushed.Layers[0]))
		wantRanges(t, b.reg, "", "bytes=500-", "")
		if got.resets != 1 || got.Len() != len(b.data) {
			t.Errorf("began anew %d times, got %d bytes", got.resets, got.Len())
		}
	})
}

// The leave to read that a registry gives with a redirect may be over: a resume
// asks the registry for another one.
func TestFault02_ResumeAsksTheRegistry(t *testing.T) {
	t.Parallel()
	ca, err := packtest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	onEachProtocol(t, packtest.Options{CA: ca, Token: true}, func(t *testing.T, b *fixture) {
		store := packtest.StartRegistry(t, packtest.Options{CA: ca})
		store.PutBlob("store", b.data)
		store.Inject(fault.First(2, fault.AbortBlob("", cut)))
		leave := presign(b, store)
		got, err := b.fetch()
		b.wantPack(t, got, err)
		wantRanges(t, b.reg, "", "bytes=500-", "bytes=1000-")
		wantRanges(t, store, "", "bytes=500-", "bytes=1000-")
		wantRequests(t, store, "GET "+leave(1), "GET "+leave(2), "GET "+leave(3))
		for _, r := range store.Requests() {
			if r.Authorization {
				t.Errorf("%s: the store was sent an Authorization", r)
			}
		}
	})
}

// presign has b's registry redirect to the store, each time with leave to read
// once; the store refuses a second time. It returns the path of the nth leave.
func presign(b *fixture, store *packtest.Registry) func(n int) string {
	leave := func(n int) string {
		return fmt.Sprintf("/v2/store/blobs/%s?X-Signature=s3cret%d", b.pushed.Layers[0], n)
	}
	given := make(chan int, 1)
	given <- 0
	b.reg.Inject(packtest.Fault{
		Match: func(r *http.Request) bool { return r.URL.Path == b.blobPath() && r.Header.Get("Authorization") != "" },
		Serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			n := <-given + 1
			given <- n
			http.Redirect(w, r, store.URL()+leave(n), http.StatusTemporaryRedirect)
		},
	})
	used := make(chan map[string]bool, 1)
	used <- map[string]bool{}
	store.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		seen := <-used
		defer func() { used <- seen }()
		if seen[r.URL.RawQuery] {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		seen[r.URL.RawQuery] = true
		return false
	})
	return leave
}

// The registry goes away in the middle of the body and comes back.
func TestFault02_RegistryRestarts(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		b.use(t, registry.Options{Sleep: func(context.Context, time.Duration) error { return b.reg.Start() }})
		b.reg.Inject(fault.First(1, fault.StallBlob("", cut)))
		var buf buffer
		stopped := false
		err := b.client.Blob(context.Background(), b.byDigest(), b.content(), sink{&buf, func() {
			if !stopped && buf.Len() == cut {
				stopped = true
				b.reg.Stop()
			}
		}}, nil)

		b.wantPack(t, &buf, err)
		wantRanges(t, b.reg, "", "bytes=500-")
	})
}

// A sink is a buffer that tells of each write.
type sink struct {
	*buffer
	wrote func()
}

func (s sink) Write(p []byte) (int, error) {
	defer s.wrote()
	return s.buffer.Write(p)
}

// A sink that cannot begin anew is a storage error, and ends the download.
func TestSinkThatDoesNotReset(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.reg.Inject(fault.First(1, fault.AbortBlob("", cut)), fault.NoRange(""))
	stuck := errors.New("input/output error")
	err := b.client.Blob(context.Background(), b.byDigest(), b.content(), stuckSink{&buffer{}, stuck}, nil)
	as[*verified.WriteError](t, err)
	if !errors.Is(err, stuck) {
		t.Errorf("got %v", err)
	}
	wantRanges(t, b.reg, "", "bytes=500-")

	b.reg.ResetRequests()
	b.reg.Inject(fault.First(1, fault.AbortBlob("", cut)), piece(416, nil))
	err = b.client.Blob(context.Background(), b.byDigest(), b.content(), stuckSink{&buffer{}, stuck}, nil)
	as[*verified.WriteError](t, err)
	wantRanges(t, b.reg, "", "bytes=500-")
}

type stuckSink struct {
	*buffer
	err error
}

func (s stuckSink) Reset() error { return s.err }

// A blob that is there but for the end of the conversation is there.
func TestBlobBreaksOffWhenAllHasCome(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != b.blobPath() {
			return false
		}
		w.WriteHeader(http.StatusOK) // no length: only the end would tell
		w.Write(b.data)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	got, err := b.fetch()
	b.wantPack(t, got, err)
	wantRanges(t, b.reg, "")
}

// A part of what was asked for in whole is nothing that an honest registry sends.
func TestFault02_PartNotAskedFor(t *testing.T) {
	t.Parallel()
	for kind, call := range map[string]func(*fixture) error{
		"manifest": (*fixture).manifest,
		"blob":     func(b *fixture) error { _, err := b.blob(); return err },
	} {
		t.Run(kind, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			b.reg.Inject(fault.Status("/v2/"+repository+"/"+kind+"s/", http.StatusPartialContent, nil))
			err := call(b)
			wantText(t, err, "the registry sent a part of what was asked for")
			as[*registry.ProtocolError](t, err)
		})
	}
}

// resume is fetch after an earlier one that kept some bytes.
func (b *fixture) resume(kept []byte) (*buffer, error) {
	buf := &buffer{}
	return buf, b.client.Blob(context.Background(), b.byDigest(), b.content(), buf, bytes.NewReader(kept))
}

// An interrupted download is continued and never trusted: if the whole is wrong, the
// client asks for all of it once.
func TestFault02b_Kept(t *testing.T) {
	t.Parallel()
	inverted := func(data []byte) []byte {
		data = bytes.Clone(data)
		data[0] ^= 0xff
		return data
	}
	for name, test := range map[string]struct {
		kept   func(data []byte) []byte
		fault  *packtest.Fault
		ranges []string
	}{
		"some":                       {kept: func(data []byte) []byte { return data[:cut] }, ranges: []string{"bytes=500-"}},
		"nothing":                    {kept: func([]byte) []byte { return nil }, ranges: []string{""}},
		"all":                        {kept: func(data []byte) []byte { return data }, ranges: []string{}},
		"all but a byte":             {kept: func(data []byte) []byte { return data[:len(data)-1] }, ranges: []string{"bytes=LAST-"}},
		"wrong":                      {kept: func(data []byte) []byte { return inverted(data[:cut]) }, ranges: []string{"bytes=500-", ""}},
		"all, and wrong":             {kept: inverted, ranges: []string{""}},
		"too much":                   {kept: func(data []byte) []byte { return append(bytes.Clone(data), 0) }, ranges: []string{""}},
		"some, without ranges":       {kept: func(data []byte) []byte { return data[:cut] }, fault: ptr(fault.NoRange("")), ranges: []string{"bytes=500-"}},
		"wrong, without ranges":      {kept: func(data []byte) []byte { return inverted(data[:cut]) }, fault: ptr(fault.NoRange("")), ranges: []string{"bytes=500-"}},
		"some, and ranges refused":   {kept: func(data []byte) []byte { return data[:cut] }, fault: ptr(fault.RefuseRange("")), ranges: []string{"bytes=500-", ""}},
		"some, and a wrong range":    {kept: func(data []byte) []byte { return data[:cut] }, fault: ptr(fault.First(1, fault.WrongRange(""))), ranges: []string{"bytes=500-", ""}},
		"some, and breaks off again": {kept: func(data []byte) []byte { return data[:cut] }, fault: ptr(fault.First(1, fault.AbortBlob("", 100))), ranges: []string{"bytes=500-", "bytes=600-"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, packtest.Options{})
			if test.fault != nil {
				b.reg.Inject(*test.fault)
			}
			got, err := b.resume(test.kept(b.data))
			b.wantPack(t, got, err)
			var want []string
			for _, r := range test.ranges {
				want = append(want, strings.ReplaceAll(r, "LAST", fmt.Sprint(len(b.data)-1)))
			}
			wantRanges(t, b.reg, want...)
		})
	}
}

func ptr[T any](v T) *T { return &v }

// A blob that is wrong from its beginning to its end stays so, however much of it
// was kept.
func TestFault02b_WrongAgain(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{})
	b.reg.Inject(fault.WrongBlob(""))
	_, err := b.resume(b.data[:cut])
	as[*verified.MismatchError](t, err)
	wantRanges(t, b.reg, "bytes=500-", "")
}

// Nobody who is interrupted waits until all that was kept has been hashed.
func TestFault02b_InterruptedAgain(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	var copied int64
	err := b.client.Blob(ctx, b.byDigest(), verified.Content{Digest: b.content().Digest, Size: 1 << 50}, writerFunc(func(p []byte) (int, error) {
		copied += int64(len(p))
		cancel()
		return len(p), nil
	}), zeros{})

	if !errors.Is(err, context.Canceled) || copied > 1<<20 {
		t.Errorf("after %d bytes %v", copied, err)
	}
	wantRanges(t, b.reg)
}

// zeros is a reader without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
