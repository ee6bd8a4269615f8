package problem

import (
	"errors"
	"net/http"
	"slices"
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
	locked := &lockfile.Entry{Name: "a"}
	retag := &vendorer.RetagError{Repository: "r.io/a", Locked: "sha256:aa", Now: "sha256:bb"}
	mismatch := &vendorer.TagMismatchError{Repository: "r.io/a", Pinned: "sha256:aa", Now: "sha256:bb", IsPack: true}
	gone := &packfetch.RegistryError{Status: 404}
	sources := func(role packfetch.SourceRole) error {
		return &packfetch.SourcesError{Attempts: []packfetch.Attempt{{Source: packfetch.Source{Role: role}, Err: gone}}}
	}
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
		{"renovate", &vendorer.CIError{System: "renovate", File: "my.toml"}, "packvendor init --ci github"},
		{"a lie", &vendorer.PackError{Name: "a", Locked: locked, Err: &vendorer.InconsistentError{Name: "a"}}, "packvendor update a"},
		{"pushed again", &vendorer.PackError{Name: "a", Err: retag}, "packvendor diff r.io/a@sha256:aa r.io/a@sha256:bb"},
		{"another tag", &vendorer.PackError{Name: "a", Err: mismatch}, "packvendor diff r.io/a@sha256:aa r.io/a@sha256:bb"},
		{"another tag, of no pack", &vendorer.PackError{Name: "a", Err: &vendorer.TagMismatchError{Now: "sha256:bb"}}, ""},
		{"a tag for a range", &vendorer.PackError{Name: "a", Err: &vendorer.RangeError{Repository: "r.io/a", Range: "^1", Tag: "1.0.0"}}, "packvendor add a r.io/a:1.0.0"},
		{"no version in the range", &vendorer.PackError{Name: "a", Err: &vendorer.NoVersionError{Repository: "r.io/a", Range: "^1", Newest: "0.9.0"}}, "packvendor add a r.io/a:0.9.0"},
		{"no version at all", &vendorer.PackError{Name: "a", Err: &vendorer.NoVersionError{Repository: "r.io/a", Range: "^1"}}, ""},
		{"gone, with tag", &vendorer.PackError{Name: "a", Ref: "r.io/a:1@" + someDigest, Locked: locked, Err: gone}, "packvendor update a"},
		{"gone, with digest alone", &vendorer.PackError{Name: "a", Ref: "oci://r.io/x/a@" + someDigest, Locked: locked, Err: gone}, "packvendor add a r.io/x/a"},
		{"gone, with mirrors", &vendorer.PackError{Name: "a", Ref: "r.io/a:1@" + someDigest, Locked: locked, Err: sources("origin")}, "packvendor update a"},
		{"gone from another location", &vendorer.PackError{Name: "a", Ref: "r.io/a:1@" + someDigest, Locked: locked, Err: sources("location")}, "packvendor mirror explain r.io/a:1@" + someDigest},
		{"gone, no reference", &vendorer.PackError{Name: "a", Ref: "?", Locked: locked, Err: gone}, ""},
		{"not found, never locked", &vendorer.PackError{Name: "a", Ref: "r.io/a:1", Err: gone}, ""},
		{"forbidden", &vendorer.PackError{Name: "a", Ref: "r.io/a:1", Locked: locked, Err: &packfetch.RegistryError{Status: 403}}, ""},
		{"local, refused", &vendorer.PackError{Name: "a", Err: refused}, `in packs.toml, above the first table: insecure_registries = ["localhost:5000"]`},
		{"speaks HTTP", &vendorer.PackError{Name: "a", Err: plain}, `in packs.toml, above the first table: insecure_registries = ["r.io"]`},
		{"far, refused", &vendorer.PackError{Name: "a", Err: far}, ""},
		{"locked", &vendorer.LockedError{}, "packvendor -f packs.toml"},
		{"generated", &vendorer.GeneratedError{}, "packvendor -f packs.toml"},
		{"vendored", &vendorer.VendoredError{}, "packvendor -f packs.toml"},
		{"no signature", &vendorer.PackError{Name: "a", Ref: "r.io/x/a:1@" + someDigest, Err: &vendorer.UnsignedError{}}, "packvendor versions r.io/x/a"},
		{"another signer", &vendorer.SignerChangedError{SignerChange: vendorer.SignerChange{Name: "a"}, Acceptance: vendorer.Acceptance{Target: "a@1"}}, "packvendor update --accept-signer a a@1"},
		{"no signer", &vendorer.SignerLostError{SignerChange: vendorer.SignerChange{Name: "a"}, Acceptance: vendorer.Acceptance{Target: "a"}}, "packvendor update --accept-unsigned a"},
		{"another pack", &vendorer.OtherPackError{Name: "a", Acceptance: vendorer.Acceptance{Target: "a"}}, "packvendor update --accept-id a"},
		{"another pack, to be added", &vendorer.OtherPackError{Name: "a", Acceptance: vendorer.Acceptance{Ref: "r.io/a:1@" + someDigest}}, `in packs.toml, packs.a: ref = "r.io/a:1@` + someDigest + `"`},
		{"another pack, to be added with a range", &vendorer.OtherPackError{Name: "a"}, ""},
		{"another version", &vendorer.OtherVersionError{Name: "a", Acceptance: vendorer.Acceptance{Target: "a@1"}}, "packvendor update --accept-version a a@1"},
		{"refused", &vendorer.SignerRefusedError{Name: "a"}, "packvendor update --accept-signer a"},
		{"retired", &vendorer.SignerRefusedError{Name: "a", Retired: true}, ""},
		{"no rule", &vendorer.PackError{Name: "a", Err: &vendorer.NoRuleError{File: "my.toml", Line: "x = []"}}, "in my.toml, below [trust.rules]: x = []"},
		{"evidence of a newer packvendor", &vendorer.EvidenceError{Err: &vendorer.EvidenceSyntaxError{Newer: true}}, "go get -tool github.com/greenticai/packvendor/cmd/packvendor@latest"},
		{"evidence is missing", &vendorer.EvidenceMissingError{}, "packvendor -f packs.toml"},
		{"evidence is missing for good", &vendorer.EvidenceMissingError{NoRule: true}, ""},
		{"clash", &vendorer.ClashError{}, ""},
		{"mismatch", &vendorer.PackError{Name: "a", Locked: locked, Err: &verified.MismatchError{}}, ""},
		{"storage", &packfetch.StorageError{Err: errors.New("x")}, ""},
		{"usage without command", &UsageError{Err: errors.New("x")}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &hint.Context{File: "packs.toml"}
			if got := hintText(c, test.err); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			// With -f every command must name the file, too.
			c.File = "it's here/packs.toml"
			want := strings.TrimSuffix(test.want, " -f packs.toml")
			if strings.HasPrefix(want, "packvendor") {
				want += ` -f 'it'\''s here/packs.toml'`
			}
			want = strings.Replace(want, "in packs.toml,", "in it's here/packs.toml,", 1)
			if got := hintText(c, test.err); got != want {
				t.Errorf("with -f: %q, want %q", got, want)
			}
		})
	}
}

