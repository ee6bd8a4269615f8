package vendorer_test

import (
	"encoding/binary"
	"errors"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestCommitOrder watches in which order files get and lose their names: packs.toml,
// new packs, the Go file, deletions and packs.lock.
func TestCommitOrder(t *testing.T) {
	p := newEdit(t)
	fd, watched := watch(t, p.mod)
	p.must(p.updates("a")())
	if got := changes(t, fd, watched); !slices.Equal(got, commitSteps) {
		t.Errorf("the order was %v\nwant          %v", got, commitSteps)
	}
}

// Evidence gets its name after its pack and before packs.lock, and loses it with the pack.
func TestCommitOrderSigned(t *testing.T) {
	p := trusted(t)
	p.pushSigned("OLD", "acme/a:stable", acme)
	p.pushSigned("B", "acme/b", acme)
	p.trustedPacks(`a = "$REG/acme/a:stable@$OLD"`, `b = "$REG/acme/b@$B"`)
	p.mustRun()
	p.pushSigned("NEW", "acme/a:stable", acme)
	p.trustedPacks(`a = "$REG/acme/a:stable@$OLD"`)
	fd, watched := watch(t, p.mod)
	p.must(p.updates("a")())
	want := []string{"app/packs.toml", "app/packs/a.gtpack", "app/packs/a.evidence", "app/packs_gen.go", "app/packs/b.gtpack", "app/packs/b.evidence", "app/packs.lock"}
	if got := changes(t, fd, watched); !slices.Equal(got, want) {
		t.Errorf("the order was %v\nwant          %v", got, want)
	}
}

// watch has the kernel report the names of the project's folders, by watch descriptor.
func watch(t *testing.T, module string) (fd int, watched map[int32]string) {
	t.Helper()
	fd, err := syscall.InotifyInit1(syscall.IN_NONBLOCK | syscall.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	watched = map[int32]string{}
	for _, dir := range []string{"app", "app/packs"} {
		wd, err := syscall.InotifyAddWatch(fd, filepath.Join(module, dir), syscall.IN_MOVED_TO|syscall.IN_DELETE)
		if err != nil {
			t.Fatal(err)
		}
		watched[int32(wd)] = dir
	}
	return fd, watched
}

// changes reads the kernel's events: struct inotify_event of inotify(7).
func changes(t *testing.T, fd int, watched map[int32]string) []string {
	t.Helper()
	var names []string
	buf := make([]byte, 64<<10)
	for {
		n, err := syscall.Read(fd, buf)
		if errors.Is(err, syscall.EAGAIN) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < n; {
			dir := watched[int32(binary.NativeEndian.Uint32(buf[at:]))]
			length := int(binary.NativeEndian.Uint32(buf[at+12:]))
			name := strings.TrimRight(string(buf[at+16:at+16+length]), "\x00")
			names = append(names, path.Join(dir, name))
			at += 16 + length
		}
	}
}
