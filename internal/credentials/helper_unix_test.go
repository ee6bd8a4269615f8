//go:build unix

package credentials

import (
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// helper puts a shell script into the PATH.
func (b *fixture) helper(name, script string) {
	b.Helper()
	// A program that forks now would hold the script open for writing, and the
	// script could not be started: https://go.dev/issue/22315.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	b.write("bin/docker-credential-"+name, "#!/bin/sh\n"+script+"\n")
	if err := os.Chmod(b.path("bin/docker-credential-"+name), 0o777); err != nil {
		b.Fatal(err)
	}
}

// answering is a script that answers with a user's credentials, and writes a
// line for each time it is asked: what it was asked.
func (b *fixture) answering(user string) string {
	return `echo "$1 $(cat)" >>` + b.path("asked") + `
echo '{"ServerURL": "x", "Username": "` + user + `", "Secret": "pass-of-` + user + `"}'`
}

// asked returns what the helpers were asked since the last time.
func (b *fixture) asked() []string {
	b.Helper()
	data, err := os.ReadFile(b.path("asked"))
	if err != nil && !os.IsNotExist(err) {
		b.Fatal(err)
	}
	os.Remove(b.path("asked"))
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

// A witness is a FIFO that processes hold open: it ends when they have.
type witness struct {
	*testing.T
	path string
	file *os.File
}

func (b *fixture) witness() *witness {
	b.Helper()
	w := &witness{T: b.T, path: b.path("witness")}
	if err := syscall.Mkfifo(w.path, 0o666); err != nil {
		b.Fatal(err)
	}
	file, err := os.OpenFile(w.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { file.Close() })
	w.file = file
	return w
}

// rest reads what was written to the witness, and fails if somebody still holds
// it.
func (w *witness) rest() string {
	w.Helper()
	w.file.SetReadDeadline(time.Now().Add(10 * time.Second))
	data, err := io.ReadAll(w.file)
	if err != nil {
		w.Errorf("a process that should have ended still runs: %v", err)
	}
	return string(data)
}

// started waits for a first byte from whoever holds the witness.
func (w *witness) started() {
	w.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for buffer := make([]byte, 1); time.Now().Before(deadline); {
		w.file.SetReadDeadline(deadline)
		n, err := w.file.Read(buffer)
		if n > 0 {
			return
		}
		if err != nil && err != io.EOF { // at the end: nobody opened it yet
			w.Fatal(err)
		}
	}
	w.Fatal("the helper was not started")
}

// A helper for the host is asked before the one for all, and that before the
// entries; one that has nothing leads on.
func TestHelperOrder(t *testing.T) {
	const none = "cat >/dev/null; echo credentials not found in native keychain; exit 1"
	for _, test := range []struct {
		name, config, host string
		wantUser           string
		asked              []string
		source             string // "" for the file
	}{
		{"for all", `{"credsStore": "all"}`, "ghcr.io", "all", []string{"get ghcr.io"}, "docker-credential-all, which FILE names"},
		{"for the host", `{"credsStore": "all", "credHelpers": {"ghcr.io": "one"}}`, "ghcr.io", "one", []string{"get ghcr.io"}, "docker-credential-one, which FILE names"},
		{"for another host", `{"credsStore": "all", "credHelpers": {"quay.io": "one"}}`, "ghcr.io", "all", []string{"get ghcr.io"}, "docker-credential-all, which FILE names"},
		{"before the entries", `{"credsStore": "all", "auths": {"ghcr.io": {"auth": "` + authOf("entry") + `"}}}`, "ghcr.io", "all", []string{"get ghcr.io"}, "docker-credential-all, which FILE names"},
		{"has nothing", `{"credsStore": "none", "auths": {"ghcr.io": {"auth": "` + authOf("entry") + `"}}}`, "ghcr.io", "entry", []string{""}, "FILE"},
		{"switched off", `{"credsStore": "all", "credHelpers": {"ghcr.io": ""}, "auths": {"ghcr.io": {"auth": "` + authOf("entry") + `"}}}`, "ghcr.io", "entry", []string{""}, "FILE"},
		{"Docker Hub", `{"credsStore": "all"}`, "docker.io", "all", []string{"get https://index.docker.io/v1/"}, "docker-credential-all, which FILE names"},
		{"Docker Hub by another name", `{"credHelpers": {"docker.io": "one"}}`, "registry-1.docker.io", "one", []string{"get https://index.docker.io/v1/"}, "docker-credential-one, which FILE names"},
		{"host in capitals", `{"credHelpers": {"ghcr.io": "one"}}`, "GHCR.io", "one", []string{"get ghcr.io"}, "docker-credential-one, which FILE names"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t)
			b.helper("all", b.answering("all"))
			b.helper("one", b.answering("one"))
			b.helper("none", none)
			b.write(dockerFile, test.config)
			found := b.find(test.host)
			b.wantUser(found, test.wantUser)
			if got := b.asked(); !slices.Equal(got, test.asked) {
				t.Errorf("helpers were asked %q, want %q", got, test.asked)
			}
			if want := strings.ReplaceAll(test.source, "FILE", b.path(dockerFile)); found != nil && found.Source.String() != want {
				t.Errorf("from %v, want %s", found.Source, want)
			}
		})
	}
}

