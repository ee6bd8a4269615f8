package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// In TestFault39_OneDigest many processes fetch one pack. Each process killed meanwhile
// costs one more download; all others succeed.
func TestFault39_OneDigest(t *testing.T) {
	for _, kills := range []int{0, 1, 5} {
		t.Run(fmt.Sprintf("%d killed", kills), func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			project, vendored := b.locked(1, 200_000)
			c := newCrowd(b, project)
			asked := make(chan string, kills)
			c.reg.Inject(fault.First(int64(kills), stalled(asked)))
			c.start()
			for range kills {
				c.kill(<-asked)
			}
			c.wait(vendored)
			c.wantWhole(1)
			counts := b.counts()
			if manifests, blobs := counts["manifests p0"], counts["blobs p0"]; manifests > 1+kills || blobs != 1+kills {
				t.Errorf("%d requests for the manifest, want %d at most; %d for the blob, want %d", manifests, 1+kills, blobs, 1+kills)
			}
		})
	}
}

// stalled sends a part of a blob and reports the client's address.
func stalled(asked chan<- string) packtest.Fault {
	stall := fault.StallBlob("", 100_000)
	return packtest.Fault{Match: stall.Match, Serve: func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		asked <- r.RemoteAddr
		stall.Serve(w, r, honest)
	}}
}

// kill kills the process at the other end of a connection to the registry, and removes
// it from the crowd.
func (c *crowd) kill(address string) {
	c.Helper()
	for n, m := range c.all {
		if !c.hasSocket(m, address) {
			continue
		}
		c.must(m.Process.Kill())
		if err := m.Wait(); err == nil || err.Error() != "signal: killed" {
			c.Errorf("the killed process ended with %v", err)
		}
		c.all = slices.Delete(c.all, n, n+1)
		return
	}
	c.Fatalf("no process is found that asks from %s", address)
}

// hasSocket reports whether a process has the socket with that address: see
// proc_net_tcp in the kernel's documentation.
func (c *crowd) hasSocket(m *member, address string) bool {
	_, port, _ := net.SplitHostPort(address)
	_, server, _ := net.SplitHostPort(c.reg.Host())
	inode := socketOf(port, server)
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", m.Process.Pid))
	return slices.ContainsFunc(links, func(link string) bool {
		target, _ := os.Readlink(link)
		return target == "socket:["+inode+"]"
	})
}

// socketOf returns the inode of the socket with these ports.
func socketOf(local, remote string) string {
	file, err := os.Open("/proc/net/tcp")
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 9 && hasPort(fields[1], local) && hasPort(fields[2], remote) {
			return fields[9]
		}
	}
	return ""
}

func hasPort(address, port string) bool {
	_, hex, _ := strings.Cut(address, ":")
	var n int
	fmt.Sscanf(hex, "%X", &n)
	return fmt.Sprint(n) == port
}

// TestFault40_StoppedHolder stops a process during its download. The next one reports
// its wait, waits up to its limit, and then fetches the pack as well. The first one may
// go on later without harm.
func TestFault40_StoppedHolder(t *testing.T) {
	b := newFixture(t, packtest.Options{Plain: true})
	project, vendored := b.locked(1, 200_000)
	root, _ := scratch(t)
	cache := filepath.Join(root, "cache")
	dirs := []string{filepath.Join(root, "first"), filepath.Join(root, "second")}
	for _, dir := range dirs {
		b.must(os.Mkdir(dir, 0o777))
		project.write(b, dir)
	}
	b.reg.ResetRequests()
	holds, goOn := make(chan bool), make(chan bool)
	b.reg.Inject(fault.First(1, held(100_000, holds, goOn)))
	holder := b.command(dirs[0], cache)
	b.must(holder.Start())
	defer holder.Process.Kill()
	<-holds
	if !waitFor(func() bool { return hasTemporary(cache, 100_000) }) {
		t.Error("the holder writes nothing")
	}
	b.must(holder.Process.Signal(syscall.SIGSTOP))
	var events []string
	_, err := vendorer.Run(context.Background(), vendorer.Options{
		File: filepath.Join(dirs[1], "packs.toml"), CacheDir: cache, LockWait: 200 * time.Millisecond,
		Events: func(e vendorer.Event) {
			if fetching, ok := e.(vendorer.Fetching); ok {
				events = append(events, fmt.Sprintf("%T", fetching.Event))
			}
		},
	})
	if want := []string{fmt.Sprintf("%T", packfetch.Waiting{})}; err != nil || !slices.Equal(events, want) {
		t.Errorf("the next run ends with %v and tells %q, want %q", err, events, want)
	}
	b.must(holder.Process.Signal(syscall.SIGCONT))
	close(goOn)
	if err := holder.Wait(); err != nil {
		t.Errorf("the stopped run ends with %v\n%s", err, holder.Stderr)
	}
	for _, dir := range dirs {
		if differs := readTree(t, dir).differences(vendored); differs != "" {
			t.Errorf("left are\n%s", differs)
		}
	}
	cached := readTree(t, cache)
	b.wantCache("in the end", cached)
	if temps := cached.temporaries(); len(temps) > 0 {
		t.Errorf("left in the cache: %q", temps)
	}
	if n := b.counts()["blobs p0"]; n != 2 {
		t.Errorf("%d downloads, want 2", n)
	}
}

// held sends n bytes of a blob, reports that, and sends the rest after goOn.
func held(n int, holds chan<- bool, goOn <-chan bool) packtest.Fault {
	injected := fault.StallBlob("", 0)
	injected.Serve = func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		honest.ServeHTTP(&parted{ResponseWriter: w, n: n, pause: sync.OnceFunc(func() {
			http.NewResponseController(w).Flush()
			holds <- true
			<-goOn
		})}, r)
	}
	return injected
}

// A parted response pauses after n bytes.
type parted struct {
	http.ResponseWriter
	n     int
	pause func()
}

func (p *parted) Write(b []byte) (int, error) {
	first := min(p.n, len(b))
	n, err := p.ResponseWriter.Write(b[:first])
	if p.n -= n; p.n > 0 || err != nil {
		return n, err
	}
	p.pause()
	rest, err := p.ResponseWriter.Write(b[first:])
	return n + rest, err
}
