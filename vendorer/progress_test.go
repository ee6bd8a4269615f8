package vendorer_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/greenticai/packvendor/vendorer"
)

// steps returns the progress of do, each as "PHASE DONE/PACKS BYTES/ALL"; of steps that
// differ only in bytes, the last.
func (p *project) steps(do func(o vendorer.Options) error) []string {
	p.t.Helper()
	var told []vendorer.Progress
	o := p.options
	o.Jobs = 1
	o.Progress = func(now vendorer.Progress) {
		last := len(told) - 1
		if last >= 0 && told[last].Phase == now.Phase && told[last].Done == now.Done && told[last].Packs == now.Packs {
			told = told[:last]
		}
		told = append(told, now)
	}
	p.must(do(o))
	var steps []string
	for _, now := range told {
		steps = append(steps, fmt.Sprintf("%s %d/%d %d/%d", now.Phase, now.Done, now.Packs, now.BytesDone, now.Bytes))
	}
	return steps
}

func TestProgress(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:stable")
	p.push("B", "b")
	p.packs(`a = "$REG/a@$A"`, `b = "$REG/b@$B"`)
	a, _ := strconv.Atoi(p.names["A_SIZE"])
	b, _ := strconv.Atoi(p.names["B_SIZE"])
	p.names["BOTH"] = strconv.Itoa(a + b)
	run := func(o vendorer.Options) error { _, err := vendorer.Run(context.Background(), o); return err }
	for _, test := range []struct {
		name   string
		before func()
		do     func(vendorer.Options) error
		want   []string
	}{
		{"first run", func() {}, run, []string{
			"resolving 0/2 0/0", "resolving 1/2 0/0", "resolving 2/2 0/0",
			"fetching 0/2 $A_SIZE/$BOTH", "fetching 1/2 $BOTH/$BOTH", "fetching 2/2 $BOTH/$BOTH",
		}},
		{"nothing to do", func() {}, run, []string{"resolving 0/2 0/0", "resolving 1/2 0/0", "resolving 2/2 0/0", "fetching 0/0 0/0"}},
		{"one to restore", func() { p.remove("app/packs/a.gtpack") }, run, []string{
			"resolving 0/2 0/0", "resolving 1/2 0/0", "resolving 2/2 0/0",
			"fetching 0/1 $A_SIZE/$A_SIZE", "fetching 1/1 $A_SIZE/$A_SIZE",
		}},
		{"verify", func() {}, func(o vendorer.Options) error {
			_, err := vendorer.Verify(context.Background(), o, true)
			return err
		}, []string{"verifying 0/2 0/0", "verifying 1/2 0/0", "verifying 2/2 0/0"}},
		{"fetch", p.coldCache, func(o vendorer.Options) error {
			_, err := vendorer.Fetch(context.Background(), o, vendorer.FetchOptions{}, p.expand("$REG/a@$A"))
			return err
		}, []string{"resolving 0/1 0/0", "fetching 0/1 $A_SIZE/$A_SIZE"}},
	} {
		test.before()
		for i := range test.want {
			test.want[i] = p.expand(test.want[i])
		}
		if got := p.steps(test.do); !slices.Equal(got, test.want) {
			t.Errorf("%s:\n got %q\nwant %q", test.name, got, test.want)
		}
	}
}
