package main

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/distribution"
)

// A shape is how a kind of proxy serves another registry. All are put before the real registry
// server as a pull-through cache.
type shape struct {
	prefix string // of the other registry's repositories; "" for none
	// token is the path of a token endpoint. It gives tokens for the scopes of prefixed names
	// alone, and the challenge has one.
	token string
	// password has everybody log in with user "AWS" and this password, for the version check, too.
	password string
	// storage is where blobs are redirected to: "" is nowhere, "path" another path of the same
	// host, which has the prefix, "host" a signed URL of another host.
	storage string
	slow    time.Duration // between two parts of a blob
}

// shapes are those of docs/mirrors.md. Their names for repositories are what these pages say;
// tokens, passwords and redirects are what such registries have besides.
//
//   - https://zotregistry.dev/v2.1.2/articles/mirroring, "destination"
//   - https://goharbor.io/docs/latest/administration/configure-proxy-cache
//   - https://docs.aws.amazon.com/goto/cli2/ecr-2015-09-21/CreatePullThroughCacheRule
//   - https://docs.cloud.google.com/artifact-registry/docs/repositories/remote-repo
var shapes = map[string]shape{
	"distribution":     {},
	"zot":              {storage: "path"},
	"zot_destination":  {prefix: "ghcr"},
	"harbor":           {prefix: "ghcr-proxy", token: "/service/token"},
	"ecr":              {prefix: "github", password: "c2VjcmV0LXRva2Vu", storage: "host"},
	"google":           {prefix: "project-1/ghcr-remote", token: "/v2/token", storage: "path"},
	"slow":             {prefix: "ghcr", slow: 2 * time.Millisecond},
	"nested_namespace": {prefix: "a/b/c/d", token: "/token", storage: "host"},
}

// TestMirrorShapes gets a pack through each kind of proxy, with as many requests as from a
// registry, and with none to the registry itself.
func TestMirrorShapes(t *testing.T) {
	t.Parallel()
	packtest.NeedProgram(t, distribution.Program)
	packtest.NeedProgram(t, "oras")
	origin := startServer(t, distribution.Options{})
	cache := startServer(t, distribution.Options{Origin: origin})
	pack := publishLarge(t, origin)
	p := newRealProject(t, origin)
	p.write("packs.toml", fmt.Sprintf("[packs]\nlarge = { ref = %q, allow_tags = true }\n", pack.ref))
	p.mirror(origin.Host(), cache.Host())
	p.report(t) // locks it
	p.forget()
	p.report(t) // by digest, which fills the cache
	if err := origin.Stop(); err != nil {
		t.Fatal(err)
	}
	for name, s := range shapes {
		t.Run(name, func(t *testing.T) {
			proxy := startProxy(t, origin, cache, s)
			location := strings.TrimSuffix(proxy.host+"/"+s.prefix, "/")
			p.mirror(origin.Host(), location)
			p.env = append(p.env, "DOCKER_AUTH_CONFIG="+proxy.login())
			p.forget()
			if report := p.report(t, "--locked"); report.Source != location+"/greenticai/large" || report.LayerDigest != pack.digest {
				t.Errorf("%+v", report)
			}
			p.holds(t, pack)
			want := []string{"manifests", "blobs"}
			if got := fmt.Sprint(proxy.asked); got != fmt.Sprint(want) {
				t.Errorf("asked for %s, want %s", got, want)
			}
			if len(proxy.wrong) > 0 {
				t.Errorf("%q", proxy.wrong)
			}
		})
	}
}

// A proxy is one kind of proxy before a cache.
type proxy struct {
	shape
	host    string
	cache   http.Handler
	storage string // the host[:port] of signed URLs

	mu    sync.Mutex
	asked []string // kinds of the requests for manifests and blobs that were answered
	wrong []string // what no client may do
}

func startProxy(t *testing.T, origin, cache *distribution.Server, s shape) *proxy {
	t.Helper()
	target, err := url.Parse(cache.URL())
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{shape: s}
	p.cache = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Header.Del("Authorization") },
		Transport:     cache.Client().Transport,
		ErrorLog:      log.New(io.Discard, "", 0),
		FlushInterval: -1,
		ModifyResponse: func(resp *http.Response) error {
			if s.slow > 0 {
				resp.Body = &slowed{resp.Body, s.slow}
			}
			return nil
		},
	}
	p.host = startTLS(t, origin, p)
	p.storage = startTLS(t, origin, http.HandlerFunc(p.serveSigned))
	return p
}

