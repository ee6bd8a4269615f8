package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

func TestAgeFlag(t *testing.T) {
	const day = 24 * time.Hour
	for _, test := range []struct {
		text string
		want time.Duration // -1: refused
	}{
		{"30d", 30 * day},
		{"1w", 7 * day},
		{"1.5d", 36 * time.Hour},
		{"0.5w", 84 * time.Hour},
		{"0d", 0},
		{"0", 0},
		{"12h", 12 * time.Hour},
		{"1h30m", 90 * time.Minute},
		{"15250w", 15250 * 7 * day},
		{"", -1},
		{"d", -1},
		{"w", -1},
		{".d", -1},
		{"30", -1},
		{"30x", -1},
		{"30 d", -1},
		{"-1d", -1},
		{"+1d", -1},
		{"-1h", -1},
		{"1h2d", -1}, // not 3d
		{"1w2d", -1},
		{"1d12h", -1},
		{"1e3d", -1},
		{"15251w", -1},    // more than a time.Duration holds
		{"106752d", -1},   // likewise
		{"2562048h", -1},  // likewise
		{"-2562047w", -1}, // no overflow
	} {
		var flag ageFlag
		err := flag.Set(test.text)
		switch {
		case test.want < 0:
			if err == nil || err.Error() != "write a duration such as 30d or 12h" || flag.value != nil {
				t.Errorf("%q: %v, error %v", test.text, flag.value, err)
			}
		case err != nil || *flag.value != test.want || flag.String() != test.text:
			t.Errorf("%q: %v, error %v, want %v", test.text, flag.value, err, test.want)
		}
	}
}

func TestSizeFlag(t *testing.T) {
	for _, test := range []struct {
		text string
		want int64 // -1: refused
	}{
		{"0", 0},
		{"1", 1},
		{"2GB", 2_000_000_000},
		{"2 gb", 2_000_000_000},
		{"500MiB", 500 << 20},
		{"1.5k", 1500},
		{"1,000", 1000},
		{"4EiB", 1 << 62},
		{"5EiB", -1},
		{"99999999EB", -1},
		{"2ZB", -1},
		{"-1", -1},
		{"-1GB", -1},
		{"", -1},
		{"GB", -1},
		{"many", -1},
	} {
		var flag sizeFlag
		err := flag.Set(test.text)
		switch {
		case test.want < 0:
			if err == nil || err.Error() != "write a size such as 2GB or 500MiB" || flag.value != nil {
				t.Errorf("%q: %v, error %v", test.text, flag.value, err)
			}
		case err != nil || *flag.value != test.want || flag.String() != test.text:
			t.Errorf("%q: %v, error %v, want %v", test.text, flag.value, err, test.want)
		}
	}
}

