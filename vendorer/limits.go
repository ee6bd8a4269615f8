package vendorer

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
)

// A SizeLimitError reports that a pack, or all packs together, are larger than packs.toml allows.
type SizeLimitError struct {
	Limit packsfile.Limit
	Size  int64 // bytes
	// File is packs.toml where all packs together are too large; it is "" of one pack, which
	// a *PackError names.
	File    string
	Largest []lockfile.Entry // of all packs, the largest first
}

func (e *SizeLimitError) Error() string {
	if e.File == "" {
		return fmt.Sprintf("the pack has %s, more than limits.pack: %s", sizeText(e.Size), e.Limit.Text)
	}
	text := fmt.Sprintf("%s:%d: all packs together have %s, more than limits.total: %s", e.File, e.Limit.Line, sizeText(e.Size), e.Limit.Text)
	for _, entry := range e.Largest {
		text += fmt.Sprintf("\n\t%s: %s", entry.Name, humanize.Bytes(uint64(entry.Size)))
	}
	return text
}

// sizeText is a size for people, and exactly: it may be a byte above a limit.
func sizeText(size int64) string {
	return fmt.Sprintf("%s (%d bytes)", humanize.Bytes(uint64(size)), size)
}

// maxLargest bounds the packs that a message about all packs names.
const maxLargest = 5

// limitErrors returns a *SizeLimitError for each task whose pack is larger than packs.toml allows, in
// a *PackError, and one for all together. Packs that are not locked yet do not count.
func (s *session) limitErrors(tasks []*task) []error {
	limits := s.p.Config.Limits
	var errs []error
	var total int64
	var entries []lockfile.Entry
	for _, t := range tasks {
		if t.entry.Name == "" {
			continue
		}
		if limits.Pack.IsExceeded(t.entry.Size) {
			errs = append(errs, s.packError(t.Pack, t.Action, &t.Locked, &SizeLimitError{Limit: limits.Pack, Size: t.entry.Size}))
		}
		total += min(t.entry.Size, maxEmbedded+1) // never overflows: names are few
		entries = append(entries, t.entry)
	}
	if limits.Total.IsExceeded(total) {
		slices.SortStableFunc(entries, func(a, b lockfile.Entry) int { return cmp.Compare(b.Size, a.Size) })
		errs = append(errs, &SizeLimitError{Limit: limits.Total, Size: total, File: s.p.Show(s.p.TOMLFile), Largest: entries[:min(len(entries), maxLargest)]})
	}
	return errs
}
