package vendorer

import (
	"context"
	"slices"
)

// VerifyProgramOptions hold for one call of VerifyProgram.
type VerifyProgramOptions struct {
	// Projects are files packs.toml, whose packs.lock the program is compared with.
	Projects []string
	// Locks are other files packs.lock.
	Locks []string
	// All wants every locked pack in the program.
	All bool
	// Only wants no other pack in the program.
	Only bool
}

// A ProgramVerification is the result of VerifyProgram.
type ProgramVerification struct {
	*Program
	// Findings are the problems: *LinkError, *NoMarkerError and *MalformedMarkersError.
	Findings []error
	Locked   int // how many packs the locks have
	Verified int // how many of them are in the program, as they are locked
}

// VerifyProgram compares the packs in an executable with files packs.lock. It does not run the
// executable. Errors besides those of reading files: *ProgramFormatError, *MarkerLimitError,
// *MarkerVersionError, *InputError and those of a project.
func VerifyProgram(ctx context.Context, o Options, file string, vo VerifyProgramOptions) (*ProgramVerification, error) {
	locks, err := o.readLocks(ctx, vo.Projects, vo.Locks)
	if err != nil {
		return nil, err
	}
	f, err := openProgram(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := readProgram(ctx, file, f, locks)
	if err != nil {
		return nil, err
	}
	v := &ProgramVerification{Program: p}
	for _, lock := range locks {
		v.Locked += len(lock.Entries)
		v.addUnmarked(lock)
	}
	if v.Locked > 0 && !v.HasMarkers {
		v.Findings = []error{&NoMarkerError{Program: file}}
	}
	for _, pack := range p.Packs {
		v.add(pack, vo)
	}
	if p.MalformedMarkers > 0 {
		v.Findings = append(v.Findings, &MalformedMarkersError{Program: file, Count: p.MalformedMarkers})
	}
	v.Verified = p.countVerified()
	return v, nil
}

// addUnmarked adds the findings about architectures that have no pack of the package of a lock.
func (v *ProgramVerification) addUnmarked(lock namedLock) {
	unmarked := v.unmarked(lock)
	if len(lock.Entries) == 0 || unmarked == nil {
		return
	}
	if len(unmarked) == len(v.architectures()) {
		unmarked = []string{""}
	}
	for _, arch := range unmarked {
		v.Findings = append(v.Findings, &NoMarkerError{Program: v.Path, Lock: lock.file, Package: lock.importPath, Architecture: arch})
	}
}

// unmarked returns the architectures that have no pack of the package of a lock; of a file that is
// not universal, "".
func (p *Program) unmarked(lock namedLock) []string {
	var unmarked []string
	for _, arch := range p.architectures() {
		if !slices.ContainsFunc(p.Packs, func(pack ProgramPack) bool {
			isOf := pack.Lock == lock.file
			if lock.importPath != "" {
				isOf = pack.Package == lock.importPath
			}
			return isOf && pack.isIn(arch)
		}) {
			unmarked = append(unmarked, arch)
		}
	}
	return unmarked
}

// architectures returns those of a universal file, and "" for another file.
func (p *Program) architectures() []string {
	if p.Architectures == nil {
		return []string{""}
	}
	return slices.Clone(p.Architectures)
}

// isIn tells whether an architecture of a program has a pack.
func (p ProgramPack) isIn(arch string) bool {
	return p.Linked != nil && (arch == "" || slices.Contains(p.Linked.Architectures, arch))
}

// add adds the findings about one pack.
func (v *ProgramVerification) add(pack ProgramPack, vo VerifyProgramOptions) {
	e := &LinkError{Program: v.Path, Package: pack.Package, Name: pack.Name, Lock: pack.Lock}
	switch {
	case pack.Err != nil:
		v.Findings = append(v.Findings, pack.Err)
	case pack.Lock == "" && vo.Only:
		e.Fault = FaultNotLocked
		v.Findings = append(v.Findings, e)
	}
	if vo.All && pack.Lock != "" && v.isMissing(pack) {
		e.Fault, e.Architectures = FaultNotLinked, v.MissingArchitectures(pack)
		if !v.isFound(e) {
			v.Findings = append(v.Findings, e)
		}
	}
}

// isMissing tells whether an architecture does not have a locked pack, and no *NoMarkerError says
// so.
func (v *ProgramVerification) isMissing(pack ProgramPack) bool {
	return slices.ContainsFunc(v.without(pack), func(arch string) bool { return !v.isCovered(pack.Lock, arch) })
}

// MissingArchitectures returns the architectures of a universal file that do not have a locked pack
// that others have, whatever its bytes.
func (p *Program) MissingArchitectures(pack ProgramPack) []string {
	if missing := p.without(pack); len(missing) < len(p.Architectures) {
		return missing
	}
	return nil
}

// without returns the architectures that do not have a pack; of a file that is not universal, "".
func (p *Program) without(pack ProgramPack) []string {
	return slices.DeleteFunc(p.architectures(), func(arch string) bool {
		return slices.ContainsFunc(p.Packs, func(other ProgramPack) bool {
			return other.Lock == pack.Lock && other.Name == pack.Name && other.Package == pack.Package && other.isIn(arch)
		})
	})
}

// isCovered tells whether a *NoMarkerError says that an architecture has no pack of a lock.
func (v *ProgramVerification) isCovered(lock, arch string) bool {
	return slices.ContainsFunc(v.Findings, func(err error) bool {
		none, ok := err.(*NoMarkerError)
		return ok && (none.Lock == "" || none.Lock == lock) && (none.Architecture == "" || none.Architecture == arch)
	})
}

// isFound tells whether a finding is there already: two architectures may have different packs of
// one name.
func (v *ProgramVerification) isFound(e *LinkError) bool {
	return slices.ContainsFunc(v.Findings, func(err error) bool {
		found, ok := err.(*LinkError)
		return ok && found.Fault == e.Fault && found.Lock == e.Lock && found.Package == e.Package && found.Name == e.Name
	})
}

// countVerified counts the locked packs that the program has as they are locked.
func (p *Program) countVerified() int {
	type key struct{ lock, name string }
	right := map[key]bool{}
	for _, pack := range p.Packs {
		if k := (key{pack.Lock, pack.Name}); pack.Lock != "" && pack.Linked != nil {
			before, seen := right[k]
			right[k] = pack.Err == nil && len(p.without(pack)) == 0 && (before || !seen)
		}
	}
	n := 0
	for _, isRight := range right {
		if isRight {
			n++
		}
	}
	return n
}
