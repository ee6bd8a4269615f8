package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/internal/ociref"
)

// moreCommands are commands that few scripts need.
func moreCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"entry":      cmdEntry,
		"holds":      cmdHolds,
		"uncached":   cmdUncached,
		"short":      cmdShort,
		"tags":       cmdTags,
		"without-go": cmdWithoutGo,
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

// tags REPOSITORY DIGEST N TAG points N tags at a manifest: TAG with each number
// below N for %d.
func cmdTags(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: tags REPOSITORY DIGEST N TAG")
	}
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	var tags []string
	for i := range n {
		tags = append(tags, fmt.Sprintf(args[3], i))
	}
	ts.Check(registryOf(ts).TagMany(args[0], ociref.Digest(args[1]), tags))
}

// without-go leaves packvendor alone in PATH.
func cmdWithoutGo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: without-go")
	}
	path, err := exec.LookPath("packvendor")
	ts.Check(err)
	ts.Setenv("PATH", filepath.Dir(path))
}
