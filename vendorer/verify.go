package vendorer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer/internal/gotool"
	"github.com/greenticai/packvendor/vendorer/internal/override"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// A Verification is what Verify found.
type Verification struct {
	Packs int // how many packs.toml has
	// Findings are what is not as it must be, each an error of a type below or
	// of Run's.
	Findings []error
	// Unembedded says why the Go toolchain could not be asked what it embeds;
	// nil if it was asked.
	Unembedded error
}

// A VendoredError reports a vendored file that is not what is locked.
type VendoredError struct {
	Name, Path string
	Got, Want  verified.Content // Got is the zero value if there is no file; its Digest is "" if the size alone tells
	LFS        bool             // what stands there is a Git LFS pointer
}

// IsMissing tells that there is no file.
func (e *VendoredError) IsMissing() bool { return e.Got.IsZero() }

func (e *VendoredError) Error() string {
	switch {
	case e.IsMissing():
		return fmt.Sprintf("%s is missing", e.Path)
	case e.LFS:
		return fmt.Sprintf("%s is a Git LFS pointer, not the pack", e.Path)
	}
	return fmt.Sprintf("%s is not the pack that is locked\n%s", e.Path, verified.Difference(e.Got, e.Want))
}

// A GeneratedError reports a generated file that is missing or was changed.
type GeneratedError struct {
	Path string
	Diff string // unified, from what it is to what it must be; "" if it is missing
}

func (e *GeneratedError) Error() string {
	if e.Diff == "" {
		return e.Path + " is missing"
	}
	return e.Path + " is not what packvendor generates"
}

// Verify compares packs.toml, packs.lock, the vendored files, the generated
// file and what the Go toolchain embeds with each other, and looks for what would
// change the generated file's variables. It writes nothing and, unless remote is set,
// uses no network; with remote it also proves, by manifest requests alone, that every
// entry of packs.lock follows from its reference, and that a version tag names the
// digest that is pinned. The error is for what kept it from comparing.
func Verify(ctx context.Context, o Options, remote bool) (*Verification, error) {
	s, err := open(ctx, o, false)
	if err != nil {
		return nil, err
	}
	defer s.close()
	scan := override.StartScan(ctx, s.p.Module)
	defer scan.Stop()
	files, err := s.p.GoFiles()
	if err != nil {
		return nil, err
	}
	pkg, err := s.packageAmong(files, s.p.Config)
	if err != nil {
		return nil, err
	}
	v, err := s.verify(ctx, pkg, remote)
	if err != nil {
		return nil, err
	}
	touches, err := override.Find(s.p, pkg, files, scan)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx) // not all was looked through
	}
	if err != nil {
		return nil, err
	}
	v.add(touches...)
	return v, nil
}

// verify compares what packvendor and the Go toolchain make of the project.
func (s *session) verify(ctx context.Context, pkg embedgen.Package, remote bool) (*Verification, error) {
	vendored, err := s.p.MeasureAll(ctx)
	if err != nil {
		return nil, err
	}
	plan := MakePlan(s.p.Config.Packs, s.p.Lock, vendored, nil)
	v := &Verification{Packs: len(plan.Steps)}
	v.add(s.lockedError(plan))
	v.add(s.packFindings(ctx, plan, remote)...)
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if plan.lockedError() == nil && !v.isInconsistent() { // else what the Go file should say is not known
		if err := s.generatedFinding(v, plan, pkg); err != nil {
			return nil, err
		}
	}
	return v, s.toolchainFindings(ctx, v, plan)
}

// Verified is of how many packs everything was checked and nothing found: what is
// found about no pack alone, such as another generated file, is about all.
func (v *Verification) Verified() int {
	blamed := map[string]bool{}
	for _, finding := range v.Findings {
		names, all := blames(finding)
		if all {
			return 0
		}
		for _, name := range names {
			blamed[name] = true
		}
	}
	return v.Packs - len(blamed)
}

// blames returns which packs of packs.toml a finding is about.
func blames(finding error) (names []string, all bool) {
	var pack *PackError
	var vendored *VendoredError
	var locked *LockedError
	switch {
	case errors.As(finding, &pack):
		return []string{pack.Name}, false
	case errors.As(finding, &vendored):
		return []string{vendored.Name}, false
	case errors.As(finding, &locked):
		return slices.Concat(locked.Missing, locked.Stale), locked.NoFile || locked.Format
	}
	return nil, true
}

