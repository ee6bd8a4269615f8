package vendorer

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/greenticai/packvendor/embedgen"
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
	here, err := s.comparePlan(ctx)
	if err != nil {
		return nil, err
	}
	s.p.Unlock() // the rest is about registries
	s.checkRemotes(ctx, here.tasks, remote)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return s.verification(here), nil
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

// A comparison is what verify finds without network.
type comparison struct {
	plan   Plan
	tasks  []*comparedTask
	locked error   // packs.lock would change; nil if not
	goFile error   // nil also where it is not known what the file should be
	build  []error // about flags and files of the Go toolchain
	// embedded is about what the toolchain embeds; notEmbedded, why it could not be
	// asked. Both are nil where something else was found before.
	embedded    []error
	notEmbedded error
	overrides   []error
}

// A comparedTask is a task whose entry was checked.
type comparedTask struct {
	*task
	err error // what the entry contradicts
}

// comparePlan compares what packvendor and the Go toolchain make of the project.
func (s *session) comparePlan(ctx context.Context) (*comparison, error) {
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
		func() error { return s.compareEntries(ctx, c) },
		func() error { return s.compareGoFile(c, pkg) },
		func() error { return s.compareBuild(ctx, c) },
		func() (err error) { c.overrides, err = override.Find(s.p, pkg, files, scan); return err },
	} {
		err := compare()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx) // not all was looked through
		}
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

// compareEntries compares packs.toml, packs.lock and the vendored files.
func (s *session) compareEntries(ctx context.Context, c *comparison) error {
	vendored, err := s.p.MeasureAll(ctx)
	if err != nil {
		return err
	}
	c.plan = MakePlan(s.p.Config.Packs, s.p.Lock, vendored, nil)
	c.locked = s.lockedError(c.plan)
	for _, t := range c.plan.tasks() {
		c.tasks = append(c.tasks, &comparedTask{task: t})
	}
	return forEach(ctx, s.o, c.tasks, func(_ context.Context, t *comparedTask) error {
		if t.Action != Resolve { // else there is nothing to compare with
			_, t.err = s.checkLocked(t.task)
		}
		return nil
	})
}

// compareGoFile compares the generated file with what is locked.
func (s *session) compareGoFile(c *comparison, pkg embedgen.Package) error {
	if c.plan.lockedError() != nil || c.isInconsistent() { // what it should say is not known
		return nil
	}
	want, err := generate(pkg, c.plan.tasks())
	if err != nil {
		return err
	}
	got, err := s.p.ReadFile(s.p.GoFile, project.MaxSource)
	got = project.WithoutCR(got)
	shown := s.p.Show(s.p.GoFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.goFile = &GeneratedError{Path: shown}
	case err != nil:
		return err
	case string(got) != string(want):
		c.goFile = &GeneratedError{Path: shown, Diff: string(diff.Diff(shown, got, shown+" as generated", want))}
	}
	return nil
}

// compareBuild asks what the Go toolchain makes of the package. What it embeds is asked
// only if nothing was found: it would say the same in other words.
func (s *session) compareBuild(ctx context.Context, c *comparison) error {
	t := gotool.New(s.p.Module, s.p.Dir)
	if overlay := override.FindOverlay(t.Flag("overlay")); overlay != nil {
		c.build = append(c.build, overlay)
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

// checkRemotes asks the registries, if remote is set, about the entries in which nothing
// is wrong yet.
func (s *session) checkRemotes(ctx context.Context, tasks []*comparedTask, remote bool) {
	eachPack(ctx, s.client, PhaseVerifying, tasks, func(ctx context.Context, t *comparedTask) error {
		if remote && t.Action != Resolve && t.err == nil {
			t.err = s.checkRemote(ctx, t.task)
		}
		return nil
	})
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

// verification puts what was found in its order.
func (s *session) verification(c *comparison) *Verification {
	v := &Verification{Packs: len(c.plan.Steps)}
	v.add(c.locked)
	for _, t := range c.tasks {
		v.add(s.taskFindings(t)...)
	}
	if !c.isInconsistent() {
		v.add(c.goFile)
	}
	v.add(c.build...)
	if v.isAsLocked() {
		v.add(c.embedded...)
		v.Unembedded = c.notEmbedded
	}
	v.add(c.overrides...)
	return v
}

// taskFindings are what is wrong with one pack.
func (s *session) taskFindings(t *comparedTask) []error {
	if t.Action == Resolve {
		return nil // told already
	}
	var found []error
	if t.err != nil {
		found = append(found, s.packError(t.Pack, t.Action, &t.Locked, t.err))
	}
	if t.mustWrite() && !isAboutSize(t.err) {
		found = append(found, s.vendoredError(t.entry, t.Vendored))
	}
	return found
}

// isAboutSize tells whether err says that packs.lock has a wrong size: that another
// file than the wanted one is vendored is not known then.
func isAboutSize(err error) bool {
	var inconsistent *InconsistentError
	return errors.As(err, &inconsistent) && inconsistent.Field == "size"
}

// An EmbedError reports that the Go toolchain does not embed exactly what is
// locked.
type EmbedError struct {
	Path   string
	Reason string
}

func (e *EmbedError) Error() string { return e.Path + " " + e.Reason }

// embedFindings asks whether exactly the locked packs are embedded: other files of
// the package may embed what they like, but not from the packs' folder. The error
// says why the toolchain could not be asked.
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