func TestPruningText(t *testing.T) {
	two := []vendorer.CacheEntry{{Size: 1000}, {Size: 500}}
	busy := []packcache.Skipped{{Err: packcache.ErrBusy}}
	for _, test := range []struct {
		pruning vendorer.CachePruning
		want    string
	}{
		{vendorer.CachePruning{}, "nothing to remove; 0 B left"},
		{vendorer.CachePruning{Left: 1500}, "nothing to remove; 1.5 kB left"},
		{vendorer.CachePruning{Skipped: busy, Left: 1500}, "removed nothing; 1 entry left alone; 1.5 kB left"},
		{vendorer.CachePruning{Removed: two, Freed: 1500}, "removed 2 entries, 1.5 kB; 0 B left"},
		{vendorer.CachePruning{Removed: two[:1], Freed: 1000, Skipped: append(busy, busy...), Left: 500}, "removed 1 entry, 1.0 kB; 2 entries left alone; 500 B left"},
	} {
		if got := pruningText("removed", test.pruning); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestReasonOf(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "remove", Path: "/x", Err: packcache.ErrBusy}, "in use by another process"},
		{&packcache.CorruptError{Path: "/x", Err: errors.New("not a directory")}, "/x: not a directory"},
	} {
		if got := reasonOf(test.err); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestReferenceText(t *testing.T) {
	digest := digestOf("1")
	for reference, want := range map[string]string{
		"":                                "-",
		"r.io/a:1":                        "r.io/a:1",
		"r.io/a:1@" + string(digest):      "r.io/a:1",
		"r.io/a@" + string(digest):        "r.io/a",
		"r.io/a@" + string(digestOf("2")): "r.io/a@" + string(digestOf("2")), // of an index, say
		"@" + string(digest):              "-",
	} {
		if got := referenceText(vendorer.CacheEntry{Manifest: digest, Reference: reference}); got != want {
			t.Errorf("%q: %q, want %q", reference, got, want)
		}
	}
}

// A prune with failures reports the removed entries, and then the error.
func TestPruneFails(t *testing.T) {
	failed := &fs.PathError{Op: "remove", Path: "/x", Err: fs.ErrPermission}
	pruning := vendorer.CachePruning{
		Removed: []vendorer.CacheEntry{{Manifest: digestOf("1"), Size: 1000, PackSize: -1, Reference: "r.io/a:1"}}, Freed: 1000, Left: 500,
		Skipped: []packcache.Skipped{{Entry: packcache.Entry{Manifest: digestOf("2"), Size: 500, PackSize: 400}, Err: failed}},
	}
	var stdout, stderr strings.Builder
	c := newCLI(process{stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }})
	if code := c.fail(c.reportPruning(pruning, false, failed)).ExitCode(); code != exitStorage {
		t.Errorf("exit code %d", code)
	}
	if got, want := stdout.String(), "removed  sha256:111111111111  1.0 kB  r.io/a:1\n"; got != want {
		t.Errorf("stdout %q, want %q", got, want)
	}
	if got, want := stderr.String(), "packvendor: error: remove /x: permission denied\n"; got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
	stdout.Reset()
	stderr.Reset()
	c.json = true
	c.fail(c.reportPruning(pruning, false, failed))
	want := `{
  "removed": [
    {
      "manifest_digest": "` + string(digestOf("1")) + `",
      "reference": "r.io/a:1",
      "pack_size": null,
      "size": 1000,
      "used": "0001-01-01T00:00:00Z",
      "foreign": []
    }
  ],
  "skipped": [
    {
      "manifest_digest": "` + string(digestOf("2")) + `",
      "pack_size": 400,
      "size": 500,
      "used": "0001-01-01T00:00:00Z",
      "foreign": [],
      "reason": "permission denied"
    }
  ],
  "freed": 1000,
  "left": 500,
  "error": {
    "code": 5,
    "message": "remove /x: permission denied",
    "problems": [
      {
        "code": 5,
        "message": "remove /x: permission denied"
      }
    ]
  }
}
`
	if got := stdout.String(); got != want || stderr.Len() > 0 {
		t.Errorf("stdout:\n%s\nwant:\n%s\nstderr: %s", got, want, stderr.String())
	}
}

// The hint is only to remove corrupt entries that were not to be removed.
func TestCacheVerifyHint(t *testing.T) {
	corrupt := &packfetch.CorruptCacheError{Path: "/x", Err: errors.New("bad")}
	for _, test := range []struct {
		name     string
		err      error
		repaired bool
		want     string // standard error
	}{
		{"corrupt", corrupt, false, "packvendor: error: /x: bad\npackvendor: hint: packvendor cache verify --repair\n"},
		{"corrupt, could not be removed", errors.Join(corrupt, fs.ErrPermission), true, "packvendor: error: /x: bad\npackvendor: error: permission denied\n"},
		{"unreadable", fs.ErrPermission, false, "packvendor: error: permission denied\n"},
	} {
		var stdout, stderr strings.Builder
		c := newCLI(process{args: []string{"cache", "verify"}, stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }})
		c.say.Hints.Args, c.say.Hints.Has = c.args, func(flag string) bool { return flag == "repair" }
		c.fail(c.reportCacheChecks([]vendorer.CacheCheck{{Err: test.err}}, test.repaired, nil))
		if got := stderr.String(); got != test.want || stdout.String() != "0 entries verified\n" {
			t.Errorf("%s: stderr:\n%s\nwant:\n%s\nstdout: %q", test.name, got, test.want, stdout.String())
		}
	}
}

// An interrupted check has verified nothing.
func TestCacheVerifyInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	root := t.TempDir()
	entry := filepath.Join(root, digestOf("1").Hex())
	if err := errors.Join(os.Mkdir(entry, 0o777), os.WriteFile(filepath.Join(entry, "pack.gtpack"), nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"cache", "verify"}, {"cache", "prune", "--max-size=0"}} {
		var stdout, stderr strings.Builder
		code := run(ctx, process{args: append(args, "--cache-dir="+root), stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }})
		if got := stderr.String(); code != exitInterrupted || got != "packvendor: error: interrupted\n" || stdout.Len() > 0 {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", args, code, stdout.String(), got)
		}
	}
}

// digestOf returns a digest whose characters are all c.
func digestOf(c string) ociref.Digest { return ociref.Digest("sha256:" + strings.Repeat(c, 64)) }
