package packsfile

import (
	"fmt"
	"strings"
)

// Bounds of what a message repeats of the file or of another package's
// message, in bytes.
const (
	maxQuoted  = 120
	maxMessage = 400
)

// quote returns s in quotation marks, in ASCII, shortened if it is very long.
func quote(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%+q...", s[:maxQuoted])
	}
	return fmt.Sprintf("%+q", s)
}

// keyName returns a key as TOML would have it: bare where it can be.
func keyName(key string) string {
	if key == "" || len(key) > maxQuoted {
		return quote(key)
	}
	for _, c := range []byte(key) {
		if !isBareKeyByte(c) {
			return quote(key)
		}
	}
	return key
}

// escape returns s with every character that is not printable ASCII escaped.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if ' ' <= r && r <= '~' {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(fmt.Sprintf("%+q", r), "'"))
	}
	return b.String()
}

// shorten bounds an ASCII message.
func shorten(message string) string {
	if len(message) > maxMessage {
		return message[:maxMessage] + "..."
	}
	return message
}
