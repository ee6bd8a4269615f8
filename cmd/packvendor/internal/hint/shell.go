package hint

import (
	"strconv"
	"strings"
	"unicode"
)

// ShellLine are words as a command line.
func ShellLine(words []string) string {
	line := make([]string, len(words))
	for i, word := range words {
		line[i] = shellWord(word)
	}
	return strings.Join(line, " ")
}

// shellWord is s as one word of a command line, in one line: control characters are
// in the form that bash, zsh and POSIX shells since 2024 know.
func shellWord(s string) string {
	if strings.ContainsFunc(s, unicode.IsControl) {
		quoted := strconv.Quote(s)
		return "$'" + strings.NewReplacer(`\"`, `"`, `'`, `\'`).Replace(quoted[1:len(quoted)-1]) + "'"
	}
	safe := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("@%+=:,./_-", r)
	}
	if s != "" && strings.TrimFunc(s, safe) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
