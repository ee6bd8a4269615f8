package vendorer

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/vendorer/internal/gotool"
	"github.com/greenticai/packvendor/vendorer/internal/override"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// A Verification is the result of Verify.
type Verification struct {
	Packs int // packs in packs.toml
	// MayBeUnsigned counts the packs whose rule in [trust.rules] is an exception.
	MayBeUnsigned int
	// FromFiles counts the packs that are files.
	FromFiles int
	// Findings are the problems, each an error of a type below or of Run's.
	Findings []error
	// Unembedded is the reason why the Go toolchain could not list the embedded files;
	// nil if it did.
	Unembedded error
}

// Verify compares packs.toml, packs.lock, the vendored files, the generated file and
// the files that the Go toolchain embeds, and looks for code that changes the generated
// file's variables. It writes nothing, and uses no network unless remote is set. With
// Options.Locked, a pack under development is a problem. With remote it also proves, by
// manifest requests alone, that every entry of packs.lock follows from its reference, and
// that a version tag names the pinned digest. The error reports a failed comparison.
func Verify(ctx context.Context, o Options, remote bool) (*Verification, error) {
	s, err := open(ctx, o, false)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if err := s.loadPolicies(); err != nil {
		return nil, err
	}
	here, err := s.comparePlan(ctx, remote)
	if err != nil {
		return nil, err
	}
	s.p.Unlock() // the rest is about registries
	if remote {
		s.ProveOrigin()
		if !s.checkRemoteBlocked(here.tasks) {
			s.checkRemotes(ctx, here.tasks)
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return s.verification(here), nil
}

// Verified returns how many packs have no finding. A finding about no single pack, such
// as another generated file, counts for all.
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

// blames returns the packs of a finding.
func blames(finding error) (names []string, all bool) {
	var pack *PackError
	var vendored *VendoredError
	var locked *LockedError
	var limit *SizeLimitError
	switch {
	case errors.As(finding, &limit) && limit.File != "": // each pack is as locked
		return nil, false
	case isBlocked(finding): // then no registry was asked about any pack
		return nil, true
	case errors.As(finding, &pack):
		return []string{pack.Name}, false
	case errors.As(finding, &vendored):
		return []string{vendored.Name}, false
	case errors.As(finding, &locked):
		return slices.Concat(locked.Missing, locked.Stale, locked.Unsigned), locked.NoFile || locked.Format
	}
	return nil, true
}

// isAsLocked tells whether no finding but tags and sizes contradicts packs.lock.
func (v *Verification) isAsLocked() bool {
	return !slices.ContainsFunc(v.Findings, func(err error) bool {
		return !errors.As(err, new(*TagMismatchError)) && !errors.As(err, new(*SizeLimitError))
	})
}

// add adds the errors that are not nil.
func (v *Verification) add(errs ...error) {
	for _, err := range errs {
		if err != nil {
			v.Findings = append(v.Findings, err)
		}
	}
}

// A comparison holds the findings of verify without network.
type comparison struct {
	plan    Plan
	tasks   []*comparedTask
	locked  error   // packs.lock would change; nil if not
	limits  []error // packs that are larger than packs.toml allows
	goFiles []error // nil too if the right texts are unknown
	build   []error // about flags and files of the Go toolchain
	// embedded holds findings about embedded files; notEmbedded, the reason why the
	// toolchain could not list them. Both are nil after other findings.
	embedded    []error
	notEmbedded error
	overrides   []error
}

// A comparedTask is a task with a checked entry.
type comparedTask struct {
	*task
	err       error // the contradiction in the entry
	signature error // about who signed
}

// comparePlan compares the project on disk with packs.lock and the Go toolchain's view.
func (s *session) comparePlan(ctx context.Context, remote bool) (*comparison, error) {
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
	c := &comparison{}
	for _, compare := range []func() error{
		func() error { return s.compareEntries(ctx, c, remote) },
		func() error { return s.compareGoFiles(c, pkg) },
		func() error { return s.compareBuild(ctx, c) },
		func() (err error) { c.overrides, err = override.Find(s.p, pkg, files, scan); return err },
	} {
		err := compare()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx) // the search is incomplete
		}
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

// compareEntries compares packs.toml, packs.lock and the vendored files.
func (s *session) compareEntries(ctx context.Context, c *comparison, remote bool) error {
	vendored, err := s.p.MeasureAll(ctx)
	if err != nil {
		return err
	}
	files, err := s.p.MeasureLocalFiles(ctx, maxEmbedded)
	if err != nil {
		return err
	}
	c.plan = makePlan(s.p.Config.Packs, s.p.Lock, vendored, files, nil)
	c.locked = s.lockedError(c.plan)
	tasks := c.plan.tasks()
	c.limits = s.limitErrors(tasks)
	for _, t := range tasks {
		c.tasks = append(c.tasks, &comparedTask{task: t})
	}
	s.progress.begin(PhaseVerifying, len(c.tasks), 0)
	check := func(ctx context.Context, t *comparedTask) error {
		if t.Action != Resolve { // else there is nothing to compare with
			var proven bool
			proven, t.err = s.checkLocked(t.task)
			if t.err == nil {
				t.err = t.localFileError()
			}
			if developed := t.developedError(); t.err == nil && s.o.Locked && developed != nil {
				t.err = developed
			}
			t.signature = s.checkSigner(ctx, t.task)
			if t.err == nil && t.signature == nil && !remote { // which proves it
				t.signature = s.checkException(t.task, proven)
			}
		}
		return nil
	}
	if remote { // a task is done when its registry was asked
		return forEach(ctx, s.o, c.tasks, check)
	}
	return eachCounted(ctx, s.client, c.tasks, check)
}

// stubTagError is the *OverrideError of a project whose packs the flags of all go commands replace
// by the stub.
func stubTagError(p *project.Project, t *gotool.Toolchain) error {
	if !p.Config.Embed.Stub {
		return nil
	}
	return override.FindStubTag(t.Flag("tags"))
}

// compareBuild looks at the Go toolchain's flags and embedded files. It lists the
// embedded files only without other findings, which they would repeat.
func (s *session) compareBuild(ctx context.Context, c *comparison) error {
	t := gotool.New(s.p.Module, s.p.Dir)
	if overlay := override.FindOverlay(t.Flag("overlay")); overlay != nil {
		c.build = append(c.build, overlay)
	}
	if stub := stubTagError(s.p, t); stub != nil {
		c.build = append(c.build, stub)
	}
	c.build = append(c.build, override.FindReplacements(s.p, t.Flag("modfile"))...)
	if !s.verification(c).isAsLocked() {
		return nil
	}
	c.embedded, c.notEmbedded = s.embedFindings(ctx, t, c.plan)
	return nil
}

// isInconsistent tells whether an entry of packs.lock contradicts something.
func (c *comparison) isInconsistent() bool {
	return slices.ContainsFunc(c.tasks, func(t *comparedTask) bool {
		var inconsistent *InconsistentError
		return errors.As(t.err, &inconsistent)
	})
}

// checkRemotes asks the registries about the entries without a finding.
func (s *session) checkRemotes(ctx context.Context, tasks []*comparedTask) {
	eachCounted(ctx, s.client, tasks, func(ctx context.Context, t *comparedTask) error {
		if t.isForRemote() {
			t.err = s.checkRemote(ctx, t.task)
		}
		return nil
	})
}

// isForRemote tells whether a registry can say something about an entry.
func (t *comparedTask) isForRemote() bool {
	return t.Action != Resolve && t.err == nil && t.Pack.Path == ""
}

// checkRemote follows the chain in the registry from the reference, or from a followed
// tag's locked digest, to the layer. It checks that a pinned version tag names its
// digest.
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

// verification puts the findings in order.
func (s *session) verification(c *comparison) *Verification {
	v := &Verification{Packs: len(c.plan.Steps)}
	table := s.shownTable()
	for _, step := range c.plan.Steps {
		if s.mayBeUnsigned(table, step.Pack) {
			v.MayBeUnsigned++
		}
		if step.Pack.Path != "" {
			v.FromFiles++
		}
	}
	v.add(c.locked)
	v.add(c.limits...)
	for _, t := range c.tasks {
		v.add(s.taskFindings(t)...)
	}
	if !c.isInconsistent() {
		v.add(c.goFiles...)
	}
	v.add(c.build...)
	if v.isAsLocked() {
		v.add(c.embedded...)
		v.Unembedded = c.notEmbedded
	}
	v.add(c.overrides...)
	return v
}

// taskFindings returns the findings about one pack.
func (s *session) taskFindings(t *comparedTask) []error {
	if t.Action == Resolve {
		return nil // told already
	}
	var found []error
	if t.err != nil {
		found = append(found, s.packError(t.Pack, t.Action, &t.Locked, t.err))
	}
	if t.signature != nil {
		found = append(found, s.packError(t.Pack, t.Action, &t.Locked, t.signature))
	}
	if t.mustWrite() && !isAboutSize(t.err) {
		found = append(found, s.vendoredFinding(t.Step))
	}
	return found
}

// vendoredFinding returns the error about a vendored file that is not the locked pack.
func (s *session) vendoredFinding(step Step) error {
	e := s.vendoredError(step.Locked, step.Vendored)
	e.Lost = step.Local.IsMissing()
	return e
}

// isAboutSize tells whether err reports a wrong size in packs.lock: then the vendored
// file may be right.
func isAboutSize(err error) bool {
	var inconsistent *InconsistentError
	return errors.As(err, &inconsistent) && inconsistent.Field == "size"
}

// An EmbedError reports a difference between the embedded and the locked files.
type EmbedError struct {
	Path   string
	Reason string
}

func (e *EmbedError) Error() string { return e.Path + " " + e.Reason }

// embedFindings checks that exactly the locked packs are embedded. Other files of the
// package may embed any file outside the packs' folder. The error is the reason why the
// toolchain could not list the files.
func (s *session) embedFindings(ctx context.Context, t *gotool.Toolchain, plan Plan) ([]error, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, err
	}
	embedded, err := t.EmbeddedFiles(ctx)
	if err != nil {
		if unusable := t.Unusable(ctx); unusable != nil {
			return nil, unusable
		}
		return []error{&EmbedError{Path: s.p.Show(s.p.Dir), Reason: "cannot be loaded by the Go toolchain: " + err.Error()}}, nil
	}
	want := map[string]string{} // absolute path → as shown
	for _, step := range plan.Steps {
		name := s.p.PackFile(step.Pack.Name)
		want[filepath.Join(s.p.Module, filepath.FromSlash(name))] = s.p.Show(name)
	}
	data := filepath.Join(s.p.Module, filepath.FromSlash(s.p.DataDir)) + string(filepath.Separator)
	var findings []error
	for _, file := range embedded {
		if _, ok := want[file]; !ok && strings.HasPrefix(file, data) {
			below := strings.TrimPrefix(file, data)
			findings = append(findings, &EmbedError{Path: filepath.Join(s.p.Show(s.p.DataDir), below), Reason: "is embedded, but not locked"})
		}
		delete(want, file)
	}
	for _, shown := range want {
		findings = append(findings, &EmbedError{Path: shown, Reason: "is locked, but the Go toolchain does not embed it"})
	}
	slices.SortFunc(findings, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return findings, nil
}
