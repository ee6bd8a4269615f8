package packcache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestLockExcludes is about two caches of one process, which exclude each
// other as two processes do.
func TestLockExcludes(t *testing.T) {
	c, i := newCache(t), newItem("a")
	first := mustLock(t, c, i.manifest)
	mustLock(t, c, newItem("b").manifest) // another entry's lock is free
	waits := 0
	second, err := cacheAt(c.Root()).Lock(context.Background(), i.manifest, func() {
		waits++
		first.Unlock()
	})
	must(t, err)
	defer second.Unlock()
	if !second.Held() || waits != 1 {
		t.Errorf("Held() %t, announced %d times, want the lock after one", second.Held(), waits)
	}
}

// TestUnlock sees that a lock can be given back twice, and is not held then.
func TestUnlock(t *testing.T) {
	c, i := newCache(t), newItem("a")
	first := mustLock(t, c, i.manifest)
	first.Unlock()
	if first.Held() {
		t.Error("Held() is true after Unlock")
	}
	second := mustLock(t, c, i.manifest)
	first.Unlock() // must not give back the second's
	if got := tryLock(t, c.Root(), i); got.Held() {
		t.Error("the lock is held twice")
	}
	second.Unlock()
	var none *Lock
	none.Unlock()
	if none.Held() || new(Lock).Held() {
		t.Error("a lock that was never taken is held or waited for")
	}
}

// TestTryLock sees that asking in passing neither waits nor announces.
func TestTryLock(t *testing.T) {
	c, i := newCache(t), newItem("a")
	first, busy := c.TryLock(i.manifest)
	defer first.Unlock()
	if !first.Held() || busy {
		t.Fatalf("a free lock: Held() %t, busy %t", first.Held(), busy)
	}
	second, busy := c.TryLock(i.manifest)
	if second.Held() || !busy {
		t.Errorf("a held lock: Held() %t, busy %t", second.Held(), busy)
	}
	second.Unlock()
	if got, busy := c.TryLock(i.manifest); got.Held() || !busy {
		t.Error("the lock was given back by one who did not hold it")
	}
	first.Unlock()
	third, busy := c.TryLock(i.manifest)
	defer third.Unlock()
	if !third.Held() || busy {
		t.Errorf("a lock given back: Held() %t, busy %t", third.Held(), busy)
	}
}

// tryLock asks for the lock with hardly any patience.
func tryLock(t *testing.T, root string, i item) *Lock {
	t.Helper()
	lock, err := New(Options{Root: root, LockWait: time.Millisecond}).Lock(context.Background(), i.manifest, nil)
	must(t, err)
	t.Cleanup(lock.Unlock)
	return lock
}

// TestLockWait sees that the wait for a lock that never comes is announced
// once and bounded, on a clock that jumps.
func TestLockWait(t *testing.T) {
	for _, test := range []struct{ option, want time.Duration }{
		{0, 5 * time.Minute},
		{time.Nanosecond, time.Nanosecond},
		{90 * time.Second, 90 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, i := newCache(t), newItem("a")
			mustLock(t, c, i.manifest)
			waits, start := 0, time.Now()
			lock, err := New(Options{Root: c.Root(), LockWait: test.option}).Lock(context.Background(), i.manifest, func() { waits++ })
			if err != nil || lock.Held() || waits != 1 {
				t.Errorf("Held() %t, %v, announced %d times", lock.Held(), err, waits)
			}
			if took := time.Since(start); took != test.want {
				t.Errorf("LockWait %v: waited %v, want %v", test.option, took, test.want)
			}
			must(t, i.publish(c, lock)) // correctness does not rest on it
			i.wantHit(t, c)
		})
	}
}

// TestFault62_OneWait sees that after one wait in vain locks are only tried, of the
// same entry and of others, and that one which is free is still had.
func TestFault62_OneWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		holder, a, b, free := newCache(t), newItem("a"), newItem("b"), newItem("free")
		mustLock(t, holder, a.manifest)
		mustLock(t, holder, b.manifest)
		c := cacheAt(holder.Root())
		start, waits := time.Now(), 0
		for _, i := range []item{a, a, b} {
			lock, err := c.Lock(context.Background(), i.manifest, func() { waits++ })
			if err != nil || lock.Held() {
				t.Errorf("Held() %t, %v", lock.Held(), err)
			}
		}
		if took := time.Since(start); took != time.Minute || waits != 1 {
			t.Errorf("waited %v, announced %d times, want a minute and once", took, waits)
		}
		if lock, err := c.Lock(context.Background(), free.manifest, nil); err != nil || !lock.Held() {
			t.Errorf("a free lock: Held() %t, %v", lock.Held(), err)
		} else {
			lock.Unlock()
		}
	})
}