// What was found without -f is found without it again.
func TestHintNearest(t *testing.T) {
	c := &hint.Context{File: "../packs.toml", IsNearest: true}
	for _, test := range []struct {
		err  error
		want string
	}{
		{&vendorer.LockedError{}, "packvendor -f ../packs.toml"},
		{&packsfile.Error{Unpinned: "a", Ref: "r.io/a:1"}, "packvendor add a r.io/a:1"},
		{&vendorer.PackError{Name: "a", Err: &packfetch.RegistryError{Host: "r.io", Err: http.ErrSchemeMismatch}}, `in ../packs.toml, above the first table: insecure_registries = ["r.io"]`},
	} {
		if got := hintText(c, test.err); got != test.want {
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
		{"pushed again, and another tag was wished", &vendorer.PackError{Name: "a", Err: &vendorer.RetagError{Tag: "1.0.0", Wanted: "1.1.0"}}, "packvendor update --accept-retag a@1.1.0 -f x"},
		{"another tag", &vendorer.PackError{Name: "a", Err: &vendorer.TagMismatchError{IsPack: true}}, "packvendor update --accept-retag a -f x"},
		{"another tag, of no pack", &vendorer.PackError{Name: "a", Err: &vendorer.TagMismatchError{Now: "sha256:bb"}}, ""},
		{"of no pack of packs.toml", &vendorer.RetagError{}, ""},
		{"others", &vendorer.PackError{Name: "a", Err: &vendorer.InconsistentError{Name: "a"}}, ""},
	} {
		c := &hint.Context{File: "x"}
		if got := c.Text(Explainer{Hints: c}.explain(test.err).Then); got != test.want {
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
		c := &hint.Context{File: "packs.toml", InCI: test.inCI, Preset: strings.Fields(test.preset)}
		if got := hintText(c, &vendorer.LockedError{}); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

// hintText is what to do about an error, as the user can type it.
func hintText(c *hint.Context, err error) string {
	return c.Text(Explainer{Hints: c}.explain(err).Hint)
}

// What the user accepts already is in the next hint, too: else each hint would lead to the
// other one.
func TestAcceptedAlready(t *testing.T) {
	err := &vendorer.OtherVersionError{Name: "a", Acceptance: vendorer.Acceptance{Target: "a@1", Also: []vendorer.Continuity{vendorer.SamePackID}}}
	c := &hint.Context{File: "packs.toml", Args: []string{"update", "--accept-id=a", "--accept-retag", "--latest"}}
	if got, want := hintText(c, err), "packvendor update --accept-version a --accept-id a --accept-retag a@1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A packs.lock takes the place of a project only where the command takes one for that.
func TestHintWithoutProject(t *testing.T) {
	for _, test := range []struct {
		name, flags, set string
		want             string
	}{
		{"import", "lock", "", "packvendor import x --lock=packs.lock"},
		{"verify", "lock binary", "binary", "packvendor verify x --lock=packs.lock"},
		{"verify", "lock binary", "", "packvendor init -f none.toml"},
		{"inspect", "lock", "lock", "packvendor init -f none.toml"}, // which has it for programs
		{"list", "", "", "packvendor init -f none.toml"},
	} {
		c := &hint.Context{
			File: "none.toml", Name: test.name, Args: []string{test.name, "x"},
			Has:  func(flag string) bool { return slices.Contains(strings.Fields(test.flags), flag) },
			Sets: func(flag string) bool { return slices.Contains(strings.Fields(test.set), flag) },
		}
		if got := hintText(c, &vendorer.NoProjectError{File: "none.toml"}); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}
