//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
)

const (
	processCount = 32
	manyPacks    = 20
)

// A crowd is a set of processes that start on one cold cache at the same time, each
// with its own project.
type crowd struct {
	*fixture
	cache string
	all   []*member
}

// A member is one process of a crowd.
type member struct {
	*exec.Cmd
	dir  string
	says *said
}

// newCrowd prepares processes with equal projects.
func newCrowd(b *fixture, project tree) *crowd {
	b.Helper()
	root, _ := scratch(b)
	c := &crowd{fixture: b, cache: filepath.Join(root, "cache")}
	for n := range processCount {
		dir := filepath.Join(root, fmt.Sprint(n))
		b.must(os.Mkdir(dir, 0o777))
		project.write(b, dir)
		m := &member{Cmd: b.command(dir, c.cache), dir: dir, says: &said{}}
		m.Stderr = m.says
		c.all = append(c.all, m)
	}
	return c
}

// start starts all processes. No holder of a lock gets an answer before all others have
// reported that they wait: all work by then.
func (c *crowd) start() {
	c.Helper()
	gate := sync.OnceFunc(func() { waitFor(func() bool { return c.waiting() >= processCount-1 }) })
	c.reg.ResetRequests()
	c.reg.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/manifests/") {
			gate()
		}
		return false
	})
	for _, m := range c.all {
		c.must(m.Start())
		c.Cleanup(func() { m.Process.Kill() })
	}
}

func (c *crowd) waiting() int {
	n := 0
	for _, m := range c.all {
		if m.says.contains("waiting for another process") {
			n++
		}
	}
	return n
}

// wait demands that all processes end with 0 and the same project.
func (c *crowd) wait(want tree) {
	c.Helper()
	for n, m := range c.all {
		if err := m.Wait(); err != nil {
			c.Errorf("process %d: %v\n%s", n, err, &m.says.text)
		} else if differs := readTree(c, m.dir).differences(want); differs != "" {
			c.Errorf("process %d leaves\n%s", n, differs)
		}
	}
}

// wantWhole demands exactly so many packs in the cache.
func (c *crowd) wantWhole(packs int) {
	c.Helper()
	cached := readTree(c, c.cache)
	c.wantCache("in the end", cached)
	count := packsIn(cached)
	if temps := cached.temporaries(); count != packs || len(temps) > 0 {
		c.Errorf("the cache holds %d packs, want %d, and the temporaries %q", count, packs, temps)
	}
}

// said is a process's stderr.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) contains(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.text.String(), text)
}

// counts returns the requests so far by kind: "ping", or kind and repository such as
// "blobs p1".
func (b *fixture) counts() map[string]int {
	counts := map[string]int{}
	for _, r := range b.reg.Requests() {
		path, query, _ := strings.Cut(r.Path, "?")
		switch parts := strings.Split(path, "/"); {
		case path == "/v2/":
			counts["ping"]++
		case path == "/token":
			scope, _ := url.ParseQuery(query)
			counts["token "+strings.Split(scope.Get("scope"), ":")[1]]++
		default:
			counts[parts[3]+" "+parts[2]]++
		}
	}
	return counts
}

// locked returns a project with packs and a packs.lock, before and after a run.
func (b *fixture) locked(packs, size int) (project, vendored tree) {
	b.Helper()
	var lines []string
	for n := range packs {
		name := fmt.Sprintf("p%d", n)
		lines = append(lines, fmt.Sprintf("%s = %q", name, b.push(name, "1.0.0", size)))
	}
	project = b.project(lines...)
	root, done := scratch(b)
	defer done()
	dir := filepath.Join(root, "project")
	b.must(os.Mkdir(dir, 0o777))
	project.write(b, dir)
	b.mustRun(b.command(dir, filepath.Join(root, "cache")))
	vendored = readTree(b, dir)
	project["packs.lock"] = vendored["packs.lock"]
	return project, vendored
}

// In TestFault39_ManyPacks many processes vendor the same locked project at once.
// Together they request each manifest and each blob once; each of these processes pings
// the registry once, and gets a token for each repository if needed.
func TestFault39_ManyPacks(t *testing.T) {
	for name, opts := range map[string]packtest.Options{"open": {}, "token": {Token: true}} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, opts)
			project, vendored := b.locked(manyPacks, 10_000)
			c := newCrowd(b, project)
			c.start()
			c.wait(vendored)
			c.wantWhole(manyPacks)
			counts := b.counts()
			if n := counts["ping"]; n < 1 || n > processCount {
				t.Errorf("%d pings by %d processes", n, processCount)
			}
			for n := range manyPacks {
				repository := fmt.Sprintf("p%d", n)
				manifests, blobs, tokens := counts["manifests "+repository], counts["blobs "+repository], counts["token "+repository]
				if manifests != 1 || blobs != 1 {
					t.Errorf("%s: %d requests for its manifest and %d for its blob, want one of each", repository, manifests, blobs)
				}
				// One process may fetch the manifest and another the blob.
				if opts.Token && (tokens < 1 || tokens > 2) || !opts.Token && tokens != 0 {
					t.Errorf("%s: %d tokens", repository, tokens)
				}
			}
			t.Logf("%d processes, %d packs, %d requests, of which %d pings", processCount, manyPacks, len(b.reg.Requests()), counts["ping"])
		})
	}
}
