package ociref

import "strings"

// IsMediaType tells whether s is type/subtype, two restricted-names of RFC
// 6838, section 4.2, without parameters.
func IsMediaType(s string) bool {
	kind, subtype, ok := strings.Cut(s, "/")
	return ok && isRestrictedName(kind) && isRestrictedName(subtype)
}

func isRestrictedName(s string) bool {
	if s == "" || len(s) > 127 {
		return false
	}
	for i, c := range []byte(s) {
		letter := isLower(c) || isUpper(c) || isDigit(c)
		if !letter && (i == 0 || strings.IndexByte("!#$&-^_.+", c) < 0) {
			return false
		}
	}
	return true
}
