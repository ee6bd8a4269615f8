package git

import "testing"

// Whatever a file system takes for .git is that; what only looks like it is not.
func TestIsDirName(t *testing.T) {
	for name, want := range map[string]bool{
		".git": true, ".GIT": true, ".gIt": true,
		".git ": true, ".git.": true, ".git. .": true, ".git::$INDEX_ALLOCATION": true, ".git:x": true,
		"git~1": true, "GIT~1": true, "git~1.": true,
		".g\u200cit": true, "\ufeff.git": true, ".git\u200f": true, ".gi\u202et": true, ".\u206agit": true,
		"": false, ".": false, "..": false, "git": false, ".gi": false, ".github": false, ".gitattributes": false,
		"a.git": false, "git~2": false, ".g\u0131t": false, ".g it": false,
	} {
		if got := IsDirName(name); got != want {
			t.Errorf("%+q: %t, want %t", name, got, want)
		}
	}
}
