package distribution

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

// start starts a server, and stops it at the end of the test.
func start(t *testing.T, opts Options) *Server {
	t.Helper()
	packtest.NeedProgram(t, Program)
	opts.Dir = t.TempDir()
	d, err := Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestServer(t *testing.T) {
	for name, opts := range map[string]Options{"tls": {}, "plain": {Plain: true}} {
		t.Run(name, func(t *testing.T) {
			d := start(t, opts)
			packtest.NeedProgram(t, "oras")
			data := packtest.Zip("a", "1.0.0", 0)
			file := filepath.Join(t.TempDir(), "a.gtpack")
			if err := os.WriteFile(file, data, 0o666); err != nil {
				t.Fatal(err)
			}
			err := d.OrasPush(t.Context(), "--artifact-type", packtest.PackMediaType, "--annotation", "org.opencontainers.image.version=1.0.0",
				d.Host()+"/team/a:1.0.0", file+":"+packtest.PackMediaType)
			if err != nil {
				t.Fatal(err)
			}
			checkPushed(t, d, "", file, data)
			if _, err := d.CAFile(t.TempDir()); (err != nil) != opts.Plain {
				t.Errorf("CA file: %v", err)
			}
			err = d.OrasPush(t.Context(), d.Host()+"/team/a:1.0.0", file+".missing:text/plain")
			if err == nil || !strings.HasPrefix(err.Error(), "oras push: exit status 1: ") || !strings.Contains(err.Error(), "no such file or directory") {
				t.Errorf("push of a missing file: %v", err)
			}
			if b, err := os.ReadFile(d.LogFile()); err != nil || len(b) == 0 {
				t.Errorf("log = %q, %v", b, err)
			}
			if err := errors.Join(d.Stop(), d.Stop()); err != nil {
				t.Error(err)
			}
			if _, err := d.Client().Get(d.URL() + "/v2/"); err == nil || !strings.Contains(err.Error(), "connection refused") {
				t.Errorf("request to a stopped server: %v", err)
			}
		})
	}
}

// A server can be the cache of any registry. Over TLS it trusts that registry's authority.
func TestServerCaches(t *testing.T) {
	for name, plain := range map[string]bool{"tls": false, "plain": true} {
		t.Run(name, func(t *testing.T) {
			origin := packtest.StartRegistry(t, packtest.Options{Plain: plain})
			data := packtest.Zip("a", "1.0.0", 0)
			pack := packtest.MustPush(t, origin, "team/a", "1.0.0", packtest.Pack(data, ""))
			cache := start(t, Options{Origin: origin})
			if !plain && cache.CA() != origin.CA() {
				t.Error("the cache has another authority")
			}
			manifest := "/v2/team/a/manifests/" + pack.ManifestDigest.String()
			reply.Want(t, asked(t, cache, manifest, ""), 200, string(pack.Manifest))
			if err := origin.Stop(); err != nil {
				t.Fatal(err)
			}
			reply.Want(t, asked(t, cache, manifest, ""), 200, string(pack.Manifest))
		})
	}
}

// oras treats our registry like the real one.
// Blobs come from another host, manifests do not.
func TestServerRedirects(t *testing.T) {
	packtest.NeedProgram(t, "oras")
	var mu sync.Mutex
	var content http.Handler
	var paths []string
	cdn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, r.URL.Path)
		content.ServeHTTP(w, r)
	}))
	defer cdn.Close()
	d := start(t, Options{Plain: true, Redirect: cdn.URL})
	pushPack(t, d, "team")
	mu.Lock()
	content = http.FileServer(http.Dir(d.Content()))
	mu.Unlock()
	pack := packtest.Zip("a", "1.0.0", 0)
	hex := ociref.DigestOf(pack).Hex()
	if got := reply.Follow(t, d, "/v2/team/a/blobs/sha256:"+hex); got.StatusCode != 200 || !bytes.Equal(got.Body, pack) {
		t.Errorf("%s, %d bytes, want the pack's %d", got.Status, len(got.Body), len(pack))
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"/docker/registry/v2/blobs/sha256/" + hex[:2] + "/" + hex + "/data"}; !slices.Equal(paths, want) {
		t.Errorf("the other host was asked for %q, want %q", paths, want)
	}
	reply.WantHeader(t, reply.Ask(t, d, "GET", "/v2/team/a/manifests/1.0.0", "Accept", packtest.ManifestMediaType), "Location", "")
}

