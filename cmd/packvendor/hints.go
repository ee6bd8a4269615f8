package main

import (
	"errors"
	"slices"
	"strings"

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
func (p *printer) hintFor(err error) hint {
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
		return hint{isCommand: true, words: append(strings.Fields(usage.command.CommandPath())[1:], "--help")}
	case isOfNewer(err):
		return hint{line: getNewest}
	case errors.As(err, &unpinned) && unpinned.Unpinned != "":
		return p.edit("add", unpinned.Unpinned, unpinned.Ref)
	case errors.As(err, &noModule):
		return hint{line: "go mod init example.com/app"}
	case errors.As(err, &noProject):
		return p.command("init")
	case errors.As(err, &noName) && noName.New:
		return p.rerun("--package=" + slices.Concat(noName.Names, []string{"packs"})[0])
	case errors.As(err, &tag):
		return p.rerun("--allow-tags")
	}
	if h := p.hintForPack(err); !h.isNone() {
		return h
	}
	return p.hintForDrift(err)
}

// hintForPack is about an error of one pack.
func (p *printer) hintForPack(err error) hint {
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
		return p.edit("add", pack.Name, ranged.Repository+":"+ranged.Tag)
	case errors.As(err, &none) && none.Newest != "":
		return p.edit("add", pack.Name, none.Repository+":"+none.Newest)
	case errors.As(err, &registry):
		return p.hintForRegistry(pack, registry)
	}
	return hint{}
}

// compare is the command that shows what changed in a repository from one digest to
// another.
func (p *printer) compare(repository string, before, after ociref.Digest) hint {
	return p.edit("diff", repository+"@"+string(before), repository+"@"+string(after))
}

// secondHintFor is what to do once the hint for an error has shown what there is to
// accept; none if there is nothing.
func (p *printer) secondHintFor(err error) hint {
	var pack *vendorer.PackError
	var retag *vendorer.RetagError
	var mismatch *vendorer.TagMismatchError
	if !errors.As(err, &pack) {
		return hint{}
	}
	switch {
	case errors.As(err, &retag) && retag.Wish != "":
		return p.update(pack.Name+"@"+retag.Wish, "--accept-retag")
	case errors.As(err, &retag), errors.As(err, &mismatch) && mismatch.IsPack:
		return p.update(pack.Name, "--accept-retag")
	}
	return hint{}
}

// hintForIndex is the command for one of the packs that an index lists.
func (p *printer) hintForIndex(pack *vendorer.PackError, reference string) hint {
	if pack.Name != "" {
		return p.edit("add", pack.Name, reference)
	}
	one, err := ociref.Parse(reference)
	words := slices.Clone(p.args)
	for i, word := range words {
		if ref, wordErr := ociref.Parse(word); err == nil && wordErr == nil && ref.Name() == one.Name() {
			words[i] = reference
			return hint{isCommand: true, words: words}
		}
	}
	return hint{}
}

func (p *printer) hintForRegistry(pack *vendorer.PackError, e *packfetch.RegistryError) hint {
	switch {
	case e.MayBePlain() && (p.file == "" || p.has != nil && p.has("insecure-registry")): // it is not about a packs.toml
		return p.rerun("--insecure-registry=" + e.Host)
	case e.MayBePlain():
		return hint{file: p.file, insecure: append(slices.Clone(pack.Insecure), e.Host)}
	case e.Registry != "" && !e.IsNotFound():
		return hint{isCommand: true, words: []string{"auth", "explain", e.Registry}}
	case !isGone(pack, e):
		return hint{}
	}
	ref, err := ociref.Parse(pack.Ref)
	if err != nil {
		return hint{}
	}
	if ref.Tag != "" {
		return p.update(pack.Name)
	}
	return p.edit("add", pack.Name, ref.Name())
}

// relock is the command that locks a pack anew as packs.toml has it. A pinned
// one must not follow its tag meanwhile.
func (p *printer) relock(pack *vendorer.PackError, name string) hint {
	if ref, err := ociref.Parse(pack.Ref); err == nil && ref.Digest != "" {
		return p.edit("add", name, pack.Ref)
	}
	return p.update(name)
}

// addition is the command that adds a pack under its name, none if it has none.
func (p *printer) addition(a vendorer.Addition) hint {
	if a.Name == "" {
		return hint{}
	}
	words := []string{"add", a.Name, a.Reference}
	if a.Version != "" {
		words = append(words, "--version", a.Version)
	}
	if a.AllowTags {
		words = append(words, "--allow-tags")
	}
	return p.edit(words...)
}

// hintForDrift is about what a bare run mends.
func (p *printer) hintForDrift(err error) hint {
	var offline *packfetch.OfflineError
	var corrupt *packfetch.CorruptCacheError
	var locked *vendorer.LockedError
	var conflict *vendorer.ConflictError
	var generated *vendorer.GeneratedError
	var vendored *vendorer.VendoredError
	switch {
	case errors.As(err, &conflict) && conflict.Merging:
		h := p.bareRun()
		h.ours = conflict.File
		return h
	case errors.As(err, &locked):
		return p.bareRun()
	case errors.As(err, &generated), errors.As(err, &vendored): // which needs no other lock
		h := p.command()
		h.flags = p.undone("frozen", "offline")
		return h
	case errors.As(err, &offline), errors.As(err, &corrupt) && (p.has == nil || p.has("offline")):
		return p.rerun()
	}
	return hint{}
}

// isGone tells whether the registry no longer has what is locked.
func isGone(pack *vendorer.PackError, e *packfetch.RegistryError) bool {
	return pack.Locked != nil && e.IsNotFound()
}
