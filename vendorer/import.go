package vendorer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// ImportOptions select what Import reads.
type ImportOptions struct {
	// Bundles are folders, or tar archives.
	Bundles []string
	// Lock is a packs.lock; "" is that of the project.
	Lock string
}

// An ImportState says what Import did for a pack.
type ImportState string

const (
	StateImported ImportState = "imported"
	StateCached   ImportState = "cached"  // it was in the cache
	StateMissing  ImportState = "missing" // it is neither in a bundle nor in the cache
	// StateSkipped: packs.lock chooses another layer than the cache keeps.
	StateSkipped ImportState = "skipped"
	// StateFile: the pack is a file, which neither bundles nor the cache have.
	StateFile ImportState = "file"
)

// An ImportedPack is the result of Import for a pack.
type ImportedPack struct {
	lockfile.Entry
	State ImportState
}

// An Imported is the result of Import.
type Imported struct {
	Packs   []ImportedPack // of packs.lock, by name
	Lock    string         // packs.lock, as the user names it
	Unnamed int            // packs of the bundles that it does not name
}

// Import puts the packs of a packs.lock from bundles into the shared cache, without network.
// The packs in the bundles are whole and right, and the policy of Options.Trust lets them in:
// otherwise the cache is as it was. Then the result says what was done; packs that are missing
// are a *MissingPacksError as well.
func Import(ctx context.Context, o Options, io ImportOptions) (*Imported, error) {
	o.Offline, o.Bundles = true, io.Bundles
	m, err := openImport(ctx, o, io.Lock)
	if err != nil {
		return nil, err
	}
	defer m.close()
	if err := eachPack(ctx, m.client, PhaseVerifying, m.tasks, m.check); err != nil {
		return nil, err
	}
	var wanted []*importTask
	var total int64
	for _, t := range m.tasks {
		if t.State == StateImported {
			wanted = append(wanted, t)
			total += t.Size
		}
	}
	m.progress.begin(PhaseImporting, len(wanted), total)
	if err := eachCounted(ctx, m.client, wanted, m.store); err != nil {
		return nil, err
	}
	return m.result()
}

// An importing is one call of Import.
type importing struct {
	*client
	close  func()
	file   string // packs.lock, as the user names it
	accept []string
	// evidence reads that of a pack in the project; nil without a project.
	evidence func(name string) ([]byte, error)
	tasks    []*importTask
}

// An importTask is the work for one pack.
type importTask struct {
	ImportedPack
	pack *fetch.Resolved
}

// openImport reads the packs.lock that a bundle is compared with.
func openImport(ctx context.Context, o Options, file string) (*importing, error) {
	if file == "" {
		return openProjectImport(ctx, o)
	}
	lock, err := readLock(file, project.LockName)
	if err != nil {
		return nil, err
	}
	m := &importing{file: file}
	for _, entry := range pulled(lock) { // no packs.toml says which media types are accepted
		m.accept = append(m.accept, entry.MediaType)
	}
	m.client, err = o.newClient(filepath.Dir(Nearest()), func(f *packfetch.Options, progress *progressCounter) {
		f.AcceptMediaTypes = m.accept
		f.Copied = func(n, _ int64) { progress.copied(n) }
	})
	if err != nil {
		return nil, err
	}
	m.close = m.client.close
	return m.begin(lock, ".")
}

func openProjectImport(ctx context.Context, o Options) (*importing, error) {
	s, err := open(ctx, o, true)
	if err != nil {
		return nil, err
	}
	m := &importing{client: s.client, close: s.close, file: s.p.Show(s.p.LockFile), accept: s.p.Config.AcceptMediaTypes, evidence: s.p.ReadEvidence}
	if s.p.LockBytes == nil {
		s.close()
		return nil, missingLock(s.p)
	}
	return m.begin(s.p.Lock, filepath.Join(s.p.Module, filepath.FromSlash(s.p.Base)))
}

// begin makes the tasks. dir is in the work tree at hand.
func (m *importing) begin(lock *lockfile.Lock, dir string) (*importing, error) {
	if err := m.loadOrganisation(dir); err != nil {
		m.close()
		return nil, err
	}
	for _, entry := range lock.Entries {
		m.tasks = append(m.tasks, &importTask{ImportedPack: ImportedPack{Entry: entry}})
	}
	return m, nil
}

// packError adds the pack to an error.
func (m *importing) packError(t *importTask, err error) error {
	if err == nil {
		return nil
	}
	var inconsistent *InconsistentError
	if errors.As(err, &inconsistent) {
		err = inconsistent.At(m.file, 0)
	}
	return &PackError{File: m.file, Name: t.Name, Ref: t.Ref, Locked: &t.Entry, Err: err}
}

