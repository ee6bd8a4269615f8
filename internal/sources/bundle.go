package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"

	"github.com/greenticai/packvendor/internal/layout"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/internal/verified"
)

// An UnreadBundleError reports a bundle that cannot be opened or read.
type UnreadBundleError struct {
	Path string
	Err  error
}

func (e *UnreadBundleError) Error() string {
	return fmt.Sprintf("cannot read the bundle %s: %v", e.Path, e.Err)
}

// IsMissing reports whether there is no such bundle.
func (e *UnreadBundleError) IsMissing() bool {
	missing, ok := e.Err.(gone)
	return ok && errors.Is(missing.err, fs.ErrNotExist)
}

// Bundles are the bundles at some paths, in their order. Their methods may be called
// concurrently. The first that needs a bundle opens all.
type Bundles struct {
	all []*bundle
}

// NewBundles returns the bundles at paths: folders, or tar archives. It touches no disk.
func NewBundles(paths []string) *Bundles {
	b := &Bundles{}
	for _, path := range paths {
		b.all = append(b.all, &bundle{path: path})
	}
	return b
}

// None reports whether there are no bundles.
func (b *Bundles) None() bool { return len(b.all) == 0 }

// List returns the bundles for Options. If they are the last sources, what none of them has is
// an error of this machine, and no registry is asked.
func (b *Bundles) List(areLast bool) []Bundle {
	var list []Bundle
	for _, one := range b.all {
		list = append(list, one)
	}
	if areLast && !b.None() {
		list = append(list, end{})
	}
	return list
}

// Open opens all bundles. Errors: *UnreadBundleError, *layout.FormatError.
func (b *Bundles) Open() error {
	for _, one := range b.all {
		if _, err := one.open(); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the bundles.
func (b *Bundles) Close() {
	for _, one := range b.all {
		if one.layout != nil {
			one.layout.Close()
		}
	}
}

// Has reports whether a bundle has a manifest or a blob with a digest, of any size. It does not
// read it.
func (b *Bundles) Has(digest ociref.Digest) bool {
	return b.has(func(l *layout.Layout) bool { return l.Has(digest) })
}

func (b *Bundles) has(test func(*layout.Layout) bool) bool {
	for _, one := range b.all {
		if l, err := one.open(); err == nil && test(l) {
			return true
		}
	}
	return false
}

// Manifest returns the manifest with a digest from the first bundle that has it. The error is
// an fs.ErrNotExist if none has it. Other errors are those of Open and Bundle.Manifest.
func (b *Bundles) Manifest(digest ociref.Digest) ([]byte, error) {
	for _, one := range b.all {
		if body, err := one.Manifest(digest); !errors.Is(err, fs.ErrNotExist) {
			return body, err
		}
	}
	return nil, fs.ErrNotExist
}

// Check reads a blob from the first bundle that has it, and proves it. Errors are those of
// Manifest.
func (b *Bundles) Check(ctx context.Context, want verified.Content) error {
	for _, one := range b.all {
		if err := one.Copy(ctx, io.Discard, want); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fs.ErrNotExist
}

// Files returns the file beside index.json with a name, of each bundle that has it. It leaves
// out files of more than limit bytes, and those that cannot be read.
func (b *Bundles) Files(name string, limit int64) [][]byte {
	var files [][]byte
	b.has(func(l *layout.Layout) bool {
		if data, err := l.File(name, limit); err == nil {
			files = append(files, data)
		}
		return false
	})
	return files
}

// Listed returns the digests in index.json of all bundles, each once: in a bundle of packvendor,
// those of its packs.
func (b *Bundles) Listed() []ociref.Digest {
	var listed []ociref.Digest
	b.has(func(l *layout.Layout) bool {
		for _, entry := range l.Entries() {
			listed = append(listed, entry.Digest)
		}
		return false
	})
	slices.Sort(listed)
	return slices.Compact(listed)
}

// A bundle is a Bundle that is opened when it is needed.
type bundle struct {
	path string

	once   sync.Once
	layout *layout.Layout
	err    error
}

func (b *bundle) open() (*layout.Layout, error) {
	b.once.Do(func() {
		b.layout, b.err = layout.Open(b.path)
		b.err = b.located(b.err)
	})
	return b.layout, b.err
}

// located makes an error of a bundle one that names the bundle. No such error is an
// fs.ErrNotExist: a bundle that is not there is not one that lacks something.
func (b *bundle) located(err error) error {
	var at *fs.PathError
	var mismatch *verified.MismatchError
	var read *verified.ReadError
	var place *regularfile.PlaceError
	switch {
	case errors.As(err, new(*verified.WriteError)):
		return err
	case errors.As(err, &place):
		return &layout.FormatError{Path: b.path, Reason: place.Reason}
	case errors.As(err, &at):
		return &UnreadBundleError{Path: b.path, Err: gone{at.Err}}
	case errors.As(err, &read) && !isEnd(read.Err):
		return &UnreadBundleError{Path: b.path, Err: err}
	case errors.As(err, &mismatch):
		return fmt.Errorf("the bundle %s: %w", b.path, err)
	}
	return err
}

func isEnd(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// gone is an error as text.
type gone struct{ err error }

func (e gone) Error() string { return e.err.Error() }

func (b *bundle) Path() string { return b.path }

func (b *bundle) Manifest(digest ociref.Digest) ([]byte, error) {
	l, err := b.open()
	if err != nil {
		return nil, err
	}
	body, err := l.Manifest(digest)
	return body, b.lacking(err)
}

func (b *bundle) Copy(ctx context.Context, dst io.Writer, want verified.Content) error {
	l, err := b.open()
	if err != nil {
		return err
	}
	return b.lacking(l.Copy(ctx, dst, want))
}

// lacking is located, except of what the bundle does not have.
func (b *bundle) lacking(err error) error {
	if errors.As(err, new(*layout.MissingError)) {
		return err
	}
	return b.located(err)
}

// end is the last Bundle where no registry may be asked.
type end struct{}

// errEnd reports what was in a bundle a moment ago, and is not any more.
var errEnd = errors.New("it has gone from its bundle, and the network is off")

func (end) Path() string                                            { return "" }
func (end) Manifest(ociref.Digest) ([]byte, error)                  { return nil, errEnd }
func (end) Copy(context.Context, io.Writer, verified.Content) error { return errEnd }
