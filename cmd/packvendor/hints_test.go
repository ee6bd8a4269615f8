package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer"
)

const someDigest = "sha256:1111111111111111111111111111111111111111111111111111111111111111"

func TestHints(t *testing.T) {
	locked := &lockfile.Pack{Name: "a"}
	retag := &vendorer.RetagError{Repository: "r.io/a", Locked: "sha256:aa", Now: "sha256:bb"}
	mismatch := &vendorer.TagMismatchError{Repository: "r.io/a", Pinned: "sha256:aa", Now: "sha256:bb", IsPack: true}
	gone := &packfetch.RegistryError{Status: 404}
	refused := &packfetch.RegistryError{URL: "https://localhost:5000/v2/", Host: "localhost:5000", Err: syscall.ECONNREFUSED}
	plain := &packfetch.RegistryError{URL: "https://r.io/v2/", Host: "r.io", Err: http.ErrSchemeMismatch}
	far := &packfetch.RegistryError{URL: "https://r.io/v2/", Host: "r.io", Err: syscall.ECONNREFUSED}
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"unpinned", &packsfile.Error{Unpinned: "a", Ref: "r.io/a:1"}, "packvendor add a r.io/a:1"},
		{"other error of packs.toml", &packsfile.Error{Msg: "x"}, ""},
		{"no module", &vendorer.NoModuleError{}, "go mod init example.com/app"},
		{"a lie", &vendorer.PackError{Name: "a", Locked: locked, Err: &vendorer.InconsistentError{Name: "a"}}, "packvendor update a"},
		{"pushed again", &vendorer.PackError{Name: "a", Err: retag}, "packvendor diff r.io/a@sha256:aa r.io/a@sha256:bb"},
		{"another tag", &vendorer.PackError{Name: "a", Err: mismatch}, "packvendor diff r.io/a@sha256:aa r.io/a@sha256:bb"},
		{"another tag, of no pack", &vendorer.PackError{Name: "a", Err: &vendorer.TagMismatchError{Now: "sha256:bb"}}, ""},
		{"a tag for a range", &vendorer.PackError{Name: "a", Err: &vendorer.RangeError{Repository: "r.io/a", Range: "^1", Tag: "1.0.0"}}, "packvendor add a r.io/a:1.0.0"},
		{"no version in the range", &vendorer.PackError{Name: "a", Err: &vendorer.NoVersionError{Repository: "r.io/a", Range: "^1", Newest: "0.9.0"}}, "packvendor add a r.io/a:0.9.0"},
		{"no version at all", &vendorer.PackError{Name: "a", Err: &vendorer.NoVersionError{Repository: "r.io/a", Range: "^1"}}, ""},
		{"gone, with tag", &vendorer.PackError{Name: "a", Ref: "r.io/a:1@" + someDigest, Locked: locked, Err: gone}, "packvendor update a"},
		{"gone, with digest alone", &vendorer.PackError{Name: "a", Ref: "oci://r.io/x/a@" + someDigest, Locked: locked, Err: gone}, "packvendor add a r.io/x/a"},
		{"gone, no reference", &vendorer.PackError{Name: "a", Ref: "?", Locked: locked, Err: gone}, ""},
		{"not found, never locked", &vendorer.PackError{Name: "a", Ref: "r.io/a:1", Err: gone}, ""},
		{"forbidden", &vendorer.PackError{Name: "a", Ref: "r.io/a:1", Locked: locked, Err: &packfetch.RegistryError{Status: 403}}, ""},
		{"local, refused", &vendorer.PackError{Name: "a", Err: refused}, `in packs.toml, above the first table: insecure_registries = ["localhost:5000"]`},
		{"speaks HTTP", &vendorer.PackError{Name: "a", Err: plain}, `in packs.toml, above the first table: insecure_registries = ["r.io"]`},
		{"far, refused", &vendorer.PackError{Name: "a", Err: far}, ""},
		{"locked", &vendorer.LockedError{}, "packvendor -f packs.toml"},
		{"generated", &vendorer.GeneratedError{}, "packvendor -f packs.toml"},
		{"vendored", &vendorer.VendoredError{}, "packvendor -f packs.toml"},
		{"clash", &vendorer.ClashError{}, ""},
		{"mismatch", &vendorer.PackError{Name: "a", Locked: locked, Err: &verified.MismatchError{}}, ""},
		{"storage", &packfetch.StorageError{Err: errors.New("x")}, ""},
		{"usage without command", &usageError{err: errors.New("x")}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &printer{hints: hint.Context{File: "packs.toml"}}
			if got := p.hints.Text(p.hintFor(test.err)); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			// With -f every command must name the file, too.
			p.hints.File = "it's here/packs.toml"
			want := strings.TrimSuffix(test.want, " -f packs.toml")
			if strings.HasPrefix(want, "packvendor") {
				want += ` -f 'it'\''s here/packs.toml'`
			}
			want = strings.Replace(want, "in packs.toml,", "in it's here/packs.toml,", 1)
			if got := p.hints.Text(p.hintFor(test.err)); got != want {
				t.Errorf("with -f: %q, want %q", got, want)
			}
		})
	}
}

