package vendorer

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/layout"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// ExportOptions select what Export writes, and where.
type ExportOptions struct {
	// Output is the bundle: a tar archive if its name ends in ".tar", else a folder.
	Output string
	// Names are the packs; none means all.
	Names []string
	// Since is a packs.lock or a bundle: packs that it has are left out. "" leaves out none.
	Since string
}

// An Exported is the result of Export.
type Exported struct {
	Output    string
	Packs     []ExportedPack // by name
	LeftOut   []string       // names of packs that Since has
	FromFiles []string       // names of packs that are files, which no bundle has
	Size      int64          // bytes of all manifests and blobs
	Fetched   int64          // bytes of blobs that came from registries
}

// An ExportedPack is a pack in a bundle.
type ExportedPack struct {
	lockfile.Entry
	Reference string // as the bundle has it: with tag and digest
	From      BlobSource
}

// A BlobSource is where the bytes of a pack came from.
type BlobSource string

const (
	FromProject  BlobSource = "project"
	FromCache    BlobSource = "cache"
	FromBundle   BlobSource = "bundle"
	FromRegistry BlobSource = "registry"
)

// lockName is the name of packs.lock in a bundle.
const lockName = project.LockName

// Export writes the locked packs as an OCI image layout. It takes what it can from the
// project, the cache and Options.Bundles, and the rest from the registries. The bytes of the
// layout depend on packs.lock and the packs alone. packs.lock must agree with packs.toml: else
// the error is a *LockedError. Packs that are files have no manifest, so no layout holds them:
// it is a *FileExportError to name one. After an error the output is as it was.
func Export(ctx context.Context, o Options, eo ExportOptions) (*Exported, error) {
	out, err := openBundleOutput(eo.Output)
	if err != nil {
		return nil, err
	}
	defer out.close()
	since, err := openSince(eo.Since)
	if err != nil {
		return nil, err
	}
	defer since.close()
	s, err := open(ctx, o, false)
	if err != nil {
		return nil, err
	}
	defer s.close()
	x := &export{session: s, since: since, blobs: map[ociref.Digest]*bundleBlob{}}
	defer x.removeFetched()
	if err := x.choose(eo); err != nil {
		return nil, err
	}
	if err := x.checkBlocked(ctx); err != nil {
		return nil, err
	}
	s.p.Unlock() // what changes meanwhile is found out by its digest
	if err := eachPack(ctx, s.client, PhaseResolving, x.tasks, x.resolve); err != nil {
		return nil, err
	}
	x.leaveOut()
	if err := x.fetchMissing(ctx); err != nil {
		return nil, err
	}
	if err := x.write(ctx, out); err != nil {
		return nil, err
	}
	return x.report(eo.Output), nil
}

// An export is one call of Export.
type export struct {
	*session
	since     *since
	lock      []lockfile.Entry // of the chosen packs
	tasks     []*exportTask    // of the packs that go into the bundle, by name
	leftOut   []string
	fromFiles []string
	blobs     map[ociref.Digest]*bundleBlob
	latest    *bundleBlob // that was opened last

	mu      sync.Mutex
	files   []string // of fetched blobs
	fetched int64    // bytes from registries
}

// An exportTask is the work for one pack.
type exportTask struct {
	pack     packsfile.Pack
	entry    lockfile.Entry
	evidence []byte // with LF; nil if the pack has no signer
	artifact *fetch.Artifact
	manifest []byte
	known    bool // since has all of it
}

// choose reads what is locked about the packs to export.
func (x *export) choose(eo ExportOptions) error {
	plan := makePlan(x.p.Config.Packs, x.p.Lock, nil, nil, nil)
	if err := x.lockedError(plan); err != nil {
		return err
	}
	chosen := map[string]bool{}
	for _, name := range eo.Names {
		if _, ok := x.p.Lock.Entry(name); !ok {
			return x.unknown(name)
		}
		chosen[name] = true
	}
	var errs []error
	for _, step := range plan.Steps {
		if len(eo.Names) == 0 || chosen[step.Pack.Name] {
			errs = append(errs, x.take(step))
		}
	}
	if len(eo.Names) > 0 && len(x.fromFiles) > 0 {
		return x.namedFiles(eo)
	}
	return errors.Join(errs...)
}

