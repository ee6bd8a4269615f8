//go:build amd64 || arm64

package packcache

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest/syscalls"
	"github.com/greenticai/packvendor/internal/verified"
)

// TestFault41_NoLocks lets flock fail as it does on NFS without its lock
// daemon.
func TestFault41_NoLocks(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.ENOLCK, syscall.ENOTSUP, syscall.ENOSYS, syscall.EIO} {
		c, i := newCache(t), newItem("a")
		syscalls.Failing(t, errno, func() { wantNoLock(t, c, i) }, syscall.SYS_FLOCK)
		must(t, i.publish(c, new(Lock)))
		i.wantHit(t, c)
	}
}

// TestFault33_PublishError lets one system call after the other fail while an
// entry is replaced: the files that were there stay, and no temporary does.
func TestFault33_PublishError(t *testing.T) {
	for op, number := range map[string]uint32{
		"sync":   syscall.SYS_FSYNC,
		"close":  syscall.SYS_CLOSE,
		"rename": syscall.SYS_RENAMEAT,
	} {
		t.Run(op, func(t *testing.T) {
			c, i := newEntry(t)
			draft, err := c.Draft(i.manifest, nil)
			must(t, err)
			_, err = draft.Write([]byte("a draft"))
			must(t, err)
			name := "metadata.json" // the first: the manifest is there and right
			syscalls.Failing(t, syscall.EIO, func() {
				err := draft.Publish([]byte("a body"), Metadata{})
				if want := op + " " + i.path(c, name) + ": input/output error"; err == nil || err.Error() != want || !errors.Is(err, syscall.EIO) {
					t.Errorf("error %v, want %s", err, want)
				}
			}, number)
			draft.Discard()
			wantTree(t, i.dir(c), "manifest.json", "metadata.json", "pack.gtpack")
			i.wantHit(t, c)
		})
	}
}

// TestFault33_RemoveError is about a disk that fails while an entry is removed:
// its pack, which goes first, is there still, or nothing is.
func TestFault33_RemoveError(t *testing.T) {
	for _, test := range removers {
		c, i := newRemovable(t)
		before := tree(t, i.dir(c))
		syscalls.Failing(t, syscall.EIO, func() {
			err := test.remove(c, i)
			if want := "remove " + i.path(c, "pack.gtpack") + ": input/output error"; err == nil || !errors.Is(err, syscall.EIO) || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: %v, want %s", test.name, err, want)
			}
		}, syscall.SYS_UNLINKAT)
		if after := tree(t, i.dir(c)); after != before {
			t.Errorf("%s: the entry holds %s, want %s", test.name, after, before)
		}
		if !tryLock(t, c.Root(), i).Held() {
			t.Errorf("%s: the lock was kept", test.name)
		}
	}
}

// TestFault33_ListError is about one that fails while the cache is listed.
func TestFault33_ListError(t *testing.T) {
	c, i := newEntry(t)
	i.usedAt(t, c, time.Unix(1_000, 0))
	syscalls.Failing(t, syscall.EIO, func() {
		if _, _, err := c.List(); !errors.Is(err, syscall.EIO) {
			t.Errorf("List: %v, want EIO", err)
		}
		if _, err := c.look(i.manifest); err == nil || err.Error() != "read "+i.dir(c)+": input/output error" {
			t.Errorf("look: %v, want EIO", err)
		}
	}, syscall.SYS_GETDENTS64)
	syscalls.Failing(t, syscall.EIO, func() {
		i.hit(t, c) // that a use cannot be recorded is no one's concern
	}, syscall.SYS_UTIMENSAT)
}

// TestFault33_ReadError is about a disk that fails: what it holds is neither
// missing nor known to be corrupt.
func TestFault33_ReadError(t *testing.T) {
	c, i := newEntry(t)
	syscalls.Failing(t, syscall.EIO, func() {
		for _, reader := range readers {
			err := reader.read(c, i)
			var corrupt *CorruptError
			if !errors.Is(err, syscall.EIO) || IsMissing(err) || errors.As(err, &corrupt) {
				t.Errorf("%s: error %#v, want EIO", reader.name, err)
			}
		}
		err := c.Pack(context.Background(), i.manifest, i.content(), new(bytes.Buffer))
		var broken *verified.ReadError
		if !errors.As(err, &broken) || broken.N != 0 || broken.Size != int64(len(i.pack)) {
			t.Errorf("Pack: error %#v, want *verified.ReadError", err)
		}
	}, syscall.SYS_READ)
	i.wantHit(t, c)
}
