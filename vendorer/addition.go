package vendorer

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/packsfile"
)

// A TakenError reports an Addition without a name, whose default name in packs.toml
// belongs to a pack of another repository.
type TakenError struct {
	File       string // packs.toml
	Line       int    // of the pack in File
	Name       string
	Repository string   // the pack's; "" if it is the file Path
	Path       string   // as packs.toml has it
	Other      string   // the repository to add
	Addition   Addition // with a free name; "" if none was found
}

func (e *TakenError) Error() string {
	if e.Repository == "" {
		return fmt.Sprintf("%s:%d: packs.%s: it is the file %s, not from %s: name the new pack, or name %s to replace it",
			e.File, e.Line, e.Name, e.Path, e.Other, e.Name)
	}
	return fmt.Sprintf("%s:%d: packs.%s: its repository is %s, not %s: name the new pack, or name %s to replace it",
		e.File, e.Line, e.Name, e.Repository, e.Other, e.Name)
}

func (v *vendoring) parseAdditions(additions []Addition) ([]*pendingAdd, error) {
	var list []*pendingAdd
	var errs []error
	named := map[string]string{}
	for _, addition := range additions {
		a, err := v.parseAddition(addition)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if other, twice := named[a.Name]; twice {
			errs = append(errs, &UsageError{Subject: cmp.Or(a.Reference, a.Path), Reason: "would be packs." + a.Name + ", as " + other + " would: name it"})
		}
		named[a.Name] = cmp.Or(a.Reference, a.Path)
		list = append(list, a)
	}
	return list, errors.Join(errs...)
}

func (v *vendoring) parseAddition(addition Addition) (*pendingAdd, error) {
	if addition.Path != "" {
		return v.parseFile(addition)
	}
	addition, err := v.readName(addition)
	if err != nil {
		return nil, err
	}
	ref, err := addition.parse()
	if err != nil {
		return nil, err
	}
	a := &pendingAdd{Addition: addition, ref: ref}
	a.Name = cmp.Or(a.Name, path.Base(ref.Repository))
	if addition.Name == "" {
		err = v.checkTaken(a)
	}
	v.keepForm(a)
	return a, err
}

// parseFile reads an Addition of a file.
func (v *vendoring) parseFile(addition Addition) (*pendingAdd, error) {
	usage := func(reason string) error {
		return &UsageError{Subject: fmt.Sprintf("%+q", addition.Path), Reason: reason}
	}
	if addition.Version != "" || addition.AllowTags || addition.Pin {
		return nil, usage("is a file: it follows no tag and no range, and has no pin")
	}
	file, err := v.p.LocalFileName(addition.Path)
	if err != nil {
		return nil, usage("cannot be written relative to packs.toml: " + err.Error())
	}
	a := &pendingAdd{Addition: addition}
	a.Name = cmp.Or(a.Name, strings.TrimSuffix(path.Base(file), ".gtpack"))
	before, there := v.p.Config.Pack(a.Name)
	switch {
	case addition.Name == "" && names.CheckPack(a.Name) != nil:
		return nil, usage("gives the pack no name: write the name before it")
	case addition.Name == "" && there && before.Path != file:
		return nil, usage("would be packs." + a.Name + ", which is another one: write the name before it")
	}
	a.file = packsfile.Entry{Ref: before.Ref, Path: file, Version: before.Version, AllowTags: before.Ref != "" && before.AllowTags}
	return a, nil
}

