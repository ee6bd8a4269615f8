package embedgen

import (
	"errors"
	"fmt"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// check accepts only what can neither break out of its place in the source
// nor be refused by the go command's embed rules.
func (p Package) check() error {
	if err := CheckPackageName(p.Name); err != nil {
		return err
	}
	if err := checkData(p.Data); err != nil {
		return fmt.Errorf("data folder %+q: %w", p.Data, err)
	}
	names, goNames := map[string]bool{}, map[string]string{}
	for _, pack := range p.Packs {
		if err := pack.check(); err != nil {
			return fmt.Errorf("pack %+q: %w", pack.Name, err)
		}
		if names[pack.Name] {
			return fmt.Errorf("pack %+q is given twice", pack.Name)
		}
		if other, ok := goNames[pack.GoName]; ok {
			return fmt.Errorf("packs %+q and %+q have the same accessor name %s",
				min(other, pack.Name), max(other, pack.Name), pack.GoName)
		}
		names[pack.Name], goNames[pack.GoName] = true, pack.Name
	}
	return nil
}

func (p Pack) check() error {
	if err := checkName(p.Name); err != nil {
		return err
	}
	if !isIdentifier(p.GoName) || !token.IsExported(p.GoName) {
		return fmt.Errorf("accessor name %+q is not an exported ASCII identifier", p.GoName)
	}
	if slices.Contains(taken, p.GoName) {
		return fmt.Errorf("accessor name %s is taken by the generated file itself", p.GoName)
	}
	if p.Size < 0 {
		return fmt.Errorf("size %d is negative", p.Size)
	}
	return nil
}

// CheckPackageName reports a name that Generate does not write into a package
// clause: what is no ASCII identifier, "_", and "documentation", because go/build
// skips files of a package with that name:
// https://pkg.go.dev/go/build#Context.Import.
func CheckPackageName(s string) error {
	if !isIdentifier(s) || s == "_" {
		return fmt.Errorf("package name %+q is not an ASCII identifier", s)
	}
	if s == "documentation" {
		return fmt.Errorf("package name %+q: the go command ignores files of that package", s)
	}
	return nil
}

var (
	nameRule    = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)
	elementRule = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
)

func checkName(s string) error {
	if !nameRule.MatchString(s) {
		return errors.New("the name is not a lower-case letter and at most 63 of a-z, 0-9, '_' and '-'")
	}
	return checkElement(s)
}

// checkData allows no character that is special in an embed pattern, and no
// folder whose files the go command leaves out of a module.
func checkData(s string) error {
	for element := range strings.SplitSeq(s, "/") {
		if !elementRule.MatchString(element) {
			return errors.New("want path parts of letters, digits, '.', '_' and '-', joined by '/'")
		}
		if err := checkElement(element); err != nil {
			return err
		}
	}
	return nil
}

// checkElement follows https://pkg.go.dev/golang.org/x/mod/module#CheckFilePath,
// which the go command applies to embedded files on every system.
func checkElement(s string) error {
	stem, _, _ := strings.Cut(strings.ToLower(s), ".")
	switch {
	case strings.HasSuffix(s, "."):
		return fmt.Errorf("%q ends in a dot", s)
	case slices.Contains(reserved, stem):
		return fmt.Errorf("%q is a reserved file name on Windows", s)
	case slices.Contains(excluded, strings.ToLower(s)):
		return fmt.Errorf("the go command leaves folders named %q out of modules", s)
	}
	return nil
}

var (
	excluded = []string{".bzr", ".git", ".hg", ".svn", "vendor"}
	reserved = []string{
		"aux", "con", "nul", "prn",
		"com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
		"lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
	}
)

// isIdentifier is token.IsIdentifier for ASCII: the generated file has no
// characters that look like others.
func isIdentifier(s string) bool {
	for _, c := range []byte(s) {
		if c > '~' {
			return false
		}
	}
	return token.IsIdentifier(s)
}
