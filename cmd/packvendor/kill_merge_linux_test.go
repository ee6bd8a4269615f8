//go:build amd64 || arm64

package main

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/lockfile"
)

// Git reads OURS when the driver has ended, however it did.
func TestFault46c_MergeDriverKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{Plain: true})
	k := &killing{fixture: b, steps: map[string]bool{}, args: []string{"merge-driver", "base", "ours", "theirs", "packs.lock"}}
	formatted := func(list string) string {
		return string(lockfile.Format(&lockfile.Lock{Entries: entriesOf(list)}))
	}
	k.old = tree{"base": formatted("a1 d1"), "ours": formatted("a1 b1 d1"), "theirs": formatted("a1 c1 d1")}
	k.new = tree{"base": k.old["base"], "ours": formatted("a1 b1 c1 d1"), "theirs": k.old["theirs"]}
	for n := 1; !t.Failed(); n++ {
		dir, _, done := k.begin()
		cmd := k.program("packvendor-killed", dir, "", k.args...)
		cmd.Env = append(cmd.Env, stepNumber+"="+strconv.Itoa(n))
		isKilled := k.killed(cmd, cmd.Run())
		what := fmt.Sprintf("killed before step %d, %s", n, roleOf(fmt.Sprint(cmd.Stderr)))
		k.wantOldOrNew(what, readTree(t, dir).finals())
		k.mustRun(k.command(dir, "", k.args...))
		if differs := readTree(t, dir).finals().differences(k.new); differs != "" {
			t.Errorf("%s: the next merge leads to\n%s", what, differs)
		}
		done()
		if !isKilled {
			break
		}
	}
	if k.kills < 3 && !t.Failed() {
		t.Errorf("%d kills, want 3 at least", k.kills)
	}
}
