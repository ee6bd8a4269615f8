package main

import (
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/internal/ociref"
)

// moreCommands are commands that few scripts need.
func moreCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"entry":    cmdEntry,
		"holds":    cmdHolds,
		"uncached": cmdUncached,
		"short":    cmdShort,
	}
}

// holds FILE DIGEST fails unless a file's bytes have that digest.
func cmdHolds(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: holds FILE DIGEST")
	}
	digest := string(ociref.DigestOf([]byte(ts.ReadFile(args[0]))))
	if (digest == args[1]) == neg {
		ts.Fatalf("%s has the digest %s", args[0], digest)
	}
}

// short VAR DIGEST sets $VAR to a digest as people are shown it.
func cmdShort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: short VAR DIGEST")
	}
	ts.Setenv(args[0], args[1][:len("sha256:")+12])
}

// entry VAR DIGEST sets $VAR to the folder below $CACHE of a manifest's pack.
func cmdEntry(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: entry VAR DIGEST")
	}
	ts.Setenv(args[0], filepath.Join(ts.Getenv("CACHE"), ociref.Digest(args[1]).Hex()))
}