// take reads what is locked about a pack, and puts the pack where it belongs.
func (x *export) take(step Step) error {
	t := &exportTask{pack: step.Pack, entry: step.Locked}
	x.lock = append(x.lock, t.entry)
	if t.entry.Path != "" {
		x.fromFiles = append(x.fromFiles, t.entry.Name)
		return nil
	}
	if err := x.read(t, step); err != nil {
		return x.packError(step.Pack, Restore, &step.Locked, err)
	}
	if x.since.locks(t.entry) {
		x.leftOut = append(x.leftOut, t.entry.Name)
	} else {
		x.tasks = append(x.tasks, t)
	}
	return nil
}

// namedFiles is the error about files among the named packs.
func (x *export) namedFiles(eo ExportOptions) error {
	e := &FileExportError{Names: x.fromFiles}
	eo.Names = slices.DeleteFunc(slices.Clone(eo.Names), func(name string) bool { return slices.Contains(x.fromFiles, name) })
	if slices.ContainsFunc(x.p.Lock.Entries, func(entry lockfile.Entry) bool { return entry.Path == "" }) {
		e.Instead = &eo
	}
	return e
}

// A FileExportError reports packs to export that are files.
type FileExportError struct {
	Names   []string
	Instead *ExportOptions // without them; nil if all packs are files
}

func (e *FileExportError) Error() string {
	if len(e.Names) == 1 {
		return e.Names[0] + " is from a file, which no bundle has"
	}
	return strings.Join(e.Names, ", ") + " are from files, which no bundle has"
}

// read reads the files about a pack that are committed.
func (x *export) read(t *exportTask, step Step) error {
	if err := x.checkEntry(&task{Step: step}); err != nil || t.entry.Signer == "" {
		return err
	}
	e, err := x.openEvidence(t.entry, nil)
	if errors.As(err, new(*EvidenceMissingError)) {
		if t.evidence = x.bundledEvidence(t.entry); t.evidence != nil {
			return nil
		}
	}
	if err != nil {
		return err
	}
	t.evidence, err = e.Bytes()
	return err
}

// resolve finds out all that belongs to a pack, and compares it with packs.lock.
func (x *export) resolve(ctx context.Context, t *exportTask) error {
	if err := x.follow(ctx, t); err != nil {
		return x.packError(t.pack, Restore, &t.entry, err)
	}
	return nil
}

func (x *export) follow(ctx context.Context, t *exportTask) (err error) {
	read := x.manifestsOf(t)
	if t.artifact, err = fetch.ReadArtifact(ctx, t.entry.Digest(), read); err != nil {
		return asInconsistent(t.entry, err)
	}
	for _, m := range t.artifact.Manifests {
		if m.Digest == t.entry.ManifestDigest {
			t.manifest = m.Body
		}
	}
	if t.manifest == nil {
		return &InconsistentError{Name: t.entry.Name, Field: "manifest_digest", Got: string(t.entry.ManifestDigest), By: "the index does not list it"}
	}
	if t.entry.IndexDigest != "" {
		if err := fetch.CheckListed(t.artifact.Manifests[0].Body, t.manifest); err != nil {
			return asInconsistent(t.entry, err)
		}
	}
	pack, err := x.ResolveKnown(t.reference(), t.manifest, t.pack.Layer)
	if err != nil {
		return asInconsistent(t.entry, err)
	}
	if err := compare(t.entry, pack); err != nil {
		return err
	}
	t.known = x.since.has(t)
	return nil
}

// reference is that of the pack's manifest.
func (t *exportTask) reference() ociref.Reference {
	return t.pack.Reference.WithDigest(t.entry.ManifestDigest)
}

