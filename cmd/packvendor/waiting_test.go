package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/greenticai/packvendor/internal/packtest"
)

// A clock moves only by advance.
type clock struct {
	mu     sync.Mutex
	now    time.Duration
	timers []*clockTimer
}

type clockTimer struct {
	at time.Duration
	f  func()
}

func (c *clock) after(d time.Duration, f func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	timer := &clockTimer{c.now + d, f}
	c.timers = append(c.timers, timer)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.timers = slices.DeleteFunc(c.timers, func(t *clockTimer) bool { return t == timer })
	}
}

// advance moves the clock, and fires due timers.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	c.now += d
	var due []*clockTimer
	c.timers = slices.DeleteFunc(c.timers, func(t *clockTimer) bool {
		if t.at <= c.now {
			due = append(due, t)
		}
		return t.at <= c.now
	})
	c.mu.Unlock()
	for _, timer := range due {
		timer.f()
	}
}

// waitFixture is packvendor in this process, with a clock of the test.
type waitFixture struct {
	*fixture
	clock clock
	dir   string
	mu    sync.Mutex
	said  bytes.Buffer // standard error
	heard chan bool    // there is new output
}

func newWaitFixture(t *testing.T) *waitFixture {
	b := &waitFixture{fixture: newFixture(t, packtest.Options{Plain: true}), dir: t.TempDir(), heard: make(chan bool, 100)}
	ref := b.push("slack", "1.0.0", 2_000_000)
	b.project(fmt.Sprintf("slack = %q", ref)).write(b, b.dir)
	return b
}

func (b *waitFixture) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard <- true
	return b.said.Write(p)
}

func (b *waitFixture) stderr() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.said.String()
}

// start runs a command; end waits for its end.
func (b *waitFixture) start(waits waits, args ...string) (end func() (code int, stdout string)) {
	var stdout bytes.Buffer
	var code int
	done := make(chan bool)
	waits.after = b.clock.after
	waits.now = func() time.Time { return time.Time{} }
	go func() {
		defer close(done)
		code = run(context.Background(), process{
			args:   append(args, "--file="+filepath.Join(b.dir, "packs.toml"), "--cache-dir="+filepath.Join(b.dir, "cache")),
			getenv: func(string) string { return "" }, stdout: &stdout, stderr: b, waits: waits,
		})
	}()
	return func() (int, string) {
		b.await("the end", done)
		return code, stdout.String()
	}
}

func (b *waitFixture) await(what string, c chan bool) {
	b.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		b.Fatalf("no sign of %s; so far:\n%s", what, b.stderr())
	}
}

// hold keeps back the answers to requests with a part in their path, until release is
// called; arrived receives each.
func (b *waitFixture) hold(part string) (arrived chan bool, release func()) {
	arrived, released := make(chan bool, 10), make(chan bool)
	b.reg.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, part) {
			arrived <- true
			<-released
		}
		return false
	})
	return arrived, func() { close(released) }
}

// Without a terminal a command reports what it waits for; without a wait it does not.
func TestWaitingForRegistry(t *testing.T) {
	for _, test := range []struct {
		args  []string
		lines bool
	}{
		{nil, true},
		{[]string{"-q"}, false},
		{[]string{"--json"}, true},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			b := newWaitFixture(t)
			arrived, release := b.hold("/manifests/")
			end := b.start(waits{}, test.args...)
			b.await("the request", arrived)
			b.clock.advance(10*time.Second - 1)
			if said := b.stderr(); said != "" {
				t.Errorf("said too soon: %s", said)
			}
			b.clock.advance(1)
			b.clock.advance(20 * time.Second)
			b.clock.advance(20 * time.Second)
			release()
			code, stdout := end()
			want := ""
			for _, at := range []string{"10s", "30s"} {
				want += "packvendor: after " + at + ": resolving; waiting for " + b.reg.Host() + "\n"
			}
			if !test.lines {
				want = ""
			}
			if test.args == nil {
				want += "packvendor: 1 pack added; 2.0 MB downloaded; 0.0s\n"
			}
			if got := b.stderr(); code != 0 || got != want {
				t.Errorf("exit code %d, got:\n%s\nwant:\n%s", code, got, want)
			}
			if isDocument := strings.HasPrefix(stdout, "{\n"); isDocument != slices.Contains(test.args, "--json") {
				t.Errorf("stdout:\n%s", stdout)
			}
			b.clock.advance(time.Hour)
			if got := b.stderr(); got != want {
				t.Errorf("said after the end:\n%s", got)
			}
		})
	}
}

// A refused connection is retried for ten seconds and more, with a message.
func TestWaitingForRetry(t *testing.T) {
	b := newWaitFixture(t)
	b.must(b.reg.Stop())
	end := b.start(waits{sleep: func(context.Context, time.Duration) error {
		b.clock.advance(10 * time.Second)
		return nil
	}})
	code, _ := end()
	host := b.reg.Host()
	failed := fmt.Sprintf("GET http://%s/v2/: dial tcp %s: connect: connection refused", host, host)
	want := "packvendor: after 10s: resolving; " + failed + ": trying again (2 of 5)\n" +
		"packvendor: after 30s: resolving; " + failed + ": trying again (4 of 5)\n" +
		"packvendor: error: " + filepath.Join(b.dir, "packs.toml") + ":7: packs.slack: cannot resolve "
	if got := b.stderr(); code != exitNetwork || !strings.HasPrefix(got, want) || !strings.HasSuffix(got, failed+" (after 5 tries)\n") {
		t.Errorf("exit code %d, got:\n%s\nwant:\n%s", code, got, want)
	}
}

// A slow download reports its progress.
func TestWaitingForDownload(t *testing.T) {
	b := newWaitFixture(t)
	blob := newBarrier("/blobs/")
	b.bar(blob)
	end := b.start(waits{})
	want := ": fetching, 1.00/2.00 MB; waiting for " + b.reg.Host() + "\n"
	for deadline := time.Now().Add(patience); !strings.HasSuffix(b.stderr(), want) && time.Now().Before(deadline); {
		b.clock.advance(time.Minute) // until the sent half has arrived
		<-time.After(time.Millisecond)
		for len(b.heard) > 0 {
			<-b.heard
		}
	}
	if got := b.stderr(); !strings.HasSuffix(got, want) {
		t.Errorf("got:\n%s\nwant at the end:\n%s", got, want)
	}
	blob.lift()
	if code, _ := end(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, b.stderr())
	}
}

// A run that waits for another one repeats its message.
func TestWaitingForProject(t *testing.T) {
	b := newWaitFixture(t)
	lock := flock.New(b.dir, flock.SetFlag(0))
	if held, err := lock.TryLock(); err != nil || !held {
		t.Skip("folders cannot be locked here")
	}
	end := b.start(waits{})
	b.await("the wait", b.heard)
	b.clock.advance(10 * time.Second)
	b.must(lock.Close())
	code, _ := end()
	file := filepath.Join(b.dir, "packs.toml")
	want := "packvendor: " + file + ": waiting for another packvendor to finish\n" +
		"packvendor: after 10s: waiting for another packvendor, which is at work on " + file + "\n" +
		"packvendor: 1 pack added; 2.0 MB downloaded; 0.0s\n"
	if got := b.stderr(); code != 0 || got != want {
		t.Errorf("exit code %d, got:\n%s\nwant:\n%s", code, got, want)
	}
}
