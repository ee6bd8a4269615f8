package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer"
)

// getNewest is the command that makes the newest packvendor a tool of the module.
const getNewest = "go get -tool " + vendorer.ToolPath + "@latest"

// isOfNewer tells whether a newer packvendor may understand what this one does not.
func isOfNewer(err error) bool {
	var key *packsfile.Error
	var entry *lockfile.Error
	return errors.As(err, &key) && key.Newer || errors.As(err, &entry) && entry.Newer
}

// hintFor returns what to do about an error: a command that can be run as it
// is, or a line for packs.toml; none if neither is sure to help.
func (p *printer) hintFor(err error) hint.Hint {
	var unpinned *packsfile.Error
	var noModule *vendorer.NoModuleError
	var noProject *vendorer.NoProjectError
	var noName *vendorer.PackageNameError
	var tag *packfetch.TagDisallowedError
	var taken *vendorer.TakenError
	var goName *vendorer.GoNameError
	var clash *vendorer.ClashingAdditionError
	var usage *usageError
	switch {
	case errors.As(err, &taken):
		return p.addition(taken.Addition)
	case errors.As(err, &goName):
		return p.addition(goName.Addition)
	case errors.As(err, &clash):
		return p.addition(clash.Addition)
	case errors.As(err, &usage) && usage.command != nil:
		return hint.Command(append(strings.Fields(usage.command.CommandPath())[1:], "--help")...)
	case isOfNewer(err):
		return hint.Line(getNewest)
	case errors.As(err, &unpinned) && unpinned.Unpinned != "":
		return p.hints.Edit("add", unpinned.Unpinned, unpinned.Ref)
	case errors.As(err, &noModule):
		return hint.Line("go mod init example.com/app")
	case errors.As(err, &noProject):
		return p.hints.Command("init")
	case errors.As(err, &noName) && noName.New:
		return p.hints.Again("--package=" + slices.Concat(noName.Names, []string{"packs"})[0])
	case errors.As(err, &tag):
		return p.hints.Again("--allow-tags")
	}
	if h := p.hintForPack(err); !h.IsNone() {
		return h
	}
	return p.hintForDrift(err)
}

// hintForPack is about an error of one pack.
func (p *printer) hintForPack(err error) hint.Hint {
	var pack *vendorer.PackError
	var lie *vendorer.InconsistentError
	var retag *vendorer.RetagError
	var mismatch *vendorer.TagMismatchError
	var ranged *vendorer.RangeError
	var none *vendorer.NoVersionError
	var registry *packfetch.RegistryError
	var index *packfetch.IndexError
	if !errors.As(err, &pack) {
		pack = &vendorer.PackError{}
	}
	switch {
	case errors.As(err, &index) && index.Pack != "":
		return p.hintForIndex(pack, index.Pack)
	case errors.As(err, &lie):
		return p.relock(pack, lie.Name)
	case errors.As(err, &retag):
		return p.compare(retag.Repository, retag.Locked, retag.Now)
	case errors.As(err, &mismatch) && mismatch.IsPack:
		return p.compare(mismatch.Repository, mismatch.Pinned, mismatch.Now)
	case errors.As(err, &ranged):
		return p.hints.Edit("add", pack.Name, ranged.Repository+":"+ranged.Tag)
	case errors.As(err, &none) && none.Newest != "":
		return p.hints.Edit("add", pack.Name, none.Repository+":"+none.Newest)
	case errors.As(err, &registry):
		return p.hintForRegistry(pack, registry)
	}
	return hint.Hint{}
}

// compare is the command that shows what changed in a repository from one digest to
// another.
func (p *printer) compare(repository string, before, after ociref.Digest) hint.Hint {
	return p.hints.Edit("diff", repository+"@"+string(before), repository+"@"+string(after))
}

