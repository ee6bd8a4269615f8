package problem

import (
	"errors"
	"slices"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// signatureRules are about who signed a pack.
func (x Explainer) signatureRules(pack *vendorer.PackError) []rule {
	h := x.Hints
	return []rule{
		on(func(e *vendorer.UnsignedError) Problem {
			p := Problem{Kind: Integrity}
			if e.Back != "" {
				p.Hint = h.Edit("update", pack.Name+"@"+e.Back)
			} else if ref, err := ociref.Parse(pack.Ref); err == nil {
				p.Hint = h.Edit("versions", ref.Name())
			}
			return p
		}),
		on(func(e *vendorer.UnsignedFileError) Problem { return Problem{Kind: Integrity} }),
		on(func(*vendorer.OverruledError) Problem { return Problem{Kind: Integrity} }),
		on(func(*vendorer.TrustFileError) Problem { return Problem{Kind: Usage} }),
		on(func(*vendorer.UnverifiedError) Problem { return Problem{Kind: Usage} }),
		on(func(*vendorer.KeylessMissingError) Problem {
			return Problem{Kind: Usage, Hint: hint.Line("go install %s@latest", vendorer.KeylessPackage)}
		}),
		all(Usage, new(*vendorer.KeylessSettingError), new(*vendorer.KeylessError)),
		on(func(*vendorer.UnsearchedError) Problem { return Problem{Kind: Network} }),
		on(func(e *vendorer.NoRuleError) Problem {
			return Problem{Kind: Usage, Hint: hint.Line("in %s, below [trust.rules]: %s", e.File, e.Line)}
		}),
		on(func(*vendorer.EvidenceError) Problem { return Problem{Kind: Integrity} }),
		on(func(e *vendorer.EvidenceSyntaxError) Problem {
			return Problem{Kind: Integrity, Hint: when(e.Newer, GetNewest())}
		}),
		on(func(e *vendorer.EvidenceMissingError) Problem {
			return Problem{Kind: Drift, Hint: when(!e.NoRule, h.Run())}
		}),
		on(func(e *vendorer.SignerRefusedError) Problem {
			return Problem{Kind: Integrity, Hint: when(!e.Retired, x.accept(vendorer.SameSigner, e.Name, vendorer.Acceptance{Target: e.Name}))}
		}),
		on(func(e *vendorer.SignerChangedError) Problem {
			return Problem{Kind: Integrity, Hint: x.accept(vendorer.SameSigner, e.Name, e.Acceptance)}
		}),
		on(func(e *vendorer.SignerLostError) Problem {
			return Problem{Kind: Integrity, Hint: x.accept(vendorer.StaysSigned, e.Name, e.Acceptance)}
		}),
		on(func(e *vendorer.OtherPackError) Problem {
			return Problem{Kind: Integrity, Hint: x.accept(vendorer.SamePackID, e.Name, e.Acceptance)}
		}),
		on(func(e *vendorer.UncomparedError) Problem {
			var failed *packfetch.RegistryError
			isGone := errors.As(e.Err, &failed) && failed.IsNotFound()
			return Problem{Kind: x.explain(e.Err).Kind, Hint: when(isGone, x.accept(vendorer.SamePackID, e.Name, e.Acceptance, vendorer.NoOlder))}
		}),
		on(func(e *vendorer.OtherVersionError) Problem {
			return Problem{Kind: Integrity, Hint: x.accept(vendorer.NoOlder, e.Name, e.Acceptance)}
		}),
		on(func(*vendorer.UnaskedSignerError) Problem { return Problem{Kind: Drift} }),
		on(func(*vendorer.ExceptionUnprovedError) Problem {
			return Problem{Kind: Drift, Hint: h.Command("verify", "--remote")}
		}),
		on(func(*vendorer.FingerprintError) Problem { return Problem{Kind: Integrity} }),
		all(Usage, new(*vendorer.KeyFileError), new(*vendorer.KeyChoiceError), new(*vendorer.KeyTakenError), new(*vendorer.SameSignerError),
			new(*vendorer.UnknownSignerError)),
	}
}

// accept is the update by which the user accepts that a signed pack breaks with what is
// locked, or the line of packs.toml that it needs; none if neither leads there.
func (x Explainer) accept(kind vendorer.Continuity, name string, way vendorer.Acceptance, more ...vendorer.Continuity) hint.Hint {
	if way.Ref != "" {
		return hint.Line("in %s, packs.%s: ref = %q", x.Hints.File, name, way.Ref)
	}
	words := []string{"update"}
	for _, kind := range slices.Concat([]vendorer.Continuity{kind}, more, way.Also) {
		if !slices.Contains(words, kind.Flag()) {
			words = append(words, kind.Flag(), name)
		}
	}
	if slices.Contains(x.Hints.Args, acceptRetagFlag) {
		words = append(words, acceptRetagFlag)
	}
	if way.Target != name {
		words = append(words, way.Target)
	}
	return when(way.Target != "", x.Hints.Edit(words...))
}
