package topic

import (
	"regexp"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/printable"
)

// A topic is plain text for a terminal of 80 columns. Its lines have the indentations
// that other forms of the text are made from.
func TestTexts(t *testing.T) {
	indented := regexp.MustCompile(`^( {2}| {4}| {6})?\S`)
	for _, topic := range All() {
		if topic.Title == "" || !strings.HasPrefix(topic.Text, topic.Title+"\n\n") || !strings.HasSuffix(topic.Text, "\n") {
			t.Errorf("%s has the title %q", topic.Name, topic.Title)
		}
		for line := range strings.Lines(topic.Text) {
			line = strings.TrimSuffix(line, "\n")
			if len(line) > 80 || printable.Text(line) != line || strings.HasSuffix(line, " ") || line != "" && !indented.MatchString(line) {
				t.Errorf("%s: %q", topic.Name, line)
			}
		}
	}
}

func TestFind(t *testing.T) {
	names := ""
	for _, topic := range All() {
		names += " " + topic.Name
		if found, ok := Find(topic.Name); !ok || found != topic {
			t.Errorf("%s: %v", topic.Name, found)
		}
	}
	if want := " environment exit-codes references"; names != want {
		t.Errorf("topics%s, want%s", names, want)
	}
	for _, name := range []string{"", "exit-codes.txt", "Environment", "../topic"} {
		if found, ok := Find(name); ok {
			t.Errorf("%q is %v", name, found)
		}
	}
}
