package vendorer

import (
	"context"

	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/versions"
	"github.com/greenticai/packvendor/vendorer/internal/tagpolicy"
)

// A TagList lists the tags of a repository.
type TagList struct {
	Repository string
	Versions   []string // the version tags, newest first
	Others     []string // the other tags, as the registry lists them
}

// Tags lists the tags of a repository. what is a pack's name or a reference, whose own
// tag or digest does not matter. For a reference, fo holds besides packs.toml, which
// may be absent.
func Tags(ctx context.Context, o Options, fo FetchOptions, what string) (*TagList, error) {
	if names.CheckPack(what) == nil {
		return tagsOfPack(ctx, o, what)
	}
	ref, err := ociref.Parse(what)
	if err != nil {
		return nil, err
	}
	f, err := o.standalone(fo.within(o.file()))
	if err != nil {
		return nil, err
	}
	defer f.close()
	tags, err := f.Tags(ctx, ref)
	if err != nil {
		return nil, err
	}
	return newTagList(ref, tags), nil
}

func tagsOfPack(ctx context.Context, o Options, name string) (*TagList, error) {
	s, err := open(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer s.close()
	s.p.Unlock() // the rest is about a registry
	pack, ok := s.p.Config.Pack(name)
	if !ok {
		return nil, s.unknown(name)
	}
	if pack.Ref == "" {
		return nil, &UsageError{Subject: name, Reason: "is from a file, which has no versions: " + pack.Path}
	}
	tags, err := s.list(ctx, pack.Reference)()
	if err != nil {
		return nil, s.packError(pack, Resolve, nil, err)
	}
	return newTagList(pack.Reference, tags), nil
}

func newTagList(ref ociref.Reference, tags []string) *TagList {
	sorted, others := versions.Sort(tags)
	return &TagList{Repository: ref.Name(), Versions: tagpolicy.Strings(sorted), Others: others}
}
