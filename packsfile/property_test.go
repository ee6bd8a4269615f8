package packsfile

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var generated = flag.Uint64("generated", 100, "how many packs.toml TestEditProperties makes up")

// These properties hold for the edits of every packs.toml.
func TestEditProperties(t *testing.T) {
	for seed := range *generated {
		g := generate(seed)
		p := property{t: t, generator: g, seed: seed, eol: "\n", before: g.String()}
		if g.maybe(3) {
			p.eol = "\r\n"
		}
		p.before = strings.ReplaceAll(p.before, "\n", p.eol)
		if g.maybe(4) {
			p.before = strings.TrimRight(p.before, "\r\n")
		}
		if g.maybe(4) {
			p.before = byteOrderMark + p.before
		}
		p.edits()
		if t.Failed() {
			t.Fatalf("seed %d, the file:\n%s", seed, p.before)
		}
	}
}

// A property is a generated file, as it is before it is edited.
type property struct {
	*generator
	t      *testing.T
	seed   uint64
	eol    string
	before string
}

func (p *property) edits() {
	p.parse(p.before)
	entries := []Entry{
		{Ref: "ghcr.io/o/new:1.0@" + digest},
		{Ref: "ghcr.io/o/new@" + digest},
		{Ref: "ghcr.io/o/new", Version: ">=1.2, <2"},
		{Ref: "ghcr.io/o/new:1.0", AllowTags: true},
		{Ref: "ghcr.io/o/new", Version: "^1", Path: "../a b.gtpack"},
		{Path: "a.gtpack"},
	}
	for _, name := range append([]string{"new"}, p.names...) {
		for _, e := range entries {
			if e.Ref != "" || !p.has(name) { // no comment can stay beside a ref that goes
				p.set(name, e)
			}
		}
		p.remove(name)
	}
	if len(p.names) > 1 {
		p.removeAll()
	}
	p.setRefs()
}

func (p *property) parse(text string) *File {
	p.t.Helper()
	f, err := Parse("packs.toml", []byte(text))
	if err != nil {
		p.t.Errorf("%v, in\n%s", err, text)
		return &File{}
	}
	return f
}

// set writes an entry and checks what came of it.
func (p *property) set(name string, e Entry) {
	p.t.Helper()
	got, err := set([]byte(p.before), name, e)
	after := string(got)
	if err != nil {
		p.t.Errorf("SetAll(%s, %+v): %v", name, e, err)
		return
	}
	again, err := set(got, name, e)
	if err != nil || string(again) != after {
		p.t.Errorf("a second Set gives %v\n%s\nthe first\n%s", err, again, after)
	}
	p.checkMeaning(after, name, &e)
	p.checkLineEnds(after)
	if p.has(name) {
		p.checkReplaced(after, name, e)
	} else {
		p.checkAdded(after, name, e)
	}
	if p.t.Failed() {
		p.t.Errorf("SetAll(%s, %+v) gives\n%s", name, e, after)
	}
}

func (p *property) remove(name string) {
	p.t.Helper()
	got, err := Remove([]byte(p.before), name)
	if !p.has(name) {
		if !errors.Is(err, fs.ErrNotExist) {
			p.t.Errorf("Remove(%s): %v", name, err)
		}
		return
	}
	after := string(got)
	if err != nil {
		p.t.Errorf("Remove(%s): %v", name, err)
		return
	}
	p.checkMeaning(after, name, nil)
	p.checkLineEnds(after)
	p.checkGone(after, name)
	if p.t.Failed() {
		p.t.Errorf("Remove(%s) gives\n%s", name, after)
	}
}

// removeAll removes all packs at once: that is the same as one by one.
func (p *property) removeAll() {
	p.t.Helper()
	names := slices.Clone(p.names)
	rand.New(rand.NewPCG(p.seed, 2)).Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	all, err := Remove([]byte(p.before), names...)
	if err != nil {
		p.t.Errorf("Remove(%v): %v", names, err)
		return
	}
	if packs := p.parse(string(all)).Packs; len(packs) > 0 {
		p.t.Errorf("Remove(%v) leaves %v", names, packs)
	}
	one := []byte(p.before)
	for _, name := range names {
		if one, err = Remove(one, name); err != nil {
			p.t.Errorf("Remove(%s): %v", name, err)
		}
	}
	if string(one) != string(all) {
		p.t.Errorf("Remove(%v) gives\n%s\none by one\n%s", names, all, one)
	}
}

