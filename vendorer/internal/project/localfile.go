package project

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/greenticai/packvendor/internal/verified"
)

// A LocalFile describes the file that packs.toml has as the path of a pack: the pack's bytes
// come from there, and not from a registry. It is never the vendored file.
type LocalFile struct {
	// Content is the zero value if the file cannot be used. Digest is "" if the file was not
	// hashed.
	verified.Content
	Err error // why the file cannot be used; nil if it can, or if there is no path
}

// IsMissing tells whether there is no such file.
func (f LocalFile) IsMissing() bool { return errors.As(f.Err, new(*NoLocalFileError)) }

// A NoLocalFileError reports that the local file of a pack does not exist.
type NoLocalFileError struct{ Path string }

func (e *NoLocalFileError) Error() string { return "its file " + e.Path + " is not there" }

// MeasureLocalFiles measures the local files of all packs, on all cores. It hashes files of at
// most that many bytes. The error is the cause of ctx's end.
func (p *Project) MeasureLocalFiles(ctx context.Context, most int64) (map[string]LocalFile, error) {
	found := map[string]*LocalFile{}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, pack := range p.Config.Packs {
		if pack.Path == "" {
			continue
		}
		f := &LocalFile{}
		found[pack.Name] = f
		group.Go(func() error {
			f.Content, f.Err = p.measureLocalFile(ctx, pack.Path, most)
			return nil
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	result := make(map[string]LocalFile, len(found))
	for name, f := range found {
		result[name] = *f
	}
	return result, nil
}

// LookLocalFile measures a local file without its digest.
func (p *Project) LookLocalFile(name string) (f LocalFile) {
	f.Content, f.Err = p.measureLocalFile(context.Background(), name, 0)
	return f
}

func (p *Project) measureLocalFile(ctx context.Context, name string, most int64) (content verified.Content, err error) {
	err = p.readLocalFile(name, func(file io.Reader, size int64) error {
		if content.Size = size; size > most {
			return nil
		}
		content, err = verified.Measure(ctx, io.LimitReader(file, size)) // it may grow without end
		return err
	})
	if err != nil {
		return verified.Content{}, err
	}
	return content, nil
}

// CopyLocalFile copies a local file, which had that content when it was measured, to w. The
// error is *ChangedError if it has not.
func (p *Project) CopyLocalFile(ctx context.Context, name string, want verified.Content, w io.Writer) error {
	return p.readLocalFile(name, func(file io.Reader, _ int64) error {
		err := verified.Copy(ctx, w, file, want)
		if errors.As(err, new(*verified.MismatchError)) {
			return &ChangedError{}
		}
		return err
	})
}

// readLocalFile opens a local file, and has read read it. The file must not change meanwhile.
func (p *Project) readLocalFile(name string, read func(file io.Reader, size int64) error) error {
	file, info, err := p.openLocalFile(name)
	if err != nil {
		return p.aboutLocalFile(name, err)
	}
	defer file.Close()
	if err := read(file, info.Size()); err != nil {
		return p.aboutLocalFile(name, err)
	}
	after, err := file.Stat()
	if err == nil && (after.Size() != info.Size() || !after.ModTime().Equal(info.ModTime())) {
		err = &ChangedError{}
	}
	return p.aboutLocalFile(name, err)
}

// aboutLocalFile puts the shown path into an error about a local file.
func (p *Project) aboutLocalFile(name string, err error) error {
	at := path.Join(p.Base, name)
	switch {
	case errors.As(err, new(*verified.WriteError)):
		return err // it is about the file that gets the bytes
	case errors.Is(err, fs.ErrNotExist):
		return &NoLocalFileError{Path: p.Show(at)}
	case errors.As(err, new(*ChangedError)):
		return &ChangedError{Path: p.Show(at)}
	}
	return p.located(at, err)
}

// LocalFileName returns how packs.toml names a file, whose path is from the working directory.
func (p *Project) LocalFileName(file string) (string, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	name, err := filepath.Rel(filepath.Join(p.Module, filepath.FromSlash(p.Base)), abs)
	return filepath.ToSlash(name), err
}
