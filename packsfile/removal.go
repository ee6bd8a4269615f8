package packsfile

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
)

// Remove returns the text of a packs.toml without the packs called names. It leaves
// data alone.
//
// A pack goes with its lines: the comment beside it, and everything from a header
// [packs.NAME] through the last key of its table. Comments above and below stay, since
// they may concern more than this pack. If two blank lines would meet, or one would
// begin or end the file, one goes. The packs table stays, empty if need be.
//
// data must be TOML. Before Remove returns it reads its own work. If a pack does not
// exist the error is fs.ErrNotExist, and Remove removes none.
func Remove(data []byte, names ...string) ([]byte, error) {
	t := &text{data: bytes.Clone(data), path: packsPath}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		if _, err := t.change([]string{name}, takeOutPack); err != nil {
			return nil, fmt.Errorf("cannot remove %s: %w", packKey(name), err)
		}
	}
	return t.data, nil
}

func takeOutPack(d *document, packs *node, name string) ([]assignment, []edit, error) {
	n := packs.child(name)
	if n == nil {
		return nil, nil, noPack{}
	}
	return nil, d.takeOut([]*node{n}), nil
}

// noPack is fs.ErrNotExist in words for a pack.
type noPack struct{}

func (noPack) Error() string        { return "there is no such pack" }
func (noPack) Is(target error) bool { return target == fs.ErrNotExist }

// takeOut finds the edits that remove nodes, which have one parent.
func (d *document) takeOut(nodes []*node) []edit {
	if len(nodes) == 0 {
		return nil
	}
	if elements, table := d.within(nodes[0].parent); table != nil {
		return d.takeOutElements(table, elements, nodes)
	}
	var lines []span
	for i, st := range d.statements {
		if !st.node.isIn(nodes) {
			continue
		}
		end := d.blockEnd(i)
		if n := len(lines); n > 0 && lines[n-1].end >= st.whole.start {
			lines[n-1].end = max(lines[n-1].end, end)
		} else {
			lines = append(lines, span{st.whole.start, end})
		}
	}
	edits := make([]edit, len(lines))
	for i, s := range lines {
		edits[i].at = d.closeGap(s)
	}
	return edits
}

// blockEnd returns the end of the statement; for a header, the end of its table.
func (d *document) blockEnd(i int) int {
	end := d.statements[i].whole.end
	if !d.statements[i].isHeader {
		return end
	}
	for _, st := range d.statements[i+1:] {
		if st.isHeader {
			break
		}
		end = st.whole.end
	}
	return end
}

// closeGap extends lines to remove by a blank line beside them, where two would meet.
func (d *document) closeGap(lines span) span {
	top := 0
	if bytes.HasPrefix(d.data, []byte(byteOrderMark)) {
		top = len(byteOrderMark)
	}
	above := max(top, 1+bytes.LastIndexByte(d.data[:max(0, lines.start-1)], '\n'))
	if len(bytes.Trim(d.data[above:lines.start], " \t\r\n")) > 0 {
		return lines
	}
	below := d.scannerAt(lines.end)
	below.SkipBlanks()
	switch {
	case below.skipNewline():
		lines.end = below.Pos
	case lines.end == len(d.data):
		lines.start = above
	}
	return lines
}

// takeOutElements finds the edits that remove nodes from an inline table.
func (d *document) takeOutElements(table *node, elements []statement, nodes []*node) []edit {
	var runs []statement
	kept := -1
	for i, element := range elements {
		switch n := len(runs); {
		case !element.node.isIn(nodes):
			kept = i
		case kept < i-1 && d.isBeside(elements[i-1], element):
			runs[n-1].whole.end, runs[n-1].comma = element.whole.end, element.comma
		default:
			runs = append(runs, element)
		}
	}
	inside := span{table.value.start + len("{"), table.value.end - len("}")}
	if kept < 0 && bytes.IndexByte(d.data[inside.start:inside.end], '\n') < 0 {
		return []edit{{at: inside}}
	}
	var edits []edit
	for _, run := range runs {
		edits = append(edits, d.takeOutRun(run)...)
	}
	if last := len(elements) - 1; kept >= 0 && kept < last && elements[last].comma == 0 {
		// The table did not end in a comma, and need not now.
		if d.isBeside(elements[kept], elements[kept+1]) {
			edits = append(edits, edit{at: span{elements[kept].comma, elements[kept+1].whole.start}})
		}
	}
	return edits
}

// isBeside reports whether only a comma and blanks stand between two elements.
func (d *document) isBeside(a, b statement) bool {
	return d.afterBlanks(a.whole.end) == a.comma && d.afterBlanks(a.comma+1) == b.whole.start
}

// takeOutRun finds the edits that remove a run of adjacent elements, with the comma
// after them and, if it is empty then, their line.
func (d *document) takeOutRun(run statement) []edit {
	var edits []edit
	gone := run.whole
	rest := d.afterBlanks(gone.end)
	switch run.comma {
	case 0: // there is none
	case rest:
		gone.end = run.comma + 1
		rest = d.afterBlanks(gone.end)
	default: // it stands on another line
		edits = append(edits, edit{at: span{run.comma, d.afterBlanks(run.comma + 1)}})
	}
	line := d.scannerAt(rest)
	line.SkipComment()
	endsLine := line.skipNewline()
	indent := len(bytes.TrimRight(d.data[:gone.start], " \t"))
	switch {
	case endsLine && d.data[indent-1] == '\n':
		gone = d.closeGap(span{indent, line.Pos})
	case endsLine || d.data[rest] == '}':
		gone.start = indent
	default:
		gone.end = rest
	}
	return append(edits, edit{at: gone})
}

// afterBlanks returns the first place from at on without a blank.
func (d *document) afterBlanks(at int) int {
	s := d.scannerAt(at)
	s.SkipBlanks()
	return s.Pos
}
