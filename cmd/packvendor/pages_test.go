package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestPages holds the pages to what commands print. Every command in a console block of
// a page runs, in the order of the page, in one world for each page, and must print the
// text that is shown, except digests and times. -update writes the real output.
//
//   - <!-- world: NAME... --> on a page names what is there before its first command;
//     the names are those of worlds.
//   - A block of another language whose info string names a file, as in "```toml
//     packs.toml", is written to it.
//   - <!-- exit code: N --> above a block is the exit code of its last command; the
//     others end with 0.
//   - <!-- not run: REASON --> above a block keeps it from being run.
func TestPages(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds packvendor, for 20 s where nothing is built yet")
	}
	if runtime.GOOS != "linux" {
		t.Skip("the pages show the paths and the shell of Linux")
	}
	t.Parallel()
	for _, name := range pageNames(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := readPage(t, name)
			p.run(t)
			got, want := timeless(p.text()), timeless(p.original)
			switch {
			case got == want:
			case *update:
				p.write(t)
			default:
				t.Errorf("the commands of %s print\n%s\nwhere the page has\n%s", name, consoles(got), consoles(want))
			}
		})
	}
}

// README shows the whole walk.
func TestPagesREADME(t *testing.T) {
	commands := 0
	for _, b := range readPage(t, "README.md").blocks() {
		if b.isRun() {
			commands += len(b.commands())
		}
	}
	if commands < 8 {
		t.Errorf("README has %d commands that are run", commands)
	}
}

// TestPagesCommands wants every block of commands to be run, or to say why it is not.
func TestPagesCommands(t *testing.T) {
	for _, name := range pageNames(t) {
		for _, b := range readPage(t, name).blocks() {
			reason, marked := b.mark("not run")
			switch {
			case b.language() != "console" && !marked && b.looksLikeCommands():
				t.Errorf("%s:%d: commands that are neither run nor marked: make it a console block", name, b.line)
			case b.language() == "console" && len(b.commands()) == 0:
				t.Errorf("%s:%d: a console block without a command", name, b.line)
			case marked:
				checkReason(t, name, b, reason)
			}
		}
	}
}

// checkReason holds a reason "`.ci/run` runs it" to the truth.
func checkReason(t *testing.T, page string, b *block, reason string) {
	t.Helper()
	if reason == "" {
		t.Errorf("%s:%d: no reason why the block is not run", page, b.line)
	}
	script := regexp.MustCompile("^`(\\.ci/[a-z]+)` runs (?:it|them)$").FindStringSubmatch(reason)
	if script == nil {
		return
	}
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(script[1])))
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range b.commands() {
		command, _, _ = strings.Cut(command, " #")
		if command = strings.TrimSpace(command); !strings.Contains(string(text), command) {
			t.Errorf("%s:%d: %s does not run %q", page, b.line, script[1], command)
		}
	}
}

// pageNames returns the pages of the repository that are written by hand. docs/cli.md,
// like every page with a comment "Written by", is made from the commands, and what its
// JSON documents show is run by documents; the pages in testdata are for other tests.
func pageNames(t *testing.T) (names []string) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "testdata" || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".md") && !isGenerated(t, path) {
			names = append(names, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil || len(names) == 0 {
		t.Fatalf("pages %q, error %v", names, err)
	}
	return names
}

func isGenerated(t *testing.T, path string) bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(text), "<!-- Written by ")
}

var anyTime = regexp.MustCompile(`(?m); \d+\.\ds$`)

func timeless(text string) string { return anyTime.ReplaceAllString(text, "; TIME") }

// consoles returns the console blocks of a page.
func consoles(text string) string {
	var b strings.Builder
	for _, found := range parsePage(text).blocks() {
		if found.isRun() {
			b.WriteString(strings.Join(found.lines, ""))
		}
	}
	return b.String()
}
