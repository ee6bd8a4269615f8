package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/vendorer"
)

// programJSON is the document about a compiled program.
type programJSON struct {
	Path          string   `json:"path"`                    // of the file
	Format        string   `json:"format"`                  // of the file, such as ELF
	Architectures []string `json:"architectures,omitempty"` // of a universal Mach-O file
	// Build is what the go command recorded; null if there is nothing.
	Build   *buildJSON `json:"build"`
	NoBuild string     `json:"no_build,omitempty"` // why there is no build
	Locks   []string   `json:"locks"`              // the files packs.lock with which the program was compared
	// Uncompared says why it was not compared with packs.lock of the project.
	Uncompared string `json:"uncompared,omitempty"`
	// Malformed is how many different markers it has that no release of packvendor writes.
	Malformed int               `json:"malformed_markers,omitempty"`
	Packs     []programPackJSON `json:"packs"` // of the program, and those of the locks that it does not have
}

type buildJSON struct {
	Module  string `json:"module,omitempty"`  // the path of the main module
	Version string `json:"version,omitempty"` // of the main module
	Package string `json:"package,omitempty"` // the import path of the main package
	Go      string `json:"go"`                // the version of Go
	OS      string `json:"os,omitempty"`      // GOOS
	Arch    string `json:"arch,omitempty"`    // GOARCH
}

// programPackJSON is a pack of a program, or of a packs.lock.
type programPackJSON struct {
	Package        string   `json:"package,omitempty"`         // the import path of the Go package that embeds it
	Name           string   `json:"name"`                      // of the pack in packs.toml
	Linked         bool     `json:"linked"`                    // whether the program has it
	Bytes          string   `json:"bytes,omitempty"`           // of a linked pack: present, absent, other, or unknown if they were not looked for to the end
	Reference      string   `json:"reference,omitempty"`       // as in packs.toml, or file: and a path
	ManifestDigest string   `json:"manifest_digest,omitempty"` // of the manifest, if there is one
	LayerDigest    string   `json:"layer_digest"`              // of the pack's bytes
	MediaType      string   `json:"media_type,omitempty"`      // of the layer
	Size           int64    `json:"size"`                      // of the pack in bytes
	Architectures  []string `json:"architectures,omitempty"`   // those that have it, of a universal Mach-O file
	Lock           string   `json:"lock,omitempty"`            // the packs.lock that has it
	Fault          string   `json:"fault,omitempty"`           // what is wrong: not-locked, bytes-absent, bytes-unknown, bytes-other, other-content or other-reference
}

func newProgramJSON(p *vendorer.Program) *programJSON {
	doc := &programJSON{
		Path: p.Path, Format: p.Format, Architectures: p.Architectures, Build: newBuildJSON(p),
		Locks: append([]string{}, p.Locks...), Packs: []programPackJSON{}, Malformed: p.MalformedMarkers,
	}
	if p.NoBuild != nil {
		doc.NoBuild = p.NoBuild.Error()
	}
	if p.Uncompared != nil {
		doc.Uncompared = p.Uncompared.Error()
	}
	for _, pack := range p.Packs {
		doc.Packs = append(doc.Packs, newProgramPackJSON(pack))
	}
	return doc
}

func newBuildJSON(p *vendorer.Program) *buildJSON {
	if p.Build == nil {
		return nil
	}
	return &buildJSON{
		Module: p.Build.Main.Path, Version: p.Build.Main.Version, Package: p.Build.Path, Go: p.Build.GoVersion,
		OS: buildSetting(p, "GOOS"), Arch: buildSetting(p, "GOARCH"),
	}
}

