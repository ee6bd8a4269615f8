package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/internal/ociref"
)

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
