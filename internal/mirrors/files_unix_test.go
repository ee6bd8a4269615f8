//go:build unix

package mirrors

import (
	"os"
	"slices"
	"testing"
)

// A link to /dev/null hides the drop-in of the same name, and a link that leads nowhere is
// no file.
func TestLoadLinks(t *testing.T) {
	m := newMachine(t)
	m.write(etcD+"1.conf", etcD+"2.conf", usersD+"2.conf")
	for name, target := range map[string]string{usersD + "1.conf": os.DevNull, usersD + "3.conf": "nowhere"} {
		if err := os.Symlink(target, m.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	c, err := m.load()
	if want := []string{m.path(usersD + "1.conf"), m.path(usersD + "2.conf")}; err != nil || !slices.Equal(c.Files, want) || len(c.Rules) != 1 {
		t.Errorf("got %+v, %v", c, err)
	}
}
