package packsfile

import (
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/printable"
)

// checkName checks the name of a pack: it becomes a file name and a Go name.
func checkName(name string) error {
	if err := names.CheckPack(name); err != nil {
		return fmt.Errorf("name %s %w", printable.Quote(name, maxQuoted), err)
	}
	return nil
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

// keyName returns a key as TOML would have it: bare where it can be.
func keyName(key string) string {
	if key == "" || len(key) > maxQuoted {
		return printable.Quote(key, maxQuoted)
	}
	for _, c := range []byte(key) {
		if !isBareKeyByte(c) {
			return printable.Quote(key, maxQuoted)
		}
	}
	return key
}
