package tomltext

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"github.com/greenticai/packvendor/internal/printable"
)

// maxMessage bounds the library's words in a message, in bytes.
const maxMessage = 400

// Decode is toml.Unmarshal of a text whose shape is bounded. Its errors are *Error, in ASCII
// and of bounded length, even if the library panics.
func Decode(data []byte) (tree map[string]any, err error) {
	defer func() {
		if p := recover(); p != nil {
			tree, err = nil, &Error{Msg: restyle(fmt.Sprint("not readable as TOML: ", p))}
		}
	}()
	tree = make(map[string]any)
	err = toml.Unmarshal(data, &tree)
	var parse toml.ParseError
	switch {
	case errors.As(err, &parse):
		return nil, &Error{Line: max(parse.Position.Line, 1), Msg: restyle(parse.Message)}
	case err != nil:
		return nil, &Error{Msg: restyle(err.Error())}
	}
	return tree, nil
}

// restyle makes one bounded line of ASCII of a message, without a capital or a full stop.
func restyle(message string) string {
	first, size := utf8.DecodeRuneInString(message)
	message = string(unicode.ToLower(first)) + message[size:]
	return printable.Line(strings.TrimSuffix(message, "."), maxMessage)
}
