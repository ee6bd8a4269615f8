package vendorer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/nearest"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/versions"
	"github.com/greenticai/packvendor/packfetch"
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
	f, err := o.alone(fo.within(o.file()))
	if err != nil {
		return nil, err
	}
	defer f.tell.flush()
	tags, err := f.Tags(ctx, ref)
	if err != nil {
		return nil, err
	}
	return newTagList(ref, tags), nil
}

func tagsOfPack(ctx context.Context, o Options, name string) (*TagList, error) {
	r, err := start(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer r.close()
	pack, ok := r.p.Config.Pack(name)
	if !ok {
		return nil, r.unknown(name)
	}
	tags, err := r.tags(ctx, pack.Reference)
	if err != nil {
		return nil, r.packError(pack, Resolve, nil, err)
	}
	return newTagList(pack.Reference, tags), nil
}

func newTagList(ref ociref.Reference, tags []string) *TagList {
	sorted, others := versions.Sort(tags)
	return &TagList{Repository: ref.Name(), Versions: tagsOf(sorted), Others: others}
}

// within are the options that hold where the packs.toml at file is at hand, be it
// only to look.
func (fo FetchOptions) within(file string) FetchOptions {
	if config := configured(file); config != nil {
		fo.InsecureRegistries = slices.Concat(fo.InsecureRegistries, config.InsecureRegistries)
	}
	return fo
}

// newestOf returns the newest version among the tags of a repository, a pre-release
// only if there is no other.
func newestOf(repository string, tags []string) (string, error) {
	newest, found := versions.Newest(tags, func(v versions.Version) bool { return !v.IsPrerelease() })
	if !found {
		newest, found = versions.Newest(tags, func(versions.Version) bool { return true })
	}
	if !found {
		return "", &NoVersionError{Repository: repository, Tags: tags}
	}
	return newest.String(), nil
}

// A NoTagError reports a tag that the repository does not have.
type NoTagError struct {
	Near  []string // tags that it has, those most like it first
	Total int      // how many it has
	Err   error    // the registry's answer
}

func (e *NoTagError) Error() string {
	return fmt.Sprintf("%v\n\ttags that are there: %s", e.Err, listedTags(e.Near, e.Total))
}

func (e *NoTagError) Unwrap() error { return e.Err }

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
	return &NoTagError{Near: nearTags(ref.Tag, tags), Total: len(tags), Err: err}
}

// maxTags bounds how many tags of a repository a message names.
const maxTags = 8

// nearTags returns tags, those most like tag first: of versions those around it, else
// the one that it may be a misspelling of.
func nearTags(tag string, tags []string) []string {
	sorted, _ := versions.Sort(tags)
	v, isVersion := versions.Parse(tag)
	if !isVersion || len(sorted) == 0 {
		near := byInterest(tags)
		if meant := nearest.Of(tag, near); meant != "" {
			near = slices.Insert(near, 0, meant)
		}
		return unique(near)
	}
	newer := 0
	for newer < len(sorted) && sorted[newer].IsNewerThan(v) {
		newer++
	}
	from := max(0, min(newer-maxTags/2, len(sorted)-maxTags))
	return tagsOf(sorted[from:min(len(sorted), from+maxTags)])
}

// byInterest are tags in the order in which people look for them: versions, newest
// first, then others; last the tags under which signatures and the like are kept.
// https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#storage
func byInterest(tags []string) []string {
	sorted, others := versions.Sort(tags)
	isAttached := func(tag string) bool { return strings.HasPrefix(tag, "sha256-") }
	plain := slices.DeleteFunc(slices.Clone(others), isAttached)
	attached := slices.DeleteFunc(others, func(tag string) bool { return !isAttached(tag) })
	return slices.Concat(tagsOf(sorted), plain, attached)
}

func tagsOf(sorted []versions.Version) []string {
	var tags []string
	for _, v := range sorted {
		tags = append(tags, v.String())
	}
	return tags
}

// unique is list with each word once, where it is first.
func unique(list []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(word string) bool {
		was := seen[word]
		seen[word] = true
		return was
	})
}

// listedTags are the first of tags in words; there are total of them.
func listedTags(tags []string, total int) string {
	shown := tags[:min(len(tags), maxTags)]
	text := strings.Join(shown, ", ")
	if more := total - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
