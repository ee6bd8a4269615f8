package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer"
)

// inActions tells whether this is a job of GitHub Actions.
func (c *cli) inActions() bool { return c.getenv("GITHUB_ACTIONS") == "true" }

// annotate tells GitHub Actions of every problem, so that it is shown beside
// the line that is to blame.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
func (c *cli) annotate(problems []problem) {
	if !c.inActions() {
		return
	}
	for _, p := range problems {
		var properties []string
		if file, line := placeOf(p.err); file != "" {
			properties = append(properties, "file="+annotationProperty(c.inWorkspace(file)))
			if line > 0 {
				properties = append(properties, fmt.Sprintf("line=%d", line))
			}
		}
		text := p.text
		if !p.hint.IsNone() {
			text += "\nhint: " + c.say.hints.Text(p.hint)
		}
		io.WriteString(c.stderr, annotation("error", text, properties...))
	}
}

// annotation is the workflow command for a message, with a line end.
func annotation(kind, text string, properties ...string) string {
	properties = append(properties, "title=packvendor")
	return fmt.Sprintf("::%s %s::%s\n", kind, strings.Join(properties, ","), annotationText(text))
}

// inWorkspace is a path as Actions wants it: from where the repository was checked
// out.
func (c *cli) inWorkspace(file string) string {
	abs, err := filepath.Abs(file)
	if err != nil {
		return file
	}
	below, err := filepath.Rel(c.getenv("GITHUB_WORKSPACE"), abs)
	if err != nil || below == ".." || strings.HasPrefix(below, ".."+string(filepath.Separator)) {
		return file
	}
	return filepath.ToSlash(below)
}

// placeOf returns the file that an error blames, and the line; "" and 0 if there is
// none.
func placeOf(err error) (file string, line int) {
	var syntax *packsfile.SyntaxError
	var key *packsfile.Error
	var entry *lockfile.Error
	var lie *vendorer.InconsistentError
	var pack *vendorer.PackError
	var locked *vendorer.LockedError
	var vendored *vendorer.VendoredError
	var generated *vendorer.GeneratedError
	var clash *vendorer.ClashError
	var place *vendorer.PlaceError
	var touch *vendorer.OverrideError
	var long *vendorer.LongFileError
	var taken *vendorer.TakenError
	switch {
	case errors.As(err, &taken):
		return taken.File, taken.Line
	case errors.As(err, &syntax):
		return syntax.File, syntax.Line
	case errors.As(err, &key):
		return key.File, key.Line
	case errors.As(err, &entry):
		return entry.File, entry.Line
	case errors.As(err, &lie):
		return lie.File, lie.Line
	case errors.As(err, &pack):
		return pack.File, pack.Line
	case errors.As(err, &locked):
		return cmp.Or(locked.Place, locked.File), locked.Line
	case errors.As(err, &vendored):
		return vendored.Path, 0
	case errors.As(err, &generated):
		return generated.Path, 0
	case errors.As(err, &clash):
		return clash.File, 0
	case errors.As(err, &place):
		return place.Path, 0
	case errors.As(err, &touch) && touch.Line > 0:
		return touch.Path, touch.Line
	case errors.As(err, &long):
		return long.File, 0
	}
	return "", 0
}

// annotationText is text as the message of a workflow command, which ends with its
// line and holds no other.
func annotationText(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(withoutBrackets(escaped(text)))
}

// annotationProperty is text as a property of a workflow command.
func annotationProperty(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(annotationText(text))
}
