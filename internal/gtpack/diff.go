package gtpack

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/greenticai/packvendor/internal/verified"
)

// A FileChangeKind is the kind of a FileChange.
type FileChangeKind string

const (
	Added   FileChangeKind = "added"
	Removed FileChangeKind = "removed"
	Changed FileChangeKind = "changed"
)

// A FileChange is a difference between two archives under one name.
type FileChange struct {
	Name    string
	Kind    FileChangeKind
	OldSize int64 // unpacked bytes; 0 if Added
	NewSize int64 // 0 if Removed
}

// Diff returns the changes from the files of old to those of new, by name; none if the
// files are equal, however they are packed. It compares contents by their sha256. Any
// zip archive will do: Diff reads no manifests.
//
// Errors are those of [Read], and say which archive they concern.
func Diff(ctx context.Context, old, new Source) ([]FileChange, error) {
	return diff(ctx, old, new, defaults)
}

func diff(ctx context.Context, old, new Source, bounds bounds) ([]FileChange, error) {
	before, err := digests(ctx, old, bounds)
	if err != nil {
		return nil, fmt.Errorf("old: %w", err)
	}
	after, err := digests(ctx, new, bounds)
	if err != nil {
		return nil, fmt.Errorf("new: %w", err)
	}
	var changes []FileChange
	for name, b := range before {
		a, there := after[name]
		switch {
		case !there:
			changes = append(changes, FileChange{Name: name, Kind: Removed, OldSize: b.Size})
		case a != b:
			changes = append(changes, FileChange{Name: name, Kind: Changed, OldSize: b.Size, NewSize: a.Size})
		}
	}
	for name, a := range after {
		if _, there := before[name]; !there {
			changes = append(changes, FileChange{Name: name, Kind: Added, NewSize: a.Size})
		}
	}
	slices.SortFunc(changes, func(a, b FileChange) int { return cmp.Compare(a.Name, b.Name) })
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
