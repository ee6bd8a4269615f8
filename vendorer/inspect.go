package vendorer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/scratch"
	"github.com/greenticai/packvendor/internal/signature"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
	"github.com/greenticai/packvendor/vendorer/internal/tagpolicy"
)

// An Inspection describes a pack, and its source.
type Inspection struct {
	*gtpack.Pack
	verified.Content
	Path string // of the file; "" for a reference
	// From is the file that a pack of packs.lock is, as packs.toml has it; "" if it is from a
	// registry.
	From string
	// Reference and the fields below are known for packs of packs.lock or a registry.
	Reference string
	// ManifestVersion is the manifest's version if it differs from Reference's tag;
	// else "".
	ManifestVersion string
	ManifestDigest  string
	MediaType       string
	Annotations     map[string]string // of the manifest, if at hand
	// Signer is who signed a vendored pack as packs.lock has it; "" if nobody. SignerName is
	// the signer's name in packs.toml; "" if it has none. Of a reference, Signer is who signed it
	// as the rules of SignerFile demand, the file of Options.Trust.
	Signer, SignerName, SignerFile string
	// Searched is what a search for signatures found; nil without InspectOptions.Signatures. Its
	// error is about a place that could not be searched.
	Searched *TrustExplanation
	// Source is that of packfetch.Result, for a reference.
	Source string
	// HasSignature tells that the manifest of a reference has a signature in an annotation,
	// which is not checked.
	HasSignature bool
	// Program is what a compiled program holds, and the rest is then about no pack; nil if the
	// file is no program.
	Program *Program
}

// InspectOptions hold for one call of Inspect.
type InspectOptions struct {
	FetchOptions // for a reference
	// Signatures looks for the pack's signatures in its registry. A pack in a file has none
	// there.
	Signatures bool
	// Locks are files packs.lock with which a program is compared; the default is that of the
	// project at hand.
	Locks []string
}

type (
	// A PackInfo is a pack's description of itself.
	PackInfo = gtpack.Pack
	// A Component is a component of a pack.
	Component = gtpack.Component
	// A Dependency is another pack that a pack needs.
	Dependency = gtpack.Dependency
	// An SBOM is a pack's bill of materials, compared with its files.
	SBOM = gtpack.SBOM
)

// Inspect reads a pack's description: of the vendored pack with the name what, if
// packs.toml has it; else of the file what, if there is one; else of the reference
// what, with the newest version as its default. A vendored pack that differs from
// packs.lock is a *VendoredError. If the file is a compiled program, it reads which packs that
// has.
//
// Errors besides those of Verify, VerifyProgram and Fetch: *gtpack.NotPackError,
// *gtpack.MalformedError.
func Inspect(ctx context.Context, o Options, opt InspectOptions, what string) (*Inspection, error) {
	isSaid := o.file() != Options{}.file()
	if names.CheckPack(what) == nil && opt.Locks == nil && (isSaid || hasFile(o.file())) {
		inspection, err := inspectNamed(ctx, o, opt, what)
		var unknown *UnknownPackError
		if !errors.As(err, &unknown) || !hasFile(what) {
			return inspection, err
		}
	}
	switch isFile := hasFile(what); {
	case isFile && opt.Signatures:
		return nil, &UsageError{Subject: fmt.Sprintf("%+q", what), Reason: "is a file, and signatures are looked for in a registry"}
	case isFile || isPath(what):
		return fileInspection{options: o, locks: opt.Locks, name: what, maxPiped: maxEmbedded}.run(ctx)
	case opt.Locks != nil:
		return nil, notProgram(what)
	}
	return inspectReference(ctx, o, opt, what)
}

// isPath tells a path from a reference by its form. A repository without tag and digest
// counts as a path if its first element exists here.
func isPath(what string) bool {
	if first, _, ok := strings.Cut(what, "/"); ok && !strings.ContainsAny(what, ":@") {
		if _, err := os.Lstat(first); first != "" && err == nil {
			return true
		}
	}
	return !strings.Contains(what, "/") || strings.HasPrefix(what, ".") || filepath.IsAbs(what) || strings.HasSuffix(what, ".gtpack")
}

