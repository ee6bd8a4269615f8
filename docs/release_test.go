package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReleaseChecks holds the commands by which SECURITY.md checks a release to those of
// releases.md, and their names to the files that make a release.
func TestReleaseChecks(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	_, section, _ := strings.Cut(read("SECURITY.md"), "\n**Releases.**")
	block := console.FindString(section)
	commands := typed.FindAllString(block, -1)
	if len(commands) != 3 {
		t.Fatalf("SECURITY.md has %d commands that check a release:\n%s", len(commands), block)
	}
	releases := read("docs/releases.md")
	for _, command := range commands {
		if !strings.Contains(releases, "\n"+command+"\n") {
			t.Errorf("releases.md lacks %q", command)
		}
	}
	for _, workflow := range regexp.MustCompile(`/(\.github/workflows/\S+)@`).FindAllStringSubmatch(block, -1) {
		text := read(workflow[1])
		for _, command := range []string{"cosign sign-blob --yes --bundle checksums.txt.sigstore.json checksums.txt\n", "subject-checksums: checksums.txt\n"} {
			if !strings.Contains(text, command) {
				t.Errorf("%s lacks %q", workflow[1], command)
			}
		}
	}
	if line := "name_template: checksums.txt\n"; !strings.Contains(read(".goreleaser.yaml"), line) {
		t.Errorf(".goreleaser.yaml lacks %q", line)
	}
}