// setRefs gives all packs other references at once, and adds two: that is the same as
// one by one, or neither can be done.
func (p *property) setRefs() {
	p.t.Helper()
	refs := map[string]string{"new": "ghcr.io/o/new@" + digest, "newer": "ghcr.io/o/newer@" + digest}
	names := append(slices.Clone(p.names), "new", "newer") // new ones come last
	for _, name := range p.names {
		refs[name] = "ghcr.io/o/other:2@" + digest
	}
	all, allErr := SetRefs([]byte(p.before), refs)
	one, oneErr := []byte(p.before), error(nil)
	for _, name := range names {
		if oneErr == nil {
			one, oneErr = setRef(one, name, refs[name])
		}
	}
	if (allErr == nil) != (oneErr == nil) || allErr == nil && string(one) != string(all) {
		p.t.Errorf("SetRefs(%v) gives %v\n%s\none by one %v\n%s", refs, allErr, all, oneErr, one)
	}
}

// checkMeaning demands that the file says what it did, and of one pack that it
// is e, or gone.
func (p *property) checkMeaning(after, name string, e *Entry) {
	p.t.Helper()
	want, got := p.parse(p.before), p.parse(after)
	i := slices.IndexFunc(want.Packs, func(pack Pack) bool { return pack.Name == name })
	pack := Pack{Name: name, GoName: deriveGoName(name)}
	if i >= 0 {
		pack = want.Packs[i]
		want.Packs = slices.Delete(want.Packs, i, i+1)
	}
	if e != nil {
		pack.Ref, pack.Path, pack.Version, pack.AllowTags = e.Ref, e.Path, e.Version, e.AllowTags || p.tags
		if e.Ref == "" {
			pack.Layer = ""
		}
		want.Packs = append(want.Packs, pack)
	}
	if want, got := plainFile(want), plainFile(got); !reflect.DeepEqual(want, got) {
		p.t.Errorf("the file says\n%+v\nwant\n%+v", got, want)
	}
}

// plainFile is the file without lines, and with the packs as text.
func plainFile(f *File) []string {
	embed := f.Embed
	embed.Line = 0
	said := []string{fmt.Sprintf("%v %q %q %+v", f.AllowTags, f.InsecureRegistries, f.AcceptMediaTypes, embed)}
	for _, limit := range []Limit{f.Limits.Pack, f.Limits.Total} {
		said[0] += fmt.Sprintf(" %d %q", limit.Bytes, limit.Text)
	}
	for _, p := range f.Packs {
		said = append(said, fmt.Sprintf("%s %q %q %q %q %s %v", p.Name, p.Ref, p.Path, p.Version, p.Layer, p.GoName, p.AllowTags))
	}
	slices.Sort(said[1:])
	return said
}

func (p *property) checkLineEnds(after string) {
	p.t.Helper()
	if strings.HasPrefix(p.before, byteOrderMark) != strings.HasPrefix(after, byteOrderMark) {
		p.t.Errorf("the byte order mark is not what it was: %q", after)
	}
	if !strings.Contains(p.before, "\n") {
		return // then it has no kind of line ends
	}
	if strings.Count(after, "\n") != strings.Count(after, p.eol) || p.eol == "\n" && strings.Contains(after, "\r") {
		p.t.Errorf("mixed line ends: %q", after)
	}
}

// checkAdded demands that one piece was added, and that Remove takes it away.
func (p *property) checkAdded(after, name string, e Entry) {
	p.t.Helper()
	start := 0
	for start < len(p.before) && p.before[start] == after[start] {
		start++
	}
	if !strings.HasSuffix(after, p.before[start:]) {
		p.t.Errorf("something was removed")
	}
	if added := strings.Count(after, "\n") - strings.Count(p.before, "\n"); added > 6 || p.form == inline && !p.empty && added > 0 {
		p.t.Errorf("%d lines were added", added)
	}
	got, err := Remove([]byte(after), name)
	if err != nil {
		p.t.Errorf("Remove: %v", err)
	}
	if want := plainFile(p.parse(p.before)); !reflect.DeepEqual(plainFile(p.parse(string(got))), want) {
		p.t.Errorf("Remove leaves\n%s", got)
	}
	ends := strings.HasSuffix(p.before, p.eol) && !(p.form == implied && strings.HasSuffix(p.before, p.eol+p.eol))
	if len(p.names) > 0 && ends && string(got) != p.before {
		p.t.Errorf("Remove leaves\n%q\nof\n%q", got, p.before)
	}
}

