package trial

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/distribution"
)

// small is a fleet that TestDraw shows.
var small = Size{Projects: 6, Groups: 2, Packs: 4, Catalogue: 8, Releases: 3, Bytes: 16 << 10}

// TestTrial runs a small fleet, and holds all counts that do not depend on who comes first.
func TestTrial(t *testing.T) {
	if testing.Short() {
		t.Skip("takes more than ten seconds")
	}
	packtest.NeedProgram(t, distribution.Program)
	packtest.NeedProgram(t, "oras")
	rounds, err := Run(t.Context(), Options{Size: small, Checkout: filepath.Join("..", "..", ".."), Work: t.TempDir(), Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rounds {
		t.Run(string(r.Phase)+" "+string(r.Way), func(t *testing.T) { checkRound(t, r) })
	}
	if len(rounds) != 9 {
		t.Errorf("%d rounds, want 9", len(rounds))
	}
}

// The groups of small want 12 packs to download, of which 4 get a release. Its projects have
// 24 packs, and 10 of them get one.
func TestDraw(t *testing.T) {
	if got, want := fmt.Sprint(small.Draw()), "[[2 1 5 7] [7 5 4 2] [7 3 0 1] [3 4 2 5] [1 7 0 2] [6 3 2 5]]"; got != want {
		t.Errorf("the projects have the packs %s, want %s", got, want)
	}
	for _, size := range []Size{small, {Projects: 60, Packs: 20, Catalogue: 120}} {
		for project, packs := range size.Draw() {
			different := map[int]bool{}
			for _, pack := range packs {
				different[pack] = 0 <= pack && pack < size.Catalogue
			}
			if len(different) != size.Packs || slices.Contains(slices.Collect(maps.Values(different)), false) {
				t.Errorf("project %d: %v", project, packs)
			}
		}
	}
}

// checkRound holds the counts of a round.
func checkRound(t *testing.T, r Round) {
	if want := map[int]int{0: small.Projects}; !maps.Equal(r.Exits, want) {
		t.Fatalf("exit codes %v, want %v", r.Exits, want)
	}
	for name, traffic := range map[string]Traffic{"filling": r.Filling, "origin": r.Origin, "proxy": r.Proxy} {
		// A proxy that is still reading a pack may answer 500: then the origin is asked.
		broken := traffic.Broken > 0 && (name != "proxy" || r.Way != Proxy)
		if broken || traffic.Limited+traffic.Others > 0 {
			t.Errorf("%s: %+v: some requests failed, or are no reads", name, traffic)
		}
	}
	fleet := r.Proxy // where the projects ask
	if r.Way == Direct || r.Way == Proxy && r.Phase == Update {
		fleet = r.Origin
	}
	if got, want := asked(fleet), map[Phase]string{
		Cold:   "12 manifests, 12 blobs, 0 lists",
		Update: "10 manifests, 4 blobs, 24 lists",
		Again:  "4 manifests, 4 blobs, 0 lists",
	}[r.Phase]; got != want {
		t.Errorf("the projects ask for %s, want %s", got, want)
	}
	atMost(t, "pings", fleet.Pings, small.Projects)
	switch r.Way {
	case Direct:
		checkDirect(t, r)
	case Proxy:
		checkProxy(t, r)
	case Filled:
		checkFilled(t, r)
	}
}

// asked is what a project asks for, in words. To follow a tag it asks for the list, and for
// the digest of the newest version.
func asked(t Traffic) string {
	lists := fmt.Sprintf("%d lists", t.Tags)
	if t.Tags != t.ManifestHeads {
		lists = fmt.Sprintf("%d lists, %d digests", t.Tags, t.ManifestHeads)
	}
	return fmt.Sprintf("%d manifests, %d blobs, %s", t.Manifests, t.Blobs, lists)
}

func atMost(t *testing.T, what string, got, most int) {
	t.Helper()
	if got > most {
		t.Errorf("%d %s, want at most %d", got, what, most)
	}
}
