package main

// This file owns what packvendor says to people. Its rules:
//
//   - data goes to standard output; everything else, and all of this file, to
//     standard error;
//   - "packvendor: error: ", "packvendor: warning: ", or "packvendor: " alone for
//     what is just told; lower case, no full stop, the subject first and once;
//   - "packvendor: hint: " and then the literal next command, in the form in which
//     packvendor was started, or "in FILE, " with a place and the literal line to write
//     there.

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/terminal"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// A printer says things on standard error.
type printer struct {
	stderr         io.Writer
	quiet, verbose bool

	hints hint.Context

	about string          // what precedes messages that do not say of which packs.toml they are
	said  map[string]bool // what once has told

	cacheUnusable bool // said already

	mu       sync.Mutex     // of lines, which come from several sides
	progress *terminal.Line // what is printed goes above its line
	colours  bool
	actions  bool // the log is one of GitHub Actions
}

func (p *printer) error(text string) { p.line(red, "error: ", text) }
func (p *printer) hint(h hint.Hint)  { p.line(cyan, "hint: ", p.hints.Text(h)) }

// once has tell tell what was not told in that way before; "" is nothing to tell. What
// is wrong with several projects alike need not be told of each.
func (p *printer) once(tell func(string), kind, text string) {
	key := kind + text
	if text == "" || p.said[key] {
		return
	}
	if p.said == nil {
		p.said = map[string]bool{}
	}
	p.said[key] = true
	tell(text)
}

func (p *printer) warning(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if p.actions {
		p.write(annotation("warning", text))
	}
	p.line(yellow, "warning: ", text)
}

// notice tells something that is no warning.
func (p *printer) notice(format string, args ...any) {
	if !p.quiet {
		p.line("", "", fmt.Sprintf(format, args...))
	}
}

// detail tells something that only --verbose wants.
func (p *printer) detail(format string, args ...any) {
	if p.verbose {
		p.line("", "", fmt.Sprintf(format, args...))
	}
}

// Colours of a terminal, for the word that says what a line is.
const (
	red     = "\x1b[1;31m"
	yellow  = "\x1b[1;33m"
	cyan    = "\x1b[1;36m"
	noColor = "\x1b[0m"
)

// line is the one way to standard error: whatever the text quotes, the terminal
// is sent nothing but printable characters, and a CI system no command.
func (p *printer) line(color, kind, text string) {
	if p.colours && color != "" {
		kind = color + kind[:len(kind)-1] + noColor + kind[len(kind)-1:]
	}
	p.write(fmt.Sprintf("packvendor: %s%s\n", kind, safe.Log(safe.Text(text))))
}

// write writes whole lines.
func (p *printer) write(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress.Above(p.stderr, text)
}

// event says what happened during a run.
func (p *printer) event(e vendorer.Event) {
	switch e := e.(type) {
	case vendorer.Planned:
		for line := range strings.Lines(e.Plan.String()) {
			p.detail("%splan: %s", p.about, strings.TrimSuffix(line, "\n"))
		}
	case vendorer.StaleEntry:
		p.notice("%s%s: packs.lock is stale, resolving again (was %s)", p.about, e.Name, e.Locked)
	case vendorer.LeftOut:
		p.warning("%s%s has no pin yet and is left out", p.about, e.Name)
		p.hint(p.hints.Edit("add", e.Name, e.Ref))
	case vendorer.TagMoved:
		p.warning("%s%s: the tag of %s no longer names its digest\n\tpinned: %s\n\ttag:    %s", p.about, e.Name, e.Ref, e.Pinned, e.Now)
	case vendorer.Republished:
		p.notice("%s%s: version tag %s was pushed again with the same bytes\n\tlocked: %s\n\tnow:    %s", p.about, e.Name, e.Tag, e.Locked, e.Now)
	case vendorer.TagUnchecked:
		p.warning("%s%s: cannot check whether its tag still names its digest: %v", p.about, e.Name, e.Err)
	case vendorer.Doubtful:
		p.doubtful(e.Name, e.Doubtful)
	case vendorer.Restored:
		p.restored(e)
	case vendorer.Kept:
		p.warning("%s is not what was locked, so it is kept although packs.toml no longer has %s", e.Path, e.Name)
	case vendorer.Large:
		p.warning("%s%s has %d bytes: many code hosts refuse files over 100 MB", p.about, e.Name, e.Size)
	case vendorer.LargeTotal:
		p.warning("%sall packs together have %d bytes: the go command refuses modules over 500 MiB", p.about, e.Size)
	case vendorer.WaitingForProject:
		p.notice("%s: waiting for another packvendor to finish", e.File)
	case vendorer.Fetching:
		p.fetching(e.Event)
	}
}

