package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// registryHost is what differs between two tellings of the story.
var registryHost = regexp.MustCompile(`127\.0\.0\.1:\d+`)

const golden = "testdata/output.golden"

// A listener is a standard output that calls hear once, when the n-th line that
// starts with prefix is written.
type listener struct {
	heard  bytes.Buffer
	prefix string
	n      int
	hear   func()
}

func (l *listener) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte(l.prefix)) {
		if l.n--; l.n == 0 {
			l.hear()
		}
	}
	return l.heard.Write(p)
}

// tempDir makes a directory the one for temporary files and returns it.
func tempDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, key := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(key, dir)
	}
	return dir
}

// left returns the directories of stories in dir.
func left(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "packvendor-quickstart-*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func normalized(s string) string {
	return took.ReplaceAllString(registryHost.ReplaceAllString(s, "REGISTRY"), "; TIME\n")
}

// took is how long packvendor says that it has taken.
var took = regexp.MustCompile(`; \d+\.\ds\n`)

// added is what packvendor says when it has done the work.
const added = "packvendor: 2 packs added; 4.3 kB downloaded; TIME\n"

// The story is the same wherever it is told: in a CI job, with flags and a
// cache of the user's own.
func TestOutput(t *testing.T) {
	temp := tempDir(t)
	cache := filepath.Join(t.TempDir(), "cache")
	t.Setenv("CI", "true")
	t.Setenv("PACKVENDOR_FLAGS", "--frozen")
	t.Setenv("GREENTIC_PACK_CACHE_DIR", cache)
	t.Setenv("GOFLAGS", "-mod=mod")
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), nil, &stdout, &stderr); code != 0 || normalized(stderr.String()) != added {
		t.Errorf("exit code %d, standard error:\n%s", code, &stderr)
	}
	compareGolden(t, normalized(stdout.String()))
	if names := left(t, temp); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
	if _, err := os.Lstat(cache); !os.IsNotExist(err) {
		t.Errorf("the user's cache was used: %v", err)
	}
}

func compareGolden(t *testing.T, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("standard output:\n%s\nwant:\n%s", got, want)
	}
}

func TestKeep(t *testing.T) {
	temp := tempDir(t)
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-keep"}, &stdout, &stderr); code != 0 || normalized(stderr.String()) != added {
		t.Fatalf("exit code %d, standard error:\n%s", code, &stderr)
	}
	kept := left(t, temp)
	if len(kept) != 1 {
		t.Fatalf("kept: %v, want one directory", kept)
	}
	app := filepath.Join(kept[0], "app")
	last := "# The program is kept in " + app + "\n"
	story, ok := strings.CutSuffix(stdout.String(), last)
	if !ok {
		t.Fatalf("standard output does not end in %q:\n%s", last, stdout.String())
	}
	compareGolden(t, normalized(story))
	for _, name := range []string{"go.mod", "go.sum", "main.go", "packs/gen.go", "packs/packs.toml", "packs/packs.lock", "packs/packs_gen.go"} {
		if _, err := os.Stat(filepath.Join(app, filepath.FromSlash(name))); err != nil {
			t.Error(err)
		}
	}
}

// Where the story does not go as told, it ends, says where, and leaves nothing
// behind.
func TestFailures(t *testing.T) {
	const vendored = "app/packs/packs/state-redis.gtpack"
	tests := []struct {
		name   string
		run    int      // the run of "go generate" before which files vanish
		remove []string // those files
		stderr string
	}{
		{
			name:   "packvendor fails",
			run:    1,
			remove: []string{"app/packs/packs.toml"},
			stderr: `packvendor: error: packs.toml: no such file
packvendor: hint: go -C packs tool packvendor init
packs/gen.go:4: running "go": exit status 2
quickstart: error: go generate ./...: exit status 1
`,
		},
		{
			name:   "a file changes",
			run:    2,
			remove: []string{vendored},
			stderr: added + "packvendor: 1 pack restored; 2.2 kB from the cache; TIME\nquickstart: error: the second run changed [packs/packs/state-redis.gtpack]\n",
		},
		{
			name:   "a request is sent",
			run:    2,
			remove: []string{vendored, "cache"},
			stderr: added + "packvendor: 1 pack restored; 2.2 kB downloaded; TIME\nquickstart: error: the second run sent requests to the registry: [GET /v2/" +
				" GET /v2/greenticai/state-redis/manifests/sha256:dddf0cadf19d3ffff65042ef49dbef049d40573b798dd788a62192fb0c6254ec" +
				" GET /v2/greenticai/state-redis/blobs/sha256:c8f2521e0cd5c59bc9d1c9341ad41bdf7d27fe3d941fb1f968fd839ba2454ae3]\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			temp := tempDir(t)
			stdout := &listener{prefix: "$ go generate ", n: test.run, hear: func() {
				for _, name := range test.remove {
					if err := os.RemoveAll(filepath.Join(left(t, temp)[0], filepath.FromSlash(name))); err != nil {
						t.Error(err)
					}
				}
			}}
			var stderr bytes.Buffer
			if code := run(t.Context(), nil, stdout, &stderr); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			if got := normalized(stderr.String()); got != test.stderr {
				t.Errorf("standard error:\n%s\nwant:\n%s", got, test.stderr)
			}
			if names := left(t, temp); len(names) > 0 {
				t.Errorf("left behind: %v", names)
			}
		})
	}
}

func TestInterrupted(t *testing.T) {
	temp := tempDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stderr bytes.Buffer
	code := run(ctx, nil, &listener{prefix: "$ go generate ", n: 1, hear: cancel}, &stderr)
	if want := "quickstart: error: interrupted\n"; code != 130 || stderr.String() != want {
		t.Errorf("exit code %d, standard error %q; want 130 and %q", code, &stderr, want)
	}
	if names := left(t, temp); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
}

func TestArguments(t *testing.T) {
	const usage = "usage: go run ./examples/quickstart [-keep]\n  -keep\n    \tkeep the program that is made, and say where\n"
	tests := []struct {
		arg, stderr string
		code        int
	}{
		{arg: "-h", stderr: usage},
		{arg: "-kep", stderr: "flag provided but not defined: -kep\n" + usage, code: 2},
		{arg: "é", stderr: "quickstart: error: no arguments are taken, not \"\\u00e9\"\n", code: 2},
	}
	for _, test := range tests {
		var stderr bytes.Buffer
		if code := run(t.Context(), []string{test.arg}, io.Discard, &stderr); code != test.code || stderr.String() != test.stderr {
			t.Errorf("%s: exit code %d, standard error:\n%s\nwant %d and:\n%s", test.arg, code, &stderr, test.code, test.stderr)
		}
	}
}

// Elsewhere there is no packvendor for the program to be made with. The go
// command says why in its own words.
func TestElsewhere(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("GOWORK", "off")
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), nil, &stdout, &stderr)
	want := "\nquickstart: error: cannot find the source of packvendor, run this where that is: go list -m: exit status 1\n"
	if code != 1 || stdout.Len() > 0 || !strings.HasSuffix(stderr.String(), want) {
		t.Errorf("exit code %d, standard output %q, standard error:\n%s", code, &stdout, &stderr)
	}
}
