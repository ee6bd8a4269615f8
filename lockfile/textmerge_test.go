package lockfile_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/lockfile"
)

// Two branches that move two neighbouring packs, with every key that a move
// can touch, merge without a conflict.
func TestTextMerge(t *testing.T) {
	base := &lockfile.Lock{Entries: []lockfile.Entry{slack("a"), slack("b"), slack("c")}}
	ours := &lockfile.Lock{Entries: []lockfile.Entry{move(slack("a")), slack("b"), slack("c")}}
	theirs := &lockfile.Lock{Entries: []lockfile.Entry{slack("a"), move(slack("b")), slack("c")}}
	want := &lockfile.Lock{Entries: []lockfile.Entry{move(slack("a")), move(slack("b")), slack("c")}}

	got := merge(t, ours, base, theirs)
	if !bytes.Equal(got, lockfile.Format(want)) {
		t.Errorf("got\n%s\nwant\n%s", got, lockfile.Format(want))
	}
}

func move(p lockfile.Entry) lockfile.Entry {
	p.ManifestDigest = ociref.DigestOf([]byte(p.Name))
	p.LayerDigest = ociref.DigestOf([]byte(p.Name + " layer"))
	p.IndexDigest = digestC
	p.Ref = repo + ":0.5.0@" + string(digestC)
	p.Layer, p.MediaType = "text/markdown", "text/markdown"
	p.Size++
	return p
}

func merge(t *testing.T, ours, base, theirs *lockfile.Lock) []byte {
	t.Helper()
	git := packtest.NeedProgram(t, "git")
	dir := t.TempDir()
	args := []string{"merge-file", "-p"}
	for _, side := range []struct {
		name string
		lock *lockfile.Lock
	}{{"ours", ours}, {"base", base}, {"theirs", theirs}} {
		path := filepath.Join(dir, side.name)
		if err := os.WriteFile(path, lockfile.Format(side.lock), 0o666); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	cmd := exec.Command(git, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git merge-file: %v\n%s", err, out)
	}
	return out
}