// check finds out what is to be done for a pack, and proves it.
func (m *importing) check(ctx context.Context, t *importTask) error {
	if t.Path != "" {
		t.State = StateFile
		return nil
	}
	err := m.find(ctx, t)
	var offline *packfetch.OfflineError
	if errors.As(err, &offline) || errors.Is(err, fs.ErrNotExist) {
		t.State = StateMissing
		return nil
	}
	return m.packError(t, err)
}

func (m *importing) find(ctx context.Context, t *importTask) (err error) {
	if err := t.Check(); err != nil {
		return err
	}
	if t.pack, err = m.Resolve(ctx, t.Reference().WithDigest(t.ManifestDigest), t.Layer); err != nil {
		return asInconsistent(t.Entry, err)
	}
	if err := compare(t.Entry, t.pack); err != nil {
		return err
	}
	if err := m.checkIndex(t); err != nil {
		return err
	}
	if err := m.judge(ctx, t); err != nil {
		return err
	}
	cached, err := m.IsCached(ctx, t.ManifestDigest, lockedLayer(t.Entry))
	switch {
	case err != nil:
		return err
	case cached:
		t.State = StateCached
		return nil
	}
	t.State = StateImported
	return m.CheckBundled(ctx, t.pack)
}

// checkIndex checks that the locked index, if a bundle has it, leads to the manifest.
func (m *importing) checkIndex(t *importTask) error {
	if t.IndexDigest == "" {
		return nil
	}
	index, err := m.BundledManifest(t.IndexDigest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return asInconsistent(t.Entry, fetch.CheckListed(index, t.pack.Manifest()))
}

// store puts a pack into the cache.
func (m *importing) store(ctx context.Context, t *importTask) error {
	imported, err := m.Import(ctx, t.pack)
	switch {
	case errors.Is(err, fetch.ErrNotShared):
		t.State = StateSkipped
		m.events.event(NotImported{Name: t.Name})
		return nil
	case err == nil && !imported:
		t.State = StateCached
	}
	return m.packError(t, err)
}

func (m *importing) result() (*Imported, error) {
	r := &Imported{Lock: m.file, Unnamed: m.unnamed()}
	var missing []string
	for _, t := range m.tasks {
		r.Packs = append(r.Packs, t.ImportedPack)
		if t.State == StateMissing {
			missing = append(missing, t.Name)
		}
	}
	if len(missing) > 0 {
		return r, &MissingPacksError{Lock: m.file, Names: missing}
	}
	return r, nil
}

// unnamed counts the packs of the bundles that packs.lock does not name.
func (m *importing) unnamed() (n int) {
	named := map[ociref.Digest]bool{}
	for _, t := range m.tasks {
		named[t.ManifestDigest], named[t.IndexDigest] = true, true
	}
	for _, digest := range m.BundledPacks() {
		if !named[digest] {
			n++
		}
	}
	return n
}

// judge judges the signature of a pack by the organisation's policy.
func (m *importing) judge(ctx context.Context, t *importTask) error {
	match, err := m.organisation.Match(t.Reference(), digestsOf(t.Entry)...)
	if err != nil || match.IsException() {
		return err
	}
	e := &OverruledError{Name: t.Name, File: m.file, Organisation: m.organisation.File, Rule: match.Rule, Signers: namesOf(match.Signers), Signer: t.Signer}
	if t.Signer == "" || !maySign(match, t.Entry) {
		return e
	}
	claim := claimOf(t.Entry)
	claim.Select, claim.Accept = t.Layer, m.accept
	proof, err := m.evidenceOf(t)
	if errors.As(err, new(*EvidenceError)) { // that is no matter of the policy
		return err
	}
	if err != nil {
		e.Err = err
		return e
	}
	signers := evidenceSigners(match.Allowed(t.LayerDigest), t.Reference(), m.keylessBy(ctx, m.organisation.Root()))
	broken, err := prove(ctx, proof, claim, signers)
	if broken != nil {
		e.Err = broken
		return e
	}
	return err
}

// evidenceOf finds the locked evidence of a pack, in a bundle or in the project.
func (m *importing) evidenceOf(t *importTask) (*evidence.Evidence, error) {
	name := evidenceName(t.Name)
	files := m.BundledFiles(name, evidence.MaxFile+2)
	if m.evidence != nil { // there is a project
		if file, err := m.evidence(t.Name); err == nil {
			files = append(files, file)
		}
	}
	last := fmt.Errorf("no bundle has %s", name)
	for _, file := range files {
		e, err := evidence.Open(file, t.Evidence)
		if err == nil {
			return e, nil
		}
		last = &EvidenceError{Name: t.Name, Path: name, Err: err}
	}
	return nil, last
}

// A MissingPacksError reports packs that are in no bundle.
type MissingPacksError struct {
	Lock  string
	Names []string
}

func (e *MissingPacksError) Error() string {
	return fmt.Sprintf("no bundle has these packs of %s: %s", e.Lock, strings.Join(e.Names, ", "))
}
