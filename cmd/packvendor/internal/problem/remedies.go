package problem

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// GetNewest is the command that makes the newest packvendor a tool of the module.
func GetNewest() hint.Hint { return GetNewestIn("") }

// GetNewestIn is GetNewest for the module in a directory; "" is the one at hand.
func GetNewestIn(dir string) hint.Hint {
	words := []string{"go", "get", "-tool", vendorer.ToolPath + "@latest"}
	if dir != "" {
		words = slices.Insert(words, 1, "-C", dir)
	}
	return hint.Line("%s", hint.ShellLine(words))
}

// withoutProject is the command line at hand with a packs.lock in the place of a project; where
// the command takes none, it is the hint that makes a project. The --lock of inspect and verify is
// only for a compiled program.
func (x Explainer) withoutProject(makes hint.Hint) hint.Hint {
	h := x.Hints
	if h.HasFlag("lock") && h.Name != "inspect" && (!h.HasFlag("binary") || h.SetsFlag("binary")) {
		return h.Again("--lock=packs.lock")
	}
	return makes
}

// asFile is the add at hand with a file in the place of what is no reference; none if there is no
// such file.
func (x Explainer) asFile(word string) hint.Hint {
	args := x.Hints.Args
	at := slices.Index(args, word)
	if at < 0 || x.Hints.Name != "add" {
		return hint.Hint{}
	}
	if info, err := os.Stat(word); err != nil || !info.Mode().IsRegular() {
		return hint.Hint{}
	}
	words := slices.Clone(args)
	words[at] = "./" + word
	return hint.Command(words...)
}

// inWorkspace is the command line at hand for a module of the workspace; where that has
// no packs.toml, it is the init that makes one.
func (x Explainer) inWorkspace(e *vendorer.NoModuleError) hint.Hint {
	file := filepath.Join(e.Module, "packs.toml")
	if e.HasTOML || x.Hints.Name == "init" {
		return x.Hints.For(file)
	}
	return hint.Command("init", "-f", file)
}

// exportInstead is the export with other options; none without options.
func (x Explainer) exportInstead(eo *vendorer.ExportOptions) hint.Hint {
	if eo == nil {
		return hint.Hint{}
	}
	words := append([]string{"export"}, eo.Names...)
	if eo.Since != "" {
		words = append(words, "--since", eo.Since)
	}
	return x.Hints.Command(append(words, "-o", eo.Output)...)
}

// compare is the command that shows the difference between two digests of a repository.
func (x Explainer) compare(repository string, before, after ociref.Digest) hint.Hint {
	return x.Hints.Edit("diff", repository+"@"+string(before), repository+"@"+string(after))
}

// acceptRetagFlag is the flag by which update follows a tag to other bytes.
const acceptRetagFlag = "--accept-retag"

// acceptRetag is the command that accepts the other bytes of a pack, and gives it the
// wanted tag, if there is one.
func (x Explainer) acceptRetag(pack *vendorer.PackError, wanted string) hint.Hint {
	name := pack.Name
	if wanted != "" {
		name += "@" + wanted
	}
	return when(pack.Name != "", x.Hints.Update(name, acceptRetagFlag))
}

// oneOfIndex is the command for one of the packs that an index lists; none if it lists
// none.
func (x Explainer) oneOfIndex(pack *vendorer.PackError, reference string) hint.Hint {
	if reference != "" && pack.Name != "" {
		return x.Hints.Edit("add", pack.Name, reference)
	}
	one, err := ociref.Parse(reference)
	words := slices.Clone(x.Hints.Args)
	for i, word := range words {
		if ref, wordErr := ociref.Parse(word); err == nil && wordErr == nil && ref.Name() == one.Name() {
			words[i] = reference
			return hint.Command(words...)
		}
	}
	return hint.Hint{}
}

// relock is the command that locks a pack anew as packs.toml has it. A pinned
// one must not follow its tag meanwhile.
func (x Explainer) relock(pack *vendorer.PackError, name string) hint.Hint {
	if ref, err := ociref.Parse(pack.Ref); err == nil && ref.Digest != "" {
		return x.Hints.Edit("add", name, pack.Ref)
	}
	return x.Hints.Update(name)
}

// addition is the command that adds a pack under its name, none if it has none.
func (x Explainer) addition(a vendorer.Addition) hint.Hint {
	if a.Name == "" {
		return hint.Hint{}
	}
	words := []string{"add", a.Name, cmp.Or(a.Reference, a.Path)}
	if a.Version != "" {
		words = append(words, "--version", a.Version)
	}
	if a.AllowTags {
		words = append(words, "--allow-tags")
	}
	return x.Hints.Edit(words...)
}

// registry is about the answer of a registry.
func (x Explainer) registry(pack *vendorer.PackError, e *packfetch.RegistryError) Problem {
	p := Problem{Kind: Network}
	isGone := pack.Locked != nil && e.IsNotFound()
	if isGone {
		gone := *pack
		gone.Err = fmt.Errorf("what is locked is gone from the registry\n\t%w", e)
		var all *packfetch.SourcesError
		if errors.As(pack.Err, &all) {
			gone.Err = fmt.Errorf("what is locked is gone from the registry: %w", all)
		}
		p.Text = gone.Error()
	}
	switch {
	case e.MayBePlain() && (x.Hints.File == "" || x.Hints.HasFlag("insecure-registry")): // it is not about a packs.toml
		p.Hint = x.Hints.Again("--insecure-registry=" + e.Host)
	case e.MayBePlain():
		p.Hint = hint.Insecure(x.Hints.File, append(slices.Clone(pack.Insecure), e.Host)...)
	case e.Registry != "" && !e.IsNotFound():
		p.Hint = hint.Command("auth", "explain", e.Registry)
	case isGone && isReplaced(pack.Err):
		p.Hint = x.Hints.Command("mirror", "explain", pack.Ref)
	case isGone:
		p.Hint = x.lockAnother(pack)
	}
	return p
}

// isReplaced reports whether another location of registries.conf was asked in the registry's place.
// The pack may be gone there, or the location may be wrong.
func isReplaced(err error) bool {
	var all *packfetch.SourcesError
	return errors.As(err, &all) && all.Attempts[len(all.Attempts)-1].Role == "location"
}

// lockAnother is the command that follows the tag of a pack, or pins another of its
// repository; none without a reference.
func (x Explainer) lockAnother(pack *vendorer.PackError) hint.Hint {
	ref, err := ociref.Parse(pack.Ref)
	switch {
	case err != nil:
		return hint.Hint{}
	case ref.Tag != "":
		return x.Hints.Update(pack.Name)
	}
	return x.Hints.Edit("add", pack.Name, ref.Name())
}
