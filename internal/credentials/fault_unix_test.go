//go:build unix

package credentials

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hanging is a script that hangs, as does what it started, which keeps its
// output open.
func hanging(w *witness) string {
	return `exec 9>` + w.path + `
sleep 1000 &
echo started >&9
sleep 1000`
}

func TestFault25_HangingHelper(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	w := b.witness()
	b.helper("x", hanging(w))
	b.write(dockerFile, `{"credsStore": "x"}`)
	// A machine may be too busy to have started the helper by then.
	for timeout := 100 * time.Millisecond; timeout < time.Minute; timeout *= 4 {
		k := New(Options{Getenv: func(key string) string { return b.env[key] }, HelperTimeout: timeout})
		found, err := k.Find(t.Context(), "ghcr.io")
		want := "docker-credential-x, which " + b.path(dockerFile) + " names: no answer within " + timeout.String()
		if found != nil || err == nil || err.Error() != want {
			t.Fatalf("%v, error %v\nwant %s", found, err, want)
		}
		if w.rest() != "" {
			return
		}
	}
	t.Error("the helper was never started")
}

// The bound is for all helpers of a host together.
func TestFault25_SeveralHangingHelpers(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	for _, name := range []string{"x", "y", "z"} {
		b.helper(name, "exec sleep 1000")
	}
	b.write(dockerFile, `{"credsStore": "x"}`)
	b.write(runtimeFile, `{"credsStore": "y"}`)
	b.write(podmanFile, `{"credHelpers": {"ghcr.io": "z"}}`)
	const timeout = time.Second
	k := New(Options{Getenv: func(key string) string { return b.env[key] }, HelperTimeout: timeout})
	start := time.Now()
	_, err := k.Find(t.Context(), "ghcr.io")
	if took := time.Since(start); took >= 3*timeout {
		t.Errorf("took %v", took)
	}
	if err == nil || strings.Count(err.Error(), "no answer within 1s") != 3 {
		t.Errorf("error %v", err)
	}
}

// A cancelled context ends a helper at once, and nothing is remembered of it.
func TestFault25_CancelledHelper(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	w := b.witness()
	b.helper("x", hanging(w))
	b.write(dockerFile, `{"credsStore": "x"}`)
	k := b.keychain()
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error)
	go func() {
		_, err := k.Find(ctx, "ghcr.io")
		errs <- err
	}()
	w.started()

	// Nobody waits longer for that look-up than they want to.
	impatient, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := k.Find(impatient, "ghcr.io")
		left <- err
	}()
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}

	start := time.Now()
	cancel()
	if err := <-errs; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	w.rest()

	b.helper("x", b.answering("alice"))
	found, err := k.Find(t.Context(), "ghcr.io")
	if err != nil {
		t.Fatal(err)
	}
	b.wantUser(found, "alice")
	if _, err := k.Find(ctx, "quay.io"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if got, want := b.asked(), []string{"get ghcr.io"}; !slices.Equal(got, want) {
		t.Errorf("asked %q, want %q", got, want)
	}
}

// A helper's child that keeps its output open is ended, too, and the helper's answer
// counts.
func TestFault25_HelperLeavesProcessBehind(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	w := b.witness()
	b.helper("x", "exec 9>"+w.path+"; echo started >&9; sleep 1000 &\n"+b.answering("alice"))
	b.write(dockerFile, `{"credsStore": "x"}`)
	b.wantUser(b.find("ghcr.io"), "alice")
	if got := w.rest(); got != "started\n" {
		t.Errorf("the witness saw %q", got)
	}
}

func TestFault25_FailingHelper(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, script, want string
	}{
		{"exit status", "echo secret; echo secret >&2; exit 3", "exit status 3"},
		{"signal", "kill -9 $$", "signal: killed"},
		{"no server", "echo no credentials server URL; exit 1", "exit status 1"},
		{"nothing", "", "its answer is not the JSON of a credential helper"},
		{"no JSON", "echo secret", "its answer is not the JSON of a credential helper"},
		{"other JSON", "echo '[\"secret\"]'", "its answer is not the JSON of a credential helper"},
		{"long", `printf '{"Secret": "%070000d"}' 7`, "its answer is larger than 65536 bytes"},
		{"endless", "cat /dev/zero", "its answer is larger than 65536 bytes"},
		{"endless, and stubborn", "trap '' PIPE; while :; do echo secret; done", "its answer is larger than 65536 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t)
			b.helper("x", "cat >/dev/null\n"+test.script)
			b.write(dockerFile, `{"credHelpers": {"ghcr.io": "x"}}`)
			found, err := b.keychain().Find(t.Context(), "ghcr.io")
			if want := "docker-credential-x, which " + b.path(dockerFile) + " names: " + test.want; found != nil || err == nil || err.Error() != want {
				t.Errorf("%v, error %v\nwant %s", found, err, want)
			}
			// Credentials at another place are found nevertheless.
			b.write(podmanFile, authsOf("ghcr.io", "alice"))
			b.wantUser(b.find("ghcr.io"), "alice")
		})
	}
}

// A helper that does not read its question may answer all the same.
func TestFault25_HelperDoesNotRead(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.helper("x", `exec <&-; echo '{"Username": "alice", "Secret": "pass-of-alice"}'`)
	b.write(dockerFile, `{"credsStore": "x"}`)
	b.wantUser(b.find("ghcr.io"), "alice")
}