// startTLS starts a server that the authority of a registry certifies.
func startTLS(t *testing.T, of *distribution.Server, handler http.Handler) (host string) {
	t.Helper()
	certificate, err := of.CA().Issue(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// login is the user's configuration for the proxy; of a proxy without passwords, it is one for
// another host, which nobody may be shown.
func (p *proxy) login() string {
	host := "ghcr.io"
	if p.password != "" {
		host = p.host
	}
	auth := base64.StdEncoding.EncodeToString([]byte("AWS:" + p.password))
	return fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, auth)
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.token != "" && r.URL.Path == p.token {
		p.serveToken(w, r)
		return
	}
	repository, kind := p.split(strings.TrimPrefix(r.URL.Path, "/storage"))
	switch {
	case strings.HasPrefix(r.URL.Path, "/storage/"):
		p.serveRest(w, r, repository, kind)
	case !p.admits(r, repository):
		w.Header().Set("Www-Authenticate", p.challenge(repository))
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == "/v2/":
		w.WriteHeader(http.StatusOK)
	case kind == "" || !strings.HasPrefix(repository+"/", strings.TrimPrefix(p.prefix+"/", "/")):
		p.note(&p.wrong, r.URL.Path)
		w.WriteHeader(http.StatusBadRequest)
	case kind == "blobs" && p.shape.storage == "path":
		p.note(&p.asked, kind)
		http.Redirect(w, r, "/storage"+r.URL.Path, http.StatusTemporaryRedirect)
	case kind == "blobs" && p.shape.storage == "host":
		p.note(&p.asked, kind)
		http.Redirect(w, r, "https://"+p.storage+r.URL.Path+"?X-Signature=1", http.StatusTemporaryRedirect)
	default:
		p.note(&p.asked, kind)
		p.serveRest(w, r, repository, kind)
	}
}

// split returns the repository and the kind of a path.
func (p *proxy) split(path string) (repository, kind string) {
	for _, kind := range []string{"manifests", "blobs"} {
		if name, _, ok := strings.Cut(strings.TrimPrefix(path, "/v2/"), "/"+kind+"/"); ok {
			return name, kind
		}
	}
	return "", ""
}

// serveRest has the cache answer for the repository without its prefix.
func (p *proxy) serveRest(w http.ResponseWriter, r *http.Request, repository, kind string) {
	_, rest, _ := strings.Cut(r.URL.Path, "/"+kind+"/")
	r.URL.Path = "/v2/" + strings.TrimPrefix(strings.TrimPrefix(repository, p.prefix), "/") + "/" + kind + "/" + rest
	p.cache.ServeHTTP(w, r)
}

// serveSigned is the storage behind signed URLs. It wants no other proof.
func (p *proxy) serveSigned(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" || r.URL.Query().Get("X-Signature") != "1" {
		p.note(&p.wrong, "storage: "+r.URL.String())
	}
	repository, kind := p.split(r.URL.Path)
	p.serveRest(w, r, repository, kind)
}

// challenge names the scope of a repository, as it is named here.
func (p *proxy) challenge(repository string) string {
	if p.password != "" {
		return `Basic realm="https://` + p.host + `/",service="ecr.amazonaws.com"`
	}
	challenge := `Bearer realm="https://` + p.host + p.token + `",service="` + p.host + `"`
	if repository != "" {
		challenge += `,scope="repository:` + repository + `:pull"`
	}
	return challenge
}

func (p *proxy) admits(r *http.Request, repository string) bool {
	_, password, _ := r.BasicAuth()
	given := r.Header.Get("Authorization")
	switch {
	case p.password != "":
		return password == p.password
	case p.token != "":
		return repository != "" && given == "Bearer token-for-"+repository
	case given != "":
		p.note(&p.wrong, "Authorization: "+given)
	}
	return true
}

func (p *proxy) serveToken(w http.ResponseWriter, r *http.Request) {
	scope := strings.Split(r.URL.Query().Get("scope"), ":")
	if len(scope) != 3 || !strings.HasPrefix(scope[1], p.prefix+"/") || r.Header.Get("Authorization") != "" {
		p.note(&p.wrong, "token: "+r.URL.String())
		w.WriteHeader(http.StatusForbidden)
		return
	}
	json.NewEncoder(w).Encode(map[string]string{"token": "token-for-" + scope[1]})
}

func (p *proxy) note(list *[]string, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*list = append(*list, text)
}

// A slowed body pauses between its parts.
type slowed struct {
	io.ReadCloser
	pause time.Duration
}

func (s *slowed) Read(b []byte) (int, error) {
	time.Sleep(s.pause)
	return s.ReadCloser.Read(b)
}