// What was found without -f is found without it again.
func TestHintNearest(t *testing.T) {
	p := &printer{hints: hint.Context{File: "../packs.toml", IsNearest: true}}
	for _, test := range []struct {
		err  error
		want string
	}{
		{&vendorer.LockedError{}, "packvendor -f ../packs.toml"},
		{&packsfile.Error{Unpinned: "a", Ref: "r.io/a:1"}, "packvendor add a r.io/a:1"},
		{&vendorer.PackError{Name: "a", Err: &packfetch.RegistryError{Host: "r.io", Err: http.ErrSchemeMismatch}}, `in ../packs.toml, above the first table: insecure_registries = ["r.io"]`},
	} {
		if got := p.hints.Text(p.hintFor(test.err)); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// What changed is shown before it is accepted.
func TestSecondHints(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"pushed again", &vendorer.PackError{Name: "a", Err: &vendorer.RetagError{}}, "packvendor update --accept-retag a -f x"},
		{"pushed again, and another tag was wished", &vendorer.PackError{Name: "a", Err: &vendorer.RetagError{Tag: "1.0.0", Wish: "1.1.0"}}, "packvendor update --accept-retag a@1.1.0 -f x"},
		{"another tag", &vendorer.PackError{Name: "a", Err: &vendorer.TagMismatchError{IsPack: true}}, "packvendor update --accept-retag a -f x"},
		{"another tag, of no pack", &vendorer.PackError{Name: "a", Err: &vendorer.TagMismatchError{Now: "sha256:bb"}}, ""},
		{"of no pack of packs.toml", &vendorer.RetagError{}, ""},
		{"others", &vendorer.PackError{Name: "a", Err: &vendorer.InconsistentError{Name: "a"}}, ""},
	} {
		p := &printer{hints: hint.Context{File: "x"}}
		if got := p.hints.Text(p.secondHintFor(test.err)); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// In CI what mends is a run elsewhere, where the environment is another: no hint
// teaches to switch the lock off there.
func TestHintBareRun(t *testing.T) {
	for _, test := range []struct {
		inCI   bool
		preset string
		want   string
	}{
		{false, "", "packvendor -f packs.toml"},
		{true, "", "packvendor -f packs.toml"},
		{true, "frozen json", "packvendor -f packs.toml"},
		{false, "frozen json", "packvendor --frozen=false"},
		{false, "offline", "packvendor --offline=false"},
	} {
		p := &printer{hints: hint.Context{File: "packs.toml", InCI: test.inCI, Preset: strings.Fields(test.preset)}}
		if got := p.hints.Text(p.hintFor(&vendorer.LockedError{})); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

// What needed the network is hinted at as the same command with it. Each hint
// is a command line that packvendor itself accepts.
func TestHintRerun(t *testing.T) {
	ref := "r.invalid/a:1@" + someDigest
	for _, test := range []struct {
		name, flags string
		args        []string
		want        string
	}{
		{"offline", "", []string{"fetch", "--offline", ref}, "packvendor fetch " + ref},
		{"offline=true", "", []string{"fetch", ref, "--offline=true"}, "packvendor fetch " + ref},
		{"from the environment", "--offline", []string{"fetch", ref}, "packvendor fetch " + ref + " --offline=false"},
		{"flags of other commands", "--frozen --offline", []string{"fetch", ref}, "packvendor fetch " + ref + " --offline=false"},
		{"tags", "", []string{"fetch", "r.invalid/a:1"}, "packvendor fetch r.invalid/a:1 --allow-tags"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := runWith(t, map[string]string{"PACKVENDOR_FLAGS": test.flags, "GREENTIC_PACK_CACHE_DIR": t.TempDir()}, test.args...)
			if code == 0 || stdout != "" {
				t.Errorf("exit code %d, stdout %q", code, stdout)
			}
			_, hint, _ := strings.Cut(stderr, "packvendor: hint: ")
			if hint = strings.TrimSpace(hint); hint != test.want {
				t.Errorf("hint %q, want %q\n%s", hint, test.want, stderr)
			}
			c := newCLI(process{args: strings.Fields(hint)[1:], getenv: func(string) string { return "" }})
			command, rest, err := c.root.Find(c.args)
			if err == nil {
				err = command.ParseFlags(rest)
			}
			if err != nil {
				t.Errorf("the hint %q is no command line: %v", hint, err)
			}
		})
	}
}

// runWith runs packvendor in this process, with those variables alone.
func runWith(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = run(context.Background(), process{args: args, getenv: func(key string) string { return env[key] }, stdout: &out, stderr: &errs})
	return code, out.String(), errs.String()
}

// Whatever a text quotes, the terminal gets nothing but printable characters.
func TestFault51_ErrorsAreEscaped(t *testing.T) {
	var stderr strings.Builder
	p := &printer{stderr: &stderr}
	p.error("z\x1b[31m\rz.go declares A\n\tand \u202e")
	if got, want := stderr.String(), "packvendor: error: z\\x1b[31m\\rz.go declares A\n\tand \\u202e\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
