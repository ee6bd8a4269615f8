package fetch_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
)

// Set in a child process: what to fetch, into which cache, trusting which CA.
const (
	childReference = "PACKFETCH_TEST_REFERENCE"
	childCache     = "PACKFETCH_TEST_CACHE"
	childCA        = "PACKFETCH_TEST_CA"
)

// TestMain lets the test binary be the other processes as well.
func TestMain(m *testing.M) {
	if path := os.Getenv(childWrites); path != "" {
		if err := writeInChild(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if reference := os.Getenv(childReference); reference != "" {
		if err := fetchInChild(reference); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func fetchInChild(reference string) error {
	pem, err := os.ReadFile(os.Getenv(childCA))
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	f, err := fetch.New(fetch.Options{
		CacheDir:  os.Getenv(childCache),
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}},
	})
	if err != nil {
		return err
	}
	data, err := fetchBytes(context.Background(), f, reference)
	if err == nil {
		_, err = os.Stdout.Write(data)
	}
	return err
}

// child is another process that fetches the pack and prints it.
func (b *fixture) child(t *testing.T) *exec.Cmd {
	t.Helper()
	ca, err := b.reg.CAFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childReference+"="+b.byDigest(), childCache+"="+b.dir, childCA+"="+ca)
	return cmd
}

// together holds the first request for a manifest back until n fetches have
// begun, and returns what each is to call as it begins.
func (b *fixture) together(n int) (begin func()) {
	var begun sync.WaitGroup
	begun.Add(n)
	b.reg.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method+" "+r.URL.Path == b.manifestLine() {
			begun.Wait()
		}
		return false
	})
	return begun.Done
}

// wantOneDownload wants that the registry was asked once for each thing.
func (b *fixture) wantOneDownload(t *testing.T) {
	t.Helper()
	for _, line := range []string{b.manifestLine(), b.blobLine()} {
		if got := b.count(line); got != 1 {
			t.Errorf("%d times %s, want 1", got, line)
		}
	}
}

func TestFault39_FetchersOnOneColdDigest(t *testing.T) {
	for name, fetchers := range map[string]int{"one fetcher": 1, "two fetchers": 2} {
		t.Run(name, func(t *testing.T) {
			const n = 16
			b := newFixture(t, packtest.Options{})
			begin := b.together(n)
			var list []*fetch.Fetcher
			for range fetchers {
				list = append(list, b.fetcher(t))
			}
			var all sync.WaitGroup
			for i := range n {
				all.Go(func() {
					begin()
					got, err := fetchBytes(context.Background(), list[i%fetchers], b.byDigest())
					if err != nil {
						t.Error(err)
						return
					}
					wantBytes(t, got, b.data)
				})
			}
			all.Wait()
			b.wantOneDownload(t)
			b.wantWhole(t)
		})
	}
}

func TestFault39_ProcessesOnOneColdDigest(t *testing.T) {
	const n = 8
	b := newFixture(t, packtest.Options{})
	var all sync.WaitGroup
	for range n {
		cmd := b.child(t)
		all.Go(func() {
			got, err := cmd.Output()
			if err != nil {
				var exit *exec.ExitError
				errors.As(err, &exit)
				t.Errorf("%v: %s", err, exit.Stderr)
				return
			}
			wantBytes(t, got, b.data)
		})
	}
	all.Wait()
	b.wantOneDownload(t)
	b.wantWhole(t)
}

// A process that is killed in the middle of its download costs one more, and
// what it left is swept.
func TestFault39_HolderIsKilled(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.reg.Inject(fault.First(1, fault.StallBlob("", 100)))
	holds := make(chan struct{})
	b.reg.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method+" "+r.URL.Path == b.blobLine() {
			select {
			case <-holds:
			default:
				close(holds)
			}
		}
		return false
	})
	cmd := b.child(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	select {
	case <-holds:
	case <-time.After(patience):
		t.Fatal("the other process asks for no blob")
	}
	b.events.on = func(e fetch.Event) {
		if _, ok := e.(fetch.Waiting); ok {
			cmd.Process.Kill()
		}
	}
	b.fetch(t, b.fetcher(t))
	if event := one[fetch.Waiting](t, b.events); event.Reference != b.byDigest() {
		t.Errorf("got %+v", event)
	}
	if got := b.count(b.blobLine()); got != 2 {
		t.Errorf("%d blob requests, want 2", got)
	}
	b.wantWhole(t)
}

