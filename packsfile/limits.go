package packsfile

import (
	"errors"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/greenticai/packvendor/internal/printable"
)

// Limits bound the sizes of packs.
type Limits struct {
	Pack  Limit // of each pack
	Total Limit // of all packs together
}

// A Limit is a largest size. The zero value is none.
type Limit struct {
	Bytes int64
	Text  string // as in packs.toml
	Line  int    // 1-based
}

// IsExceeded reports whether there is a limit, and size is above it.
func (l Limit) IsExceeded(size int64) bool { return l.Bytes > 0 && size > l.Bytes }

// limits checks the limits table n, which may be missing.
func (c *checker) limits(n *node) Limits {
	if !c.table(n, "limits") {
		return Limits{}
	}
	c.knownKeys(n, "limits", "pack", "total")
	return Limits{Pack: c.limit(n.child("pack"), "limits.pack"), Total: c.limit(n.child("total"), "limits.total")}
}

func (c *checker) limit(n *node, key string) Limit {
	text, ok := c.text(n, key, "")
	if !ok {
		return Limit{}
	}
	size, err := parseSize(text)
	if err != nil {
		c.report(n, key, "%s %v", printable.Quote(text, maxQuoted), err)
		return Limit{}
	}
	return Limit{Bytes: size, Text: text, Line: n.line}
}

var errNoSize = errors.New("is no size like 20MB or 20MiB")

// parseSize reads a positive number of bytes with a unit. It accepts less than humanize does, so
// that the schema can say the same: a number without zeros before it, up to nine digits before the
// point and three after it, at most one space, and B, kB, MB, GB, KiB, MiB or GiB in any case.
func parseSize(text string) (int64, error) {
	unit := strings.TrimLeft(text, "0123456789.")
	number := strings.TrimSuffix(text, unit)
	whole, fraction, hasPoint := strings.Cut(number, ".")
	if !isDigits(whole, 9) || whole[0] == '0' || hasPoint && !isDigits(fraction, 3) || !isUnit(strings.TrimPrefix(unit, " ")) {
		return 0, errNoSize
	}
	size, err := humanize.ParseBytes(text)
	if err != nil {
		return 0, errNoSize
	}
	return int64(size), nil
}

// isUnit reports whether s is a unit of sizes. The Kelvin sign, whose lower case is k, is in none.
func isUnit(s string) bool {
	return !strings.ContainsRune(s, '\u212a') && slices.Contains([]string{"b", "kb", "mb", "gb", "kib", "mib", "gib"}, strings.ToLower(s))
}

// isDigits reports whether s has one to most digits, and nothing else.
func isDigits(s string, most int) bool {
	return s != "" && len(s) <= most && strings.Trim(s, "0123456789") == ""
}
