package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packcache"
)

// cacheCommands are the commands for entries of the cache.
func cacheCommands() map[string]func(*testscript.TestScript, []string) {
	return map[string]func(*testscript.TestScript, []string){
		"age":    cmdAge,
		"occupy": cmdOccupy,
	}
}

// age DIR DURATION makes the files in a directory look as if they had last changed
// so long ago, or at a date.
func cmdAge(ts *testscript.TestScript, args []string) {
	at, err := time.Parse(time.DateOnly, args[1])
	if err != nil {
		ago, err := time.ParseDuration(args[1])
		ts.Check(err)
		at = time.Now().Add(-ago)
	}
	names, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, name := range names {
		ts.Check(os.Chtimes(filepath.Join(ts.MkAbs(args[0]), name.Name()), at, at))
	}
}

// occupy DIGEST holds the lock of a manifest's entry below $CACHE until the script
// ends, as a process that fetches it does.
func cmdOccupy(ts *testscript.TestScript, args []string) {
	lock, busy := packcache.New(packcache.Options{Root: ts.Getenv("CACHE")}).TryLock(ociref.Digest(args[0]))
	if busy || !lock.Held() {
		ts.Fatalf("the lock of %s cannot be had", args[0])
	}
	ts.Defer(lock.Unlock)
}

// uncached wants that the cache has no pack, and nothing else of anybody's but
// manifests that are what their directories say.
func cmdUncached(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: uncached")
	}
	err := filepath.WalkDir(ts.Getenv("CACHE"), func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir(), strings.HasSuffix(path, ".lock"), isCachedManifest(path):
			return nil
		}
		ts.Fatalf("the cache has %s", path)
		return nil
	})
	ts.Check(err)
}

func isCachedManifest(path string) bool {
	body, err := os.ReadFile(path)
	return err == nil && filepath.Base(path) == "manifest.json" && ociref.DigestOf(body).Hex() == filepath.Base(filepath.Dir(path))
}