// A secret of the user "<token>" is an identity token.
func TestHelperIdentityToken(t *testing.T) {
	b := newFixture(t)
	b.helper("x", `cat >/dev/null; echo '{"Username": "<token>", "Secret": "t"}'`)
	b.write(dockerFile, `{"credsStore": "x"}`)
	want := Credentials{IdentityToken: "t", Source: Source{File: b.path(dockerFile), Helper: "docker-credential-x", Key: "ghcr.io"}}
	if found := b.find("ghcr.io"); found == nil || *found != want {
		t.Errorf("found %v, want %v", found, want)
	}
}

// Two files that name one helper are no reason to ask it twice.
func TestHelperOfTwoFiles(t *testing.T) {
	b := newFixture(t)
	b.helper("x", b.answering("")+"; exit 1")
	b.write(dockerFile, `{"credsStore": "x"}`)
	b.write(podmanFile, `{"credHelpers": {"ghcr.io": "x"}}`)
	want := []string{
		"docker-credential-x, which " + b.path(dockerFile) + " names: failed: exit status 1",
		b.path(dockerFile) + ": nothing",
		b.path(runtimeFile) + ": not there",
		"docker-credential-x, which " + b.path(podmanFile) + " names: not looked at",
		b.path(podmanFile) + ": nothing",
	}
	if got := places(b.keychain().Explain(t.Context(), "ghcr.io")); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if got := b.asked(); len(got) != 1 {
		t.Errorf("asked %q", got)
	}
}

// $DOCKER_AUTH_CONFIG holds entries, and starts nothing.
func TestVariableStartsNoHelper(t *testing.T) {
	b := newFixture(t)
	b.helper("x", b.answering("x"))
	b.env[dockerAuthConfig] = `{"credsStore": "x", "credHelpers": {"ghcr.io": "x"}}`
	if found := b.find("ghcr.io"); found != nil || b.asked()[0] != "" {
		t.Errorf("found %v", found)
	}
}

// A helper has the user's environment, none of our streams, and no terminal.
func TestHelperSurroundings(t *testing.T) {
	b := newFixture(t)
	b.helper("x", `cat >/dev/null
exec >`+b.path("said")+`
echo "$HOME $DOCKER_CONFIG $PACKVENDOR_TEST"
if (: </dev/tty) 2>/dev/null; then echo has a terminal; fi
if [ -e /proc/self/stat ] && [ "$(cut -d ' ' -f 6 /proc/$$/stat)" != $$ ]; then echo shares our session; fi
if [ -t 2 ]; then echo standard error is a terminal; fi
echo loud >&2`)
	b.env["DOCKER_CONFIG"] = b.path("docker")
	b.write("docker/config.json", `{"credsStore": "x"}`)
	t.Setenv("PACKVENDOR_TEST", "process's")
	b.env["PACKVENDOR_TEST"] = "user's"
	b.keychain().Find(t.Context(), "ghcr.io")
	said, err := os.ReadFile(b.path("said"))
	if err != nil {
		t.Fatal(err)
	}
	if want := b.path("home") + " " + b.path("docker") + " user's\n"; string(said) != want {
		t.Errorf("the helper saw %q, want %q", said, want)
	}
}

// LookOnly tells which helpers there are, starts none, and goes on to the entries.
func TestLookOnly(t *testing.T) {
	b := newFixture(t)
	b.helper("x", b.answering("x"))
	b.write(dockerFile, `{"credsStore": "x", "auths": {"ghcr.io": {"auth": "`+authOf("entry")+`"}}}`)
	b.write(runtimeFile, `{"credsStore": "missing"}`)
	k := New(Options{Getenv: func(key string) string { return b.env[key] }, LookOnly: true})
	for host, want := range map[string][]string{
		"ghcr.io": {
			"docker-credential-x, which " + b.path(dockerFile) + " names: not asked",
			b.path(dockerFile) + ": a user name and a password",
			b.path(runtimeFile) + ": not looked at", b.path(podmanFile) + ": not looked at",
		},
		"quay.io": {
			"docker-credential-x, which " + b.path(dockerFile) + " names: not asked",
			b.path(dockerFile) + ": nothing",
			"docker-credential-missing, which " + b.path(runtimeFile) + " names: not found in PATH",
			b.path(runtimeFile) + ": nothing", b.path(podmanFile) + ": not there",
		},
	} {
		var got []string
		for _, place := range k.Explain(t.Context(), host).Places {
			finding := place.Finding.String()
			if place.Err != nil {
				finding = place.Err.Error()
			}
			got = append(got, place.Source.String()+": "+finding)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", host, got, want)
		}
	}
	if got := b.asked(); !slices.Equal(got, []string{""}) {
		t.Errorf("helpers were asked %q", got)
	}
}
