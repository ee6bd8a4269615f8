// Command fleet simulates how often CI asks a registry for packs, and puts what it
// finds into docs/scale.md of the checkout that it is run in:
//
//	go run -C bench ./fleet
//
// With -run it first runs a smaller fleet, and counts what that asks.
package main

import "math/rand/v2"

// A fleet is CI at work: jobs that each vendor the packs of one project, on runners
// that the jobs fall to by chance. It is a model, and knows of packvendor only how
// often a run asks a registry.
type fleet struct {
	jobs      int   // an hour
	projects  int   // each job is about one of them
	packs     int   // of each project
	catalogue int   // packs that there are, each in a repository of its own
	releases  int   // an hour; a project takes a release with its next job
	runners   int   // on which jobs run
	size      int64 // bytes of a pack
	manifest  int64 // bytes of its manifest
	hours     int
}

// theFleet is the one of docs/scale.md.
var theFleet = fleet{
	jobs: 10_000, projects: 200, packs: 20, catalogue: 300, releases: 2, runners: 500,
	size: 1_300_000, manifest: 600, hours: 24,
}

// Traffic is what is asked of a registry.
type traffic struct {
	pings, tokens, manifests, blobs int
	heads                           int // of blobs

	bytes int64
}

func (t *traffic) add(other traffic) {
	t.pings += other.pings
	t.tokens += other.tokens
	t.manifests += other.manifests
	t.blobs += other.blobs
	t.heads += other.heads
	t.bytes += other.bytes
}

// requests is how many there were in all.
func (t traffic) requests() int { return t.pings + t.tokens + t.manifests + t.blobs + t.heads }

// A memory is what a fleet remembers of packs between its jobs.
type memory int

const (
	none     memory = iota // every job begins with an empty cache
	runners                // each runner keeps its cache
	projects               // each project's cache is saved after a job and restored before the next
	mirror                 // jobs begin with empty caches, and ask a proxy that keeps what it has read
	commits                // packs are committed with the code
)

// memories are all of them, with what they are called.
var memories = []struct {
	memory
	name string
}{
	{none, "empty caches"},
	{runners, "each runner keeps its cache"},
	{projects, "each project's cache is saved and restored"},
	{mirror, "empty caches, and a proxy that keeps what it has read"},
	{commits, "the packs are committed"},
}

// simulate returns what the registry is asked in each hour. The same fleet gives
// the same figures every time.
func (f fleet) simulate(m memory) []traffic {
	random := rand.New(rand.NewPCG(1, 2))
	all := f.newProjects(random)
	newest := make([]int, f.catalogue) // the versions of the packs, from 1
	for pack := range newest {
		newest[pack] = 1
	}
	caches := map[int][]int{} // the versions held by each runner or project
	hours := make([]traffic, f.hours)
	for hour := range hours {
		due := f.releaseTimes(random)
		for job := range f.jobs {
			for range due[job] {
				newest[random.IntN(f.catalogue)]++
			}
			runner, of := random.IntN(f.runners), random.IntN(f.projects)
			ask := f.run
			if m == mirror {
				ask = f.pull
			}
			hours[hour].add(ask(f.missing(m, caches, all[of], newest, runner, of)))
		}
	}
	return hours
}

// newProjects returns the packs that each project has.
func (f fleet) newProjects(random *rand.Rand) [][]int {
	all := make([][]int, f.projects)
	for i := range all {
		all[i] = random.Perm(f.catalogue)[:f.packs]
	}
	return all
}

// releaseTimes says how many releases come right before which jobs of an hour.
func (f fleet) releaseTimes(random *rand.Rand) map[int]int {
	due := map[int]int{}
	for range f.releases {
		due[random.IntN(f.jobs)]++
	}
	return due
}

// missing returns for how many of its packs a job asks the registry, and remembers
// that they came.
func (f fleet) missing(m memory, caches map[int][]int, packs, newest []int, runner, of int) (n int) {
	var owner int
	switch m {
	case commits:
		return 0
	case none:
		return len(packs)
	case runners:
		owner = runner
	case projects:
		owner = of
	}
	if caches[owner] == nil {
		caches[owner] = make([]int, f.catalogue)
	}
	held := caches[owner]
	for _, pack := range packs {
		if held[pack] != newest[pack] {
			held[pack] = newest[pack]
			n++
		}
	}
	return n
}

// run is what one run asks of a registry that wants tokens: for each missing pack
// its manifest and its blob, and a token for its repository; and one ping, if
// anything is missing. The benchmark and the tests count that this is so.
func (f fleet) run(missing int) traffic {
	return traffic{
		pings: min(missing, 1), manifests: missing, blobs: missing, tokens: missing,
		bytes: int64(missing) * (f.size + f.manifest),
	}
}

// What the registry server, as a pull-through cache, asks its origin for a blob that it does
// not have: once for whoever asks, and once for itself. It takes a new token for the manifest
// and one for the blob. The trial counts that this is so.
const (
	headsOfMiss  = 1
	blobsOfMiss  = 2
	tokensOfMiss = 2
)

// pull is what a proxy asks of the registry for packs that it does not have, if nobody else
// wants them at the same time. It pings once in its life, which is left out.
func (f fleet) pull(missing int) traffic {
	return traffic{
		manifests: missing, blobs: blobsOfMiss * missing, heads: headsOfMiss * missing, tokens: tokensOfMiss * missing,
		bytes: int64(missing) * (blobsOfMiss*f.size + f.manifest),
	}
}