// secondHintFor is what to do once the hint for an error has shown what there is to
// accept; none if there is nothing.
func (p *printer) secondHintFor(err error) hint.Hint {
	var pack *vendorer.PackError
	var retag *vendorer.RetagError
	var mismatch *vendorer.TagMismatchError
	if !errors.As(err, &pack) {
		return hint.Hint{}
	}
	switch {
	case errors.As(err, &retag) && retag.Wish != "":
		return p.hints.Update(pack.Name+"@"+retag.Wish, "--accept-retag")
	case errors.As(err, &retag), errors.As(err, &mismatch) && mismatch.IsPack:
		return p.hints.Update(pack.Name, "--accept-retag")
	}
	return hint.Hint{}
}

// hintForIndex is the command for one of the packs that an index lists.
func (p *printer) hintForIndex(pack *vendorer.PackError, reference string) hint.Hint {
	if pack.Name != "" {
		return p.hints.Edit("add", pack.Name, reference)
	}
	one, err := ociref.Parse(reference)
	words := slices.Clone(p.hints.Args)
	for i, word := range words {
		if ref, wordErr := ociref.Parse(word); err == nil && wordErr == nil && ref.Name() == one.Name() {
			words[i] = reference
			return hint.Command(words...)
		}
	}
	return hint.Hint{}
}

func (p *printer) hintForRegistry(pack *vendorer.PackError, e *packfetch.RegistryError) hint.Hint {
	switch {
	case e.MayBePlain() && (p.hints.File == "" || p.hints.HasFlag("insecure-registry")): // it is not about a packs.toml
		return p.hints.Again("--insecure-registry=" + e.Host)
	case e.MayBePlain():
		return hint.Insecure(p.hints.File, append(slices.Clone(pack.Insecure), e.Host)...)
	case e.Registry != "" && !e.IsNotFound():
		return hint.Command("auth", "explain", e.Registry)
	case !isGone(pack, e):
		return hint.Hint{}
	}
	ref, err := ociref.Parse(pack.Ref)
	if err != nil {
		return hint.Hint{}
	}
	if ref.Tag != "" {
		return p.hints.Update(pack.Name)
	}
	return p.hints.Edit("add", pack.Name, ref.Name())
}

// relock is the command that locks a pack anew as packs.toml has it. A pinned
// one must not follow its tag meanwhile.
func (p *printer) relock(pack *vendorer.PackError, name string) hint.Hint {
	if ref, err := ociref.Parse(pack.Ref); err == nil && ref.Digest != "" {
		return p.hints.Edit("add", name, pack.Ref)
	}
	return p.hints.Update(name)
}

// addition is the command that adds a pack under its name, none if it has none.
func (p *printer) addition(a vendorer.Addition) hint.Hint {
	if a.Name == "" {
		return hint.Hint{}
	}
	words := []string{"add", a.Name, a.Reference}
	if a.Version != "" {
		words = append(words, "--version", a.Version)
	}
	if a.AllowTags {
		words = append(words, "--allow-tags")
	}
	return p.hints.Edit(words...)
}

// hintForDrift is about what a bare run mends.
func (p *printer) hintForDrift(err error) hint.Hint {
	var offline *packfetch.OfflineError
	var corrupt *packfetch.CorruptCacheError
	var locked *vendorer.LockedError
	var conflict *vendorer.ConflictError
	var generated *vendorer.GeneratedError
	var vendored *vendorer.VendoredError
	switch {
	case errors.As(err, &conflict) && conflict.Merging:
		return p.hints.RunOurs(conflict.File)
	case errors.As(err, &locked):
		return p.hints.Run()
	case errors.As(err, &generated), errors.As(err, &vendored): // which needs no other lock
		return p.hints.Restore()
	case errors.As(err, &offline), errors.As(err, &corrupt) && (p.hints.Has == nil || p.hints.Has("offline")):
		return p.hints.Again()
	}
	return hint.Hint{}
}

// isGone tells whether the registry no longer has what is locked.
func isGone(pack *vendorer.PackError, e *packfetch.RegistryError) bool {
	return pack.Locked != nil && e.IsNotFound()
}
