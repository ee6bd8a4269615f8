package fetch_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// Set in a child process: the file that it writes in place, and the one that has
// the bytes.
const (
	childWrites = "PACKFETCH_TEST_WRITES"
	childSource = "PACKFETCH_TEST_SOURCE"
)

// writeInChild empties a file and writes so many bytes to it as each line of input
// says; after each step it prints how many there are.
func writeInChild(path string) error {
	data, err := os.ReadFile(os.Getenv(childSource))
	if err != nil {
		return err
	}
	file, err := os.Create(path) // as fs::write of Rust does
	if err != nil {
		return err
	}
	fmt.Println(0)
	lines, n := bufio.NewScanner(os.Stdin), 0
	for lines.Scan() {
		more, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		end := min(n+more, len(data))
		if _, err := file.Write(data[n:end]); err != nil {
			return err
		}
		n = end
		fmt.Println(n)
	}
	return file.Close()
}

// A writer is another process that writes the pack's bytes to its entry in place.
type writer struct {
	t      *testing.T
	stdin  io.Writer
	stdout *bufio.Reader
}

// writer starts one; the entry's pack is empty then.
func (b *fixture) writer(t *testing.T) *writer {
	t.Helper()
	source := t.TempDir() + "/source"
	write(t, source, b.data)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childWrites+"="+b.file("pack.gtpack"), childSource+"="+source)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	w := &writer{t, stdin, bufio.NewReader(stdout)}
	w.wait()
	return w
}

// write returns when n more bytes are written.
func (w *writer) write(n int) {
	fmt.Fprintln(w.stdin, n)
	w.wait()
}

func (w *writer) wait() {
	if line, err := w.stdout.ReadString('\n'); err != nil {
		w.t.Errorf("the writer says %q, %v", line, err)
	}
}

// big is a fixture whose pack takes several reads.
func big(t *testing.T) *fixture {
	t.Helper()
	data := packtest.Zip("big", "1.0.0", 300_000)
	b := newFixtureOf(t, packtest.Options{}, data, packtest.Pack(data, "big.gtpack"))
	b.fill(t)
	return b
}

// sleeps is a Sleep that counts, and calls on each time.
func sleeps(n *time.Duration, on func()) func(*fetch.Options) {
	return func(o *fetch.Options) {
		o.Sleep = func(ctx context.Context, d time.Duration) error {
			*n += d
			on()
			return context.Cause(ctx)
		}
	}
}

// ways are how a pack may be got from an entry with another program at it.
var ways = map[string]struct {
	options func(*fetch.Options)
	pinned  bool // without the manifest, as the Rust client leaves an entry
}{
	"online":         {options: func(*fetch.Options) {}},
	"offline":        {options: offline},
	"offline pinned": {options: offline, pinned: true},
}

// get copies the pack to dst.
func (b *fixture) get(f *fetch.Fetcher, pinned bool, dst fetch.Sink) error {
	p, err := f.Resolve(context.Background(), parse(b.byDigest()), "")
	if pinned {
		p, err = f.FromLock(parse(b.byDigest()), b.pushed.ManifestDigest, b.layer(), "")
	}
	if err == nil {
		_, err = f.Copy(context.Background(), p, dst)
	}
	return err
}

// An entry that another process is writing in place is not bad, and is waited for.
func TestFault64_WrittenInPlace(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			b := big(t)
			if way.pinned {
				os.Remove(b.file("manifest.json"))
			}
			other := b.writer(t)
			other.write(100_000)
			var waited time.Duration
			f := b.fetcher(t, way.options, sleeps(&waited, func() { other.write(100_000) }))
			var s sink
			if err := b.get(f, way.pinned, &s); err != nil {
				t.Fatal(err)
			}
			wantBytes(t, s.Bytes(), b.data)
			if rest := time.Duration(len(b.data)-1) / 100_000; waited != rest*50*time.Millisecond {
				t.Errorf("waited for %v", waited)
			}
			b.wantRequests(t)
			b.events.wantNone(t)
		})
	}
}

