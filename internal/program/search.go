package program

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/ociref"
)

// search looks for each content that markers of an image describe. It takes what it uses from
// the budget.
func (i image) search(ctx context.Context, markers []marker.Marker, budget *budget) (map[content]target, error) {
	states := map[content]target{}
	for _, m := range markers {
		states[contentOf(m)] = target{}
	}
	s := newSearch(i.bytes, states, budget)
	err := s.run(ctx)
	for _, group := range s.groups {
		for _, c := range group.contents {
			states[c.content] = *c
		}
	}
	for _, c := range s.short {
		states[c.content] = *c
	}
	return states, err
}

// A search looks for contents in an image: first for the places where one may begin, then
// whether it is there.
type search struct {
	space   addressSpace
	groups  []*group  // of contents that begin alike
	short   []*target // those that are all head
	offsets int       // of all groups
	ends    []int64   // of archives, where their last record is, in their order
	budget  *budget
}

// A group is contents with the same head, and the places that have this head.
type group struct {
	contents []*target // by size
	offsets  []int64   // in their order
	cut      bool      // there were more places
}

// A target is a content, its state as far as it is known, and where it is if it is present and
// not all head.
type target struct {
	content
	state State
	at    int64
}

// reader returns the bytes of a content that is present.
func (c target) reader(space addressSpace) *io.SectionReader {
	if c.isAllHead() {
		return io.NewSectionReader(strings.NewReader(c.head), 0, c.size)
	}
	return io.NewSectionReader(space, c.at, c.size)
}

const (
	maxOffsets = 1 << 19
	// maxGroupOffsets is less, so that one group leaves room for others.
	maxGroupOffsets = maxOffsets / 2
	maxEnds         = 1 << 19
	maxShort        = 64
)

func newSearch(space addressSpace, states map[content]target, budget *budget) *search {
	s := &search{space: space, budget: budget}
	byHead := map[string]*group{}
	for c := range states {
		wanted := &target{content: c, state: Absent}
		if c.isAllHead() {
			s.short = append(s.short, wanted)
			continue
		}
		g := byHead[c.head]
		if g == nil {
			g = &group{}
			byHead[c.head] = g
			s.groups = append(s.groups, g)
		}
		g.contents = append(g.contents, wanted)
	}
	for _, g := range s.groups {
		slices.SortFunc(g.contents, func(a, b *target) int {
			return cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(a.layer, b.layer), cmp.Compare(a.part, b.part))
		})
	}
	return s
}

// run finds out the states. Groups with few places come first: one with many may use up the
// budget.
func (s *search) run(ctx context.Context) error {
	if err := s.findOffsets(ctx); err != nil {
		return err
	}
	slices.SortStableFunc(s.groups, func(a, b *group) int { return cmp.Compare(len(a.offsets), len(b.offsets)) })
	for _, g := range s.groups {
		err := s.matchGroup(ctx, g)
		if err != nil && !errors.Is(err, errBudget) {
			return err
		}
		if g.cut || err != nil {
			g.markUnknown()
		}
	}
	return nil
}

// markUnknown says so of what was not looked for to the end.
func (g *group) markUnknown() {
	for _, c := range g.contents {
		if c.state == Absent {
			c.state = Unknown
		}
	}
}

// findOffsets finds the places of all groups and the ends of archives, and settles the short
// contents.
func (s *search) findOffsets(ctx context.Context) error {
	if len(s.groups)+len(s.short) == 0 {
		return nil
	}
	f := newFinder()
	for _, g := range s.groups {
		f.addHead(g.contents[0].head, func(at int64) bool { return s.addOffset(g, at) })
	}
	if slices.ContainsFunc(s.groups, func(g *group) bool { return g.contents[0].isZip() }) {
		f.addZipEnd(s.addEnd)
	}
	for _, c := range s.short[min(len(s.short), maxShort):] {
		c.state = Unknown
	}
	missing := slices.Clone(s.short[:min(len(s.short), maxShort)])
	return f.run(ctx, s.space, func(chunk []byte) {
		missing = slices.DeleteFunc(missing, func(c *target) bool { return c.isIn(chunk) })
	})
}

func (s *search) addOffset(g *group, at int64) bool {
	g.cut = s.offsets == maxOffsets || len(g.offsets) == maxGroupOffsets
	if !g.cut {
		s.offsets++
		g.offsets = append(g.offsets, at)
	}
	return !g.cut
}