// hold takes the pack's lock, as another process would.
func (b *fixture) hold(t *testing.T) (release func()) {
	t.Helper()
	return b.holdOf(t, b.pushed.ManifestDigest)
}

func (b *fixture) holdOf(t *testing.T, manifest ociref.Digest) (release func()) {
	t.Helper()
	lock, err := packcache.New(packcache.Options{Root: b.dir}).Lock(context.Background(), manifest, nil)
	if err != nil || !lock.Held() {
		t.Skip("files cannot be locked here: ", err)
	}
	return lock.Unlock
}

func TestFault40_WaitingIsBounded(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	defer b.hold(t)()
	b.fetch(t, b.fetcher(t, func(o *fetch.Options) { o.LockWait = time.Millisecond }))
	one[fetch.Waiting](t, b.events)
	b.wantWhole(t)
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	defer b.hold(t)()
	ctx, cancel := context.WithCancel(context.Background())
	b.events.on = func(fetch.Event) { cancel() }
	_, err := fetchBytes(ctx, b.fetcher(t), b.byDigest())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	one[fetch.Waiting](t, b.events)
}

// Who waits for the same Fetcher's other fetch can be cancelled too.
func TestWaitingInTheProcessEndsWithItsContext(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.reg.Inject(fault.StallBlob("", 10))
	f := b.fetcher(t)
	first, cancelFirst := context.WithCancel(context.Background())
	defer cancelFirst()
	p, err := f.Resolve(first, parse(b.byDigest()), "")
	if err != nil {
		t.Fatal(err)
	}
	firstDone, started := make(chan error, 1), make(chan struct{})
	go func() {
		_, err := f.Copy(first, p, &startedSink{started: started})
		firstDone <- err
	}()
	<-started
	second, cancelSecond := context.WithCancel(context.Background())
	cancelSecond()
	secondDone := make(chan error, 1)
	go func() {
		_, err := f.Copy(second, p, &sink{})
		secondDone <- err
	}()
	select {
	case err := <-secondDone:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	case <-time.After(patience / 10):
		t.Error("a cancelled fetch waits for another")
	}
	cancelFirst()
	if err := <-firstDone; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// A startedSink tells of its first bytes.
type startedSink struct {
	sink
	once    sync.Once
	started chan struct{}
	on      func() // if not nil, is called too
}

func (s *startedSink) Write(p []byte) (int, error) {
	if len(p) > 0 {
		s.once.Do(func() {
			close(s.started)
			if s.on != nil {
				s.on()
			}
		})
	}
	return s.sink.Write(p)
}

// Between the look and the lock another may have done the work: look again,
// waited or not.
func TestFilledBetweenTheLookAndTheLock(t *testing.T) {
	for name, cached := range map[string][]byte{"missing": nil, "corrupt": packtest.Zip("another", "1.0.0", 1000)} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			b.fill(t)
			os.Remove(b.file("pack.gtpack"))
			if cached != nil {
				write(t, b.file("pack.gtpack"), cached)
			}
			release := b.hold(t)
			b.events.on = func(fetch.Event) {
				write(t, b.file("pack.gtpack"), b.data)
				release()
			}
			b.fetch(t, b.fetcher(t))
			b.wantRequests(t)
			one[fetch.Waiting](t, b.events)
			b.wantWhole(t)
		})
	}
}

// Who keeps the locks of all packs costs one wait, not one a pack.
func TestFault62_OneWaitInVain(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	second := packtest.MustPush(t, b.reg, repository, "2.0", packtest.Pack(packtest.Zip("second", "2.0.0", 10), ""))
	defer b.hold(t)()
	defer b.holdOf(t, second.ManifestDigest)()
	f := b.fetcher(t, func(o *fetch.Options) { o.LockWait = time.Millisecond })
	b.fetch(t, f)
	if _, err := fetchBytes(context.Background(), f, b.refOf(second.ManifestDigest)); err != nil {
		t.Fatal(err)
	}
	if event := one[fetch.Waiting](t, b.events); event.Reference != b.byDigest() {
		t.Errorf("got %+v", event)
	}
	b.wantWhole(t)
}

// Healing waits for nobody: whoever holds the lock does the same, or more.
func TestHealingDoesNotWait(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.fill(t)
	os.Remove(b.file("metadata.json"))
	release := b.hold(t)
	b.fetch(t, b.fetcher(t))
	b.wantFiles(t, "manifest.json", "pack.gtpack")
	release()
	b.fetch(t, b.fetcher(t))
	b.wantWhole(t)
}
