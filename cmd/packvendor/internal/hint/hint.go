// Package hint writes the next command to type, or the next line to write.
package hint

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A Hint is what to do next. Its zero value is nothing.
type Hint struct {
	isCommand bool     // it is a command line of packvendor's
	inProject bool     // which takes -f
	ours      string   // a file of which git is to take our side first; "" for none
	words     []string // of the command line, up to the names of packs
	packs     []string // their names
	flags     []string

	file     string   // the packs.toml in which insecure is to stand
	insecure []string // hosts that are to be insecure_registries

	line string // a literal line: another program's command, or what to write where
}

// Line is a literal line.
func Line(format string, args ...any) Hint { return Hint{line: fmt.Sprintf(format, args...)} }

// Command is a command line that is about no packs.toml.
func Command(words ...string) Hint { return Hint{isCommand: true, words: words} }

// Insecure is the line of a packs.toml for registries that speak plain HTTP.
func Insecure(file string, hosts ...string) Hint { return Hint{file: file, insecure: hosts} }

// IsNone reports whether there is nothing to do.
func (h Hint) IsNone() bool { return reflect.ValueOf(h).IsZero() }

// Merge merges hints of one kind: updating one pack fails while another has the same
// problem, and packs.toml has one list of insecure registries. It drops empty hints and
// repetitions.
func Merge(hints []Hint) []Hint {
	var result []Hint
	for _, h := range hints {
		i := slices.IndexFunc(result, func(other Hint) bool { return other.takes(h) })
		switch {
		case h.IsNone():
		case i < 0:
			result = append(result, h)
		default:
			result[i].packs = union(result[i].packs, h.packs)
			result[i].insecure = union(result[i].insecure, h.insecure)
		}
	}
	return result
}

// takes reports whether the packs and hosts of another hint can be added to h's.
func (h Hint) takes(other Hint) bool {
	isSame := (h.packs == nil) == (other.packs == nil) && (h.insecure == nil) == (other.insecure == nil)
	other.packs, other.insecure = h.packs, h.insecure
	return isSame && reflect.DeepEqual(h, other)
}

// union returns the words of both lists, each once, in their order.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, word := range b {
		if !slices.Contains(all, word) {
			all = append(all, word)
		}
	}
	return all
}

// quotedList are the elements of a list of strings in TOML.
func quotedList(words []string) string {
	var quoted []string
	for _, word := range words {
		quoted = append(quoted, strconv.Quote(word))
	}
	return strings.Join(quoted, ", ")
}

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
