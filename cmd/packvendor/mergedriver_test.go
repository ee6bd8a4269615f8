package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/lockfile"
)

// A mergeCase is two branches, each with one change of packs.lock. A branch is a list of entries:
// "b1" is pack b in version 1.
type mergeCase struct {
	name               string
	base, ours, theirs string
	want               string
	conflict           string // the pack in which the branches conflict; "" if none
}

// Every pair of changes: of neighbouring packs, where text would conflict, and of one pack.
var mergeCases = []mergeCase{
	{"add and add", "a1 d1", "a1 b1 d1", "a1 c1 d1", "a1 b1 c1 d1", ""},
	{"add and update", "a1 c1 d1", "a1 b1 c1 d1", "a1 c2 d1", "a1 b1 c2 d1", ""},
	{"add and remove", "a1 c1 d1", "a1 b1 c1 d1", "a1 d1", "a1 b1 d1", ""},
	{"update and add", "a1 b1 d1", "a1 b2 d1", "a1 b1 c1 d1", "a1 b2 c1 d1", ""},
	{"update and update", "a1 b1 c1 d1", "a1 b2 c1 d1", "a1 b1 c2 d1", "a1 b2 c2 d1", ""},
	{"update and remove", "a1 b1 c1 d1", "a1 b2 c1 d1", "a1 b1 d1", "a1 b2 d1", ""},
	{"remove and add", "a1 b1 d1", "a1 d1", "a1 b1 c1 d1", "a1 c1 d1", ""},
	{"remove and update", "a1 b1 c1 d1", "a1 c1 d1", "a1 b1 c2 d1", "a1 c2 d1", ""},
	{"remove and remove", "a1 b1 c1 d1", "a1 c1 d1", "a1 b1 d1", "a1 d1", ""},

	{"both add one alike", "a1 d1", "a1 b1 d1", "a1 b1 c1 d1", "a1 b1 c1 d1", ""},
	{"both add one", "a1 d1", "a1 b1 d1", "a1 b2 d1", "a1 d1", "b"},
	{"both update one alike", "a1 b1 d1", "a1 b2 d1", "a1 b2 d2", "a1 b2 d2", ""},
	{"both update one", "a1 b1 d1", "a1 b2 d1", "a1 b3 d2", "a1 d2", "b"},
	{"both remove one", "a1 b1 d1", "a1 d1", "a1 d2", "a1 d2", ""},
	{"update and remove one", "a1 b1 d1", "a1 b2 d1", "a1 d1", "a1 d1", "b"},
	{"remove and update one", "a1 b1 d1", "a1 d1", "a1 b2 d1", "a1 d1", "b"},
}

// Git itself merges, rebases and cherry-picks branches with packvendor as its driver.
func TestMergeDriver(t *testing.T) {
	packtest.NeedProgram(t, "git")
	for _, test := range mergeCases {
		for _, command := range []string{"merge", "rebase", "cherry-pick"} {
			for _, eol := range []string{"\n", "\r\n"} {
				t.Run(fmt.Sprintf("%s, %s, %q", test.name, command, eol), func(t *testing.T) {
					t.Parallel()
					test.run(t, command, eol)
				})
			}
		}
	}
}

func (test mergeCase) run(t *testing.T, command, eol string) {
	r := newMergeRepository(t, eol)
	r.commit("main", test.base)
	r.git("branch", "topic")
	r.commit("main", test.ours)
	r.git("checkout", "-q", "topic")
	r.commit("topic", test.theirs)
	ours, theirs := test.ours, test.theirs
	if command == "rebase" { // there ours is what the commits go onto
		r.git("checkout", "-q", "topic")
	} else {
		r.git("checkout", "-q", "main")
	}
	cmd := r.command(map[string][]string{
		"merge": {"merge", "-q", "--no-edit", "topic"}, "rebase": {"rebase", "-q", "main"}, "cherry-pick": {"cherry-pick", "topic"},
	}[command]...)
	out, err := cmd.CombinedOutput()
	want := lockfile.Merged{Entries: entriesOf(test.want)}
	if test.conflict != "" {
		want.Conflicts = []lockfile.Conflict{{Name: test.conflict, Ours: entryIn(ours, test.conflict), Theirs: entryIn(theirs, test.conflict)}}
	}
	if (err != nil) != (test.conflict != "") {
		t.Fatalf("git %s: %v\n%s", command, err, out)
	}
	got, err := os.ReadFile(filepath.Join(r.dir, "svc", "packs.lock"))
	if err != nil {
		t.Fatal(err)
	}
	if text := withLineEnds(want.Format(), eol); string(got) != text {
		t.Errorf("got %q\nwant %q", got, text)
	}
	if unmerged := r.git("diff", "--name-only", "--diff-filter=U"); (unmerged == "svc/packs.lock") != (test.conflict != "") {
		t.Errorf("unmerged: %q", unmerged)
	}
	message := fmt.Sprintf("packvendor: error: svc/packs.lock: %s: ", test.conflict)
	if got, want := bytes.Count(out, []byte("packvendor: ")), len(want.Conflicts); got != want || want > 0 && !bytes.Contains(out, []byte(message)) {
		t.Errorf("%d messages, want %d:\n%s", got, want, out)
	}
}