// Helpers that are none are not started.
func TestFault25_NoSuchHelper(t *testing.T) {
	t.Parallel()
	const noName = "the helper that it names cannot be a program's name"
	for _, test := range []struct {
		name, helper string
		want         string // FILE is the configuration, BIN the folder in PATH
	}{
		{"not there", "none", "docker-credential-none, which FILE names: not found in PATH"},
		{"not executable", "plain", "docker-credential-plain, which FILE names: not found in PATH"},
		{"a directory", "dir", "docker-credential-dir, which FILE names: not found in PATH"},
		{"not a program", "text", "docker-credential-text, which FILE names: cannot be started: fork/exec BIN/docker-credential-text: exec format error"},
		{"path", "../x", "FILE: " + noName},
		{"absolute path", "/bin/sh", "FILE: " + noName},
		{"backslash", `..\\x`, "FILE: " + noName},
		{"white space", "x y", "FILE: " + noName},
		{"control character", `x\u001b[1m`, "FILE: " + noName},
		{"long", strings.Repeat("x", 65), "FILE: " + noName},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t)
			b.write("bin/docker-credential-plain", "#!/bin/sh\n"+b.answering("x")+"\n")
			b.write("bin/docker-credential-dir/x", "")
			b.helper("x", b.answering("x"))
			b.write("bin/docker-credential-text", "text")
			if err := os.Chmod(b.path("bin/docker-credential-text"), 0o777); err != nil {
				t.Fatal(err)
			}
			b.write(dockerFile, `{"credsStore": "`+test.helper+`"}`)
			_, err := b.keychain().Find(t.Context(), "ghcr.io")
			want := strings.NewReplacer("FILE", b.path(dockerFile), "BIN", b.path("bin")).Replace(test.want)
			if err == nil || err.Error() != want {
				t.Errorf("error %v\nwant %s", err, want)
			}
			if got := b.asked(); got[0] != "" {
				t.Errorf("asked %q", got)
			}
		})
	}
}

// A program that stands where the user happens to be is no helper.
func TestFault25_RelativePath(t *testing.T) {
	b := newFixture(t)
	b.helper("x", b.answering("x"))
	b.write(dockerFile, `{"credsStore": "x"}`)
	b.env["PATH"] = ":.:bin:./bin:../" + filepath.Base(b.dir) + "/bin"
	for _, dir := range []string{"", "bin"} {
		t.Chdir(b.path(dir))
		_, err := b.keychain().Find(t.Context(), "ghcr.io")
		want := "docker-credential-x, which " + b.path(dockerFile) + " names: not found in PATH"
		if err == nil || err.Error() != want || b.asked()[0] != "" {
			t.Errorf("error %v\nwant %s", err, want)
		}
	}
}

// A helper is started once for each host, however many want to know, and
// whether it works or not.
func TestFault25_OncePerHost(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{false, true} {
		b := newFixture(t)
		script := b.answering("alice")
		if fails {
			script += "; exit 1"
		}
		b.helper("x", script)
		b.write(dockerFile, `{"credsStore": "x"}`)
		k := b.keychain()
		var wg sync.WaitGroup
		for range 20 {
			for _, host := range []string{"ghcr.io", "quay.io", "docker.io", "GHCR.io", "index.docker.io"} {
				wg.Go(func() {
					found, err := k.Find(t.Context(), host)
					if fails != (err != nil) || fails != (found == nil) {
						t.Errorf("%s: %v, error %v", host, found, err)
					}
					k.Explain(t.Context(), host)
				})
			}
		}
		wg.Wait()
		got := b.asked()
		slices.Sort(got)
		if want := []string{"get ghcr.io", "get https://index.docker.io/v1/", "get quay.io"}; !slices.Equal(got, want) {
			t.Errorf("asked %q, want %q", got, want)
		}
	}
}

// A file that cannot be read as a configuration is reported, and nothing waits for it.
func TestFault25_UnreadableConfig(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		make func(path string) error
		want string
	}{
		{"directory", func(path string) error { return os.Mkdir(path, 0o777) }, "not a regular file"},
		{"FIFO", func(path string) error { return syscall.Mkfifo(path, 0o666) }, "not a regular file"},
		{"link to itself", func(path string) error { return os.Symlink(path, path) }, "cannot be read: too many levels of symbolic links"},
		{"forbidden", func(path string) error { return os.WriteFile(path, nil, 0) }, "cannot be read: permission denied"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "forbidden" && os.Geteuid() == 0 {
				t.Skip("nothing is forbidden to root")
			}
			b := newFixture(t)
			b.write("home/.docker/other", "")
			if err := test.make(b.path(dockerFile)); err != nil {
				t.Fatal(err)
			}
			found, err := b.keychain().Find(t.Context(), "ghcr.io")
			if want := b.path(dockerFile) + ": " + test.want; found != nil || err == nil || err.Error() != want {
				t.Errorf("%v, error %v\nwant %s", found, err, want)
			}
			b.write(podmanFile, authsOf("ghcr.io", "alice"))
			b.wantUser(b.find("ghcr.io"), "alice")
		})
	}
}
