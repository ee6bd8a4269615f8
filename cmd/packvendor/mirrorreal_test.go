package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/distribution"
)

// mirroredPath is the path below which some proxies keep what is another registry's:
// Harbor, zot, ECR and Google's.
const mirroredPath = "ghcr"

// TestRealMirror gets packs through the real registry server as a pull-through cache, by
// its own name and below a path; the cache is killed while it sends a pack, and comes back.
func TestRealMirror(t *testing.T) {
	t.Parallel()
	packtest.NeedProgram(t, distribution.Program)
	packtest.NeedProgram(t, "oras")
	origin := startServer(t, distribution.Options{})
	cache := startServer(t, distribution.Options{Origin: origin})
	pack := publishLarge(t, origin)
	p := newRealProject(t, origin)
	front := startFront(t, origin, cache)
	p.write("packs.toml", fmt.Sprintf("[packs]\nlarge = { ref = %q, allow_tags = true }\n", pack.ref))

	// The origin says what a tag is, so it has the pack, too.
	p.mirror(origin.Host(), cache.Host())
	if report := p.report(t); report.Source != "" || report.LayerDigest != pack.digest {
		t.Errorf("by tag: %+v", report)
	}
	for name, location := range map[string]string{"own name": cache.Host(), "path": front.host + "/" + mirroredPath} {
		p.mirror(origin.Host(), location)
		p.forget()
		report := p.report(t)
		if want := location + "/greenticai/large"; report.Source != want || report.LayerDigest != pack.digest {
			t.Errorf("%s: %+v, want source %s", name, report, want)
		}
	}

	// The cache dies in the middle of a pack: the origin sends the rest.
	p.mirror(origin.Host(), front.host+"/"+mirroredPath)
	front.killAfter.Store(1 << 20)
	p.forget()
	if report := p.report(t); report.Source != "" || report.LayerDigest != pack.digest || !front.killed.Load() {
		t.Errorf("killed: %+v", report)
	}
	p.holds(t, pack)

	// Nobody misses it while it is away.
	p.forget()
	if report := p.report(t); report.Source != "" {
		t.Errorf("away: %+v", report)
	}

	// It comes back.
	if err := cache.Restart(); err != nil {
		t.Fatal(err)
	}
	p.forget()
	if report := p.report(t); report.Source != front.host+"/"+mirroredPath+"/greenticai/large" {
		t.Errorf("again: %+v", report)
	}
	p.holds(t, pack)

	// What the cache has does not need the origin.
	if err := origin.Stop(); err != nil {
		t.Fatal(err)
	}
	p.mirror(origin.Host(), cache.Host())
	p.forget()
	if report := p.report(t, "--locked"); report.Source != cache.Host()+"/greenticai/large" {
		t.Errorf("without the origin: %+v", report)
	}
	p.holds(t, pack)
}

func startServer(t *testing.T, o distribution.Options) *distribution.Server {
	t.Helper()
	o.Dir = t.TempDir()
	s, err := distribution.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	return s
}

// A largePack is one that takes several reads.
type largePack struct {
	ref, digest string
	data        []byte
}

func publishLarge(t *testing.T, reg *distribution.Server) largePack {
	t.Helper()
	data := packtest.Zip("large", "1.0.0", 4<<20)
	file := filepath.Join(t.TempDir(), "large.gtpack")
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
	ref := reg.Host() + "/greenticai/large:1.0.0"
	if err := reg.OrasPush(t.Context(), ref, file+":"+packtest.PackMediaType); err != nil {
		t.Fatal(err)
	}
	return largePack{ref: ref, digest: fmt.Sprintf("sha256:%x", sha256.Sum256(data)), data: data}
}

// A front is a reverse proxy before a cache, as for registries that keep others below a
// path.
type front struct {
	host      string
	cache     *distribution.Server
	killAfter atomic.Int64 // bytes of a blob after which the cache is killed; 0 is never
	killed    atomic.Bool
}

func startFront(t *testing.T, origin, cache *distribution.Server) *front {
	t.Helper()
	target, err := url.Parse(cache.URL())
	if err != nil {
		t.Fatal(err)
	}
	f := &front{cache: cache}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.URL.Path = strings.Replace(r.In.URL.Path, "/v2/"+mirroredPath+"/", "/v2/", 1)
		},
		Transport:      cache.Client().Transport,
		ModifyResponse: f.cut,
		ErrorLog:       log.New(io.Discard, "", 0),
		ErrorHandler:   func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	server := httptest.NewUnstartedServer(proxy)
	certificate, err := origin.CA().Issue(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.StartTLS()
	t.Cleanup(server.Close)
	f.host = server.Listener.Addr().String()
	return f
}

// cut kills the cache while it sends a blob.
func (f *front) cut(resp *http.Response) error {
	after := f.killAfter.Load()
	if after == 0 || !strings.Contains(resp.Request.URL.Path, "/blobs/") {
		return nil
	}
	resp.Body = &severed{ReadCloser: resp.Body, left: after, kill: func() {
		f.cache.Kill()
		f.killed.Store(true)
		f.killAfter.Store(0)
	}}
	return nil
}

// A severed body fails after some bytes, when whoever sends it is killed.
type severed struct {
	io.ReadCloser
	left int64
	kill func()
}

func (k *severed) Read(b []byte) (int, error) {
	if k.left == 0 {
		if k.kill != nil {
			k.kill()
		}
		k.kill = nil
		return 0, io.ErrUnexpectedEOF
	}
	n, err := k.ReadCloser.Read(b[:min(int64(len(b)), k.left)])
	k.left -= int64(n)
	return n, err
}

// mirror has the project ask a mirror before a registry.
func (p *realProject) mirror(registry, location string) {
	p.t.Helper()
	file := filepath.Join(p.cache+".d", "registries.conf")
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		p.t.Fatal(err)
	}
	conf := "[[registry]]\nlocation = " + strconv.Quote(registry) + "\n[[registry.mirror]]\nlocation = " + strconv.Quote(location) + "\n"
	if err := os.WriteFile(file, []byte(conf), 0o666); err != nil {
		p.t.Fatal(err)
	}
	p.env = append(p.env, "CONTAINERS_REGISTRIES_CONF="+file)
}

// forget deletes the vendored packs and the cache.
func (p *realProject) forget() {
	p.t.Helper()
	for _, dir := range []string{p.cache, filepath.Join(p.dir, "packs")} {
		if err := os.RemoveAll(dir); err != nil {
			p.t.Fatal(err)
		}
	}
}

// report runs packvendor with --json, and returns what it says of the only pack.
func (p *realProject) report(t *testing.T, args ...string) (pack struct {
	Source      string `json:"source"`
	LayerDigest string `json:"layer_digest"`
}) {
	t.Helper()
	cmd := exec.Command(p.binary, append(args, "--json")...)
	cmd.Dir, cmd.Env = p.dir, p.env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var doc struct{ Packs []json.RawMessage }
	if err := json.Unmarshal(out, &doc); err != nil || len(doc.Packs) != 1 {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := json.Unmarshal(doc.Packs[0], &pack); err != nil {
		t.Fatal(err)
	}
	return pack
}

// holds demands the pack's bytes in the project.
func (p *realProject) holds(t *testing.T, pack largePack) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(p.dir, "packs", "large.gtpack"))
	if err != nil || !bytes.Equal(got, pack.data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
