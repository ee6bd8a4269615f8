package main

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/greenticai/packvendor/bench/fleet/trial"
)

// A forecast is what the model says that an origin is asked in a round of a trial, by the
// job that goes first, too.
type forecast struct{ manifests, blobs, lists span }

// A span is from the least to the most.
type span struct{ least, most int }

func exactly(n int) span { return span{n, n} }

func (s span) holds(n int) bool { return s.least <= n && n <= s.most }

func (s span) String() string {
	if s.least == s.most {
		return humanize.Comma(int64(s.least))
	}
	return fmt.Sprintf("%s to %s", humanize.Comma(int64(s.least)), humanize.Comma(int64(s.most)))
}

// demand is how often packs are wanted in a round. Only packs with a release are wanted
// after Cold.
type demand struct {
	packs    int // different packs
	groups   int // the same, once for each group
	projects int // the same, once for each project
}

func demandOf(s trial.Size, phase trial.Phase) (d demand) {
	byPack, byGroup := map[int]bool{}, map[[2]int]bool{}
	for project, packs := range s.Draw() {
		for _, pack := range packs {
			if phase != trial.Cold && !s.IsReleased(pack) {
				continue
			}
			byPack[pack], byGroup[[2]int{s.Group(project), pack}] = true, true
			d.projects++
		}
	}
	d.packs, d.groups = len(byPack), len(byGroup)
	return d
}

// forecastOf returns what the model says of a round. Of a group that wants a pack one
// project downloads it, and the others wait for it. But each project asks for a tag.
func forecastOf(s trial.Size, phase trial.Phase, way trial.Way) forecast {
	d := demandOf(s, phase)
	wanted := s.Projects * s.Packs
	switch {
	case phase == trial.Update && way == trial.Filled:
		// The proxy asks for all lists, and for each new pack once.
		return forecast{exactly(s.Releases), exactly(blobsOfMiss * s.Releases), exactly(wanted + s.Catalogue)}
	case phase == trial.Update:
		// The origin is asked for tags, and then for the blobs of what they name.
		return forecast{exactly(d.projects), exactly(d.groups), exactly(wanted)}
	case way == trial.Direct:
		return forecast{manifests: exactly(d.groups), blobs: exactly(d.groups)}
	case way == trial.Proxy:
		// The proxy asks once more for each request that comes while it is still reading.
		return forecast{manifests: span{d.packs, d.groups}, blobs: span{d.packs, blobsOfMiss * d.groups}}
	case phase == trial.Cold:
		return forecast{manifests: exactly(s.Catalogue), blobs: exactly(blobsOfMiss * s.Catalogue)}
	}
	return forecast{} // Update has filled the proxy
}
