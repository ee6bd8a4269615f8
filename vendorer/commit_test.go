package vendorer_test

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/greenticai/packvendor/vendorer"
)

// newEdit returns a project in which the next Update of a moves a to $NEW,
// writes every kind of file and drops b. $OLD is what is there.
func newEdit(t *testing.T) *project {
	t.Helper()
	p := newProject(t)
	p.push("OLD", "a:stable")
	p.push("B", "b")
	p.packs(`a = "$REG/a:stable@$OLD"`, `b = "$REG/b@$B"`)
	p.mustRun()
	p.push("NEW", "a:stable")
	p.packs(`a = "$REG/a:stable@$OLD"`)
	return p
}

// The steps of a commit, in their order.
var commitSteps = []string{"app/packs.toml", "app/packs/a.gtpack", "app/packs_gen.go", "app/packs/b.gtpack", "app/packs.lock"}

const newPack, deletion = 1, 3

// stepsDone tells which steps of newEdit's commit have been done.
func stepsDone(p *project) []string {
	p.t.Helper()
	newLayer, newDigest := p.names["NEW_LAYER"], p.names["NEW"]
	done := map[string]bool{}
	for n, name := range commitSteps {
		data, err := os.ReadFile(filepath.Join(p.mod, name))
		switch {
		case n == deletion:
			done[name] = errors.Is(err, fs.ErrNotExist)
		case err == nil: // else a folder stands there
			done[name] = digestOf(string(data)) == newLayer || strings.Contains(string(data), newDigest)
		}
	}
	var steps []string
	for _, name := range commitSteps {
		if done[name] {
			steps = append(steps, name)
		}
	}
	return steps
}

// blocked puts a folder where the file name is, once the registry sends the
// new pack: that is after all was checked and before anything is committed.
func (p *project) blocked(name string) (undo func()) {
	file := filepath.Join(p.mod, name)
	aside := filepath.Join(p.t.TempDir(), "aside")
	var once bool
	p.reg.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/blobs/") && !once {
			once = true
			if err := errors.Join(os.Rename(file, aside), os.MkdirAll(filepath.Join(file, "full"), 0o777)); err != nil {
				p.t.Error(err)
			}
		}
		return false
	})
	return func() {
		p.reg.Intercept(nil)
		p.must(os.RemoveAll(file))
		p.must(os.Rename(aside, file))
	}
}

// A folder takes the place of a new pack while it is downloaded: it is seen
// before anything is done, and the next bare run makes the project whole.
func TestCommitMeetsFolder(t *testing.T) {
	p := newEdit(t)
	undo := p.blocked(commitSteps[newPack])
	err := p.updates("a")()
	if want := p.expand("$DIR/packs/a.gtpack is a directory"); err == nil || err.Error() != want {
		t.Fatalf("error %v, want %s", err, want)
	}
	if done := stepsDone(p); len(done) > 0 {
		t.Errorf("done: %v", done)
	}
	p.wantNoTemporaries()
	undo()
	converges(t, p)
}

// What takes the place of a dropped pack meanwhile is not deleted.
func TestCommitKeepsWhatCame(t *testing.T) {
	p := newEdit(t)
	name := commitSteps[deletion]
	var once sync.Once
	p.reg.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/blobs/") {
			once.Do(func() {
				if err := os.WriteFile(filepath.Join(p.mod, name), []byte("mine"), 0o666); err != nil {
					t.Error(err)
				}
			})
		}
		return false
	})
	p.must(p.updates("a")())
	p.wantFile(name, "mine")
	p.wantEvents("vendorer.Kept{Name:b Path:$DIR/packs/b.gtpack}")
}

// A commit that is cut off after any step is a state that a bare run makes
// whole, and that verify knows not to be.
func TestCommitCutOff(t *testing.T) {
	for n := range len(commitSteps) + 1 {
		p := newEdit(t)
		whole := copyOf(t, p)
		p.must(whole.updates("a")())
		for i, name := range commitSteps[:n] {
			if i == deletion {
				p.remove(name)
				continue
			}
			p.must(os.WriteFile(filepath.Join(p.mod, name), []byte(whole.read(name)), 0o666))
		}
		if found := p.verify(false); len(found) == 0 && n < len(commitSteps) {
			t.Errorf("after %d steps verify finds nothing", n)
		}
		converges(t, p)
		p.wantAbsent(commitSteps[deletion])
	}
}

// copyOf is p's project once more, in another place.
func copyOf(t *testing.T, p *project) *project {
	t.Helper()
	q := *p
	q.mod = t.TempDir()
	p.must(os.CopyFS(q.mod, os.DirFS(p.mod)))
	q.dir = filepath.Join(q.mod, "app")
	q.options.File = filepath.Join(q.dir, "packs.toml")
	return &q
}

