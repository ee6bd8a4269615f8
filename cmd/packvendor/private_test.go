package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/distribution"
)

// TestRealPrivateRegistry adds, vendors and verifies a pack that the real registry
// server keeps private: by passwords, and by another server's tokens.
func TestRealPrivateRegistry(t *testing.T) {
	t.Parallel()
	packtest.NeedProgram(t, distribution.Program)
	packtest.NeedProgram(t, "oras")
	t.Run("passwords", func(t *testing.T) {
		p := newPrivateProject(t, distribution.Options{Basic: true})
		p.turnsAway()
		p.letsIn()
		p.answered(
			"/v2/ 401", "/v2/private/redis/manifests/1.0.0 401",
			"/v2/ 401", "/v2/private/redis/manifests/1.0.0 401", "/v2/private/redis/manifests/1.0.0 401",
			"/v2/ 401", "/v2/private/redis/manifests/1.0.0 401",
			"/v2/ 401", "/v2/private/redis/manifests/1.0.0 401", "/v2/private/redis/manifests/1.0.0 200", "/v2/private/redis/blobs/LAYER 200",
			"/v2/ 401", "/v2/private/redis/manifests/DIGEST 401", "/v2/private/redis/manifests/DIGEST 200",
			"/v2/ 401", "/v2/private/redis/manifests/DIGEST 401", "/v2/private/redis/manifests/DIGEST 200", "/v2/private/redis/blobs/LAYER 200",
		)
		if n := strings.Count(p.log(), "error authenticating user"); n != 1 {
			t.Errorf("the registry was shown wrong passwords %d times, want 1", n)
		}
	})
	t.Run("tokens", func(t *testing.T) {
		issuer := packtest.StartRegistry(t, packtest.Options{
			Token: true, User: packtest.User, Password: packtest.Password, Private: privateOnes, Refusal: packtest.RefuseScope,
		})
		p := newPrivateProject(t, distribution.Options{Issuer: issuer})
		issuer.ResetRequests()
		p.turnsAway()
		p.letsIn()
		p.answered(
			"/v2/ 401", "/v2/private/redis/manifests/1.0.0 401",
			"/v2/ 401", "/v2/private/redis/manifests/1.0.0 401",
			"/v2/ 401", "/v2/private/redis/manifests/1.0.0 401",
			"/v2/ 401", "/v2/private/redis/manifests/1.0.0 401", "/v2/private/redis/manifests/1.0.0 200", "/v2/private/redis/blobs/LAYER 200",
			"/v2/ 401", "/v2/private/redis/manifests/DIGEST 401", "/v2/private/redis/manifests/DIGEST 200",
			"/v2/ 401", "/v2/private/redis/manifests/DIGEST 401", "/v2/private/redis/manifests/DIGEST 200", "/v2/private/redis/blobs/LAYER 200",
		)
		wantShown(t, issuer, map[string]int{packtest.Password: 3, wrongPassword: 1})

		// A public pack needs no credentials, whatever the user has.
		issuer.ResetRequests()
		p.publish("public/audit")
		pushing := len(issuer.Requests())
		p.show(wrongPassword)
		if code, stdout, stderr := p.try("add", "audit", p.reg.Host()+"/public/audit:1.0.0"); code != 0 || stderr != "" {
			t.Errorf("add of a public pack: exit code %d\n%s%s", code, stdout, stderr)
		}
		if requests := issuer.Requests()[pushing:]; len(requests) != 1 || requests[0].Authorization {
			t.Errorf("the issuer was asked %v", requests)
		}
	})
}

// wrongPassword is no user's password.
const wrongPassword = "canary-password"

// A privateProject is a project with a private registry, which has private/redis:1.0.0.
type privateProject struct {
	*realProject
	reg    *distribution.Server
	docker string // the folder of the user's config.json
	pack   []byte
}

func newPrivateProject(t *testing.T, o distribution.Options) *privateProject {
	t.Helper()
	o.Dir = t.TempDir()
	reg, err := distribution.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reg.Stop() })
	p := &privateProject{realProject: newRealProject(t, reg), reg: reg, docker: t.TempDir(), pack: packtest.Zip("redis", "1.0.0", 10_000)}
	p.env = append(p.env, "DOCKER_CONFIG="+p.docker, "REGISTRY_AUTH_FILE="+filepath.Join(p.docker, "none"), "DOCKER_AUTH_CONFIG=", "PACKVENDOR_AUTH=")
	p.write("packs.toml", "[packs]\n")
	p.publish("private/redis")
	return p
}

// publish pushes the pack, with credentials.
func (p *privateProject) publish(repository string) {
	p.t.Helper()
	file := filepath.Join(p.t.TempDir(), "redis.gtpack")
	if err := os.WriteFile(file, p.pack, 0o666); err != nil {
		p.t.Fatal(err)
	}
	if err := p.reg.OrasPush(p.t.Context(), p.reg.Host()+"/"+repository+":1.0.0", file+":"+packtest.PackMediaType); err != nil {
		p.t.Fatal(err)
	}
}

