package scaffold

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/vendorer/internal/git"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// driverLine is the line of .gitattributes that names packvendor as the merge driver of
// packs.lock. It stands alone, since a present line for packs.lock keeps its attributes.
// https://git-scm.com/docs/gitattributes#_performing_a_three_way_merge
const driverLine = project.LockName + " " + driverAttribute

const driverAttribute = "merge=packvendor"

// withDriver adds the line of the merge driver to a .gitattributes, unless that has a line for
// merges of packs.lock.
func (s *setup) withDriver(data []byte) []byte {
	switch present := mergeAttribute(data); present {
	case driverAttribute:
		return data
	case "":
		return withLine(data, driverLine)
	default:
		s.report.Merge = present
		return data
	}
}

// mergeAttribute returns the last attribute for merges that a .gitattributes gives to packs.lock;
// "" if there is none.
func mergeAttribute(data []byte) string {
	last := ""
	for line := range strings.Lines(string(data)) {
		if patternOf(line) != project.LockName {
			continue
		}
		for _, attribute := range strings.Fields(line)[1:] {
			name, _, _ := strings.Cut(strings.TrimLeft(attribute, "-!"), "=")
			if name == "merge" {
				last = attribute
			}
		}
	}
	return last
}

// driverDir returns the directory in which packvendor runs, slash-separated from the top of the
// work tree; "" if packvendor may as well run at the top: in the module there, or in no repository.
func (s *setup) driverDir() string {
	dir, err := os.Getwd()
	top := git.WorkTree(dir)
	if err != nil || top == "" || regularfile.Same(top, s.Module) {
		return ""
	}
	below, err := filepath.Rel(top, dir)
	if err != nil || below == "." {
		return ""
	}
	return filepath.ToSlash(below)
}
