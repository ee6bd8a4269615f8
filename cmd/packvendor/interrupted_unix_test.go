//go:build unix

package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
)

// Ctrl-C during a download ends the run at once and leaves the project unchanged; the
// next run requests only the rest from the registry.
func TestFault02b_NextRunGoesOn(t *testing.T) {
	unignoreHangup(t)
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			const half = 2_000_000
			b := newFixture(t, packtest.Options{})
			dir, cache := t.TempDir(), filepath.Join(t.TempDir(), "cache")
			project := b.project(fmt.Sprintf("slack = %q", b.push("greentic/slack", "1.0.0", 2*half)))
			project.write(b, dir)
			pushed := b.pushed["greentic/slack:1.0.0"]
			b.reg.Inject(fault.First(1, fault.StallBlob("", half)))

			cmd := b.command(dir, cache)
			b.must(cmd.Start())
			t.Cleanup(func() { cmd.Process.Kill() })
			b.awaitSize(filepath.Join(cache, pushed.ManifestDigest.Hex(), ".packvendor-*.tmp"), half)
			begun := time.Now()
			b.must(cmd.Process.Signal(signal))
			cmd.Wait()
			if took := time.Since(begun); took > patience/5 {
				t.Errorf("it took %s", took)
			}
			if said := fmt.Sprint(cmd.Stderr); cmd.ProcessState.ExitCode() != exitInterrupted || said != "packvendor: error: interrupted\n" {
				t.Errorf("exit code %d, stderr:\n%s", cmd.ProcessState.ExitCode(), said)
			}
			after := readTree(t, dir)
			if len(after) != len(project) || after["packs.toml"] != project["packs.toml"] {
				t.Errorf("the project is %q", after)
			}
			if left, err := filepath.Glob(filepath.Join(cache, "*", ".packvendor-*.tmp")); err != nil || left != nil {
				t.Errorf("left in the cache: %q, %v", left, err)
			}
			partial := filepath.Join(cache, ".partial", pushed.Layers[0].Hex())
			info, err := os.Stat(partial)
			if err != nil || info.Size() != half || info.Mode() != 0o600 {
				t.Fatalf("what was kept: %+v, %v", info, err)
			}

			b.reg.ResetRequests()
			again := b.command(dir, cache, "-v")
			b.mustRun(again)
			var asked []string
			for _, r := range b.reg.Requests() {
				if strings.Contains(r.Path, "/blobs/") {
					asked = append(asked, r.Header.Get("Range"))
				}
			}
			if want := fmt.Sprintf("bytes=%d-", half); len(asked) != 1 || asked[0] != want {
				t.Errorf("asked for %q, want %s", asked, want)
			}
			if said := fmt.Sprint(again.Stderr); !strings.Contains(said, ": going on with an interrupted download: 2.0 MB of 4.0 MB are there\n") {
				t.Errorf("stderr:\n%s", said)
			}
			data, err := os.ReadFile(filepath.Join(dir, "packs", "slack.gtpack"))
			if want := b.packs[pushed.ManifestDigest]; err != nil || string(data) != string(want) {
				t.Errorf("the pack has %d bytes, %v, want the right %d", len(data), err, len(want))
			}
			if _, err := os.Lstat(filepath.Dir(partial)); !os.IsNotExist(err) {
				t.Errorf("what was kept is still there: %v", err)
			}
		})
	}
}

// unignoreHangup lets processes of the test handle SIGHUP, even if the test was started
// with nohup, since they inherit ignored signals.
func unignoreHangup(t *testing.T) {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(heard) })
}

// awaitSize waits until the one file that matches pattern has n bytes.
func (b *fixture) awaitSize(pattern string, n int64) {
	b.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-time.After(time.Millisecond) {
		found, err := filepath.Glob(pattern)
		b.must(err)
		if len(found) == 0 {
			continue
		}
		if info, err := os.Stat(found[0]); err == nil && info.Size() == n {
			return
		}
	}
	b.Fatalf("no %s has %d bytes", pattern, n)
}
