package packtest

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
)

// need skips the test if a component is missing, except in CI, where all of
// them have to be there.
func startDistribution(t *testing.T, opts DistributionOptions) *Distribution {
	t.Helper()
	NeedProgram(t, DistributionProgram)
	opts.Dir = t.TempDir()
	d, err := StartDistribution(opts)
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

func TestDistribution(t *testing.T) {
	for name, opts := range map[string]DistributionOptions{"tls": {}, "plain": {Plain: true}} {
		t.Run(name, func(t *testing.T) {
			d := startDistribution(t, opts)
			NeedProgram(t, "oras")
			data := Zip("a", "1.0.0", 0)
			file := filepath.Join(t.TempDir(), "a.gtpack")
			if err := os.WriteFile(file, data, 0o666); err != nil {
				t.Fatal(err)
			}
			err := d.OrasPush(t.Context(), "--artifact-type", PackMediaType, "--annotation", "org.opencontainers.image.version=1.0.0",
				d.Host()+"/team/a:1.0.0", file+":"+PackMediaType)
			if err != nil {
				t.Fatal(err)
			}
			checkPushed(t, d.Client(), d.URL(), file, data)
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

// oras speaks to our registry as it does to the real one.
func TestOrasPushesToRegistry(t *testing.T) {
	NeedProgram(t, "oras")
	for name, opts := range map[string]Options{
		"tls": {}, "plain": {Plain: true}, "token": {Token: true, HTTP2: true},
		"private": {Token: true, User: User, Password: Password}, "basic": {User: User, Password: Password},
	} {
		t.Run(name, func(t *testing.T) {
			r := StartRegistry(t, opts)
			dir := t.TempDir()
			file, data := filepath.Join(dir, "a.gtpack"), Zip("a", "1.0.0", 0)
			if err := os.WriteFile(file, data, 0o666); err != nil {
				t.Fatal(err)
			}
			if err := r.OrasPush(t.Context(), dir, r.Host()+"/team/a:1.0.0", file+":"+PackMediaType); err != nil {
				t.Fatal(err)
			}
			r.Intercept(func(w http.ResponseWriter, req *http.Request) bool {
				r.content.ServeHTTP(w, req) // past the tokens
				return true
			})
			checkPushed(t, r.Client(), r.URL(), file, data)
		})
	}
}

func checkPushed(t *testing.T, client *http.Client, url, title string, data []byte) {
	t.Helper()
	var doc document
	if err := json.Unmarshal(fetch(t, client, url+"/v2/team/a/manifests/1.0.0"), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Layers == nil || len(*doc.Layers) != 1 {
		t.Fatalf("layers = %v, want one", doc.Layers)
	}
	layer := (*doc.Layers)[0]
	if layer.MediaType != PackMediaType || layer.Digest != ociref.DigestOf(data).String() || layer.Annotations[titleAnnotation] != title {
		t.Errorf("layer = %+v", layer)
	}
	if got := fetch(t, client, url+"/v2/team/a/blobs/"+layer.Digest); string(got) != string(data) {
		t.Errorf("blob has %d bytes, want %d", len(got), len(data))
	}
}

func fetch(t *testing.T, client *http.Client, url string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", ociManifest)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v", url, resp.Status, err)
	}
	return b
}

func TestLookSaysHowToGetIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := LookPath(DistributionProgram)
	wantError(t, err, "docker-registry is not in PATH: .ci/install FOLDER docker-registry installs it")
	_, err = StartDistribution(DistributionOptions{Dir: t.TempDir()})
	wantError(t, err, "docker-registry is not in PATH: .ci/install FOLDER docker-registry installs it")
	err = StartRegistry(t, Options{}).OrasPush(t.Context(), t.TempDir())
	wantError(t, err, "oras is not in PATH: .ci/install FOLDER oras installs it")
}

// fakeDistribution puts a shell script in the place of the server.
func fakeDistribution(t *testing.T, script string) (path string) {
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

func TestDistributionThatEndsAtOnce(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	path := fakeDistribution(t, "echo start >>'"+count+"'\necho first line\necho address already in use >&2\nexit 1\n")
	_, err := StartDistribution(DistributionOptions{Dir: t.TempDir()})
	wantError(t, err, path+" does not start: it ended: address already in use")
	if b, err := os.ReadFile(count); err != nil || strings.Count(string(b), "start") != startTries {
		t.Errorf("starts = %q, %v; want %d", b, err, startTries)
	}
	_, err = StartDistribution(DistributionOptions{Dir: filepath.Join(t.TempDir(), "missing")})
	if err == nil || !strings.HasPrefix(err.Error(), path+" does not start: open ") {
		t.Errorf("without its folder: %v", err)
	}
}

// A port that something else answers on is no registry.
func TestAnswers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	l.Close()
	r := StartRegistry(t, Options{Plain: true})
	private := StartRegistry(t, Options{Plain: true, User: User, Password: Password})
	for url, want := range map[string]bool{r.URL() + "/v2/": true, private.URL() + "/v2/": true, r.URL() + "/other": false, url: false, "::": false} {
		if got := answers(t.Context(), http.DefaultClient, url); got != want {
			t.Errorf("answers(%s) = %t, want %t", url, got, want)
		}
	}
}