// A mergeRepository has a packs.lock below its top, and packvendor as the merge driver.
type mergeRepository struct {
	*testing.T
	dir, eol string
	env      []string
}

func newMergeRepository(t *testing.T, eol string) *mergeRepository {
	t.Helper()
	r := &mergeRepository{T: t, dir: t.TempDir(), eol: eol, env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}}
	for name, value := range gitEnvironment {
		r.env = append(r.env, name+"="+value)
	}
	r.git("init", "-q")
	r.git("symbolic-ref", "HEAD", "refs/heads/main")
	r.git("config", "core.autocrlf", "false")
	r.git("config", "merge.packvendor.driver", "packvendor merge-driver %O %A %B %P")
	write(t, filepath.Join(r.dir, "svc", ".gitattributes"), "packs.lock merge=packvendor\n")
	return r
}

func (r *mergeRepository) git(args ...string) string { return git(r.T, r.env, r.dir, args...) }

func (r *mergeRepository) command(args ...string) *exec.Cmd {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = r.dir, r.env
	return cmd
}

// commit commits a packs.lock, and a file that the other branch does not have.
func (r *mergeRepository) commit(branch, packs string) {
	r.Helper()
	text := lockfile.Format(&lockfile.Lock{Entries: entriesOf(packs)})
	write(r.T, filepath.Join(r.dir, "svc", "packs.lock"), withLineEnds(text, r.eol))
	write(r.T, filepath.Join(r.dir, branch), packs)
	r.git("add", "-A")
	r.git("commit", "-q", "-m", branch)
}

func withLineEnds(text []byte, eol string) string { return strings.ReplaceAll(string(text), "\n", eol) }

// entriesOf returns the entries of a list such as "a1 b2".
func entriesOf(list string) []lockfile.Entry {
	var entries []lockfile.Entry
	for _, word := range strings.Fields(list) {
		digest := ociref.DigestOf([]byte(word))
		entries = append(entries, lockfile.Entry{
			Name: word[:1], Ref: "r.io/" + word[:1] + ":" + word[1:] + ".0.0@" + string(digest),
			ManifestDigest: digest, LayerDigest: digest, Size: int64(word[1]), MediaType: packtest.PackMediaType,
		})
	}
	return entries
}

// entryIn returns the entry with that name; the zero value if the list has none.
func entryIn(list, name string) lockfile.Entry {
	entries := entriesOf(list)
	i := slices.IndexFunc(entries, func(p lockfile.Entry) bool { return p.Name == name })
	if i < 0 {
		return lockfile.Entry{}
	}
	return entries[i]
}

// Two branches that were merged into each other have two merge bases. Git merges these first, and
// the conflicts of that are in the base of the merge.
func TestMergeDriverCrissCross(t *testing.T) {
	t.Parallel()
	packtest.NeedProgram(t, "git")
	r := newMergeRepository(t, "\n")
	r.commit("main", "a1 b1 c1 d1")
	r.git("branch", "topic")
	r.commit("main", "a1 b2 c2 d1")
	main := r.git("rev-parse", "HEAD")
	r.git("checkout", "-q", "topic")
	r.commit("topic", "a1 b3 c3 d1")
	r.mergeTo("topic", main, "a1 b3 c2 d1")
	r.git("checkout", "-q", "main")
	r.mergeTo("main", "topic~", "a1 b2 c2 d2")
	if bases := strings.Fields(r.git("merge-base", "--all", "main", "topic")); len(bases) != 2 {
		t.Fatalf("merge bases: %q", bases)
	}
	out, err := r.command("merge", "-q", "--no-edit", "topic").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "packvendor: error: svc/packs.lock: b: both sides changed it: ") {
		t.Errorf("%v\n%s", err, out)
	}
	want := lockfile.Merged{Entries: entriesOf("a1 c2 d2"), Conflicts: []lockfile.Conflict{{Name: "b", Ours: entryIn("b2", "b"), Theirs: entryIn("b3", "b")}}}
	if got, err := os.ReadFile(filepath.Join(r.dir, "svc", "packs.lock")); err != nil || string(got) != string(want.Format()) {
		t.Errorf("%v: got\n%s\nwant\n%s", err, got, want.Format())
	}
}

// mergeTo merges a commit that conflicts, and commits these packs as the result.
func (r *mergeRepository) mergeTo(branch, commit, packs string) {
	r.Helper()
	if out, err := r.command("merge", "-q", "--no-edit", commit).CombinedOutput(); err == nil {
		r.Fatalf("no conflict:\n%s", out)
	}
	r.commit(branch, packs)
}
