package vendorer

import (
	"context"
	"errors"
	"path"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/scratch"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
)

// DiffReferences compares the packs of two references, by tag or digest. It looks in
// the registry, the cache and, last, the vendored packs. The registries and media types
// of packs.toml hold, if there is one. The Difference has one pack, under the name of
// the repository, or none if both references lead to the same manifest.
//
// Errors are those of Fetch, and those of Run about packs.toml.
func DiffReferences(ctx context.Context, o Options, before, after string) (*Difference, error) {
	f, err := o.newReferenceClient(ctx)
	if err != nil {
		return nil, err
	}
	defer f.close()
	p := pair{{reference: before}, {reference: after}}
	defer p.remove()
	if err := p.checkBlocked(f); err != nil {
		return nil, err
	}
	f.progress.begin(PhaseResolving, len(p), 0)
	if err := p.each(ctx, f, (*side).resolve); err != nil {
		return nil, err
	}
	c := p.change()
	if c.IsSame() && c.Old.Digest() == c.New.Digest() {
		return &Difference{}, nil
	}
	d := &Difference{Packs: []PackChange{c}}
	if c.IsSame() {
		return d, nil
	}
	f.progress.begin(PhaseFetching, len(p), c.Old.Size+c.New.Size)
	if err := p.each(ctx, f, (*side).fetch); err != nil {
		return nil, err
	}
	return d, d.Packs[0].compareFiles(ctx, p[0].bytes, p[1].bytes)
}

// A referenceClient fetches packs by references outside packs.toml.
type referenceClient struct {
	*client
	project *session // nil if there is none
}

// newReferenceClient returns a client, without a project if the options name no
// packs.toml and there is none. The caller must close it.
func (o Options) newReferenceClient(ctx context.Context) (*referenceClient, error) {
	if o.file() == (Options{}).file() && !hasFile(o.file()) {
		c, err := o.standalone(FetchOptions{AllowTags: true, InsecureRegistries: o.Fetch.InsecureRegistries})
		return &referenceClient{client: c}, err
	}
	s, err := open(ctx, o, true)
	if err != nil {
		return nil, err
	}
	s.p.Unlock() // vendored bytes are hashed when they are copied
	return &referenceClient{s.client, s}, nil
}

func (f *referenceClient) close() {
	if f.project != nil {
		f.project.close()
		return
	}
	f.client.close()
}

// locked returns the packs.lock entry of a repository and digest.
func (f *referenceClient) locked(ref ociref.Reference) (lockfile.Entry, bool) {
	if f.project == nil || ref.Digest == "" {
		return lockfile.Entry{}, false
	}
	for _, entry := range f.project.p.Lock.Entries {
		if entry.Reference().Name() == ref.Name() && entry.Digest() == ref.Digest && entry.Check() == nil {
			return entry, true
		}
	}
	return lockfile.Entry{}, false
}

// A side is one of two packs that are compared.
type side struct {
	reference   string
	ref         ociref.Reference // reference, parsed
	annotations map[string]string
	entry       lockfile.Entry  // its packs.lock entry, but for the name
	pack        *fetch.Resolved // nil if only packs.lock knows it
	vendored    lockfile.Entry  // its entry in packs.lock; the zero value if none
	bytes       *scratch.File   //  nil until they are fetched
}

// resolve finds a side by its reference or, if that is unreachable, in packs.lock.
func (s *side) resolve(ctx context.Context, f *referenceClient) (err error) {
	if s.ref, err = ociref.Parse(s.reference); err != nil {
		return err
	}
	pack, err := f.Resolve(ctx, s.ref, "")
	locked, isLocked := f.locked(s.ref)
	switch {
	case err == nil:
		s.pack, s.annotations, s.entry = pack, pack.Annotations, entryOf(pack)
	case isLocked && isUnreachable(err):
		s.entry = locked
	default:
		return err
	}
	s.entry.Ref, s.vendored = s.reference, locked
	return nil
}

// fetch gets the bytes from the cache, the registry or, last, the project.
func (s *side) fetch(ctx context.Context, f *referenceClient) (err error) {
	err = &packfetch.OfflineError{Reference: s.reference}
	if s.pack != nil {
		s.bytes, err = f.Open(ctx, s.pack)
	}
	if s.vendored.Name == "" || !isUnreachable(err) {
		return err
	}
	vendored, scratchErr := scratch.New()
	if scratchErr != nil {
		return scratchErr
	}
	s.bytes = vendored
	if f.project.p.Copy(ctx, s.vendored, s.bytes) == nil {
		return nil
	}
	return err
}

// isUnreachable tells whether the registry lacks a reference, or could not be asked.
func isUnreachable(err error) bool {
	var registry *packfetch.RegistryError
	var offline *packfetch.OfflineError
	return errors.As(err, &registry) || errors.As(err, &offline)
}

// named returns the side's packs.lock entry under a name.
func (s *side) named(name string) lockfile.Entry {
	entry := s.entry
	entry.Name = name
	return entry
}

// version is the manifest's version if it differs from the tag.
func (s *side) version() string { return otherVersion(s.ref.Tag, s.annotations) }

// A pair holds the packs of two references, before and after.
type pair [2]*side

// each calls do for both sides, concurrently.
func (p pair) each(ctx context.Context, f *referenceClient, do func(*side, context.Context, *referenceClient) error) error {
	return eachCounted(ctx, f.client, p[:], func(ctx context.Context, s *side) error { return do(s, ctx, f) })
}

// change returns the change from one side to the other, without the files.
func (p pair) change() PackChange {
	name := path.Base(p[1].ref.Repository)
	return PackChange{
		EntryChange: lockfile.EntryChange{Name: name, Kind: lockfile.Changed, Old: p[0].named(name), New: p[1].named(name)},
		OldVersion:  p[0].version(), NewVersion: p[1].version(),
	}
}

func (p pair) remove() {
	for _, s := range p {
		if s.bytes != nil {
			s.bytes.Close()
		}
	}
}
