package problem

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
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

// A rule describes an error; it returns nothing if the chain has no error of its type.
type rule func(error) Problem

// on is the rule for errors of type E.
func on[E error](about func(E) Problem) rule {
	return func(err error) Problem {
		var e E
		if !errors.As(err, &e) {
			return Problem{}
		}
		return about(e)
	}
}

// all is the rule for several types of one kind. Its targets are as for errors.As.
func all(kind Kind, targets ...any) rule {
	return func(err error) Problem {
		if slices.ContainsFunc(targets, func(target any) bool { return errors.As(err, target) }) {
			return Problem{Kind: kind}
		}
		return Problem{}
	}
}

// when is a hint, none unless ok.
func when(ok bool, h hint.Hint) hint.Hint {
	if ok {
		return h
	}
	return hint.Hint{}
}

// add completes a problem with the result of another rule.
func (p *Problem) add(other Problem) {
	p.Kind = max(p.Kind, other.Kind)
	p.alone, p.pin = p.alone || other.alone, p.pin || other.pin
	if other.Text != "" {
		p.Text = other.Text
	}
	p.Text += other.advice
	if p.File == "" {
		p.File, p.Line = other.File, other.Line
	}
	if p.Hint.IsNone() {
		p.Hint, p.Then = other.Hint, other.Then
	}
}

// rules is the table of all errors: their kind, the line to blame, and the hint. The
// first rule with a line or a hint wins. pack is the pack that the error is about; empty
// for none.
func (x Explainer) rules(pack *vendorer.PackError) []rule {
	return slices.Concat(x.inputRules(), x.signatureRules(pack), x.packRules(pack), x.fileRules(), x.fetchRules(), kindRules())
}

// inputRules are about input of the user: the command line, packs.toml and packs.lock.
func (x Explainer) inputRules() []rule {
	h := x.Hints
	return []rule{
		on(func(e *UsageError) Problem {
			return Problem{Kind: Usage, Hint: when(e.Help != nil, hint.Command(e.Help...))}
		}),
		on(func(e *vendorer.TakenError) Problem {
			return Problem{Kind: Usage, File: e.File, Line: e.Line, Hint: x.addition(e.Addition)}
		}),
		on(func(e *vendorer.GoNameError) Problem { return Problem{Kind: Usage, Hint: x.addition(e.Addition)} }),
		on(func(e *vendorer.ClashingAdditionError) Problem { return Problem{Hint: x.addition(e.Addition)} }),
		on(func(e *packsfile.SyntaxError) Problem { return Problem{Kind: Usage, File: e.File, Line: e.Line} }),
		on(func(e *packsfile.Error) Problem {
			if e.Unpinned != "" {
				return Problem{Kind: Usage, File: e.File, Line: e.Line, Hint: h.Edit("add", e.Unpinned, e.Ref), pin: true}
			}
			return Problem{Kind: Usage, File: e.File, Line: e.Line, Hint: when(e.Newer, GetNewest())}
		}),
		on(func(e *lockfile.Error) Problem {
			return Problem{Kind: Usage, File: e.File, Line: e.Line, Hint: when(e.Newer, GetNewest())}
		}),
		on(func(e *vendorer.NoModuleError) Problem {
			if e.Workspace != "" {
				return Problem{Kind: Usage, Hint: x.inWorkspace(e)}
			}
			return Problem{Kind: Usage, Hint: x.withoutProject(hint.Line("go mod init example.com/app"))}
		}),
		on(func(e *vendorer.CIError) Problem {
			if e.File != "" {
				return Problem{Kind: Usage, File: e.File, Hint: h.Command("init", "--ci", "github")} // its weekly job updates packs
			}
			return Problem{Kind: Usage, Hint: hint.Command("init", "--help")}
		}),
		on(func(e *vendorer.NoProjectError) Problem {
			return Problem{Kind: Usage, Hint: x.withoutProject(h.Command("init"))}
		}),
		on(func(e *vendorer.PackageNameError) Problem {
			return Problem{Kind: Usage, Hint: when(e.New, h.Again("--package="+slices.Concat(e.Names, []string{"packs"})[0]))}
		}),
		on(func(e *packfetch.InvalidReferenceError) Problem {
			return Problem{Kind: Usage, Hint: x.asFile(e.Reference)}
		}),
		on(func(e *packfetch.TagDisallowedError) Problem {
			return Problem{Kind: Usage, Hint: h.Again("--allow-tags")}
		}),
	}
}