func buildSetting(p *vendorer.Program, key string) string {
	for _, s := range p.Build.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

func newProgramPackJSON(p vendorer.ProgramPack) programPackJSON {
	e := p.Locked
	doc := programPackJSON{
		Package: p.Package, Name: p.Name, Lock: p.Lock, Reference: p.Reference(),
		ManifestDigest: string(e.ManifestDigest), LayerDigest: string(e.LayerDigest), MediaType: e.MediaType, Size: e.Size,
	}
	if m := p.Linked; m != nil {
		doc.Linked, doc.Bytes, doc.Architectures = true, m.State.String(), m.Architectures
		doc.ManifestDigest, doc.LayerDigest, doc.MediaType, doc.Size = string(m.ManifestDigest), string(m.LayerDigest), m.MediaType, m.Size
	}
	if fault := faultOf(p); fault != nil {
		doc.Fault = string(fault.Fault)
	}
	return doc
}

// faultOf returns what is wrong with a pack of a program, nil if nothing is.
func faultOf(p vendorer.ProgramPack) *vendorer.LinkError {
	var fault *vendorer.LinkError
	errors.As(p.Err, &fault)
	return fault
}

func (c *cli) reportProgram(p *vendorer.Program) error {
	doc := newProgramJSON(p)
	if p.Uncompared != nil {
		c.say.Notice("%s", "the program was not compared with packs.lock: "+doc.Uncompared)
	}
	t := phrase.NewTable()
	t.Add("file", p.Path)
	t.Add("format", phrase.Join(": ", p.Format, strings.Join(p.Architectures, ", ")))
	for _, row := range buildRows(doc) {
		t.Add(row[0], row[1])
	}
	t.Add("packs", programPacksText(p))
	text := t.String()
	if len(p.Packs) > 0 {
		text += "\n" + programTable(p).String()
	}
	return c.end(outcome{document: doc, before: text})
}

// buildRows are what is known of the build of a program.
func buildRows(doc *programJSON) [][2]string {
	b := doc.Build
	if b == nil {
		return [][2]string{{"build", "no information: " + doc.NoBuild}}
	}
	rows := [][2]string{{"module", strings.TrimSpace(b.Module + " " + b.Version)}}
	if b.Package != b.Module {
		rows = append(rows, [2]string{"package", b.Package})
	}
	return append(rows, [2]string{"build", strings.TrimSpace(b.Go + " " + strings.Trim(b.OS+"/"+b.Arch, "/"))})
}

// programPacksText says in a line which packs a program has.
func programPacksText(p *vendorer.Program) string {
	text := "no markers"
	if p.HasMarkers {
		text = linkedText(p)
	}
	if p.MalformedMarkers > 0 {
		text += ", and " + phrase.Count(p.MalformedMarkers, "malformed marker")
	}
	return text
}

// linkedText says how many packs a program names, and of how many it has the bytes.
func linkedText(p *vendorer.Program) string {
	linked, present := 0, 0
	for _, pack := range p.Packs {
		if pack.Linked != nil {
			linked++
			if pack.Linked.State == vendorer.BytesPresent {
				present++
			}
		}
	}
	if linked == present {
		return fmt.Sprint(linked)
	}
	return fmt.Sprintf("%d, and the bytes of %d", linked, present)
}

// programTable lists the packs of a program and of the locks.
func programTable(p *vendorer.Program) *phrase.Table {
	headings := []string{"NAME", "SIZE", "DIGEST", "BYTES", "LOCKED", "PACKAGE", "REFERENCE"}
	isCompared := len(p.Locks) > 0
	if !isCompared {
		headings = slices.Delete(headings, 4, 5)
	}
	t := phrase.NewTable(headings...)
	for _, pack := range p.Packs {
		content, bytes := pack.Locked.LayerDigest, "not linked"
		size := pack.Locked.Size
		if m := pack.Linked; m != nil {
			content, size, bytes = m.LayerDigest, m.Size, m.State.String()
			if len(m.Architectures) < len(p.Architectures) {
				bytes += " in " + strings.Join(m.Architectures, ", ")
			}
		}
		cells := []string{pack.Name, phrase.Bytes(size), phrase.Digest(content), bytes, linkedLockText(pack), phrase.OrDash(pack.Package), pack.Reference()}
		if !isCompared {
			cells = slices.Delete(cells, 4, 5)
		}
		t.Add(cells...)
	}
	return t
}

// linkedLockText says how packs.lock has a pack of a program.
func linkedLockText(p vendorer.ProgramPack) string {
	switch fault := p.Differs(); {
	case p.Lock == "":
		return "no"
	case fault == vendorer.FaultOtherContent:
		return "other bytes"
	case fault == vendorer.FaultOtherReference:
		return "other reference"
	}
	return "yes"
}

// checkProgramFlags refuses flags that are for --binary alone, or not for it.
func checkProgramFlags(command *cobra.Command) error {
	flags := command.Flags()
	if flags.Changed("binary") {
		if flags.Changed("remote") {
			return usagef("--binary and --remote exclude each other")
		}
		return nil
	}
	for _, name := range []string{"lock", "all", "only"} {
		if flags.Changed(name) {
			return usagef("--%s needs --binary", name)
		}
	}
	return nil
}

// verifyProgram compares a program with the packs.lock of each -f and with each --lock; without
// both, with that of the nearest project.
func (c *cli) verifyProgram(command *cobra.Command, file string, vo vendorer.VerifyProgramOptions) error {
	if file == "" {
		return usagef("--binary names no file")
	}
	if slices.Contains(vo.Locks, "") {
		return usagef("--lock names no file")
	}
	if len(c.files) > 0 || len(vo.Locks) == 0 {
		var err error
		if vo.Projects, err = c.projectFiles(); err != nil {
			return err
		}
	}
	o := c.options()
	if len(vo.Projects) > 0 {
		o = c.enter(o, vo.Projects[0])
	}
	v, err := vendorer.VerifyProgram(command.Context(), o, file, vo)
	if err != nil {
		return err
	}
	return c.reportVerifiedProgram(v)
}

func (c *cli) reportVerifiedProgram(v *vendorer.ProgramVerification) error {
	problems := c.explain(errors.Join(v.Findings...))
	doc := verifyJSON{Packs: v.Locked, Verified: v.Verified, Findings: c.problemsJSON(problems), Program: newProgramJSON(v.Program)}
	text := ""
	if !c.quiet {
		text = verifiedProgramText(v)
	}
	return c.end(outcome{problems: problems, document: doc, after: text})
}

// verifiedProgramText says which packs of the locks were verified, and which others the program
// has.
func verifiedProgramText(v *vendorer.ProgramVerification) string {
	var unlinked, foreign []string
	for _, pack := range v.Packs {
		missing := v.MissingArchitectures(pack)
		switch name := safe.Word(pack.Name); {
		case pack.Lock == "":
			foreign = append(foreign, phrase.Join(" ", safe.Word(pack.Package), name))
		case pack.Linked == nil:
			unlinked = append(unlinked, name)
		case len(missing) > 0:
			unlinked = append(unlinked, name+" for "+strings.Join(missing, " and "))
		}
	}
	text := fmt.Sprintf("%d of %s verified in %s", v.Verified, phrase.Count(v.Locked, "pack"), safe.Line(v.Path))
	for _, part := range []struct {
		packs []string
		what  string
	}{{slices.Compact(unlinked), "not linked"}, {foreign, "in no packs.lock"}} {
		if len(part.packs) > 0 {
			text += fmt.Sprintf("; %d %s: %s", len(part.packs), part.what, strings.Join(part.packs, ", "))
		}
	}
	return text + "\n"
}