// inspectNamed inspects a vendored pack.
func inspectNamed(ctx context.Context, o Options, opt InspectOptions, name string) (*Inspection, error) {
	s, err := open(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if o.Trust != nil {
		if err := s.loadPolicies(); err != nil {
			return nil, err
		}
	}
	configured, ok := s.p.Config.Pack(name)
	if !ok {
		return nil, s.unknown(name)
	}
	entry, locked := s.p.Lock.Entry(name)
	if !locked {
		return nil, &LockedError{File: s.p.Show(s.p.LockFile), Missing: []string{name}}
	}
	if opt.Signatures && entry.Path != "" {
		return nil, &UsageError{Subject: name, Reason: "is from a file, and signatures are looked for in a registry"}
	}
	file := s.p.PackFile(name)
	is, err := s.p.Measure(ctx, file, entry.Size)
	if err != nil {
		return nil, err
	}
	if is.Content != project.ContentOf(entry) {
		return nil, s.vendoredError(entry, is)
	}
	vendored := lockedPack(configured, entry)
	if err := s.judgeByOrganisation(ctx, vendored, entry, nil); err != nil {
		return nil, s.packError(configured, Keep, &entry, err)
	}
	if err := s.proveNamed(ctx, vendored, entry); err != nil {
		return nil, s.packError(configured, Keep, &entry, err)
	}
	policy := s.shownTable()
	s.tellUnaskedSigners(policy, vendored)
	copied, err := scratch.New()
	if err != nil {
		return nil, err
	}
	defer copied.Close()
	if err := s.p.Copy(ctx, entry, copied); err != nil {
		return nil, err
	}
	var searched *TrustExplanation
	if opt.Signatures {
		if searched, err = s.searchVendored(ctx, vendored, entry); err != nil {
			return nil, s.packError(configured, Keep, &entry, err)
		}
	}
	pack, err := gtpack.Read(ctx, copied)
	return &Inspection{
		Pack: pack, Content: is.Content, Path: s.p.Show(file), From: entry.Path, Searched: searched,
		Reference: refOf(entry), ManifestVersion: s.manifestVersion(entry),
		ManifestDigest: string(entry.ManifestDigest), MediaType: entry.MediaType,
		Signer: entry.Signer, SignerName: signerNames(policy)[entry.Signer],
	}, about(s.p.Show(file), err)
}

// lockedPack returns a pack as it was when its entry was locked. packs.toml may have changed since.
func lockedPack(pack packsfile.Pack, entry lockfile.Entry) packsfile.Pack {
	pack.Ref, pack.Reference, pack.Version, pack.Layer, pack.Path = entry.Ref, entry.Reference(), entry.Version, entry.Layer, entry.Path
	return pack
}

// proveNamed proves the bytes of a pack that the organisation's policy lets be unsigned for its
// digest alone.
func (s *session) proveNamed(ctx context.Context, pack packsfile.Pack, entry lockfile.Entry) error {
	if s.organisation == nil || len(s.exceptions(pack, entry)) == 0 {
		return nil
	}
	_, err := s.resolveDigest(ctx, pack, entry, entry.Digest())
	return err
}

// An InspectError names the pack that could not be read.
type InspectError struct {
	What string
	Err  error
}

func (e *InspectError) Error() string {
	return printable.Line(e.What, maxMarkerLine) + ": " + e.Err.Error()
}

func (e *InspectError) Unwrap() error { return e.Err }

// about names the pack in err.
func about(what string, err error) error {
	if err == nil {
		return nil
	}
	return &InspectError{What: what, Err: err}
}

// inspectReference inspects a pack of a registry or the cache. It allows tags, since it
// vendors nothing.
func inspectReference(ctx context.Context, o Options, opt InspectOptions, reference string) (*Inspection, error) {
	fo := opt.FetchOptions
	fo.AllowTags = true
	f, err := o.standalone(fo.within(o.file()))
	if err != nil {
		return nil, err
	}
	defer f.close()
	if err := f.loadOrganisation("."); err != nil {
		return nil, err
	}
	var signer *trust.Signer
	found, err := f.resolveAny(ctx, reference)
	if err == nil {
		signer, err = f.checkByOrganisation(ctx, found)
	}
	if err != nil {
		return nil, err
	}
	reference = found.Reference.Text()
	copied, err := f.Open(ctx, found)
	if err != nil {
		return nil, err
	}
	defer copied.Close()
	var searched *TrustExplanation
	if opt.Signatures {
		policy, root, err := o.tableAtHand(ctx)
		if err != nil {
			return nil, err
		}
		if searched, err = f.searchShown(ctx, policy, root, found, claimOf(entryOf(found))); err != nil {
			return nil, err
		}
	}
	pack, err := gtpack.Read(ctx, copied)
	inspection := &Inspection{
		Searched: searched, Source: f.DownloadedFrom(found),
		Pack: pack, Content: verified.Content{Digest: ociref.Digest(found.Layer.Digest), Size: found.Layer.Size},
		Reference: reference, ManifestVersion: otherVersion(found.Reference.Tag, found.Annotations),
		ManifestDigest: string(found.ManifestDigest), MediaType: found.Layer.MediaType, Annotations: found.Annotations,
		HasSignature: found.Annotations[signature.GreenticAnnotation] != "" && !searched.isChecked() && signer == nil,
	}
	if signer != nil {
		inspection.Signer, inspection.SignerName, inspection.SignerFile = signer.ID(), signer.Name, f.organisation.File
	}
	return inspection, about(reference, err)
}

// resolveAny is Resolve with the newest version as the default tag.
func (f *client) resolveAny(ctx context.Context, reference string) (*fetch.Resolved, error) {
	ref, err := ociref.Parse(reference)
	if err != nil {
		return nil, err
	}
	list := func() ([]string, error) { return f.Tags(ctx, ref) }
	if ref.Tag == "" && ref.Digest == "" {
		tags, err := list()
		if err != nil {
			return nil, err
		}
		if ref.Tag, err = tagpolicy.Newest(ref.Name(), tags); err != nil {
			return nil, err
		}
		ref.Scheme = ""
	}
	pack, err := f.Resolve(ctx, ref, "")
	if err != nil {
		return nil, withNearTags(ref, err, list)
	}
	return pack, nil
}
