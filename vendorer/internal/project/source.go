package project

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/vendorer/internal/gitrev"
)

// A Source describes the file that a pack is: packs.toml has its path.
type Source struct {
	// Content is the zero value if the file cannot be used. Digest is "" if it has more bytes
	// than a pack may have, and was not read.
	verified.Content
	Err error // why the file cannot be used; nil if it can, or if there is no path
}

// IsMissing tells whether there is no such file.
func (s Source) IsMissing() bool { return errors.As(s.Err, new(*NoSourceError)) }

// A NoSourceError reports that the file of a pack does not exist.
type NoSourceError struct{ Path string }

func (e *NoSourceError) Error() string { return "its file " + e.Path + " is not there" }

// MeasureSources measures the files of all packs with a path, on all cores. It hashes files of
// at most so many bytes. The error is the cause of ctx's end.
func (p *Project) MeasureSources(ctx context.Context, most int64) (map[string]Source, error) {
	found := map[string]*Source{}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, pack := range p.Config.Packs {
		if pack.Path == "" {
			continue
		}
		s := &Source{}
		found[pack.Name] = s
		group.Go(func() error {
			s.Content, s.Err = p.measureSource(ctx, pack.Path, most)
			return nil
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	result := make(map[string]Source, len(found))
	for name, s := range found {
		result[name] = *s
	}
	return result, nil
}

func (p *Project) measureSource(ctx context.Context, name string, most int64) (content verified.Content, err error) {
	err = p.readSource(name, func(file io.Reader, size int64) error {
		if content.Size = size; size > most {
			return nil
		}
		// One byte more than there was: what grows has changed.
		content, err = verified.Measure(ctx, io.LimitReader(file, size+1))
		if err == nil && content.Size != size {
			err = &ChangedError{Path: p.showSource(name)}
		}
		return err
	})
	if err != nil {
		return verified.Content{}, err
	}
	return content, nil
}

// CopySource copies the file of a pack, which had that content when it was measured, to w. The
// error is *ChangedError if it has not.
func (p *Project) CopySource(ctx context.Context, name string, want verified.Content, w io.Writer) error {
	return p.readSource(name, func(file io.Reader, size int64) error {
		if size != want.Size {
			return &ChangedError{Path: p.showSource(name)}
		}
		err := verified.Copy(ctx, w, file, want)
		if errors.As(err, new(*verified.MismatchError)) {
			return &ChangedError{Path: p.showSource(name)}
		}
		return err
	})
}

// readSource opens the file of a pack, and has read read it. The file must not change meanwhile.
func (p *Project) readSource(name string, read func(file io.Reader, size int64) error) error {
	file, info, err := p.openSource(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := read(file, info.Size()); err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) && pathErr.Path == file.Name() {
			return &fs.PathError{Op: pathErr.Op, Path: p.showSource(name), Err: pathErr.Err}
		}
		return err
	}
	after, err := file.Stat()
	if err != nil {
		return err
	}
	if after.Size() != info.Size() || !after.ModTime().Equal(info.ModTime()) {
		return &ChangedError{Path: p.showSource(name)}
	}
	return nil
}

// openSource opens the file of a pack: a regular one with bytes, in reach of the project, and
// with no link on the way from packs.toml.
func (p *Project) openSource(name string) (file *os.File, info fs.FileInfo, err error) {
	refused := func(reason string) error { return &PlaceError{Path: p.showSource(name), Reason: reason} }
	dir, below, reason := p.reach(name)
	if reason != "" {
		return nil, nil, refused(reason)
	}
	if p.isOwn(filepath.Join(dir, filepath.FromSlash(below))) {
		return nil, nil, refused("is packvendor's own file")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	up, err := filepath.Rel(dir, filepath.Join(p.Module, filepath.FromSlash(p.Base)))
	if err != nil {
		return nil, nil, err
	}
	if at := firstLink(root, filepath.ToSlash(up)); at != "" {
		return nil, nil, &PlaceError{Path: filepath.Join(dir, filepath.FromSlash(at)), Reason: "is a symbolic link, so .. has two meanings"}
	}
	seen, reason, err := look(root, below)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, &NoSourceError{Path: p.showSource(name)}
	case err != nil:
		return nil, nil, p.sourceError(name, err)
	case reason != "":
		return nil, nil, refused(reason)
	}
	if file, err = root.OpenFile(below, os.O_RDONLY|regularfile.NoWait, 0); err != nil {
		return nil, nil, p.sourceError(name, err)
	}
	// What was opened counts: another file may have come to its place.
	info, err = file.Stat()
	switch {
	case err != nil:
	case !os.SameFile(seen, info):
		err = &ChangedError{Path: p.showSource(name)}
	case regularfile.Irregular(info) != "":
		err = refused(regularfile.Irregular(info))
	case info.Size() <= 0: // like the files in /proc, whatever they hold
		err = refused("is empty")
	case isPointer(file, info.Size()):
		err = refused("is a Git LFS pointer, not the pack")
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

// sourceError puts the shown path into an error of the file system about the file of a pack.
func (p *Project) sourceError(name string, err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return &fs.PathError{Op: strings.TrimSuffix(pathErr.Op, "at"), Path: p.showSource(name), Err: pathErr.Err}
	}
	return err
}

// SourceName returns how packs.toml names a file, whose path is from the working directory.
func (p *Project) SourceName(file string) (string, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	name, err := filepath.Rel(filepath.Join(p.Module, filepath.FromSlash(p.Base)), abs)
	return filepath.ToSlash(name), err
}

// showSource returns the path of a pack's file as the user would write it.
func (p *Project) showSource(name string) string {
	return visible(filepath.Join(p.shown, filepath.FromSlash(name)))
}

// reach returns the folder above which the path of a pack's file does not lead, and the path
// below it; or the reason why the file is out of reach. A file may be in the module, the folder
// of its go.work, or its git work tree, or in the folder around the outermost of these.
func (p *Project) reach(name string) (dir, below, reason string) {
	below, dir = path.Join(p.Base, name), p.Module
	outermost := p.outermost()
	for strings.HasPrefix(below, "../") {
		if dir == filepath.Dir(dir) || len(dir) < len(outermost) {
			return "", "", fmt.Sprintf("is outside %s and the folder around it", outermost)
		}
		dir, below = filepath.Dir(dir), strings.TrimPrefix(below, "../")
	}
	if len(dir) < len(outermost) && slices.ContainsFunc(strings.Split(below, "/"), isHidden) {
		return "", "", fmt.Sprintf("is outside %s, and hidden: a name on its way begins with '.'", outermost)
	}
	return dir, below, ""
}

func isHidden(element string) bool { return strings.HasPrefix(element, ".") }

// outermost returns the outermost of the module, the folder of its go.work, and its git work
// tree. Each of these is the module, or above it.
func (p *Project) outermost() string {
	outermost := p.Module
	if work := NearestWork(p.Module); work != "" && len(filepath.Dir(work)) < len(outermost) {
		outermost = filepath.Dir(work)
	}
	if tree := gitrev.WorkTree(p.Module); tree != "" && len(tree) < len(outermost) {
		outermost = tree
	}
	return outermost
}

// isOwn tells whether a path is that of a file that packvendor writes.
func (p *Project) isOwn(file string) bool {
	below, err := filepath.Rel(p.Module, file)
	if err != nil {
		return false
	}
	own := []string{p.TOMLFile, p.LockFile, p.GoFile}
	for _, pack := range p.Config.Packs {
		own = append(own, p.PackFile(pack.Name), p.EvidenceFile(pack.Name))
	}
	for _, entry := range p.Lock.Entries {
		own = append(own, p.PackFile(entry.Name), p.EvidenceFile(entry.Name))
	}
	return slices.ContainsFunc(own, func(name string) bool { return strings.EqualFold(name, filepath.ToSlash(below)) })
}

// firstLink returns the first symbolic link in a path below root; "" if there is none.
func firstLink(root *os.Root, name string) string {
	at := "."
	for element := range strings.SplitSeq(name, "/") {
		at = path.Join(at, element)
		if info, err := root.Lstat(at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return at
		}
	}
	return ""
}

// look looks at the file name and the folders above it, below root. reason says why the file
// cannot be that of a pack; "" if it can.
func look(root *os.Root, name string) (info fs.FileInfo, reason string, err error) {
	at := "."
	elements := strings.Split(name, "/")
	for i, element := range elements {
		at = path.Join(at, element)
		if gitrev.IsDirName(element) {
			return nil, "belongs to git", nil
		}
		if info, err = root.Lstat(at); err != nil {
			return nil, "", err
		}
		switch isFolder := i < len(elements)-1; {
		case !isFolder:
			return info, regularfile.Irregular(info), nil
		case info.Mode()&fs.ModeSymlink != 0:
			return nil, fmt.Sprintf("has a symbolic link on its way: %s", element), nil
		case !info.IsDir():
			return nil, fmt.Sprintf("has a file on its way that is no folder: %s", element), nil
		case gitrev.IsDir(root, at):
			return nil, "belongs to git", nil
		}
	}
	return nil, "is a directory", nil
}
