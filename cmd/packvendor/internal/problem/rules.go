package problem

import (
	"cmp"
	"crypto/x509"
	"errors"
	"slices"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer"
)

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
	return slices.Concat(x.inputRules(), x.signatureRules(pack), x.packRules(pack), x.fileRules(), programRules(), x.fetchRules(), kindRules())
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
		on(func(e *vendorer.GoModError) Problem { return Problem{Kind: Usage, File: e.File, Line: e.Line} }),
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
		all(Drift, new(*vendorer.LockConflictError), new(*vendorer.LockTextMergeError)),
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
		all(Usage, new(*vendorer.NoLocalFileError), new(*vendorer.DistFileError)),
		on(func(e *vendorer.FileExportError) Problem {
			return Problem{Kind: Usage, Hint: x.exportInstead(e.Instead)}
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
		on(func(e *vendorer.SizeLimitError) Problem {
			return Problem{Kind: Usage, File: e.File, Line: e.Limit.Line}
		}),
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
		all(Drift, new(*vendorer.EmbedError), new(*vendorer.MissingPacksError)),
		all(Usage, new(*vendorer.InitError), new(*vendorer.RevisionError), new(*vendorer.UsageError), new(*vendorer.KeepError), new(*vendorer.InputError), new(*vendorer.SBOMMergeError), new(*vendorer.SBOMLimitError), new(*vendorer.BundleError),
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
