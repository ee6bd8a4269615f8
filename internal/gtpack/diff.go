package gtpack

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/greenticai/packvendor/internal/verified"
)

// A Kind says what happened to a file.
type Kind string

const (
	Added   Kind = "added"
	Removed Kind = "removed"
	Changed Kind = "changed"
)

// A Change is what two archives hold differently under one name.
type Change struct {
	Name    string
	Kind    Kind
	OldSize int64 // unpacked bytes; 0 if Added
	NewSize int64 // 0 if Removed
}

// Diff returns the changes that lead from the files of old to those of new, by
// name; none if they hold the same, however they are packed. Contents are
// compared by their sha256. Any zip archive will do: manifests are not read.
//
// Errors are those of [Read], and say which of the two they are about.
func Diff(ctx context.Context, old, new Source) ([]Change, error) {
	return diff(ctx, old, new, defaults)
}

func diff(ctx context.Context, old, new Source, bounds bounds) ([]Change, error) {
	before, err := digests(ctx, old, bounds)
	if err != nil {
		return nil, fmt.Errorf("old: %w", err)
	}
	after, err := digests(ctx, new, bounds)
	if err != nil {
		return nil, fmt.Errorf("new: %w", err)
	}
	var changes []Change
	for name, b := range before {
		a, there := after[name]
		switch {
		case !there:
			changes = append(changes, Change{Name: name, Kind: Removed, OldSize: b.Size})
		case a != b:
			changes = append(changes, Change{Name: name, Kind: Changed, OldSize: b.Size, NewSize: a.Size})
		}
	}
	for name, a := range after {
		if _, there := before[name]; !there {
			changes = append(changes, Change{Name: name, Kind: Added, NewSize: a.Size})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Name, b.Name) })
	return changes, nil
}

func digests(ctx context.Context, src Source, bounds bounds) (map[string]verified.Content, error) {
	a, err := open(ctx, src, bounds)
	if err != nil {
		return nil, err
	}
	all := make(map[string]verified.Content, len(a.files))
	err = a.each(func(name string, r io.Reader) (err error) {
		all[name], err = verified.Measure(ctx, r)
		return err
	})
	return all, err
}
