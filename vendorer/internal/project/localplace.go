package project

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/vendorer/internal/git"
)

// openLocalFile opens the local file name: a regular one with bytes, in reach of the project,
// and with no link on the way from packs.toml. The caller puts the path into the error.
func (p *Project) openLocalFile(name string) (file *os.File, info fs.FileInfo, err error) {
	dir, below, err := p.reach(name)
	if err != nil {
		return nil, nil, err
	}
	if p.isOwn(filepath.Join(dir, filepath.FromSlash(below))) {
		return nil, nil, &PlaceError{Reason: "is packvendor's own file"}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	if err := p.checkUpward(root, dir); err != nil {
		return nil, nil, err
	}
	return openBelow(root, below)
}

// reach returns the highest folder on the way from packs.toml to a local file, and the way down
// from there. A file may be in the module, the folder of its go.work, or its git work tree, or
// in the folder around the outermost of these.
func (p *Project) reach(name string) (dir, below string, err error) {
	below, dir = path.Join(p.Base, name), p.Module
	outermost := p.outermost()
	for strings.HasPrefix(below, "../") {
		if dir == filepath.Dir(dir) || len(dir) < len(outermost) {
			return "", "", &PlaceError{Reason: fmt.Sprintf("is outside %s and the folder around it", visible(outermost))}
		}
		dir, below = filepath.Dir(dir), strings.TrimPrefix(below, "../")
	}
	if len(dir) < len(outermost) && slices.ContainsFunc(strings.Split(below, "/"), isHidden) {
		return "", "", &PlaceError{Reason: fmt.Sprintf("is outside %s, and hidden: a name on its way begins with '.', or is a short one like SSH~1", visible(outermost))}
	}
	return dir, below, nil
}

// isHidden tells whether a name is that of a hidden file, or may be on Windows: the short names
// there, with ~ and a digit, are without the dot.
func isHidden(element string) bool {
	for i := range len(element) - 1 {
		if element[i] == '~' && '0' <= element[i+1] && element[i+1] <= '9' {
			return true
		}
	}
	return strings.HasPrefix(element, ".")
}

// outermost returns the outermost of the module, the folder of its go.work, and its git work
// tree. Each of these is the module, or above it.
func (p *Project) outermost() string {
	outermost := p.Module
	if work := NearestWork(p.Module); work != "" && len(filepath.Dir(work)) < len(outermost) {
		outermost = filepath.Dir(work)
	}
	if tree := git.WorkTree(p.Module); tree != "" && len(tree) < len(outermost) {
		outermost = tree
	}
	return outermost
}

// isOwn tells whether a path is that of a file that packvendor writes, on some system.
func (p *Project) isOwn(file string) bool {
	below, err := filepath.Rel(p.Module, file)
	if err != nil {
		return false
	}
	own := []string{p.TOMLFile, p.LockFile, p.GoFile, p.StubFile}
	for _, pack := range p.Config.Packs {
		own = append(own, p.PackFile(pack.Name), p.EvidenceFile(pack.Name))
	}
	for _, entry := range p.Lock.Entries {
		own = append(own, p.PackFile(entry.Name), p.EvidenceFile(entry.Name))
	}
	return slices.ContainsFunc(own, func(name string) bool { return strings.EqualFold(name, filepath.ToSlash(below)) })
}

// checkUpward refuses a link between packs.toml and dir, which root is: the folder above a link
// is another one than the folder above what the link names.
func (p *Project) checkUpward(root *os.Root, dir string) error {
	base := filepath.Join(p.Module, filepath.FromSlash(p.Base))
	below, err := filepath.Rel(dir, base)
	if err != nil {
		return err
	}
	at := "."
	for element := range strings.SplitSeq(filepath.ToSlash(below), "/") {
		at = path.Join(at, element)
		if info, err := root.Lstat(at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return &PlaceError{Reason: fmt.Sprintf("is above a symbolic link, %s: .. has two meanings there", visible(filepath.Join(dir, filepath.FromSlash(at))))}
		}
	}
	return nil
}

// openBelow opens a file below root, and each folder on its way. It looks at each of them before
// it opens that, and then compares: a link that comes to its place meanwhile is not followed.
func openBelow(root *os.Root, name string) (*os.File, fs.FileInfo, error) {
	element, rest, isFolder := strings.Cut(name, "/")
	if git.IsDirName(element) {
		return nil, nil, &PlaceError{Reason: belongsToGit}
	}
	seen, err := root.Lstat(element)
	if err != nil {
		return nil, nil, err
	}
	if !isFolder {
		return openSeenFile(root, element, seen)
	}
	folder, err := openSeenFolder(root, element, seen)
	if err != nil {
		return nil, nil, err
	}
	defer folder.Close()
	return openBelow(folder, rest)
}

const belongsToGit = "belongs to git"

// openSeenFolder opens a folder in root that was seen there.
func openSeenFolder(root *os.Root, name string, seen fs.FileInfo) (*os.Root, error) {
	switch {
	case seen.Mode()&fs.ModeSymlink != 0:
		return nil, &PlaceError{Reason: "has a symbolic link on its way: " + visible(name)}
	case !seen.IsDir():
		return nil, &PlaceError{Reason: "has a file on its way that is no folder: " + visible(name)}
	}
	folder, err := root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	opened, err := folder.Stat(".")
	switch {
	case err != nil:
	case !os.SameFile(seen, opened):
		err = &ChangedError{}
	case git.IsDir(folder, "."):
		err = &PlaceError{Reason: belongsToGit}
	}
	if err != nil {
		folder.Close()
		return nil, err
	}
	return folder, nil
}

// openSeenFile opens a file in root that was seen there.
func openSeenFile(root *os.Root, name string, seen fs.FileInfo) (file *os.File, info fs.FileInfo, err error) {
	if reason := regularfile.Irregular(seen); reason != "" {
		return nil, nil, &PlaceError{Reason: reason}
	}
	file, info, err = regularfile.OpenSeen(root, name)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case !os.SameFile(seen, info):
		err = &ChangedError{}
	case info.Size() == 0: // like the files in /proc, whatever they hold
		err = &PlaceError{Reason: "is empty"}
	case isPointer(file, info.Size()):
		err = &PlaceError{Reason: "is a Git LFS pointer, not the pack"}
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, info, nil
}
