package project

import (
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/internal/regularfile"
)

// A NoProjectError reports that there is no packs.toml.
type NoProjectError struct{ File string }

func (e *NoProjectError) Error() string { return fmt.Sprintf("%s: no such file", e.File) }

// A NoModuleError reports a packs.toml outside any Go module.
type NoModuleError struct {
	Dir       string
	Workspace string // the go.work in Dir or above it, if it has modules; else ""
	// Module is one of these modules, from the working directory: one with a packs.toml
	// at its root, if there is one. HasTOML reports that.
	Module  string
	HasTOML bool
}

func (e *NoModuleError) Error() string {
	if e.Workspace != "" {
		return e.Dir + " is in no Go module: packs belong to one of the modules in " + e.Workspace
	}
	return e.Dir + " is in no Go module: there is no go.mod in it or above it"
}

type (
	// A LongFileError reports a file that is too large to read.
	LongFileError = regularfile.LongError
	// A PlaceError reports a path that packvendor may not write.
	PlaceError = regularfile.PlaceError
)

// A ClashError reports names that both the generated file and another file of the
// package declare.
type ClashError struct {
	File   string
	Names  []string
	Pack   string // the pack that needs the names; "" if no go_name frees them
	GoName string // a free go_name for the pack; "" if none was found
}

func (e *ClashError) Error() string {
	declared := fmt.Sprintf("%s declares %s", e.File, strings.Join(e.Names, ", "))
	switch {
	case e.Pack == "":
		return declared + ", which the generated file needs: rename that, or give the packs a package of their own (dir under [embed])"
	case e.GoName == "":
		return fmt.Sprintf("%s, which packs.%s needs: set its go_name in packs.toml, or rename that", declared, e.Pack)
	}
	return fmt.Sprintf("%s, which packs.%s needs: set its go_name in packs.toml, such as %q, or rename that", declared, e.Pack, e.GoName)
}

// A PackageNameError reports that the Go package has no known name.
type PackageNameError struct {
	Dir   string
	Names []string // the package names in the directory's files
	New   bool     // there is no packs.toml yet that could give the name
}

func (e *PackageNameError) Error() string {
	text := e.Dir + " has no Go files and is no package name itself"
	if len(e.Names) > 0 {
		text = fmt.Sprintf("%s holds several packages (%s)", e.Dir, strings.Join(e.Names, ", "))
	}
	if e.New {
		return text
	}
	return text + ": set package under [embed] in packs.toml"
}

// A BusyError reports a project that another run keeps locked.
type BusyError struct{ File string }

func (e *BusyError) Error() string {
	return fmt.Sprintf("%s: another packvendor has been at work on this project for too long", e.File)
}

// A ChangedError reports a file that changed while packvendor ran.
type ChangedError struct{ Path string }

func (e *ChangedError) Error() string { return e.Path + " was changed while packvendor ran" }

// A ConflictError reports a packs.lock that holds both sides of a merge.
type ConflictError struct {
	File    string // packs.lock
	Merging bool   // git's merge is unfinished, and either side that git has will do
	Err     error
}

func (e *ConflictError) Error() string { return e.Err.Error() }
func (e *ConflictError) Unwrap() error { return e.Err }