// TestFault62_WaitsAtOnce has several goroutines wait for locks, one after the other:
// they all end with the first.
func TestFault62_WaitsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		holder := newCache(t)
		c, start := cacheAt(holder.Root()), time.Now()
		var all sync.WaitGroup
		for n, id := range []string{"a", "b", "c"} {
			i := newItem(id)
			mustLock(t, holder, i.manifest)
			all.Go(func() {
				time.Sleep(time.Duration(n) * 20 * time.Second)
				lock, err := c.Lock(context.Background(), i.manifest, nil)
				if took := time.Since(start); err != nil || lock.Held() || took != time.Minute {
					t.Errorf("%s: Held() %t, %v after %v, want to go on after a minute", id, lock.Held(), err, took)
				}
			})
		}
		all.Wait()
	})
}

// TestWaitsThatEndWell sees that only a wait in vain ends the patience.
func TestWaitsThatEndWell(t *testing.T) {
	holder, i := newCache(t), newItem("a")
	c := cacheAt(holder.Root())
	for range 3 {
		held := mustLock(t, holder, i.manifest)
		waits := 0
		lock, err := c.Lock(context.Background(), i.manifest, func() {
			waits++
			held.Unlock()
		})
		if err != nil || !lock.Held() || waits != 1 {
			t.Errorf("Held() %t, %v, announced %d times, want the lock after one", lock.Held(), err, waits)
		}
		lock.Unlock()
	}
	held := mustLock(t, holder, i.manifest)
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := c.Lock(ctx, i.manifest, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	lock, err := c.Lock(context.Background(), i.manifest, held.Unlock)
	if err != nil || !lock.Held() {
		t.Errorf("after one that was cancelled: Held() %t, %v", lock.Held(), err)
	}
	lock.Unlock()
}

// TestLockCancelled sees that a cancelled context ends the wait, and that no
// lock is kept: whoever is told of an error has nothing to give back.
func TestLockCancelled(t *testing.T) {
	c, i := newCache(t), newItem("a")
	ctx, cancel := context.WithCancel(context.Background())
	holder := mustLock(t, c, i.manifest)
	lock, err := c.Lock(ctx, i.manifest, cancel)
	if !errors.Is(err, context.Canceled) || lock.Held() {
		t.Errorf("while waiting: Held() %t, %v, want context.Canceled", lock.Held(), err)
	}
	holder.Unlock()

	lock, err = c.Lock(ctx, i.manifest, func() { t.Error("the free lock is waited for") })
	if !errors.Is(err, context.Canceled) || lock.Held() {
		t.Errorf("before it: Held() %t, %v, want context.Canceled and no lock", lock.Held(), err)
	}
	if !tryLock(t, c.Root(), i).Held() {
		t.Error("the lock was kept beside the error")
	}
}

// TestLockCause sees that the error says why the context was cancelled.
func TestLockCause(t *testing.T) {
	c, i := newCache(t), newItem("a")
	mustLock(t, c, i.manifest)
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	for _, when := range []string{"while waiting", "before it"} {
		if lock, err := c.Lock(ctx, i.manifest, func() { cancel(cause) }); err != cause || lock.Held() {
			t.Errorf("%s: Held() %t, %v, want %v", when, lock.Held(), err, cause)
		}
	}
}

func TestLockDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, i := newCache(t), newItem("a")
		mustLock(t, c, i.manifest)
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		start := time.Now()
		lock, err := c.Lock(ctx, i.manifest, nil)
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || lock.Held() || took != 3*time.Second {
			t.Errorf("Held() %t, %v after %v, want the deadline's error after 3s", lock.Held(), err, took)
		}
	})
}

// TestFault41_Unlockable is about roots in which no lock can be had: nothing is
// waited for, announced or refused.
func TestFault41_Unlockable(t *testing.T) {
	i := newItem("a")
	lockFile := i.manifest.Hex() + ".lock"
	for _, test := range []struct {
		name  string
		block func(t *testing.T, root string)
	}{
		{"the root is a file", func(t *testing.T, root string) { writeFile(t, root, nil) }},
		{"the root is below a file", func(t *testing.T, root string) { writeFile(t, filepath.Dir(root), nil) }},
		{".locks is a file", func(t *testing.T, root string) { writeFile(t, filepath.Join(root, ".locks"), nil) }},
		{"the lock is a directory", func(t *testing.T, root string) { must(t, os.MkdirAll(filepath.Join(root, ".locks", lockFile), 0o777)) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := cacheAt(filepath.Join(t.TempDir(), "parent", "root"))
			test.block(t, c.Root())
			wantNoLock(t, c, i)
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if lock, err := c.Lock(ctx, i.manifest, nil); !errors.Is(err, context.Canceled) || lock.Held() {
				t.Errorf("cancelled: Held() %t, %v", lock.Held(), err)
			}
		})
	}
}

// wantNoLock fails unless Lock goes on at once without one.
func wantNoLock(t *testing.T, c *Cache, i item) {
	t.Helper()
	lock, err := c.Lock(context.Background(), i.manifest, func() { t.Error("waiting is announced") })
	if err != nil || lock.Held() {
		t.Errorf("Held() %t, %v, want to go on without", lock.Held(), err)
	}
	lock.Unlock()
	lock, busy := c.TryLock(i.manifest)
	if lock.Held() || busy {
		t.Errorf("TryLock: Held() %t, busy %t, want to go on without", lock.Held(), busy)
	}
	lock.Unlock()
}