// packRules are about a pack and its repository.
func (x Explainer) packRules(pack *vendorer.PackError) []rule {
	h := x.Hints
	return []rule{
		on(func(e *packfetch.IndexError) Problem { return Problem{Kind: Usage, Hint: x.oneOfIndex(pack, e.Pack)} }),
		on(func(e *vendorer.InconsistentError) Problem {
			return Problem{Kind: Integrity, File: e.File, Line: e.Line, Hint: x.relock(pack, e.Name)}
		}),
		on(func(e *vendorer.PackError) Problem { return Problem{File: e.File, Line: e.Line} }),
		on(func(e *vendorer.RetagError) Problem {
			return Problem{Kind: Integrity, Hint: x.compare(e.Repository, e.Locked, e.Now), Then: x.acceptRetag(pack, e.Wanted)}
		}),
		on(func(e *vendorer.TagMismatchError) Problem {
			return Problem{Kind: Drift, Hint: when(e.IsPack, x.compare(e.Repository, e.Pinned, e.Now)), Then: when(e.IsPack, x.acceptRetag(pack, ""))}
		}),
		on(func(e *vendorer.RangeError) Problem {
			return Problem{Kind: Usage, Hint: h.Edit("add", pack.Name, e.Repository+":"+e.Tag)}
		}),
		on(func(e *vendorer.NoVersionError) Problem {
			return Problem{Kind: Usage, Hint: when(e.Newest != "", h.Edit("add", pack.Name, e.Repository+":"+e.Newest)), alone: true}
		}),
		on(func(e *packfetch.RegistryError) Problem { return x.registry(pack, e) }),
	}
}

// fileRules are about files of the project that do not agree.
func (x Explainer) fileRules() []rule {
	h := x.Hints
	return []rule{
		on(func(e *vendorer.ConflictError) Problem { return Problem{Hint: when(e.Merging, h.RunOurs(e.File))} }),
		on(func(e *vendorer.LockedError) Problem {
			p := Problem{Kind: Drift, File: cmp.Or(e.Place, e.File), Line: e.Line, Hint: h.Run()}
			if h.InCI {
				p.advice = "\n\tit must not in CI: run this on your own machine, and commit what it writes"
			}
			return p
		}),
		on(func(e *vendorer.DevelopedError) Problem { return Problem{Kind: Drift, Hint: x.addition(e.Addition)} }),
		on(func(e *vendorer.LocalFileGoneError) Problem {
			return Problem{Kind: Usage, Hint: x.addition(e.Addition)}
		}),
		all(Usage, new(*vendorer.NoLocalFileError), new(*vendorer.FileDistError)),
		on(func(e *vendorer.FileExportError) Problem {
			return Problem{Kind: Usage, Hint: x.exportInstead(e.Instead)}
		}),
		on(func(e *vendorer.ProgramSBOMError) Problem {
			if e.Name == "" {
				return Problem{Kind: Drift}
			}
			return Problem{Kind: Integrity}
		}),
		all(Drift, new(*vendorer.NoMarkerError)),
		on(func(e *vendorer.LinkError) Problem {
			if e.IsAboutBytes() {
				return Problem{Kind: Integrity}
			}
			return Problem{Kind: Drift}
		}),
		on(func(e *vendorer.VendoredError) Problem {
			p := Problem{Kind: Integrity, File: e.Path, Hint: when(!e.Lost, h.Restore())} // which needs no other lock
			if e.IsMissing() {
				p.Kind = Drift
			}
			return p
		}),
		on(func(e *vendorer.GeneratedError) Problem { return Problem{Kind: Drift, File: e.Path, Hint: h.Restore()} }),
		on(func(e *vendorer.ClashError) Problem { return Problem{Kind: Usage, File: e.File} }),
		on(func(e *vendorer.PlaceError) Problem { return Problem{Kind: Usage, File: e.Path} }),
		on(func(e *vendorer.OverrideError) Problem {
			if e.Line == 0 {
				return Problem{Kind: Drift}
			}
			return Problem{Kind: Drift, File: e.Path, Line: e.Line}
		}),
		on(func(e *vendorer.LimitError) Problem { return Problem{Kind: Usage, File: e.File, Line: e.Limit.Line} }),
		on(func(e *vendorer.LongFileError) Problem { return Problem{Kind: Usage, File: e.File} }),
	}
}