// manifestsOf returns a function that reads the manifests of a pack: from its evidence, from
// the earlier bundle, from the cache, from Options.Bundles, or from the registry.
func (x *export) manifestsOf(t *exportTask) func(context.Context, ociref.Digest) ([]byte, error) {
	known := map[ociref.Digest][]byte{}
	if e, err := evidence.Parse(t.evidence); err == nil {
		known[ociref.DigestOf(e.Manifest)] = e.Manifest
		known[ociref.DigestOf(e.Index)] = e.Index
	}
	return func(ctx context.Context, digest ociref.Digest) ([]byte, error) {
		if body := known[digest]; body != nil {
			return body, nil
		}
		if body := x.since.manifest(digest); body != nil {
			return body, nil
		}
		return x.ManifestOf(ctx, t.pack.Reference.WithDigest(digest))
	}
}

// leaveOut drops the packs that the earlier bundle has.
func (x *export) leaveOut() {
	x.tasks = slices.DeleteFunc(x.tasks, func(t *exportTask) bool {
		if t.known {
			x.leftOut = append(x.leftOut, t.entry.Name)
		}
		return t.known
	})
	slices.Sort(x.leftOut)
}

// contents returns what the bundle is made of.
func (x *export) contents() *layout.Contents {
	c := &layout.Contents{Files: map[string][]byte{lockName: lockfile.Format(&lockfile.Lock{Entries: x.lock})}}
	for _, t := range x.tasks {
		root := t.artifact.Manifests[0]
		c.Entries = append(c.Entries, layout.Entry{
			Name: t.entry.Name, Reference: fullReference(t.entry), MediaType: t.artifact.MediaType,
			Content: verified.Content{Digest: root.Digest, Size: int64(len(root.Body))},
		})
		for _, m := range t.artifact.Manifests {
			c.Blobs = append(c.Blobs, knownBlob(m.Body))
		}
		if t.evidence != nil {
			c.Files[evidenceName(t.entry.Name)] = t.evidence
		}
	}
	packs := map[ociref.Digest]int{} // by layer
	for _, t := range x.tasks {
		packs[t.entry.LayerDigest]++
	}
	for _, b := range x.blobs {
		c.Blobs = append(c.Blobs, layout.Blob{Content: b.Content, Open: func(context.Context) (io.ReadCloser, error) {
			x.latest = b
			file, err := b.open()
			return &progressReader{file, x.progress, packs[b.Digest]}, err
		}})
	}
	return c
}

// A progressReader counts the bytes that are read, and in the end the packs that have them.
type progressReader struct {
	io.ReadCloser
	progress *progressCounter
	packs    int
}

func (r *progressReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.progress.copied(int64(n))
	return n, err
}

func (r *progressReader) Close() error {
	for range r.packs {
		r.progress.done()
	}
	return r.ReadCloser.Close()
}

// fullReference is the reference of an entry with its tag, if it has one, and its digest.
func fullReference(entry lockfile.Entry) string {
	ref := entry.Reference().WithDigest(entry.Digest())
	ref.Tag = entry.AnyTag()
	return ref.String()
}

// evidenceName is the name of a pack's evidence in a bundle.
func evidenceName(pack string) string { return pack + ".evidence" }

func (x *export) report(output string) *Exported {
	r := &Exported{Output: output, LeftOut: x.leftOut, FromFiles: x.fromFiles, Fetched: x.fetched}
	seen := map[ociref.Digest]bool{}
	count := func(digest ociref.Digest, size int64) {
		if !seen[digest] {
			seen[digest] = true
			r.Size += size
		}
	}
	for _, t := range x.tasks {
		r.Packs = append(r.Packs, ExportedPack{Entry: t.entry, Reference: fullReference(t.entry), From: x.blobs[t.entry.LayerDigest].from()})
		for _, m := range t.artifact.Manifests {
			count(m.Digest, int64(len(m.Body)))
		}
	}
	for _, b := range x.blobs {
		count(b.Digest, b.Size)
	}
	return r
}
