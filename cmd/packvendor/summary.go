package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/vendorer"
)

// A summary counts what a run did.
type summary struct {
	added, updated, restored, removed int
	others                            []string // files that were written although what is locked is the same
	downloaded, cached                int64    // bytes of packs, from registries and from the cache
}

func summaryOf(report *vendorer.Report) summary {
	s := summary{removed: len(report.Dropped)}
	for _, p := range report.Packs {
		switch {
		case p.Before.Name == "":
			s.added++
		case p.Before != p.Pack:
			s.updated++
		case p.Written:
			s.restored++
		}
		switch {
		case p.Written && p.Fetched:
			s.downloaded += p.Size
		case p.Written:
			s.cached += p.Size
		}
	}
	if s.added+s.updated+s.removed == 0 {
		s.others = slices.DeleteFunc(slices.Clone(report.Written), isPack)
	}
	if report.DryRun {
		return summary{}
	}
	return s
}

// isPack tells whether a file that was written is a pack, which is counted.
func isPack(name string) bool { return strings.HasSuffix(name, ".gtpack") }

// text says what a run changed; nothing if it changed nothing.
func (s summary) text(took time.Duration) string {
	var parts []string
	for _, part := range []struct {
		n    int
		verb string
	}{{s.added, "added"}, {s.updated, "updated"}, {s.restored, "restored"}, {s.removed, "removed"}} {
		switch {
		case part.n > 0 && len(parts) == 0:
			parts = append(parts, phrase.Count(part.n, "pack")+" "+part.verb)
		case part.n > 0:
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.verb))
		}
	}
	if len(s.others) > 0 {
		parts = append(parts, "wrote "+strings.Join(s.others, ", "))
	}
	if len(parts) == 0 {
		return ""
	}
	text := strings.Join(parts, ", ")
	var bytes []string
	if s.downloaded > 0 {
		bytes = append(bytes, phrase.Bytes(s.downloaded)+" downloaded")
	}
	if s.cached > 0 {
		bytes = append(bytes, phrase.Bytes(s.cached)+" from the cache")
	}
	if len(bytes) > 0 {
		text += "; " + strings.Join(bytes, ", ")
	}
	return fmt.Sprintf("%s; %.1fs", text, took.Seconds())
}
