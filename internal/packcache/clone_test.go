package packcache

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
)

// A fakeCloner clones into memory, if it can.
type fakeCloner struct {
	bytes.Buffer
	can   bool
	err   error
	tries int

	before, after func() // called before and after a clone; or nil
}

func (f *fakeCloner) Clone(source *os.File) (io.Reader, error) {
	f.tries++
	if !f.can || f.err != nil {
		return nil, f.err
	}
	if f.before != nil {
		f.before()
	}
	if _, err := io.Copy(&f.Buffer, source); err != nil {
		return nil, err
	}
	if f.after != nil {
		f.after()
	}
	return bytes.NewReader(f.Bytes()), nil
}

func (f *fakeCloner) CopyTo(file *atomicfile.File) (bool, error) {
	f.tries++
	if f.err != nil {
		return false, f.err
	}
	_, err := file.Write(f.Bytes())
	return f.can, err
}

// TestPackClones sees that a clone is used, and hashed.
func TestPackClones(t *testing.T) {
	c, i := newEntry(t)
	for range 2 {
		dst := &fakeCloner{can: true}
		if err := c.Pack(context.Background(), i.manifest, i.content(), dst); err != nil || dst.tries != 1 || !bytes.Equal(dst.Bytes(), i.pack) {
			t.Errorf("%d bytes after %d tries, %v", dst.Len(), dst.tries, err)
		}
	}
	wrong := bytes.Clone(i.pack)
	wrong[len(wrong)-1] ^= 1
	writeFile(t, i.path(c, packFile), wrong)
	dst := &fakeCloner{can: true}
	err := c.Pack(context.Background(), i.manifest, i.content(), dst)
	want := verified.MismatchError{Want: i.content(), Got: verified.Content{Digest: item{pack: wrong}.content().Digest, Size: int64(len(wrong))}}
	wantCorrupt(t, err, i.path(c, packFile), want.Error())
	if dst.tries != 1 {
		t.Errorf("%d tries, want 1", dst.tries)
	}
	writeFile(t, i.path(c, packFile), i.pack[1:])
	dst = &fakeCloner{can: true}
	if err := c.Pack(context.Background(), i.manifest, i.content(), dst); !errors.As(err, new(*CorruptError)) || dst.tries != 0 {
		t.Errorf("of another size: %d tries, %v", dst.tries, err)
	}
}

// TestPackClonesNot sees that one refusal is enough, whichever file it is about.
func TestPackClonesNot(t *testing.T) {
	c, i := newEntry(t)
	for _, tries := range []int{1, 0, 0} {
		dst := &fakeCloner{}
		if err := c.Pack(context.Background(), i.manifest, i.content(), dst); err != nil || dst.tries != tries || !bytes.Equal(dst.Bytes(), i.pack) {
			t.Errorf("%d bytes after %d tries, %v; want %d tries", dst.Len(), dst.tries, err, tries)
		}
	}
	other := newItem("b")
	original := &fakeCloner{}
	must(t, other.publishWith(c, original))
	if original.tries != 0 {
		t.Errorf("a draft tries %d times", original.tries)
	}
	other.wantHit(t, c)
}

// TestPackClonesOnlyOnce sees that a file that cannot be cloned is copied, also after
// others were cloned.
func TestPackClonesOnlyOnce(t *testing.T) {
	c, i := newEntry(t)
	for _, can := range []bool{true, false, true} {
		dst := &fakeCloner{can: can}
		if err := c.Pack(context.Background(), i.manifest, i.content(), dst); err != nil || dst.tries != 1 || !bytes.Equal(dst.Bytes(), i.pack) {
			t.Errorf("%d bytes after %d tries, %v", dst.Len(), dst.tries, err)
		}
	}
}

// TestPackCloneError sees that a broken destination is not blamed on the cache.
func TestPackCloneError(t *testing.T) {
	c, i := newEntry(t)
	err := c.Pack(context.Background(), i.manifest, i.content(), &fakeCloner{err: errFull})
	var write *verified.WriteError
	if !errors.As(err, &write) || !errors.Is(err, errFull) || errors.As(err, new(*CorruptError)) {
		t.Errorf("error %#v, want *verified.WriteError", err)
	}
}

// TestPackOtherSinks sees that what cannot clone at all decides nothing.
func TestPackOtherSinks(t *testing.T) {
	c, i := newEntry(t)
	i.wantHit(t, c)
	dst := &fakeCloner{can: true}
	if err := c.Pack(context.Background(), i.manifest, i.content(), dst); err != nil || dst.tries != 1 {
		t.Errorf("%d tries, %v", dst.tries, err)
	}
}

