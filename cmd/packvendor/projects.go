package main

import (
	"bytes"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/vendorer"
)

// tomlName is the name of packs.toml where no other is given.
const tomlName = "packs.toml"

// oneProject returns the options of a command that works on one packs.toml: the one of
// -f, else the nearest.
func (c *cli) oneProject(command *cobra.Command) (vendorer.Options, error) {
	files, err := c.projectFiles()
	if err != nil {
		return vendorer.Options{}, err
	}
	if len(files) > 1 {
		return vendorer.Options{}, misuse(command, "%s works on one packs.toml, and -f names %d: %s", command.CommandPath(), len(files), strings.Join(files, ", "))
	}
	return c.enter(c.options(), files[0]), nil
}

// newProject is oneProject for a command that makes packs.toml: here, if -f does not
// say where.
func (c *cli) newProject(command *cobra.Command) (vendorer.Options, error) {
	if len(c.files) == 0 {
		return c.options(), nil
	}
	return c.oneProject(command)
}

// eachProject calls work for every packs.toml that -f names, else for the nearest. With
// several, the error of one is printed and does not stop the others; the exit code is
// the gravest.
func (c *cli) eachProject(work func(vendorer.Options) error) error {
	files, err := c.projectFiles()
	if err != nil {
		return err
	}
	o := c.options()
	if !c.namesSeveral() {
		return work(c.enter(o, files[0]))
	}
	c.batch = &batch{}
	worst := problem.None
	for _, file := range files {
		c.begin(file)
		kind := c.fail(work(c.enter(o, file)))
		c.batch.latest().Code = kind.ExitCode()
		worst = max(worst, kind)
		if kind == problem.Interrupted {
			break
		}
	}
	return c.endBatch(worst)
}

// namesSeveral reports whether -f may name several files. It does not depend on their
// number: the shape of the output must be predictable.
func (c *cli) namesSeveral() bool {
	return len(c.files) > 1 || len(c.files) == 1 && vendorer.IsPattern(c.files[0])
}

// projectFiles are the files packs.toml that -f names, else the nearest one.
func (c *cli) projectFiles() ([]string, error) {
	if len(c.files) == 0 {
		return []string{vendorer.Nearest()}, nil
	}
	return vendorer.Files(c.files)
}

// enter returns the options for a packs.toml, of which hints speak from now on.
func (c *cli) enter(o vendorer.Options, file string) vendorer.Options {
	c.say.Hints.File, c.say.Hints.IsNearest = file, len(c.files) == 0
	o.File = file
	return o
}

// begin begins the work on one of several files.
func (c *cli) begin(file string) {
	c.batch.add(file)
	c.say.About = safe.Line(file) + ": "
	c.started = c.now()
	c.progress.Restart()
}

// endBatch prints the documents of a batch, and returns how it ended.
func (c *cli) endBatch(worst problem.Kind) error {
	doc := projectsJSON{Projects: c.batch.projects}
	c.batch = nil
	if c.json {
		if err := c.printJSON(doc); err != nil {
			return err
		}
	}
	if worst == problem.None {
		return nil
	}
	return &exitError{kind: worst}
}

// A batch is work on several files packs.toml, one after the other.
type batch struct {
	projects []*projectJSON
	isHeaded bool // standard output names the latest one already
	printed  bool // there is something on standard output
}

func (b *batch) add(file string) {
	b.projects = append(b.projects, &projectJSON{File: file})
	b.isHeaded = false
}

func (b *batch) latest() *projectJSON { return b.projects[len(b.projects)-1] }

// textSection begins the data about a file on a terminal.
func textSection(file string) string { return safe.Line(file) + ":\n" }

// heading returns the heading that begins the section of a file; "" after the first
// data.
func (b *batch) heading(section func(file string) string) string {
	if b.isHeaded || section == nil {
		return ""
	}
	b.isHeaded = true
	text := section(b.latest().File)
	if b.printed {
		text = "\n" + text
	}
	b.printed = true
	return text
}

// projectsJSON is the document of a command that works on several files packs.toml.
type projectsJSON struct {
	Projects []*projectJSON `json:"projects"` // in the order in which they were worked on
}

// A projectJSON is a command's document about one of several files: two fields, then the
// document of that file alone.
type projectJSON struct {
	File     string `json:"file"` // its packs.toml
	Code     int    `json:"code"` // what the exit code would be, were it the only one
	document any
}

func (p *projectJSON) MarshalJSON() ([]byte, error) {
	type fields projectJSON
	head, err := printable.MarshalJSON((*fields)(p), "", "")
	if err != nil || p.document == nil {
		return head, err
	}
	rest, err := printable.MarshalJSON(p.document, "", "")
	if err != nil {
		return nil, err
	}
	return bytes.Join([][]byte{bytes.TrimSuffix(head, []byte("}")), bytes.TrimPrefix(rest, []byte("{"))}, []byte(",")), nil
}
