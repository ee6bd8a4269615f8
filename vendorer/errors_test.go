package vendorer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/vendorer"
)

// Every error type has this whole message.
func TestErrorMessages(t *testing.T) {
	cause := errors.New("cause")
	lie := &vendorer.InconsistentError{File: "packs.lock", Line: 4, Name: "a", Field: "size", Got: "3", By: "the manifest has", Want: "4"}
	for _, test := range []struct {
		err  error
		want string
	}{
		{&vendorer.LockedError{File: "packs.lock", Missing: []string{"a", "b"}, Stale: []string{"c"}, Surplus: []string{"d", "e"}}, "packs.lock would change (missing: a, b; stale: c; surplus: d, e)"},
		{&vendorer.LockedError{File: "packs.lock", Format: true}, "packs.lock would change (it is not in canonical form)"},
		{&vendorer.LockedError{File: "packs.lock", NoFile: true}, "packs.lock does not exist yet"},
		{&vendorer.PackError{File: "packs.toml", Line: 3, Name: "a", Err: cause}, "packs.toml:3: packs.a: cause"},
		{&vendorer.PackError{File: "packs.toml", Name: "a", Err: cause}, "a: cause"},
		{&vendorer.PackError{File: "packs.toml", Line: 3, Name: "a", Err: lie}, "packs.lock:4: a: size is 3, but the manifest has 4"},
		{lie, "packs.lock:4: a: size is 3, but the manifest has 4"},
		{&vendorer.ClashError{File: "x.go", Names: []string{"Pack", "Packs"}}, "x.go declares Pack, Packs, which the generated file needs: rename that, or give the packs a package of their own (dir under [embed])"},
		{&vendorer.PackageNameError{Dir: "d", Names: []string{"x", "y"}}, "d holds several packages (x, y): set package under [embed] in packs.toml"},
		{&vendorer.PackageNameError{Dir: "d-e"}, "d-e has no Go files and is no package name itself: set package under [embed] in packs.toml"},
		{&vendorer.UnknownPackError{File: "packs.toml", Name: "aa", Near: "a"}, `packs.toml has no pack "aa", did you mean "a"?`},
		{&vendorer.UnknownPackError{File: "packs.toml", Name: "\n"}, `packs.toml has no pack "\n"`},
		{&vendorer.EditError{File: "packs.toml", Err: cause}, "packs.toml: cause"},
		{&vendorer.RetagError{Tag: "1.2.3", Locked: "sha256:aa", Now: "sha256:bb"}, "version tag 1.2.3 was pushed again\n\tlocked: sha256:aa\n\tnow:    sha256:bb"},
		{&vendorer.RetagError{Tag: "1.2.3", Locked: "sha256:aa", Now: "sha256:bb", Version: "1.2.2"}, "version tag 1.2.3 does not name the digest that is locked\n\tlocked: sha256:aa, whose manifest says 1.2.2\n\tnow:    sha256:bb"},
		{&vendorer.TagMismatchError{Tag: "1.2.3", Pinned: "sha256:aa", Now: "sha256:bb"}, "version tag 1.2.3 does not name the digest that is pinned\n\tpinned: sha256:aa\n\ttag:    sha256:bb"},
		{&vendorer.TagMismatchError{Tag: "1.2.3", Pinned: "sha256:aa", Version: "v1.2.2-rc.1"}, "version tag 1.2.3 is not in the registry\n\tpinned: sha256:aa, whose manifest says v1.2.2-rc.1"},
		{&vendorer.TagMismatchError{Tag: "1.2.3", Pinned: "sha256:aa", Version: "\x1b\u202e"}, `version tag 1.2.3 is not in the registry` + "\n\tpinned: sha256:aa, whose manifest says " + `"\x1b\u202e"`},
		{&vendorer.TagMismatchError{Tag: "1.2.3", Pinned: "sha256:aa", Version: strings.Repeat("1", 129)}, "version tag 1.2.3 is not in the registry\n\tpinned: sha256:aa, whose manifest says \"" + strings.Repeat("1", 128) + "\"..."},
		{&vendorer.BusyError{File: "packs.toml"}, "packs.toml: another packvendor has been at work on this project for too long"},
		{&vendorer.ChangedError{Path: "packs.lock"}, "packs.lock was changed while packvendor ran"},
		{&vendorer.NoProjectError{File: "packs.toml"}, "packs.toml: no such file"},
		{&vendorer.NoModuleError{Dir: "/d"}, "/d is in no Go module: there is no go.mod in it or above it"},
		{&vendorer.NoModuleError{Dir: "/d", Workspace: "/d/go.work"}, "/d is in no Go module: packs belong to one of the modules in /d/go.work"},
		{&vendorer.PlaceError{Path: "packs", Reason: "is a symbolic link"}, "packs is a symbolic link"},
		{&vendorer.VendoredError{Path: "a.gtpack", Got: verified.Content{Digest: "sha256:aa"}, Want: verified.Content{Digest: "sha256:bb"}}, "a.gtpack is not the pack that is locked\n\tgot:  sha256:aa\n\twant: sha256:bb"},
		{&vendorer.VendoredError{Path: "a.gtpack", Want: verified.Content{Digest: "sha256:bb"}}, "a.gtpack is missing"},
		{&vendorer.VendoredError{Path: "a.gtpack", Got: verified.Content{Digest: "sha256:aa"}, LFS: true}, "a.gtpack is a Git LFS pointer, not the pack"},
		{&vendorer.GeneratedError{Path: "packs_gen.go"}, "packs_gen.go is missing"},
		{&vendorer.GeneratedError{Path: "packs_gen.go", Diff: "-a"}, "packs_gen.go is not what packvendor generates"},
		{&vendorer.EmbedError{Path: "packs/x", Reason: "is embedded, but not locked"}, "packs/x is embedded, but not locked"},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%T:\n%s\nwant:\n%s", test.err, got, test.want)
		}
	}
	for _, err := range []error{&vendorer.PackError{Err: cause}, &vendorer.EditError{Err: cause}} {
		if !errors.Is(err, cause) {
			t.Errorf("%T does not unwrap", err)
		}
	}
}