// converges demands that a bare run ends in the old or the new state.
func converges(t *testing.T, p *project) {
	t.Helper()
	p.mustRun()
	p.wantFound(true)
	p.wantNothingWritten()
	p.wantNoTemporaries()
	text := p.read("app/packs.toml")
	layer := "$OLD_LAYER"
	if strings.Contains(text, p.names["NEW"]) {
		layer = "$NEW_LAYER"
	}
	p.wantPack("a", layer)
}

func (p *project) wantNoTemporaries() {
	p.t.Helper()
	for _, dir := range []string{"app", "app/packs"} {
		entries, err := os.ReadDir(filepath.Join(p.mod, dir))
		p.must(err)
		for _, entry := range entries {
			if strings.HasPrefix(entry.Name(), ".packvendor-") {
				p.t.Errorf("%s/%s is left behind", dir, entry.Name())
			}
		}
	}
}

// What someone changes between reading and committing is not overwritten.
func TestCommitRefusesChanges(t *testing.T) {
	for _, test := range []struct {
		name, file, text string
		want             string
	}{
		{"packs.toml", "app/packs.toml", "[packs]\n", "$DIR/packs.toml was changed while packvendor ran"},
		{"packs.lock", "app/packs.lock", "# another\n", "$DIR/packs.lock was changed while packvendor ran"},
		{"packs.toml is gone", "app/packs.toml", "", "$DIR/packs.toml was changed while packvendor ran"},
		{"packs.lock is gone", "app/packs.lock", "", "$DIR/packs.lock was changed while packvendor ran"},
		{"the Go file is by hand now", "app/packs_gen.go", "package app // by hand\n", "$DIR/packs_gen.go was not generated by packvendor"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newEdit(t)
			var done bool
			p.reg.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
				if strings.Contains(r.URL.Path, "/blobs/") && !done {
					done = true
					if err := os.Remove(filepath.Join(p.mod, test.file)); err != nil {
						t.Error(err)
					}
					if test.text != "" {
						if err := os.WriteFile(filepath.Join(p.mod, test.file), []byte(test.text), 0o666); err != nil {
							t.Error(err)
						}
					}
				}
				return false
			})
			before := stepsDone(p)
			err := p.updates("a")()
			if err == nil || err.Error() != p.expand(test.want) {
				t.Fatalf("error %v, want %s", err, p.expand(test.want))
			}
			if done := stepsDone(p); !slices.Equal(done, before) {
				t.Errorf("done: %v", done)
			}
			if test.text == "" {
				p.wantAbsent(test.file)
			} else {
				p.wantFile(test.file, test.text)
			}
			p.wantNoTemporaries()
		})
	}
}

// Also a run that only deletes looks again; and a change of line ends alone is
// no change of the lock.
func TestCommitChecksBeforeDeleting(t *testing.T) {
	p := newVendored(t)
	p.packs()
	p.onEvent = func(e vendorer.Event) {
		if _, ok := e.(vendorer.Planned); ok {
			p.packs(`a = "$REG/a@$A"`, "# back again")
		}
	}
	_, err := p.run()
	var changed *vendorer.ChangedError
	if !errors.As(err, &changed) || changed.Path != p.expand("$DIR/packs.toml") {
		t.Fatalf("error %v", err)
	}
	p.wantPack("a", "$A_LAYER")

	p.onEvent = nil
	p.packs()
	p.onEvent = func(e vendorer.Event) {
		if _, ok := e.(vendorer.Planned); ok {
			p.must(os.WriteFile(filepath.Join(p.dir, "packs.lock"), []byte(strings.ReplaceAll(p.read("app/packs.lock"), "\n", "\r\n")), 0o666))
		}
	}
	p.mustRun()
	p.wantAbsent("app/packs")
}

// A failed run takes back the folders that it made, and only those.
func TestFailedRunLeavesNoFolders(t *testing.T) {
	p := newProject(t)
	p.push("A", "a")
	p.write("app/packs.toml", "[embed]\ndir = \"deep/er\"\ndata = \"x/y\"\n[packs]\na = \"$REG/a@$A\"\n")
	p.must(os.Mkdir(filepath.Join(p.dir, "deep"), 0o777))
	p.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/blobs/") {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	})
	p.fails(p.runs(), "$DIR/packs.toml:5: packs.a: cannot fetch $REG/a@$A: GET https://$REG/v2/a/blobs/$A_LAYER: 403 Forbidden")
	p.wantAbsent("app/deep/er")
	p.reg.Intercept(nil)
	p.mustRun()
	p.wantFound(false)
}
