//go:build amd64 || arm64

package vendorer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/syscalls"
	"github.com/greenticai/packvendor/vendorer"
)

// Before the first rename all files are synced, and after the last every folder with an
// added or removed name: a file system may keep a name through a power cut and not the
// bytes, or the bytes and not the name.
func TestFault49_SyncedBeforeRenamed(t *testing.T) {
	if !alone(t) {
		return
	}
	edit, fresh, output := newEdit(t), newProject(t), filepath.Join(t.TempDir(), "a.gtpack")
	signed := trusted(t)
	signed.pushSigned("A", "acme/a:stable", acme)
	signed.trustedPacks(`a = "$REG/acme/a:stable@$A"`)
	empty := t.TempDir()
	edit.must(os.WriteFile(filepath.Join(empty, "go.mod"), []byte("module example.com/empty\n\ngo 1.25\n"), 0o666))
	fresh.push("A", "a:stable")
	fresh.packs(`a = "$REG/a@$A"`)
	var mu sync.Mutex
	var steps []syscalls.Step
	if err := syscalls.Stepping(func(s syscalls.Step) syscall.Errno {
		mu.Lock()
		defer mu.Unlock()
		steps = append(steps, s)
		return 0
	}); err != nil {
		packtest.Unable(t, "this system does not show a process its system calls: %v", err)
	}
	for _, test := range []struct {
		name    string
		do      func() error
		renames int
		synced  []string // folders
	}{
		{"first run", func() error { return again(fresh) }, 3, []string{fresh.dir, fresh.dir + "/packs"}},
		{"first run with a signature", func() error { return again(signed) }, 4, []string{signed.dir, signed.dir + "/packs"}},
		{"update that drops a pack", edit.updates("a"), 4, []string{edit.dir, edit.dir + "/packs"}},
		{"run that drops all", func() error {
			edit.packs()
			return again(edit)
		}, 2, []string{edit.dir}},
		{"init", func() error {
			o := edit.options
			o.File = filepath.Join(empty, "packs.toml")
			_, err := vendorer.Init(t.Context(), o, vendorer.InitOptions{})
			return err
		}, 3, []string{empty, empty + "/internal", empty + "/internal/packs"}},
		{"fetch -o", func() error {
			_, err := vendorer.FetchFile(t.Context(), fresh.options, vendorer.FetchOptions{}, fresh.expand("$REG/a@$A"), output)
			return err
		}, 1, []string{filepath.Dir(output)}},
	} {
		mu.Lock()
		steps = nil
		mu.Unlock()
		err := test.do()
		mu.Lock()
		done := steps
		mu.Unlock()
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		wantDurable(t, test.name, done, test.renames, test.synced)
	}
}

// wantDurable demands so many synced files, then the renames, and then the synced
// folders.
func wantDurable(t *testing.T, name string, steps []syscalls.Step, renames int, folders []string) {
	t.Helper()
	isRename := func(s syscalls.Step) bool {
		return s.Call == "rename" && !slices.Contains([]string{"manifest.json", "metadata.json", "pack.gtpack"}, s.Path)
	}
	first, last, renamed := slices.IndexFunc(steps, isRename), 0, 0
	for n, s := range steps {
		if isRename(s) {
			renamed++
			if !slices.ContainsFunc(steps[:first], func(b syscalls.Step) bool {
				return b.Call == "sync" && filepath.Base(b.Path) == filepath.Base(s.From)
			}) {
				t.Errorf("%s: %s got its name, and there was one before it was synced", name, s.Path)
			}
		}
		if isRename(s) || s.Call == "unlink" {
			last = n
		}
	}
	var synced []string
	for _, s := range steps[last:] {
		if s.Call == "sync" {
			synced = append(synced, s.Path)
		}
	}
	slices.Sort(synced)
	if renamed != renames || !slices.Equal(synced, folders) {
		t.Errorf("%s: %d files got names, want %d; then were synced\n\t%s\nwant\n\t%s\n%s", name, renamed, renames,
			strings.Join(synced, "\n\t"), strings.Join(folders, "\n\t"), fmt.Sprint(steps))
	}
}

// A run keeps no more files open than a process may, however many packs it stages.
func TestFilesOpenAtATime(t *testing.T) {
	if !alone(t) {
		return
	}
	const packs, limit = 640, 1000
	p := newMany(t, packtest.Options{}, packs, 0)
	p.remove("app/packs")
	p.must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: limit, Max: limit}))
	p.mustRun()
}

// Neither does it if a new rule makes it write evidence for all of them.
func TestEvidenceOpenAtATime(t *testing.T) {
	if !alone(t) {
		return
	}
	const packs, limit = 640, 1000
	p := trusted(t)
	var lines []string
	for n := range packs {
		name := fmt.Sprintf("p%d", n)
		p.pushSigned(name, "acme/"+name+":stable", acme)
		lines = append(lines, fmt.Sprintf(`%s = "$REG/acme/%s@$%s"`, name, name, name))
	}
	p.packs(lines...)
	p.mustRun()
	p.trustedPacks(lines...)
	p.must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: limit, Max: limit}))
	p.mustRun()
	p.remove("app/packs")
	p.mustRun()
}