func TestOrasPushesToRegistry(t *testing.T) {
	packtest.NeedProgram(t, "oras")
	for name, opts := range map[string]packtest.Options{
		"tls": {}, "plain": {Plain: true}, "token": {Token: true, HTTP2: true},
		"private": {Token: true, User: packtest.User, Password: packtest.Password}, "basic": {User: packtest.User, Password: packtest.Password},
	} {
		t.Run(name, func(t *testing.T) {
			r := packtest.StartRegistry(t, opts)
			dir := t.TempDir()
			file, data := filepath.Join(dir, "a.gtpack"), packtest.Zip("a", "1.0.0", 0)
			if err := os.WriteFile(file, data, 0o666); err != nil {
				t.Fatal(err)
			}
			if err := orasPush(t.Context(), r.CA(), dir, r.Login(), []string{r.Host() + "/team/a:1.0.0", file + ":" + packtest.PackMediaType}); err != nil {
				t.Fatal(err)
			}
			authorization := ""
			if opts.User != "" {
				authorization = right64
			}
			if opts.Token {
				authorization = "Bearer " + reply.Token(t, r, "team/a", "Authorization", authorization)
			}
			checkPushed(t, r, authorization, file, data)
		})
	}
}

func checkPushed(t *testing.T, s reply.Server, authorization, title string, data []byte) {
	t.Helper()
	var manifest struct {
		Layers []struct {
			MediaType, Digest string
			Annotations       map[string]string
		}
	}
	if err := json.Unmarshal(asked(t, s, "/v2/team/a/manifests/1.0.0", authorization).Body, &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest.Layers) != 1 {
		t.Fatalf("layers = %v, want one", manifest.Layers)
	}
	layer := manifest.Layers[0]
	if layer.MediaType != packtest.PackMediaType || layer.Digest != ociref.DigestOf(data).String() || layer.Annotations["org.opencontainers.image.title"] != title {
		t.Errorf("layer = %+v", layer)
	}
	reply.Want(t, asked(t, s, "/v2/team/a/blobs/"+layer.Digest, authorization), 200, string(data))
}

func TestLookSaysHowToGetIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := packtest.LookPath(Program)
	reply.WantError(t, err, "docker-registry is not in PATH: .ci/install FOLDER docker-registry installs it")
	_, err = Start(Options{Dir: t.TempDir()})
	reply.WantError(t, err, "docker-registry is not in PATH: .ci/install FOLDER docker-registry installs it")
	err = orasPush(t.Context(), nil, t.TempDir(), nil, nil)
	reply.WantError(t, err, "oras is not in PATH: .ci/install FOLDER oras installs it")
}

// fakeServer replaces the server by a shell script.
func fakeServer(t *testing.T, script string) (path string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no shell scripts on Windows")
	}
	dir := t.TempDir()
	path = filepath.Join(dir, "docker-registry")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return path
}

func TestServerThatEndsAtOnce(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	path := fakeServer(t, "echo start >>'"+count+"'\necho first line\necho address already in use >&2\nexit 1\n")
	_, err := Start(Options{Dir: t.TempDir()})
	reply.WantError(t, err, path+" does not start: it ended: address already in use")
	if b, err := os.ReadFile(count); err != nil || strings.Count(string(b), "start") != startTries {
		t.Errorf("starts = %q, %v; want %d", b, err, startTries)
	}
	_, err = Start(Options{Dir: filepath.Join(t.TempDir(), "missing")})
	if err == nil || !strings.HasPrefix(err.Error(), path+" does not start: open ") {
		t.Errorf("without its folder: %v", err)
	}
}

// Another server's answer on the port does not count.
func TestAnswers(t *testing.T) {
	r := packtest.StartRegistry(t, packtest.Options{Plain: true})
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	url := "http://" + conn.LocalAddr().String() // nobody listens there, and no other server gets the port
	private := packtest.StartRegistry(t, packtest.Options{Plain: true, User: packtest.User, Password: packtest.Password})
	for url, want := range map[string]bool{r.URL() + "/v2/": true, private.URL() + "/v2/": true, r.URL() + "/other": false, url: false, "::": false} {
		if got := answers(t.Context(), http.DefaultClient, url); got != want {
			t.Errorf("answers(%s) = %t, want %t", url, got, want)
		}
	}
}