// addEnd passes over more than it can keep: the second pass of matchGroup needs none.
func (s *search) addEnd(at int64) bool {
	if n := len(s.ends); n == 0 || s.ends[n-1] < at { // else it was found before
		s.ends = append(s.ends, at)
	}
	return len(s.ends) < maxEnds
}

// isIn settles a content that is all head if the bytes contain it.
func (c *target) isIn(chunk []byte) bool {
	if !bytes.Contains(chunk, []byte(c.head)) {
		return false
	}
	c.state = Other // the marker contradicts itself
	if digest := ociref.DigestOf([]byte(c.head)); digest == c.layer && digest == c.part {
		c.state = Present
	}
	return true
}

// matchGroup compares the contents of a group with its places. In the first pass an archive is
// looked for only where one of its size ends: packs hold many files, and each of them may
// begin like a pack.
func (s *search) matchGroup(ctx context.Context, g *group) error {
	for _, likely := range []func(*target, int64) bool{s.isWhole, s.fits} {
		var unmatched []int64
		end := int64(0) // of the content that was found last
		for _, at := range g.offsets {
			if at < end {
				continue
			}
			found, err := s.matchAt(ctx, g, at, likely)
			if err != nil {
				return err
			}
			if found == nil {
				unmatched = append(unmatched, at)
			} else {
				end = at + found.size
			}
		}
		g.offsets = unmatched
	}
	return nil
}

// fits tells whether a content that begins at a place would end within the image.
func (s *search) fits(c *target, at int64) bool { return c.size <= s.space.Size()-at }

// isWhole is fits, and of an archive it tells whether one ends where this one would.
func (s *search) isWhole(c *target, at int64) bool {
	if c.isZip() {
		_, found := slices.BinarySearch(s.ends, at+c.size-endSize)
		return found && s.fits(c, at)
	}
	return s.fits(c, at)
}

// matchAt returns the content that is at a place, nil if there is none.
func (s *search) matchAt(ctx context.Context, g *group, at int64, likely func(*target, int64) bool) (*target, error) {
	var candidates []*target
	for _, c := range g.contents {
		if c.state == Present {
			continue
		}
		if !s.budget.takeComparison() {
			return nil, errBudget
		}
		if likely(c, at) {
			candidates = append(candidates, c)
		}
	}
	if len(candidates) == 0 {
		return nil, nil
	}
	found, mismatched, err := s.compare(ctx, candidates, at)
	for _, c := range mismatched {
		c.state = Other
	}
	if found != nil {
		found.state, found.at = Present, at
	}
	return found, err
}

// compare returns which of the contents is at a place, by digest. If none is, it returns those
// in whose place other bytes are: they begin alike, or are an archive of the same size.
func (s *search) compare(ctx context.Context, contents []*target, at int64) (found *target, mismatched []*target, err error) {
	first := newHasher(ctx, s.space, at, s.budget)
	var longer []*target
	for _, c := range contents {
		part, err := first.digest(min(c.size, marker.PartSize))
		switch {
		case err != nil:
			return nil, nil, err
		case part != c.part:
			if c.isZip() && s.isWhole(c, at) {
				mismatched = append(mismatched, c)
			}
		case c.size > marker.PartSize:
			longer = append(longer, c)
		case part == c.layer:
			return c, nil, nil
		default: // the marker contradicts itself
			mismatched = append(mismatched, c)
		}
	}
	for _, c := range longer {
		whole, err := first.digest(c.size)
		if err != nil {
			return nil, nil, err
		}
		if whole == c.layer {
			return c, nil, nil
		}
		mismatched = append(mismatched, c)
	}
	return nil, mismatched, nil
}

// errBudget ends a search that would take too long.
var errBudget = errors.New("budget")

// A budget bounds the search of an image.
type budget struct {
	bytes       int64 // that may still be hashed
	comparisons int   // of a content with a place that may still be made
}

const (
	maxComparisons = 1 << 26 // in a file; about a second
	// maxZeros is how many of the zeros may be hashed that a Wasm module leaves out.
	maxZeros = 256 << 20
)

// newBudget allows to hash twice the size of an image. Images do not overlap, so this is at most
// twice the size of the file.
func newBudget(i image, comparisons int) *budget {
	zeros := min(max(0, i.bytes.Size()-i.file.Size()), maxZeros)
	return &budget{bytes: 2 * (i.file.Size() + zeros), comparisons: comparisons}
}

func (b *budget) take(n int64) bool {
	b.bytes -= n
	return b.bytes >= 0
}

func (b *budget) takeComparison() bool {
	b.comparisons--
	return b.comparisons >= 0
}