// An entry that another process rewrites while it is read is not bad either,
// whether the reader comes upon its end or upon a mixture. One of another size is
// not read, so that nobody can rewrite it meanwhile.
func TestFault64_RewrittenWhileRead(t *testing.T) {
	for name, way := range ways {
		for from, test := range map[string]struct {
			wrong   bool // the bytes that stand there at first
			written int  // while the first bytes are read
		}{
			"right bytes":             {false, 100_000},
			"another pack":            {true, 100_000},
			"another pack to its end": {true, 400_000},
		} {
			t.Run(name+" from "+from, func(t *testing.T) {
				b := big(t)
				if way.pinned {
					os.Remove(b.file("manifest.json"))
				}
				if test.wrong {
					flipped := bytes.Clone(b.data)
					flipped[0] ^= 1
					write(t, b.file("pack.gtpack"), flipped)
				}
				long := time.Now().Add(-time.Hour)
				if err := os.Chtimes(b.file("pack.gtpack"), long, long); err != nil {
					t.Fatal(err)
				}
				var other *writer
				s := &startedSink{started: make(chan struct{})}
				s.on = func() {
					other = b.writer(t)
					other.write(test.written)
				}
				var waited time.Duration
				f := b.fetcher(t, way.options, sleeps(&waited, func() { other.write(len(b.data)) }))
				if err := b.get(f, way.pinned, s); err != nil {
					t.Fatal(err)
				}
				wantBytes(t, s.Bytes(), b.data)
				if waited != 50*time.Millisecond {
					t.Errorf("waited for %v, want one time", waited)
				}
				b.wantRequests(t)
				b.events.wantNone(t)
			})
		}
	}
}

// What stays too short is looked at for two seconds, and what is wrong otherwise
// is not looked at again.
func TestFault64_PatienceEnds(t *testing.T) {
	data := packtest.Zip("big", "1.0.0", 300_000)
	flipped := append([]byte{}, data...)
	flipped[len(flipped)/2] ^= 1
	for name, test := range map[string]struct {
		cached []byte
		want   time.Duration
	}{
		"short":   {data[:100_000], 2 * time.Second},
		"empty":   {nil, 2 * time.Second},
		"flipped": {flipped, 0},
		"long":    {append(flipped, 0), 0},
	} {
		for way, options := range map[string]func(*fetch.Options){"online": func(*fetch.Options) {}, "offline": offline} {
			t.Run(name+" "+way, func(t *testing.T) {
				b := big(t)
				write(t, b.file("pack.gtpack"), test.cached)
				var waited time.Duration
				f := b.fetcher(t, options, sleeps(&waited, func() {}))
				err := b.get(f, false, &sink{})
				wrong := &packcache.CorruptError{}
				if way == "offline" {
					wrong = as[*packcache.CorruptError](t, err)
				} else if event := one[fetch.CorruptEntry](t, b.events); err != nil || !event.Mended {
					t.Errorf("got %v, %+v", err, event)
				} else {
					wrong = event.Err
				}
				// Less if the machine is slow: TestRetryUnfinished of packcache has a clock.
				if waited > test.want || (waited > 0) != (test.want > 0) || wrong.Short != (test.want > 0) || wrong.Changed {
					t.Errorf("waited for %v, want %v; %+v", waited, test.want, wrong)
				}
			})
		}
	}
}

// What cannot be mended is not said to be.
func TestCorruptEntryIsNotMended(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.fill(t)
	write(t, b.file("pack.gtpack"), packtest.Zip("another", "1.0.0", 1000))
	b.reg.Inject(fault.Status("/v2/"+repository+"/blobs/", http.StatusForbidden, nil))
	_, err := fetchBytes(context.Background(), b.fetcher(t), b.byDigest())
	as[*registry.Error](t, err)
	if event := one[fetch.CorruptEntry](t, b.events); event.Mended {
		t.Errorf("got %+v", event)
	}
}

// Who waits for another program to write can be interrupted.
func TestLookingAgainEndsWithItsContext(t *testing.T) {
	b := big(t)
	write(t, b.file("pack.gtpack"), b.data[:100])
	ctx, cancel := context.WithCancel(context.Background())
	var waited time.Duration
	_, err := fetchBytes(ctx, b.fetcher(t, sleeps(&waited, cancel)), b.byDigest())
	if !errors.Is(err, context.Canceled) || waited != 50*time.Millisecond {
		t.Errorf("got %v after %v, want context.Canceled", err, waited)
	}
	b.wantRequests(t)
	b.events.wantNone(t)
}
