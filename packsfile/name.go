package packsfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// packName is SPEC's rule for the keys of the packs table.
var packName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

// declaredNames are what the generated code declares besides the packs'
// accessors.
var declaredNames = []string{"Pack", "Packs", "Lookup"}

// checkName checks the name of a pack: it becomes a file name and a Go name.
func checkName(name string) error {
	if !packName.MatchString(name) {
		return fmt.Errorf("name %s is not a lower-case letter, then at most 63 of a-z, 0-9, '_' and '-'", quote(name))
	}
	if isWindowsReserved(name) {
		return fmt.Errorf("name %s is reserved on Windows", quote(name))
	}
	return nil
}

// isWindowsReserved reports whether Windows takes a file of this name for a
// device, whatever its extension. See
// https://learn.microsoft.com/windows/win32/fileio/naming-a-file.
func isWindowsReserved(name string) bool {
	base, _, _ := strings.Cut(strings.ToLower(name), ".")
	if slices.Contains([]string{"con", "prn", "aux", "nul"}, base) {
		return true
	}
	return len(base) == 4 && (base[:3] == "com" || base[:3] == "lpt") && '0' <= base[3] && base[3] <= '9'
}

// deriveGoName makes an exported Go name of a pack's name: messaging-slack
// becomes MessagingSlack.
func deriveGoName(name string) string {
	var b strings.Builder
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '-' || r == '_' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

func isExportedIdentifier(s string) bool {
	if s == "" || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	for _, c := range []byte(s) {
		if !isAlphanumeric(c) && c != '_' {
			return false
		}
	}
	return true
}