func (p *privateProject) config() string { return filepath.Join(p.docker, "config.json") }

// show logs the user in with a password; with "", not at all.
func (p *privateProject) show(password string) {
	p.t.Helper()
	text := "{}"
	if password != "" {
		auth := base64.StdEncoding.EncodeToString([]byte(packtest.User + ":" + password))
		text = fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, p.reg.Host(), auth)
	}
	if err := os.WriteFile(p.config(), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// try runs the command, which may fail.
func (p *privateProject) try(args ...string) (code int, stdout, stderr string) {
	p.t.Helper()
	cmd := exec.Command(p.binary, args...)
	cmd.Args[0] = "packvendor" // as if found in PATH
	cmd.Dir, cmd.Env = p.dir, p.env
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), withoutSummary(said.String())
}

// turnsAway demands a refusal without credentials, with wrong ones, and if the user
// forbids the right ones.
func (p *privateProject) turnsAway() {
	p.t.Helper()
	before := p.files()
	host := p.reg.Host()
	for _, test := range []struct{ password, auth, says string }{
		{"", "", "there are no credentials for " + host},
		{wrongPassword, "", "with the credentials of " + p.config() + ": 401 Unauthorized"},
		{packtest.Password, "anonymous", "there may be credentials, but PACKVENDOR_AUTH=anonymous forbids their use"},
	} {
		p.show(test.password)
		p.env = append(p.env, "PACKVENDOR_AUTH="+test.auth)
		code, stdout, stderr := p.try("add", "redis", host+"/private/redis:1.0.0")
		want := "packvendor: error: redis: cannot resolve " + host + "/private/redis:1.0.0: GET https://" + host +
			"/v2/private/redis/manifests/1.0.0: 401 Unauthorized: UNAUTHORIZED: authentication required; " + test.says +
			"\npackvendor: hint: packvendor auth explain " + host + "\n"
		if code != 3 || stdout != "" || stderr != want {
			p.t.Errorf("add: exit code %d, want 3\nstdout:\n%s\nstderr:\n%s\nwant:\n%s", code, stdout, stderr, want)
		}
	}
	p.env = append(p.env, "PACKVENDOR_AUTH=")
	if after := p.files(); after != before {
		p.t.Errorf("failed commands left\n%s\nwhere they had found\n%s", after, before)
	}
}

// letsIn demands that the right credentials add, verify, and fetch the pack again
// without a cache; and that an idle run makes no request.
func (p *privateProject) letsIn() {
	p.t.Helper()
	p.show(packtest.Password)
	p.packvendor("add", "redis", p.reg.Host()+"/private/redis:1.0.0")
	p.packvendor()
	if out, want := p.packvendor("verify", "--remote"), "1 of 1 pack verified\n"; out != want {
		p.t.Errorf("verify --remote printed %q, want %q", out, want)
	}
	for _, dir := range []string{p.cache, filepath.Join(p.dir, "packs")} {
		if err := os.RemoveAll(dir); err != nil {
			p.t.Fatal(err)
		}
	}
	p.packvendor("--locked")
	if data, err := os.ReadFile(filepath.Join(p.dir, "packs", "redis.gtpack")); err != nil || string(data) != string(p.pack) {
		p.t.Errorf("what is vendored is not what was pushed: %v", err)
	}
}

// accessLine is a line of the server's access log about a request of ours.
var accessLine = regexp.MustCompile(`"GET (\S+) HTTP/\S+" (\d+) .*"packvendor/`)

// log returns the server's log so far.
func (p *privateProject) log() string {
	p.t.Helper()
	log, err := os.ReadFile(p.reg.LogFile())
	if err != nil {
		p.t.Fatal(err)
	}
	return string(log)
}

// answered demands exactly these answers of the server to packvendor, in this order.
func (p *privateProject) answered(want ...string) {
	p.t.Helper()
	var got []string
	equal := func() bool {
		got = nil
		for _, match := range accessLine.FindAllStringSubmatch(p.log(), -1) {
			got = append(got, shortened(match[1])+" "+match[2])
		}
		return slices.Equal(got, want)
	}
	if !waitFor(equal) { // the server logs after the answer
		p.t.Errorf("the registry answered\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// shortened returns a path without digests.
func shortened(path string) string {
	path = regexp.MustCompile(`/manifests/sha256:[0-9a-f]{64}$`).ReplaceAllString(path, "/manifests/DIGEST")
	return regexp.MustCompile(`/blobs/sha256:[0-9a-f]{64}$`).ReplaceAllString(path, "/blobs/LAYER")
}

// wantShown demands that so many requests to the issuer held each secret.
func wantShown(t *testing.T, issuer *packtest.Registry, want map[string]int) {
	t.Helper()
	for secret, n := range want {
		got := 0
		for _, r := range issuer.Requests() {
			if r.Carries(secret) {
				got++
			}
		}
		if got != n {
			t.Errorf("%d requests to the issuer carry %q, want %d", got, secret, n)
		}
	}
}