// fetchRules are about the network and the cache.
func (x Explainer) fetchRules() []rule {
	h := x.Hints
	return []rule{
		all(Network, new(*packfetch.UnsearchedError)),
		all(Integrity, new(*packfetch.UnsignedError)),
		on(func(e *packfetch.OfflineError) Problem { return Problem{Kind: Network, Hint: h.Again()} }),
		on(func(e *vendorer.NetworkOffError) Problem {
			return Problem{Text: e.Work + " needs the network (--offline is set)", alone: true}
		}),
		on(func(e *packfetch.CorruptCacheError) Problem {
			return Problem{Kind: Integrity, Hint: when(h.Has == nil || h.Has("offline"), h.Again())}
		}),
		on(func(e *packfetch.MirrorFileError) Problem { return Problem{Kind: Usage, File: e.File, Line: e.Line} }),
		on(func(e *packfetch.BlockedError) Problem {
			return Problem{Kind: Usage, File: e.File, Line: e.Line}
		}),
		all(Usage, new(*packfetch.MirrorFileMissingError)),
		on(func(e x509.UnknownAuthorityError) Problem { return Problem{advice: certificateAdvice(x.Certificates)} }),
	}
}

// kindRules are about errors that have a kind and nothing else.
func kindRules() []rule {
	return []rule{
		all(Drift, new(*vendorer.EmbedError), new(*vendorer.MissingPacksError), new(*vendorer.MergeConflictError), new(*vendorer.TextMergeError)),
		all(Usage, new(*vendorer.FormatError), new(*vendorer.MarkerLimitError), new(*vendorer.MarkerVersionError)),
		all(Usage, new(*vendorer.InitError), new(*vendorer.RevisionError), new(*vendorer.UsageError), new(*vendorer.KeepError), new(*vendorer.InputError), new(*vendorer.MergeError), new(*vendorer.BundleError),
			new(*vendorer.UnknownPackError), new(*vendorer.EditError), new(*gtpack.NotPackError), new(*gtpack.MalformedError),
			new(*packfetch.NoPackError), new(*packfetch.OptionError), new(*packfetch.PublicKeyError)),
		all(Network, new(*vendorer.ProxyError)),
		all(Storage, new(*packfetch.StorageError)),
		on(func(e *packfetch.UnreadBundleError) Problem {
			if e.IsMissing() {
				return Problem{Kind: Usage}
			}
			return Problem{Kind: Storage}
		}),
		all(Integrity, new(*packfetch.DigestMismatchError), new(*packfetch.ManifestError), new(*packfetch.ProtocolError)),
	}
}

// withoutProject is the command line at hand with a packs.lock in the place of a project; where
// the command takes none, it is the hint that makes a project.
func (x Explainer) withoutProject(makes hint.Hint) hint.Hint {
	if x.Hints.HasFlag("lock") && (!x.isAboutProgram() || x.hasBinary()) {
		return x.Hints.Again("--lock=packs.lock")
	}
	return makes
}

// isAboutProgram tells whether --lock of the command at hand is only for a compiled program.
func (x Explainer) isAboutProgram() bool {
	return slices.Contains(x.Hints.Args, "verify") || slices.Contains(x.Hints.Args, "inspect")
}

// hasBinary tells whether the command line at hand names a compiled program by --binary.
func (x Explainer) hasBinary() bool {
	return slices.ContainsFunc(x.Hints.Args, func(word string) bool {
		name, _, _ := strings.Cut(word, "=")
		return name == "--binary"
	})
}

// asFile is the add at hand with a file in the place of what is no reference; none if there is no
// such file.
func (x Explainer) asFile(word string) hint.Hint {
	args := x.Hints.Args
	at := slices.Index(args, word)
	if at < 0 || !slices.Contains(args, "add") {
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
	if e.HasTOML || slices.Contains(x.Hints.Args, "init") {
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
