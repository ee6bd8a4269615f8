// Package lazyregexp compiles regular expressions at their first use: most runs need none, and
// would wait for all of them at their start.
package lazyregexp

import (
	"regexp"
	"sync"
)

// MustCompile returns a function that compiles the expression when it is first called, and then
// returns the same value. It panics at that call if the expression is not valid. Calls may be
// concurrent.
func MustCompile(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