// checkReplaced demands that other lines stay, and that comments go with the
// keys alone that go.
func (p *property) checkReplaced(after, name string, e Entry) {
	p.t.Helper()
	goes := func(line genLine) bool {
		switch {
		case line.owner != name:
			return false
		case line.key == "path":
			return e.Path == ""
		case line.key == "version":
			return e.Version == ""
		case line.key == "allow_tags":
			return !e.AllowTags || p.tags && strings.Contains(line.text, "false")
		}
		return false
	}
	mayChange := func(line genLine) bool {
		return line.owner == shared || line.owner == name && line.key != "layer" && line.key != "go_name" && !isComment(line)
	}
	p.checkComments(after, func(line genLine) bool { return !goes(line) })
	others := p.texts(func(line genLine) bool { return !mayChange(line) && line.text != "" })
	lines := strings.Split(strings.TrimPrefix(strings.ReplaceAll(after, "\r\n", "\n"), byteOrderMark), "\n")
	for _, line := range lines {
		if len(others) > 0 && line == others[0] {
			others = others[1:]
		}
	}
	if len(others) > 0 {
		p.t.Errorf("line %q was changed", others[0])
	}
	if added := len(lines) - len(strings.Split(p.before, "\n")); added > 3 {
		p.t.Errorf("%d lines were added", added)
	}
}

func isComment(line genLine) bool { return strings.HasPrefix(strings.TrimLeft(line.text, " \t"), "#") }

// checkGone demands that the pack's lines are gone, with no more than a blank
// one for each piece, and that the others stay.
func (p *property) checkGone(after, name string) {
	p.t.Helper()
	mayStay := func(line genLine) bool { return line.owner != name && line.owner != shared }
	p.checkComments(after, func(line genLine) bool { return line.owner != name })
	lines := strings.Split(strings.TrimPrefix(strings.ReplaceAll(after, "\r\n", "\n"), byteOrderMark), "\n")
	got := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return line == "" })
	want := p.texts(func(line genLine) bool { return mayStay(line) && line.text != "" })
	if !p.isShared() && !slices.Equal(got, want) {
		p.t.Errorf("the lines are\n%q\nwant\n%q", got, want)
	}
	blank := len(p.texts(func(line genLine) bool { return mayStay(line) && line.text == "" }))
	pieces := 0
	for i, line := range p.lines {
		if line.owner == name && (i == 0 || p.lines[i-1].owner != name) {
			pieces++
		}
	}
	if lost := blank - (strings.Count(after, p.eol) - len(got)); strings.HasSuffix(p.before, p.eol) && !p.isShared() && (lost < 0 || lost > pieces) {
		p.t.Errorf("%d blank lines were removed with %d pieces", lost, pieces)
	}
	p.checkGaps(lines, name)
}

// checkGaps demands that no blank lines met that had been apart.
func (p *property) checkGaps(lines []string, name string) {
	p.t.Helper()
	doubles := func(lines []string) (n int) {
		for i := 1; i < len(lines); i++ {
			if lines[i] == "" && lines[i-1] == "" {
				n++
			}
		}
		return n
	}
	before := p.texts(func(line genLine) bool { return line.owner != name || line.text != "" })
	if doubles(lines[:len(lines)-1]) > doubles(before) {
		p.t.Errorf("blank lines met")
	}
}

func (p *property) isShared() bool {
	return slices.ContainsFunc(p.lines, func(line genLine) bool { return line.owner == shared })
}

var commentRule = regexp.MustCompile(`#c[0-9]+`)

// checkComments demands that exactly the comments on such lines survive, in
// order.
func (p *property) checkComments(after string, survives func(genLine) bool) {
	p.t.Helper()
	var want []string
	for _, line := range p.lines {
		if survives(line) {
			want = append(want, commentRule.FindAllString(line.text, -1)...)
		}
	}
	if got := commentRule.FindAllString(after, -1); !slices.Equal(got, want) {
		p.t.Errorf("the comments are %q, want %q", got, want)
	}
}