// isInconsistent tells whether an entry of packs.lock was found to inconsistent.
func (v *Verification) isInconsistent() bool {
	return slices.ContainsFunc(v.Findings, func(err error) bool {
		var inconsistent *InconsistentError
		return errors.As(err, &inconsistent)
	})
}

// isAsLocked tells that nothing was found but tags that packs.lock is not about.
func (v *Verification) isAsLocked() bool {
	return !slices.ContainsFunc(v.Findings, func(err error) bool {
		var tag *TagMismatchError
		return !errors.As(err, &tag)
	})
}

// add adds findings, those that are nil aside.
func (v *Verification) add(errs ...error) {
	for _, err := range errs {
		if err != nil {
			v.Findings = append(v.Findings, err)
		}
	}
}

// packFindings says, pack by pack, which entries lie and which vendored files
// differ.
func (s *session) packFindings(ctx context.Context, plan Plan, remote bool) []error {
	type looked struct {
		*task
		found []error
	}
	var tasks []*looked
	for _, t := range plan.tasks() {
		tasks = append(tasks, &looked{task: t})
	}
	eachPack(ctx, s.client, PhaseVerifying, tasks, func(ctx context.Context, t *looked) error {
		t.found = s.taskFindings(ctx, t.task, remote)
		return nil
	})
	var all []error
	for _, t := range tasks {
		all = append(all, t.found...)
	}
	return all
}

func (s *session) taskFindings(ctx context.Context, t *task, remote bool) []error {
	step := t.Step
	if step.Action == Resolve {
		return nil // told already: there is nothing to compare with
	}
	var found []error
	_, err := s.checkLocked(t)
	if err == nil && remote {
		err = s.checkRemote(ctx, t)
	}
	if err != nil {
		found = append(found, s.packError(step.Pack, step.Action, &step.Locked, err))
	}
	if t.mustWrite() && !isAboutSize(err) {
		found = append(found, s.vendoredError(t.entry, step.Vendored))
	}
	return found
}

// isAboutSize tells whether err says that packs.lock has a wrong size: that another
// file than the wanted one is vendored is not known then.
func isAboutSize(err error) bool {
	var inconsistent *InconsistentError
	return errors.As(err, &inconsistent) && inconsistent.Field == "size"
}

// vendoredError says what stands in a pack's place instead of what is locked.
func (s *session) vendoredError(entry lockfile.Pack, is Vendored) *VendoredError {
	return &VendoredError{Name: entry.Name, Path: s.p.Show(s.p.PackFile(entry.Name)), Got: is.Content, Want: project.ContentOf(entry), LFS: is.LFS}
}

// checkRemote follows the chain from the reference to the layer in the
// registry, or from what packs.lock says a tag led to; and asks whether a version
// tag that is pinned names its digest.
func (s *session) checkRemote(ctx context.Context, t *task) error {
	pack, err := s.ResolveRemote(ctx, t.Pack.Reference.WithDigest(t.Locked.Digest()), t.Pack.Layer)
	if err != nil {
		return asInconsistent(t.Locked, err)
	}
	if err := compare(t.Locked, pack); err != nil {
		return err
	}
	return s.checkPinnedTag(ctx, t.Pack, pack)
}

// generatedFinding says how the generated file differs from what is locked.
func (s *session) generatedFinding(v *Verification, plan Plan, pkg embedgen.Package) error {
	want, err := generate(pkg, plan.tasks())
	if err != nil {
		return err
	}
	got, err := s.p.ReadFile(s.p.GoFile, project.MaxSource)
	got = project.WithoutCR(got)
	shown := s.p.Show(s.p.GoFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.add(&GeneratedError{Path: shown})
	case err != nil:
		return err
	case string(got) != string(want):
		v.add(&GeneratedError{Path: shown, Diff: string(diff.Diff(shown, got, shown+" as generated", want))})
	}
	return nil
}

// toolchainFindings says what the Go toolchain makes of the package. What it embeds
// is asked only if nothing was found: it would say the same in other words.
func (s *session) toolchainFindings(ctx context.Context, v *Verification, plan Plan) error {
	t := gotool.New(s.p.Module, s.p.Dir)
	v.add(override.FindOverlay(t.Flag("overlay")))
	v.add(override.FindReplacements(s.p, t.Flag("modfile"))...)
	if !v.isAsLocked() {
		return nil
	}
	findings, err := s.embedFindings(ctx, t, plan)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	v.add(findings...)
	v.Unembedded = err
	return nil
}