func (p *printer) fetching(e packfetch.Event) {
	switch e := e.(type) {
	case packfetch.CorruptEntry:
		p.corruptEntry(e)
	case packfetch.CacheUnusable:
		if !p.cacheUnusable || p.verbose {
			p.warning("going on without the cache: %v", e.Err)
		}
		p.cacheUnusable = true
	case packfetch.Doubtful:
		p.doubtful("", e)
	case packfetch.Retrying:
		p.retrying(e)
	case packfetch.Resumed:
		p.detail("%s: going on with an interrupted download: %s of %s are there", e.Reference, phrase.Bytes(e.Kept), phrase.Bytes(e.Size))
	case packfetch.Waiting:
		p.notice("%s: waiting for another process that is fetching it", e.Reference)
	}
}

// corruptEntry tells of an entry that was wrong, and that it is right again only
// where it is.
func (p *printer) corruptEntry(e packfetch.CorruptEntry) {
	how := "corrupt"
	if e.Err.Short {
		how = "incomplete"
	}
	if e.Mended {
		p.warning("the cache was %s and is mended: %v", how, e.Err)
	} else {
		p.warning("the cache is %s: %v", how, e.Err)
	}
}

// longWait is one after which people think that nothing happens any more.
const longWait = 10 * time.Second

// retrying tells that a request is made again.
func (p *printer) retrying(e packfetch.Retrying) {
	tell := p.detail
	if e.Told && e.Wait >= longWait {
		tell = p.notice
	}
	tell("%s", terminal.TriedAgain(e))
}

// maxListed bounds how many layers of a manifest are named.
const maxListed = 16

// doubtful tells of a layer that may not be the pack, or not to every client, and
// how packs.toml chooses one. name is "" where there is no packs.toml.
func (p *printer) doubtful(name string, d packfetch.Doubtful) {
	who := p.about + name
	if name == "" {
		who = d.Reference
	}
	if len(d.Unknown) > 0 {
		p.warning("%s: other clients refuse this artifact: beside the pack it has a layer of type %s", who, strings.Join(d.Unknown, ", "))
	}
	if !d.NotZip && !d.FirstOfSeveral && (d.Layer.MediaType != markdown || len(d.Others) == 0) {
		return
	}
	p.warning("%s: the selected layer is %s", who, selectedText(d))
	if wanted, ok := wantedLayer(d); name != "" && ok {
		all := append([]packfetch.Layer{d.Layer}, d.Others...)
		p.hint(hint.Line("in %s, packs.%s: layer = %q", p.hints.File, name, layerName(wanted, all)))
	}
}

// selectedText says which layer was selected, what is odd about it, and which
// others there are.
func selectedText(d packfetch.Doubtful) string {
	text := fmt.Sprintf("%s %s", d.Layer.MediaType, d.Layer.Digest)
	if d.NotZip {
		text += ", which is not a zip file"
	}
	if d.FirstOfSeveral {
		text += ", the first of several: other clients may select another"
	}
	for i, l := range d.Others {
		if i == maxListed {
			return text + fmt.Sprintf("\n\tand %d more", len(d.Others)-i)
		}
		text += fmt.Sprintf("\n\talso there: %s %s", l.MediaType, l.Digest)
	}
	return text
}

const markdown = "text/markdown"

// wantedLayer is the layer that is probably the pack, if it is to be named: the
// selected one where it may well be, else the first other that is no text.
func wantedLayer(d packfetch.Doubtful) (packfetch.Layer, bool) {
	if d.FirstOfSeveral && !d.NotZip && d.Layer.MediaType != markdown {
		return d.Layer, true
	}
	i := slices.IndexFunc(d.Others, func(l packfetch.Layer) bool { return l.MediaType != markdown })
	if i < 0 {
		return packfetch.Layer{}, false
	}
	return d.Others[i], true
}

// layerName names a layer as packs.toml's layer does: by media type if that is
// unmistakable among all.
func layerName(wanted packfetch.Layer, all []packfetch.Layer) string {
	for _, l := range all {
		if l.MediaType == wanted.MediaType && l.Digest != wanted.Digest {
			return wanted.Digest
		}
	}
	return wanted.MediaType
}

func (p *printer) restored(e vendorer.Restored) {
	if e.LFS {
		p.warning("%s was a Git LFS pointer, not the pack; restored the pack", e.Path)
		return
	}
	p.warning("%s was not the pack that is locked; restored it\n%s", e.Path, verified.Difference(e.Got, e.Want))
}

// written tells what a run wrote.
func (p *printer) written(report *vendorer.Report) {
	for _, name := range report.Written {
		p.detail("wrote %s", name)
	}
	for _, name := range report.Deleted {
		p.detail("deleted %s", name)
	}
	if len(report.Written)+len(report.Deleted) == 0 {
		p.detail("%snothing changed", p.about)
	}
}
