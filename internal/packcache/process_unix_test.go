//go:build unix

package packcache

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
)

// childVariable makes this test binary another process of the cache: its value
// is a child's name, a root and a digest, separated by new lines.
const childVariable = "PACKCACHE_TEST_CHILD"

var children = map[string]func(*Cache, ociref.Digest) error{"hold": hold, "exclude": exclude}

func TestMain(m *testing.M) {
	words := strings.Split(os.Getenv(childVariable), "\n")
	if len(words) != 3 {
		os.Exit(m.Run())
	}
	if err := children[words[0]](cacheAt(words[1]), ociref.Digest(words[2])); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// hold takes the lock, says so, and keeps it until its input ends.
func hold(c *Cache, manifest ociref.Digest) error {
	lock, err := c.Lock(context.Background(), manifest, nil)
	if err != nil || !lock.Held() {
		return fmt.Errorf("no lock: %w", err)
	}
	fmt.Println("held")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err // and the system gives the lock back
}

// exclude takes the lock several times and fails if it was not alone.
func exclude(c *Cache, manifest ociref.Digest) error {
	alone := filepath.Join(c.Root(), "alone")
	for range 10 {
		lock, err := c.Lock(context.Background(), manifest, nil)
		if err != nil || !lock.Held() {
			return fmt.Errorf("no lock: %w", err)
		}
		file, err := os.OpenFile(alone, os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return err
		}
		if err := errors.Join(file.Close(), os.Remove(alone)); err != nil {
			return err
		}
		lock.Unlock()
	}
	return nil
}

// A child is a process that was started from this one.
type child struct {
	*exec.Cmd
	stdin io.Closer
}

// start starts a child. It is killed, if it has not ended, with the test.
func start(t *testing.T, name string, c *Cache, i item) (*child, *bufio.Reader) {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childVariable+"="+strings.Join([]string{name, c.Root(), string(i.manifest)}, "\n"))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return &child{cmd, stdin}, bufio.NewReader(stdout)
}

// startHolder starts a child and returns when it holds the lock.
func startHolder(t *testing.T, c *Cache, i item) *child {
	t.Helper()
	holder, stdout := start(t, "hold", c, i)
	if line, err := stdout.ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder says %q, %v", line, err)
	}
	return holder
}

// TestLockBetweenProcesses ends the holder in both ways, in the moment the
// wait is announced.
func TestLockBetweenProcesses(t *testing.T) {
	for how, end := range map[string]func(*child) error{
		"exit": func(holder *child) error { return holder.stdin.Close() },
		"kill": func(holder *child) error { return holder.Process.Kill() },
	} {
		t.Run(how, func(t *testing.T) {
			c, i := newCache(t), newItem("a")
			holder := startHolder(t, c, i)
			waits := 0
			lock, err := c.Lock(context.Background(), i.manifest, func() {
				waits++
				if err := end(holder); err != nil {
					t.Error(err)
				}
			})
			must(t, err)
			defer lock.Unlock()
			if !lock.Held() || waits != 1 {
				t.Errorf("Held() %t, announced %d times, want the lock after one", lock.Held(), waits)
			}
		})
	}
}

// TestFault40_StoppedHolder stops the holder: the wait is announced, bounded,
// and then done without the lock.
func TestFault40_StoppedHolder(t *testing.T) {
	c, i := newCache(t), newItem("a")
	holder := startHolder(t, c, i)
	must(t, holder.Process.Signal(syscall.SIGSTOP))
	waits := 0
	impatient := New(Options{Root: c.Root(), LockWait: 100 * time.Millisecond, Now: c.now})
	lock, err := impatient.Lock(context.Background(), i.manifest, func() { waits++ })
	if err != nil || lock.Held() || waits != 1 {
		t.Errorf("Held() %t, %v, announced %d times", lock.Held(), err, waits)
	}
	must(t, i.publish(impatient, lock))
	i.wantHit(t, c)
	must(t, holder.Process.Signal(syscall.SIGCONT))
}

// TestLockExcludesProcesses runs many processes that would notice each other.
func TestLockExcludesProcesses(t *testing.T) {
	c, i := newCache(t), newItem("a")
	var all []*child
	for range 8 {
		one, _ := start(t, "exclude", c, i)
		all = append(all, one)
	}
	for _, one := range all {
		if err := one.Wait(); err != nil {
			t.Error(err)
		}
	}
	wantTree(t, c.Root(), ".locks", ".locks/"+i.manifest.Hex()+".lock")
}