// TestFault36_Cloned lets a second program rewrite the entry in place when its size was
// looked at, before it is cloned: that is an error of a changed file. What is written after
// the clone and before that is hashed, nobody sees.
func TestFault36_Cloned(t *testing.T) {
	c, i := newEntry(t)
	other := newItem("b")
	for _, data := range [][]byte{nil, i.pack[:1000], other.pack[:len(i.pack)], append(bytes.Clone(i.pack), 0)} {
		rewrite := func() { writeFile(t, i.path(c, packFile), data) }
		writeFile(t, i.path(c, packFile), i.pack)
		dst := &fakeCloner{can: true, after: rewrite}
		if err := c.Pack(context.Background(), i.manifest, i.content(), dst); err != nil || !bytes.Equal(dst.Bytes(), i.pack) {
			t.Errorf("written afterwards: %d bytes, %v", dst.Len(), err)
		}
		writeFile(t, i.path(c, packFile), i.pack)
		must(t, os.Chtimes(i.path(c, packFile), time.Unix(fetchedAt, 0), time.Unix(fetchedAt, 0)))
		dst = &fakeCloner{can: true, before: rewrite}
		err := c.Pack(context.Background(), i.manifest, i.content(), dst)
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || !corrupt.Changed || !isUnfinished(err) {
			t.Errorf("written before: %d bytes, error %#v", dst.Len(), err)
		}
	}
}

// publishWith is publish with an original, which gets the bytes, too.
func (i item) publishWith(c *Cache, original *fakeCloner) error {
	draft, err := c.Draft(i.manifest, nil)
	if err != nil {
		return err
	}
	defer draft.Discard()
	draft.ShareWith(original, i.content().Size)
	for _, data := range [][]byte{i.pack[:1000], i.pack} { // the first is taken back
		if err := draft.Reset(); err != nil {
			return err
		}
		original.Reset()
		if _, err := draft.Write(data); err != nil {
			return err
		}
		original.Write(data)
	}
	return draft.Publish(i.body, i.metadata())
}

// TestDraftShares sees that a draft takes an original's bytes, or its own.
func TestDraftShares(t *testing.T) {
	for _, can := range []bool{true, false} {
		c, i, original := newCache(t), newItem("a"), &fakeCloner{can: can}
		must(t, i.publishWith(c, original))
		if want := map[bool]int{true: 2, false: 1}[can]; original.tries != want {
			t.Errorf("%t: %d tries, want %d", can, original.tries, want)
		}
		i.wantHit(t, c)
		wantTree(t, i.dir(c), manifestFile, metadataFile, packFile)
	}
}

// TestDraftSharesNothing is about an original without bytes to share in the end.
func TestDraftSharesNothing(t *testing.T) {
	c, i, original := newCache(t), newItem("a"), &fakeCloner{can: true}
	draft, err := c.Draft(i.manifest, nil)
	must(t, err)
	draft.ShareWith(original, i.content().Size)
	original.err = errFull
	if err := draft.Publish(i.body, i.metadata()); !errors.Is(err, errFull) {
		t.Errorf("Publish: %v, want %v", err, errFull)
	}
	if err := draft.KeepPartial(i.content().Digest); !errors.Is(err, errFull) {
		t.Errorf("KeepPartial: %v, want %v", err, errFull)
	}
	draft.Discard()
	wantTree(t, i.dir(c))
}

// TestFault02b_KeepShared keeps the first bytes of an original.
func TestFault02b_KeepShared(t *testing.T) {
	c, i, original := newCache(t), keepable(), &fakeCloner{can: true}
	for _, n := range []int{1<<20 - 1, 2 << 20} {
		draft, err := c.Draft(i.manifest, nil)
		must(t, err)
		original.Reset()
		draft.ShareWith(original, i.content().Size)
		_, err = draft.Write(i.pack[:n])
		must(t, err)
		original.Write(i.pack[:n])
		must(t, draft.KeepPartial(i.content().Digest))
		draft.Discard()
		i.wantKept(t, c, map[bool]int{true: n}[n >= minPartial])
	}
	wantTree(t, i.dir(c))
}

// TestSmallPacks sees that a small pack is copied, and decides nothing for others.
func TestSmallPacks(t *testing.T) {
	c, small, large := newCache(t), item{pack: make([]byte, minShared-1), body: []byte("{}")}, item{pack: make([]byte, minShared), body: []byte("[]")}
	small.manifest, large.manifest = ociref.DigestOf(small.body), ociref.DigestOf(large.body)
	for _, test := range []struct {
		item
		published, packed int // tries
	}{{small, 0, 0}, {large, 2, 1}} {
		original, dst := &fakeCloner{can: true}, &fakeCloner{can: true}
		must(t, test.publishWith(c, original))
		if err := c.Pack(context.Background(), test.manifest, test.content(), dst); err != nil || !bytes.Equal(dst.Bytes(), test.pack) {
			t.Errorf("%d bytes, %v", dst.Len(), err)
		}
		if original.tries != test.published || dst.tries != test.packed {
			t.Errorf("%d bytes: %d and %d tries, want %d and %d", len(test.pack), original.tries, dst.tries, test.published, test.packed)
		}
	}
}
