package main

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/invocation"
)

// A hint is what to do next: a command line of packvendor's, a list for packs.toml, or
// a line of another kind. Its zero value is no hint.
type hint struct {
	isCommand bool
	ours      string   // a file of which git is to take our side first; "" for none
	words     []string // of the command line, up to the names of packs
	packs     []string // their names
	flags     []string
	inProject bool // the command takes -f

	file     string   // the packs.toml in which insecure is to stand
	insecure []string // hosts that are to be insecure_registries

	line string // a literal line: another program's command, or what to write where
}

func (h hint) isNone() bool { return reflect.ValueOf(h).IsZero() }

// merged are hints, those of one kind made one: to update one pack would not help
// while another has the same problem, and packs.toml can have but one list of
// insecure registries. None is left out, and none is there twice.
func merged(hints []hint) []hint {
	var result []hint
	for _, h := range hints {
		i := slices.IndexFunc(result, func(other hint) bool { return other.takes(h) })
		switch {
		case h.isNone():
		case i < 0:
			result = append(result, h)
		default:
			result[i].packs = union(result[i].packs, h.packs)
			result[i].insecure = union(result[i].insecure, h.insecure)
		}
	}
	return result
}

// takes tells whether another hint's packs and hosts can be added to h's.
func (h hint) takes(other hint) bool {
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

// hintText is a hint as the user can type it: "" for none.
func (p *printer) hintText(h hint) string {
	switch {
	case h.isCommand:
		line := p.commandLine(slices.Concat(h.words, h.packs, h.flags), h.inProject)
		if h.ours != "" {
			line = p.checkout(h.ours) + " && " + line
		}
		return line
	case h.insecure != nil:
		return fmt.Sprintf("in %s, above the first table: insecure_registries = [%s]", h.file, quotedList(h.insecure))
	}
	return h.line
}

// checkout is the git command that takes our side of a file in a merge.
func (p *printer) checkout(file string) string {
	words := []string{"git", "checkout", "--ours", file}
	if dir := p.started().Dir(); dir != "" {
		words = slices.Insert(words, 1, "-C", dir)
	}
	return shellLine(words)
}

// started is the form in which packvendor was started.
func (p *printer) started() invocation.Form {
	if p.form == nil {
		return invocation.Form{}
	}
	return p.form()
}

// quotedList are the elements of a list of strings in TOML.
func quotedList(words []string) string {
	var quoted []string
	for _, word := range words {
		quoted = append(quoted, strconv.Quote(word))
	}
	return strings.Join(quoted, ", ")
}

// command is a command that works on the packs.toml at hand.
func (p *printer) command(words ...string) hint {
	return hint{isCommand: true, words: words, inProject: true}
}

// edit is a command that changes packs.toml or packs.lock, with the network.
func (p *printer) edit(words ...string) hint {
	h := p.command(words...)
	h.flags = p.undone("offline")
	return h
}

// update is the edit that follows the tag of a pack, or gives it one: NAME@TAG.
func (p *printer) update(pack string, flags ...string) hint {
	h := p.edit(append([]string{"update"}, flags...)...)
	h.packs = []string{pack}
	return h
}

// bareRun is the command that makes everything agree again. In CI it is for the
// user's own machine, where PACKVENDOR_FLAGS is another.
func (p *printer) bareRun() hint {
	h := p.command()
	if !p.inCI {
		h.flags = p.undone("locked", "frozen", "offline")
	}
	return h
}

// rerun is the same command with more flags, and with the network.
func (p *printer) rerun(flags ...string) hint {
	words := slices.DeleteFunc(slices.Clone(p.args), func(word string) bool {
		name, _, _ := strings.Cut(word, "=")
		return name == "--offline" || name == "--frozen"
	})
	networkFlags := slices.DeleteFunc([]string{"offline", "frozen"}, func(flag string) bool { return p.has == nil || !p.has(flag) })
	flags = append(flags, p.undone(networkFlags...)...)
	if end := slices.Index(words, "--"); end >= 0 { // what follows are no flags
		return hint{isCommand: true, words: slices.Insert(words, end, flags...)}
	}
	return hint{isCommand: true, words: words, flags: flags}
}

// undone are the flags that take back what PACKVENDOR_FLAGS sets.
func (p *printer) undone(names ...string) []string {
	var flags []string
	for _, name := range p.preset {
		if slices.Contains(names, name) {
			flags = append(flags, "--"+name+"=false")
		}
	}
	return flags
}

// commandLine is a command line of packvendor's, in the form in which it was started,
// with the -f that it needs. A line that would be the program's name alone has a -f,
// too: after "packvendor: hint:" it would read like a stutter.
func (p *printer) commandLine(args []string, inProject bool) string {
	form := p.started()
	start := form.Command
	if inProject {
		if p.file != "" && p.file != tomlName && !p.isNearest {
			args = append(slices.Clone(args), "-f", p.file)
		}
		start = form.ProjectCommand
	}
	words := start(args...)
	if len(words) == 1 {
		words = start("-f", cmp.Or(p.file, tomlName))
	}
	return shellLine(words)
}

// shellLine are words as a command line.
func shellLine(words []string) string {
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
