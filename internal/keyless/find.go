// Package keyless owns the conversation with packvendor-verify-sigstore, the program that
// verifies signatures without a key: which program that is, what it is asked, and what of
// its reply is believed.
//
// The program authenticates: it says who signed which bytes. package trust decides whether
// that signer counts. sigstore/README.md has the protocol.
package keyless

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/greenticai/packvendor/internal/once"
	"github.com/greenticai/packvendor/internal/printable"
)

const (
	// Program is the name of the program.
	Program = "packvendor-verify-sigstore"
	// Variable is the environment variable that has its absolute path.
	Variable = "PACKVENDOR_SIGSTORE"
	// Package is what `go install` makes the program of, with a version behind "@".
	Package = "github.com/greenticai/packvendor/sigstore/cmd/" + Program
)

// A Search is where the program is looked for: at [Variable], beside packvendor, in PATH.
// `go tool` is not asked: it would compile what the go.mod of a pull request says.
type Search struct {
	Getenv     func(string) string
	Executable string // packvendor's own; "" if it is not known

	// Refuse are folders whose programs are not run: the module, the work tree. Who opens a
	// pull request writes there.
	Refuse []string
}

// A NotFoundError reports that there is no program.
type NotFoundError struct {
	Refused []string // programs of that name in the folders of Search.Refuse
}

func (e *NotFoundError) Error() string {
	text := Program + ", which verifies signatures without a key, is not installed or not in PATH"
	for _, path := range e.Refused {
		text += fmt.Sprintf("; %s is in the project, so it is not run", printable.Word(path, maxQuoted))
	}
	return text
}

// A SettingError reports a program at [Variable] that cannot be run.
type SettingError struct {
	Value  string
	Reason string
}

func (e *SettingError) Error() string {
	return fmt.Sprintf("%s=%s: %s", Variable, printable.Word(e.Value, maxQuoted), e.Reason)
}

// maxQuoted bounds the bytes of a quotation in a message.
const maxQuoted = 200

// Find finds the program. Its errors are *NotFoundError and *SettingError.
func (s Search) Find() (*Helper, error) {
	if value := s.Getenv(Variable); value != "" {
		return s.set(value)
	}
	var dirs []string
	if filepath.IsAbs(s.Executable) {
		dirs = append(dirs, filepath.Dir(s.Executable))
	}
	for _, dir := range filepath.SplitList(s.Getenv("PATH")) {
		if filepath.IsAbs(dir) { // others depend on the working directory
			dirs = append(dirs, dir)
		}
	}
	missing := &NotFoundError{}
	for _, dir := range dirs {
		found, err := exec.LookPath(filepath.Join(dir, Program))
		if err != nil {
			continue
		}
		path, refused, err := s.resolve(found)
		switch {
		case err != nil:
		case !refused:
			return newHelper(path), nil
		case !slices.Contains(missing.Refused, found):
			missing.Refused = append(missing.Refused, found)
		}
	}
	return nil, missing
}

// set returns the program that the user set.
func (s Search) set(value string) (*Helper, error) {
	if !filepath.IsAbs(value) {
		return nil, &SettingError{Value: value, Reason: "not an absolute path"}
	}
	found, err := exec.LookPath(value)
	if err != nil {
		return nil, &SettingError{Value: value, Reason: reasonOf(err)}
	}
	path, refused, err := s.resolve(found)
	switch {
	case err != nil:
		return nil, &SettingError{Value: value, Reason: reasonOf(err)}
	case refused:
		return nil, &SettingError{Value: value, Reason: "in the project, so it is not run"}
	}
	return newHelper(path), nil
}

// reasonOf returns an error about a path without the path.
func reasonOf(err error) string {
	var path *fs.PathError
	var program *exec.Error
	switch {
	case errors.As(err, &path):
		return path.Err.Error()
	case errors.As(err, &program):
		return program.Err.Error()
	}
	return err.Error()
}

// resolve follows the links of a program's name, so that the file that is run is the one
// that was looked at. It tells whether the name or the file is in a refused folder.
func (s Search) resolve(found string) (path string, refused bool, err error) {
	path, err = filepath.EvalSymlinks(found)
	if err != nil {
		return "", false, err
	}
	var folders []fs.FileInfo
	for _, dir := range s.Refuse {
		if info, err := os.Stat(dir); err == nil {
			folders = append(folders, info)
		}
	}
	return path, isBelow(path, folders) || leadsThrough(found, folders), nil
}

// maxLinks bounds the links on the way to a file.
const maxLinks = 255

// leadsThrough tells whether a path, or a link on its way, is in one of the folders: who may
// write there would choose the program.
func leadsThrough(path string, folders []fs.FileInfo) bool {
	for range maxLinks {
		if isBelow(path, folders) {
			return true
		}
		link, target := firstLink(path)
		if link == "" {
			return false
		}
		if isBelow(link, folders) {
			return true
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(link), target)
		}
		path = filepath.Join(target, strings.TrimPrefix(path, link))
	}
	return true
}

// firstLink returns the first link on the way to a file, and its target; "" if there is none.
func firstLink(path string) (link, target string) {
	var way []string
	for at := path; at != filepath.Dir(at); at = filepath.Dir(at) {
		way = append(way, at)
	}
	for _, at := range slices.Backward(way) {
		if target, err := os.Readlink(at); err == nil {
			return at, target
		}
	}
	return "", ""
}

// isBelow tells whether a file is below one of the folders. It compares folders, not names:
// one folder may have several.
func isBelow(path string, folders []fs.FileInfo) bool {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil && slices.ContainsFunc(folders, func(f fs.FileInfo) bool { return os.SameFile(f, info) }) {
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// A Helper is the program. Its methods can be called at the same time.
type Helper struct {
	path    string
	timeout time.Duration
	turns   chan struct{} // holds an element for each process
	hangs   atomic.Int32  // how often there was no reply in time
	answers once.Cache[key, *Answer]
}

const (
	// maxTime bounds a conversation.
	maxTime = 10 * time.Second
	// maxProcesses bounds how many run at the same time.
	maxProcesses = 4
	// maxHangs bounds how often it may hang, until nothing more is asked: there may be 32
	// candidates for each of many packs.
	maxHangs = 3
)

func newHelper(path string) *Helper {
	return &Helper{path: path, timeout: maxTime, turns: make(chan struct{}, maxProcesses)}
}

// Path returns the file that is run.
func (h *Helper) Path() string { return h.path }
