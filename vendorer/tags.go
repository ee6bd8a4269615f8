package vendorer

import (
	"context"
	"errors"
	"slices"

	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/versions"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer/internal/tagpolicy"
)

// A TagList is what tags a repository has.
type TagList struct {
	Repository string
	Versions   []string // the version tags, newest first
	Others     []string // the other tags, as the registry lists them
}

// Tags lists the tags of a repository: that of the pack called what, if what can be
// the name of one; else that of the reference what, whatever tag or digest it has.
// Then fo says what holds besides packs.toml, which need not be there.
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

// withNearTags says of err which tags there are, if it is that the registry does not
// have ref's; list lists them.
func withNearTags(ref ociref.Reference, err error, list func() ([]string, error)) error {
	var answer *packfetch.RegistryError
	if ref.Tag == "" || !errors.As(err, &answer) || !answer.IsNotFound() {
		return err
	}
	tags, listErr := list()
	if listErr != nil || len(tags) == 0 || slices.Contains(tags, ref.Tag) {
		return err
	}
	return &NoTagError{Near: tagpolicy.Near(ref.Tag, tags), Total: len(tags), Err: err}
}
