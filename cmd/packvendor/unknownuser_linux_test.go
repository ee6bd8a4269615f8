package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
)

// TestCacheOfAnUnknownUser runs as a user outside the user database, like a container
// that runs as a number, and without HOME: the cache is in GREENTIC_HOME, and without
// that beside packs.toml.
func TestCacheOfAnUnknownUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	const nobody = 54321
	b := newFixture(t, packtest.Options{Plain: true})
	root, _ := scratch(t)
	app := filepath.Join(root, "app")
	b.must(os.Mkdir(app, 0o777))
	b.project(b.line("a", "a")).write(t, app)
	b.must(filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			err = os.Chown(path, nobody, nobody)
		}
		return err
	}))
	for _, test := range []struct{ home, want string }{
		{filepath.Join(root, "greentic"), filepath.Join(root, "greentic", "cache", "packs")},
		{"", filepath.Join(app, ".greentic", "cache", "packs")},
	} {
		cmd := b.command(root, "", "-f", "app/packs.toml")
		cmd.Path = "/proc/self/exe" // another user may not enter the program's folder
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		cmd.Env = slices.DeleteFunc(cmd.Env, func(v string) bool { return strings.HasPrefix(v, "HOME=") })
		cmd.Env = append(cmd.Env, "TMPDIR="+root, "GREENTIC_HOME="+test.home)
		b.mustRun(cmd)
		if packsIn(readTree(t, test.want)) != 1 {
			t.Errorf("with GREENTIC_HOME=%s there is no pack in %s", test.home, test.want)
		}
		b.must(os.RemoveAll(filepath.Join(app, "packs")))
	}
}
