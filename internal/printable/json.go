package printable

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/greenticai/packvendor/internal/lazyregexp"
)

// bracketCommand begins a command to a CI system, anywhere in a line: "##vso[" to Azure
// Pipelines, "##teamcity[" to TeamCity, "##[" to older runners of GitHub Actions.
var bracketCommand = lazyregexp.MustCompile(`(##[A-Za-z0-9_.-]*)\[`)

// EscapeCommands writes bracket for the [ of each command to a CI system that may stand within a
// line.
func EscapeCommands(text, bracket string) string {
	return bracketCommand().ReplaceAllString(text, "${1}"+bracket)
}

// MarshalJSON returns a value as JSON that is safe to print: json.MarshalIndent, or json.Marshal
// if prefix and indent are "", then JSON. It has no escapes that are for HTML alone.
func MarshalJSON(value any, prefix, indent string) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent(prefix, indent)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return []byte(JSON(strings.TrimSuffix(b.String(), "\n"))), nil
}

// JSON is the same JSON without any character that could act upon a terminal, and without
// commands to CI systems. These stand in strings alone, and can be escaped there.
func JSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return EscapeCommands(b.String(), `\u005b`)
}
