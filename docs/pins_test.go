package docs_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A pin is the commit that an action is pinned to, its version, and where both come from.
type pin struct{ commit, version, source string }

// Every action of others that we use, or write for others, is pinned by a commit. Its version
// stands beside it, and a comment of the file names the module, and the file in it, where the
// commit stands. All files pin an action to the same commit.
func TestPinnedActions(t *testing.T) {
	files := append(glob(t, "../.github/workflows/*"), "../action.yml")
	files = append(files, glob(t, "../vendorer/internal/scaffold/ci/*/.github/workflows/*")...)
	files = append(files, glob(t, "../examples/app/.github/workflows/*")...)
	everywhere, first := map[string]pin{}, map[string]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pins, faults := pinsOf(strings.ReplaceAll(string(data), "\r\n", "\n"))
		for _, fault := range faults {
			t.Errorf("%s: %s", file, fault)
		}
		for action, pin := range pins {
			if before, ok := everywhere[action]; ok && before != pin {
				t.Errorf("%s pins %s to %v, and %s to %v", file, action, pin, first[action], before)
			}
			everywhere[action], first[action] = pin, file
		}
	}
	if len(everywhere) < 4 {
		t.Errorf("only %d actions", len(everywhere))
	}
}

var (
	usesLine   = regexp.MustCompile(`^(?:- )?uses: +(.*)$`)
	pinned     = regexp.MustCompile(`^([\w.-]+/[\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$`)
	sourceForm = regexp.MustCompile(`Source of ([^:]+): ([\w.-]+\.[a-z]+/[\w./-]+ v\d+\.\d+\.\d+, \.github/workflows/[\w-]+\.ya?ml)\.( |$)`)
)

// pinsOf returns the actions that a workflow or an action uses, and what is wrong with
// their lines and with the comments "Source of NAME and NAME: MODULE VERSION, FILE."; a
// name is that of an action without its owner. "all actions", "both lines" and "both
// digests" are those that no other comment names.
func pinsOf(text string) (pins map[string]pin, faults []string) {
	pins = map[string]pin{}
	var comment strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if words, ok := strings.CutPrefix(line, "#"); ok {
			comment.WriteString(strings.TrimSpace(words) + " ")
			continue
		}
		comment.WriteString("\n")
		uses := usesLine.FindStringSubmatch(line)
		if uses == nil || strings.HasPrefix(uses[1], "./") {
			continue
		}
		found := pinned.FindStringSubmatch(uses[1])
		if found == nil {
			faults = append(faults, uses[1]+" is not pinned")
			continue
		}
		if before, ok := pins[found[1]]; ok && before.commit != found[2] {
			faults = append(faults, found[1]+" is pinned to two commits")
		}
		pins[found[1]] = pin{commit: found[2], version: found[3]}
	}
	sources, rest := map[string]string{}, ""
	for _, found := range sourceForm.FindAllStringSubmatch(comment.String(), -1) {
		if slices.Contains([]string{"all actions", "both lines", "both digests"}, found[1]) {
			rest = found[2]
			continue
		}
		for name := range strings.SplitSeq(strings.ReplaceAll(found[1], " and ", ", "), ", ") {
			sources[name] = found[2]
		}
	}
	for _, action := range slices.Sorted(maps.Keys(pins)) {
		_, name, _ := strings.Cut(action, "/")
		p := pins[action]
		p.source = rest
		if source, ok := sources[name]; ok {
			p.source = source
			delete(sources, name)
		}
		if p.source == "" {
			faults = append(faults, "no comment says where "+action+" comes from")
		}
		pins[action] = p
	}
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		faults = append(faults, "a comment says where "+name+" comes from, which is not used")
	}
	return pins, faults
}

func TestPinsOf(t *testing.T) {
	const a, b = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	const source = "example.com/m v1.2.3, .github/workflows/ci.yml"
	for _, test := range []struct{ text, want string }{
		{"# Source of x: " + source + ".\n- uses: o/x@" + a + " # v1.0.0\n", ""},
		{"# Source of x and sub/y: example.com/m\n# v1.2.3, .github/workflows/ci.yml.\n- uses: o/x@" + a + " # v1.0.0\n  uses: o/sub/y@" + b + " # v2.0.0\n", ""},
		{"- uses: o/x@" + a + " # v1.0.0\n# Pinned. Source of all actions: " + source + ". More.\n", ""},
		{"# - uses: o/x@v1\nuses: ./.github/workflows/test.yml\n", ""},
		{"# Source of all actions: " + source + ".\nuses: o/x@v1\n", "o/x@v1 is not pinned"},
		{"# Source of all actions: " + source + ".\nuses: o/x@" + a + "\n", "o/x@" + a + " is not pinned"},
		{"# Source of all actions: " + source + ".\nuses: o/x@" + a + " # v1\n", "o/x@" + a + " # v1 is not pinned"},
		{"# Source of all actions: " + source + ".\nuses: o/x@" + a + " # v1.0.0\nuses: o/x@" + b + " # v1.0.0\n", "o/x is pinned to two commits"},
		{"uses: o/x@" + a + " # v1.0.0\n", "no comment says where o/x comes from"},
		{"# Source of all actions: m v1.2.3, .github/workflows/ci.yml.\nuses: o/x@" + a + " # v1.0.0\n", "no comment says where o/x comes from"},
		{"# Source of all actions: example.com/m v1.2.3.\nuses: o/x@" + a + " # v1.0.0\n", "no comment says where o/x comes from"},
		{"# Source of x and y: " + source + ".\nuses: o/x@" + a + " # v1.0.0\n", "a comment says where y comes from, which is not used"},
	} {
		if _, faults := pinsOf(test.text); strings.Join(faults, ", ") != test.want {
			t.Errorf("%q, want %q, of\n%s", faults, test.want, test.text)
		}
	}
}
