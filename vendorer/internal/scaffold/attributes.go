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
	return []string{
		project.LockName + " linguist-generated text eol=lf",
		path.Base(s.GoFile) + " linguist-generated text eol=lf",
		"*.gtpack binary",
		"*.evidence -text linguist-generated",
	}
}

// planAttributes adds the missing lines to the module's .gitattributes. A present
// pattern keeps its attributes.
func (s *setup) planAttributes() error {
	if err := s.CheckFile(attributesFile); err != nil {
		return err
	}
	data, err := s.ReadFile(attributesFile, project.MaxSource)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	added := withLines(data, s.attributes())
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
	eol := "\n"
	if bytes.Contains(data, []byte("\r\n")) {
		eol = "\r\n"
	}
	var patterns []string
	for line := range strings.Lines(string(data)) {
		patterns = append(patterns, patternOf(line))
	}
	added := slices.Clone(data)
	for _, line := range lines {
		if slices.Contains(patterns, patternOf(line)) {
			continue
		}
		if len(added) > 0 && !bytes.HasSuffix(added, []byte("\n")) {
			added = append(added, eol...)
		}
		added = append(added, line+eol...)
	}
	return added
}

// patternOf returns the first word of a line of .gitattributes.
func patternOf(line string) string {
	if words := strings.Fields(line); len(words) > 0 {
		return words[0]
	}
	return ""
}
