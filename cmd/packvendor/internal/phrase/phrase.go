// Package phrase says quantities, sizes and digests in words, and lays out tables.
package phrase

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/greenticai/packvendor/internal/ociref"
)

// Plural is n and the noun that goes with it.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Count is n and a noun: "1 pack", "2 packs".
func Count(n int, noun string) string { return Plural(n, noun, noun+"s") }

// Bytes is a number of bytes as people read it, in decimal units.
func Bytes(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

// Digest is a digest that a person can compare by eye.
func Digest(d ociref.Digest) string { return "sha256:" + d.Hex()[:min(12, len(d.Hex()))] }

// Join joins the texts that are not empty.
func Join(separator string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(texts), func(text string) bool { return text == "" }), separator)
}

// OrDash is a cell that may be empty.
func OrDash(cell string) string {
	if cell == "" {
		return "-"
	}
	return cell
}

// WithVersion marks a text with a tag in it where the manifest gives another version.
func WithVersion(text, version string) string {
	if version == "" {
		return text
	}
	return text + " (manifest says " + version + ")"
}
