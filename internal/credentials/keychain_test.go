package credentials

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// places returns an Explanation as text, a line for each place.
func places(e Explanation) []string {
	var lines []string
	for _, p := range e.Places {
		line := fmt.Sprintf("%v: %v", p.Source, p.Finding)
		if p.Err != nil {
			line += ": " + p.Err.Error()
		}
		lines = append(lines, line)
	}
	return lines
}

// The places are looked at in this order, and the first that has credentials
// ends it.
func TestOrder(t *testing.T) {
	b := newFixture(t)
	b.env[dockerAuthConfig] = authsOf("a.example", "env")
	b.write(dockerFile, authsOf("a.example", "docker", "b.example", "docker"))
	b.write(runtimeFile, authsOf("a.example", "run", "b.example", "run", "c.example", "run"))
	b.write(podmanFile, authsOf("a.example", "conf", "b.example", "conf", "c.example", "conf", "d.example", "conf"))
	files := []string{"$DOCKER_AUTH_CONFIG", b.path(dockerFile), b.path(runtimeFile), b.path(podmanFile)}
	k := b.keychain()
	for i, user := range []string{"env", "docker", "run", "conf", ""} {
		host := string(rune('a'+i)) + ".example"
		found, err := k.Find(t.Context(), host)
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			b.wantUser(found, user)
		} else if found != nil {
			t.Errorf("%s has %v", host, found)
		}
		var want []string
		for n, file := range files {
			finding := "nothing"
			switch {
			case n == i:
				finding = "a user name and a password"
			case n > i:
				finding = "not looked at"
			}
			want = append(want, file+": "+finding)
		}
		e := k.Explain(t.Context(), host)
		if got := places(e); e.Host != host || !slices.Equal(got, want) {
			t.Errorf("%s:\n%q\nwant\n%q", e.Host, got, want)
		}
		used, ok := e.Used()
		if ok != (user != "") || ok && (used.Source != found.Source || used.Source.Key != host) {
			t.Errorf("%s: %v is used, %v", host, used, ok)
		}
	}
}

// Which files there are depends on the environment.
func TestLocations(t *testing.T) {
	home, run, conf := filepath.FromSlash("/home/u"), filepath.FromSlash("/run/u"), filepath.FromSlash("/conf")
	in := func(parts ...string) string { return filepath.Join(parts...) }
	docker, podman := in(home, ".docker", "config.json"), in(home, ".config", "containers", "auth.json")
	runtimeAuth := in(run, "containers", "auth.json")
	var rootless []string // where Linux has no XDG_RUNTIME_DIR
	if runtime.GOOS == "linux" {
		rootless = []string{fmt.Sprintf("/run/containers/%d/auth.json", os.Getuid())}
	}
	for _, test := range []struct {
		name string
		env  map[string]string
		want []string
	}{
		{"home", map[string]string{"HOME": home, "XDG_RUNTIME_DIR": run}, []string{docker, runtimeAuth, podman}},
		{"DOCKER_CONFIG", map[string]string{"HOME": home, "XDG_RUNTIME_DIR": run, "DOCKER_CONFIG": conf}, []string{in(conf, "config.json"), runtimeAuth, podman}},
		{"XDG_CONFIG_HOME", map[string]string{"HOME": home, "XDG_RUNTIME_DIR": run, "XDG_CONFIG_HOME": conf}, []string{docker, runtimeAuth, in(conf, "containers", "auth.json")}},
		{"REGISTRY_AUTH_FILE", map[string]string{"HOME": home, "XDG_RUNTIME_DIR": run, "REGISTRY_AUTH_FILE": in(conf, "a.json")}, []string{docker, in(conf, "a.json")}},
		{"one file for both", map[string]string{"HOME": home, "REGISTRY_AUTH_FILE": docker}, []string{docker}},
		{"DOCKER_AUTH_CONFIG", map[string]string{"HOME": home, "XDG_RUNTIME_DIR": run, "DOCKER_AUTH_CONFIG": "{}"}, []string{"$DOCKER_AUTH_CONFIG", docker, runtimeAuth, podman}},
		{"no XDG_RUNTIME_DIR", map[string]string{"HOME": home}, slices.Concat([]string{docker}, rootless, []string{podman})},
		{"nothing", nil, rootless},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, l := range locations(func(key string) string {
				if key == "USERPROFILE" {
					key = "HOME"
				}
				return test.env[key]
			}) {
				got = append(got, l.name)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q\nwant %q", got, test.want)
			}
		})
	}
}

// A variable that names nothing hides the files behind it, and is no trouble.
func TestNamedFileIsAbsent(t *testing.T) {
	for _, null := range []bool{false, true} {
		b := newFixture(t)
		b.write(dockerFile, authsOf("ghcr.io", "docker"))
		b.write(podmanFile, authsOf("ghcr.io", "podman"))
		b.env["DOCKER_CONFIG"], b.env["REGISTRY_AUTH_FILE"] = b.path("none"), b.path("none/auth.json")
		want := []string{b.path("none/config.json") + ": not there", b.path("none/auth.json") + ": not there"}
		if null && runtime.GOOS != "windows" {
			b.env["DOCKER_CONFIG"], b.env["REGISTRY_AUTH_FILE"] = os.DevNull, os.DevNull
			want = []string{"/dev/null/config.json: not there", "/dev/null: nothing"}
		}
		if found := b.find("ghcr.io"); found != nil {
			t.Errorf("found %v", found)
		}
		if got := places(b.keychain().Explain(t.Context(), "ghcr.io")); !slices.Equal(got, want) {
			t.Errorf("got %q\nwant %q", got, want)
		}
	}
}

// The zero Options look at the environment of the process.
func TestZeroOptions(t *testing.T) {
	b := newFixture(t)
	b.write(dockerFile, authsOf("ghcr.io", "alice"))
	for key, value := range b.env {
		t.Setenv(key, value)
	}
	t.Setenv("DOCKER_CONFIG", "")
	t.Setenv("REGISTRY_AUTH_FILE", "")
	t.Setenv(dockerAuthConfig, "")
	found, err := New(Options{}).Find(t.Context(), "ghcr.io")
	if err != nil {
		t.Fatal(err)
	}
	b.wantUser(found, "alice")
}

// A caller that changes its credentials does not change another's.
func TestCopies(t *testing.T) {
	b := newFixture(t)
	b.write(dockerFile, authsOf("ghcr.io", "alice"))
	k := b.keychain()
	for range 2 {
		found, err := k.Find(t.Context(), "ghcr.io")
		if err != nil {
			t.Fatal(err)
		}
		b.wantUser(found, "alice")
		found.Username = "mallory"
		e := k.Explain(t.Context(), "GHCR.io")
		if e.Host != "GHCR.io" || e.Places[0].Finding != Password {
			t.Errorf("%v", e)
		}
		e.Places[0] = Place{}
	}
}
