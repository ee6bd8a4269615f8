package console

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/internal/printable"
)

// inActions reports whether this is a job of GitHub Actions.
func (p *Printer) inActions() bool { return p.Getenv != nil && p.Getenv("GITHUB_ACTIONS") == "true" }

// Annotate tells GitHub Actions of every problem, so that it is shown beside
// the line that is to blame.
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
func (p *Printer) Annotate(problems []problem.Problem) {
	if !p.inActions() {
		return
	}
	for _, found := range problems {
		var properties []string
		if found.File != "" {
			properties = append(properties, "file="+annotationProperty(p.inWorkspace(found.File)))
		}
		if found.Line > 0 {
			properties = append(properties, fmt.Sprintf("line=%d", found.Line))
		}
		text := found.Text
		if !found.Hint.IsNone() {
			text += "\nhint: " + p.Hints.Text(found.Hint)
		}
		io.WriteString(p.Stderr, annotation("error", text, properties...))
	}
}

// annotation is the workflow command for a message, with a line end.
func annotation(kind, text string, properties ...string) string {
	properties = append(properties, "title=packvendor")
	return fmt.Sprintf("::%s %s::%s\n", kind, strings.Join(properties, ","), annotationText(text))
}

// inWorkspace is a path as Actions wants it: from where the repository was checked
// out.
func (p *Printer) inWorkspace(file string) string {
	abs, err := filepath.Abs(file)
	if err != nil {
		return file
	}
	below, err := filepath.Rel(p.Getenv("GITHUB_WORKSPACE"), abs)
	if err != nil || below == ".." || strings.HasPrefix(below, ".."+string(filepath.Separator)) {
		return file
	}
	return filepath.ToSlash(below)
}

// annotationText is text as the message of a workflow command, which ends with its
// line and holds no other.
func annotationText(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(safe.Inline(printable.Text(text)))
}

// annotationProperty is text as a property of a workflow command.
func annotationProperty(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(annotationText(text))
}
