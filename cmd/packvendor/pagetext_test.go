package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A page is a Markdown page: its blocks of code, and the lines between them.
type page struct {
	name, original string
	parts          []*block
}

// A block is a block of code with its fences or its indentation, or other text.
type block struct {
	line   int      // of its first line
	lines  []string // with their ends
	info   string   // what stands behind the opening fence
	indent string   // of the fences, or of a block without them
	kind   blockKind
	marks  []string // the comments directly above
}

type blockKind int

const (
	prose    blockKind = iota
	fenced             // between lines that begin with ```
	unfenced           // by four spaces or more
)

func readPage(t *testing.T, name string) *page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	p := parsePage(string(text))
	p.name = name
	return p
}

func (p *page) write(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(filepath.Join("..", "..", filepath.FromSlash(p.name)), []byte(p.text()), 0o666); err != nil {
		t.Fatal(err)
	}
}

func (p *page) text() string {
	var b strings.Builder
	for _, part := range p.parts {
		b.WriteString(strings.Join(part.lines, ""))
	}
	return b.String()
}

func (p *page) blocks() (blocks []*block) {
	for _, part := range p.parts {
		if part.kind != prose {
			blocks = append(blocks, part)
		}
	}
	return blocks
}

var (
	fence   = regexp.MustCompile("^( *)```(.*)\n$")
	comment = regexp.MustCompile("^ *<!-- (.*) -->\n$")
)

func parsePage(text string) *page {
	p := &page{original: text}
	lines := slices.Collect(strings.Lines(text))
	for i := 0; i < len(lines); {
		b := nextBlock(lines, i)
		for above := i - 1; above >= 0 && comment.MatchString(lines[above]); above-- {
			b.marks = append(b.marks, comment.FindStringSubmatch(lines[above])[1])
		}
		p.parts = append(p.parts, b)
		i += len(b.lines)
	}
	return p
}

// nextBlock returns the block that begins at a line, or that line as prose.
func nextBlock(lines []string, start int) *block {
	b := &block{line: start + 1, lines: lines[start : start+1]}
	end := start + 1
	if opening := fence.FindStringSubmatch(lines[start]); opening != nil {
		b.kind, b.indent, b.info = fenced, opening[1], opening[2]
		for end < len(lines) && lines[end] != b.indent+"```\n" {
			end++
		}
		end = min(end+1, len(lines))
	} else if isIndented(lines[start]) && (start == 0 || strings.TrimSpace(lines[start-1]) == "") {
		b.kind, b.indent = unfenced, "    "
		for end < len(lines) && isIndented(lines[end]) {
			end++
		}
	}
	b.lines = slices.Clone(lines[start:end])
	return b
}

func isIndented(line string) bool {
	return strings.HasPrefix(line, "    ") && strings.TrimSpace(line) != ""
}

// body returns the block's text without fences and indentation.
func (b *block) body() (lines []string) {
	inner := b.lines
	if b.kind == fenced {
		inner = inner[1 : len(inner)-1]
	}
	for _, line := range inner {
		lines = append(lines, strings.TrimPrefix(line, b.indent))
	}
	return lines
}

func (b *block) language() string {
	language, _, _ := strings.Cut(b.info, " ")
	return language
}

// file returns the file that the block's text belongs into; "" if there is none.
func (b *block) file() string {
	_, file, _ := strings.Cut(b.info, " ")
	return file
}

// mark returns the text of the comment "<!-- NAME: TEXT -->" above the block.
func (b *block) mark(name string) (string, bool) {
	for _, mark := range b.marks {
		if text, ok := strings.CutPrefix(mark, name+":"); ok {
			return strings.TrimSpace(text), true
		}
	}
	return "", false
}

func (b *block) isRun() bool {
	_, marked := b.mark("not run")
	return b.kind == fenced && b.language() == "console" && !marked
}

// commands returns the command lines of a console block. One that ends with a backslash
// goes on in the next line.
func (b *block) commands() (commands []string) {
	goesOn := false
	for _, line := range b.body() {
		command, ok := strings.CutPrefix(line, "$ ")
		switch {
		case goesOn:
			commands[len(commands)-1] += line
		case ok:
			commands = append(commands, command)
		default:
			continue
		}
		goesOn = strings.HasSuffix(line, "\\\n")
	}
	return commands
}

// show replaces the lines of a console block by commands with their outputs.
func (b *block) show(outputs []string) {
	lines := []string{b.lines[0]}
	for i, command := range b.commands() {
		for line := range strings.Lines("$ " + command + outputs[i]) {
			lines = append(lines, strings.TrimRight(b.indent+line, " \n")+"\n")
		}
	}
	b.lines = append(lines, b.lines[len(b.lines)-1])
}

var (
	shellNames  = []string{"sh", "bash", "shell", "zsh", "fish", "powershell", "shellsession"}
	commandLine = regexp.MustCompile(`^(\$ |(packvendor|go|git|oras|crane|docker|podman|curl|make|npm|npx|pip|brew|apt-get|cosign|gh|cp|cd|mkdir|export|\.ci/\w+|[A-Z_]+=\S* (go|packvendor))( |$))`)
)

// looksLikeCommands reports whether readers would type what the block shows.
func (b *block) looksLikeCommands() bool {
	if slices.Contains(shellNames, b.language()) {
		return true
	}
	if b.kind == fenced && b.info != "" && b.language() != "text" {
		return false
	}
	return slices.ContainsFunc(b.body(), func(line string) bool { return commandLine.MatchString(strings.TrimSpace(line)) })
}

// TestPageBlocks reads a page as readers of its rendering do, and loses nothing of it.
func TestPageBlocks(t *testing.T) {
	const text = "# Title\n\n<!-- world: git -->\n\n<!-- not run: no network -->\n<!-- exit code: 1 -->\n```console\n$ go build \\\n    ./...\n$ ls\nold\n```\n" +
		"```toml packs.toml\n[packs]\n```\n\n    go test ./...\n\n- a list\n\n  ```sh\n  make\n  ```\n\nText\n    goes on\n"
	p := parsePage(text)
	if p.text() != text {
		t.Errorf("the page became %q", p.text())
	}
	var got []string
	for _, b := range p.blocks() {
		reason, _ := b.mark("not run")
		code, _ := b.mark("exit code")
		got = append(got, fmt.Sprintf("%d %s %s %q %q %q %v %v", b.line, b.language(), b.file(), b.body(), reason, code, b.isRun(), b.looksLikeCommands()))
	}
	want := []string{
		`7 console  ["$ go build \\\n" "    ./...\n" "$ ls\n" "old\n"] "no network" "1" false false`,
		`13 toml packs.toml ["[packs]\n"] "" "" false false`,
		`17   ["go test ./...\n"] "" "" false true`,
		`21 sh  ["make\n"] "" "" false true`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("blocks\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	console := p.blocks()[0]
	console.show([]string{"", "new\n"})
	if got, want := strings.Join(console.lines, ""), "```console\n$ go build \\\n    ./...\n$ ls\nnew\n```\n"; got != want {
		t.Errorf("with other outputs the block is %q, want %q", got, want)
	}
}