// checkReferences checks what needs no packs.toml.
func checkReferences(additions []Addition) error {
	var errs []error
	for _, a := range additions {
		if _, _, named := cutName(a.Reference); !named && a.Path == "" {
			_, err := a.parse()
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// parse reads the reference. It accepts REPOSITORY@TAG too.
func (a Addition) parse() (ociref.Reference, error) {
	text := a.Reference
	if what, tag, ok := strings.Cut(text, "@"); ok && ociref.CheckTag(tag) == nil {
		if ref, err := ociref.Parse(what); err == nil && ref.Tag == "" {
			text = what + ":" + tag
		}
	}
	ref, err := ociref.Parse(text)
	if err != nil {
		return ref, err
	}
	if wrong := a.contradiction(ref); wrong != "" {
		return ref, &UsageError{Subject: a.Reference, Reason: wrong}
	}
	ref.Scheme = "" // packs.toml omits it
	return ref, nil
}

// contradiction names fields that exclude each other, "" if none do.
func (a Addition) contradiction(ref ociref.Reference) string {
	switch {
	case a.Version != "" && a.AllowTags:
		return "cannot follow a range and a tag"
	case a.Pin && (a.Version != "" || a.AllowTags):
		return "cannot be pinned and follow a range or a tag"
	case a.Version != "" && (ref.Tag != "" || ref.Digest != ""):
		return "has a tag or digest, which a version range excludes"
	case a.AllowTags && ref.Digest != "":
		return "has a digest: it is a pin, and needs no tag allowed"
	case a.AllowTags && ref.Tag == "":
		return "has no tag that could be allowed"
	}
	return ""
}

// cutName splits NAME@TAG, and reports whether reference has that form.
func cutName(reference string) (name, tag string, ok bool) {
	name, tag, ok = strings.Cut(reference, "@")
	return name, tag, ok && names.CheckPack(name) == nil && ociref.CheckTag(tag) == nil
}

// readName turns NAME@TAG into a reference to the pack's repository with that tag.
func (v *vendoring) readName(a Addition) (Addition, error) {
	name, tag, ok := cutName(a.Reference)
	if !ok {
		return a, nil
	}
	pack, there := v.p.Config.Pack(name)
	if !there {
		return a, v.unknown(name)
	}
	if pack.Ref == "" {
		return a, &UsageError{Subject: name, Reason: "is from a file, which has no tags: " + pack.Path}
	}
	a.Name, a.Reference = cmp.Or(a.Name, name), pack.Reference.WithTag(tag).String()
	return a, nil
}

// keepForm keeps the form of an existing pack, unless the Addition names another one: a
// range stays a range, and an allowed tag stays an allowed tag.
func (v *vendoring) keepForm(a *pendingAdd) {
	before, there := v.p.Config.Pack(a.Name)
	saysForm := a.Pin || a.Version != "" || a.AllowTags || a.ref.Digest != ""
	switch was := before.Reference; {
	case !there || saysForm:
	case before.Version != "" && a.ref.Tag == "":
		a.Version = before.Version
	case before.Version == "" && was.Digest == "" && was.Tag != "" && before.AllowTags:
		a.AllowTags, a.ref.Tag = true, cmp.Or(a.ref.Tag, was.Tag)
	}
}

// checkTaken refuses a default name that belongs to a pack of another repository.
func (v *vendoring) checkTaken(a *pendingAdd) error {
	pack, there := v.p.Config.Pack(a.Name)
	if !there || pack.Reference.Name() == a.ref.Name() {
		return nil
	}
	e := &TakenError{File: v.p.Show(v.p.TOMLFile), Line: pack.Line, Name: a.Name, Path: pack.Path, Other: a.ref.Name()}
	if pack.Ref != "" {
		e.Repository = pack.Reference.Name()
	}
	e.Addition = *v.withFreeName(a)
	return e
}

// maxNumbered bounds the search for a free name.
const maxNumbered = 99

// freeName returns a free name for a: one from the repository's last two parts, else a
// numbered one. It returns "" if it finds none.
func (v *vendoring) freeName(a *pendingAdd) string {
	var candidates []string
	if dir := path.Dir(a.ref.Repository); dir != "." {
		owner := strings.ReplaceAll(path.Base(dir), ".", "-")
		candidates = append(candidates, owner+"-"+a.Name, a.Name+"-"+owner)
	}
	for n := 2; n <= maxNumbered; n++ {
		candidates = append(candidates, fmt.Sprintf("%s-%d", a.Name, n))
	}
	for _, name := range candidates {
		named := *a
		named.Name = name
		_, taken := v.p.Config.Pack(name)
		if !taken && names.CheckPack(name) == nil && v.checkAdditions([]*pendingAdd{&named}) == nil {
			return name
		}
	}
	return ""
}

// A GoNameError reports that a pack's name leads to a Go name that is already taken.
type GoNameError struct {
	Name, GoName string
	Addition     Addition // with a free name; "" if none was found
}

func (e *GoNameError) Error() string {
	return fmt.Sprintf("%s: Go name %s is taken: add the pack under another name", e.Name, e.GoName)
}

// A ClashingAdditionError reports that another file of the package declares a name that
// the generated file needs for the new pack.
type ClashingAdditionError struct {
	*ClashError
	Addition Addition // with a free name; "" if none was found
}

func (e *ClashingAdditionError) Error() string {
	return fmt.Sprintf("%s declares %s, which packs.%s needs: add the pack under another name, or rename that", e.File, strings.Join(e.Names, ", "), e.Pack)
}

func (e *ClashingAdditionError) Unwrap() error { return e.ClashError }

// renamed adds a free name to each error of checkAdditions about a Go name that is
// taken.
func (v *vendoring) renamed(list []*pendingAdd, err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, v.renamed(list, e))
		}
		return errors.Join(errs...)
	}
	for _, a := range list {
		var clash *ClashError
		var bad *packsfile.Error
		_, there := v.p.Config.Pack(a.Name)
		switch {
		case there:
		case errors.As(err, &clash) && clash.Pack == a.Name:
			return &ClashingAdditionError{ClashError: clash, Addition: *v.withFreeName(a)}
		case errors.As(err, &bad) && bad.GoName != "" && bad.Key == "packs."+a.Name:
			return &GoNameError{Name: a.Name, GoName: bad.GoName, Addition: *v.withFreeName(a)}
		}
	}
	return err
}

// withFreeName returns a's Addition under a free name.
func (v *vendoring) withFreeName(a *pendingAdd) *Addition {
	addition := a.Addition
	addition.Name = v.freeName(a)
	return &addition
}
