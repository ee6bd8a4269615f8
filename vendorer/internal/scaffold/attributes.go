package scaffold

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// attributesFile is the file of git attributes at the module's root.
const attributesFile = ".gitattributes"

// attributes returns the lines for .gitattributes.
func (s *setup) attributes() []string {
	lines := []string{
		project.LockName + " linguist-generated text eol=lf",
		path.Base(s.GoFile) + " linguist-generated text eol=lf",
	}
	if s.Config.Embed.Stub {
		lines = append(lines, path.Base(s.StubFile)+" linguist-generated text eol=lf")
	}
	return append(lines, "*.gtpack binary", "*.evidence -text linguist-generated")
}

// planAttributes adds the missing lines to the module's .gitattributes. A present
// pattern keeps its attributes. With merges set, one of the lines names the merge driver.
func (s *setup) planAttributes(merges bool) error {
	if err := s.CheckFile(attributesFile); err != nil {
		return err
	}
	data, err := s.ReadFile(attributesFile, project.MaxSource)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	added := withLines(data, s.attributes())
	if merges {
		added = s.withDriver(added)
	}
	if len(added) == len(data) {
		s.keep(attributesFile)
		return nil
	}
	s.write(attributesFile, added)
	return nil
}

// withLines adds the lines with new patterns to a .gitattributes, with its own line
// ends.
func withLines(data []byte, lines []string) []byte {
	var patterns []string
	for line := range strings.Lines(string(data)) {
		patterns = append(patterns, patternOf(line))
	}
	added := slices.Clone(data)
	for _, line := range lines {
		if !slices.Contains(patterns, patternOf(line)) {
			added = withLine(added, line)
		}
	}
	return added
}

// withLine adds a line to a text, with its line ends.
func withLine(data []byte, line string) []byte {
	eol := "\n"
	if bytes.Contains(data, []byte("\r\n")) {
		eol = "\r\n"
	}
	if len(data) > 0 && !bytes.HasSuffix(data, []byte("\n")) {
		data = append(data, eol...)
	}
	return append(data, line+eol...)
}

// patternOf returns the first word of a line of .gitattributes.
func patternOf(line string) string {
	if words := strings.Fields(line); len(words) > 0 {
		return words[0]
	}
	return ""
}
