package vendorer_test

import (
	"os"
	"path/filepath"
	"testing"
)

// A commit that ends after any of its steps leaves what the next run finishes, or undoes.
func TestInterruptedSigned(t *testing.T) {
	steps := []string{"app/packs/a.gtpack", "app/packs/a.evidence", "app/packs_gen.go", "app/packs.lock"}
	for n := range len(steps) + 1 {
		t.Run(itoa(n), func(t *testing.T) {
			p := trusted(t)
			p.pushSigned("OLD", "acme/a:stable", acme)
			p.trustedPacks(`a = { ref = "$REG/acme/a:stable", allow_tags = true }`)
			p.mustRun()
			old := map[string]string{}
			for _, name := range steps {
				old[name] = p.read(name)
			}
			p.pushSigned("NEW", "acme/a:stable", acme)
			p.must(p.updates("a")())
			for _, name := range steps[n:] { // these did not happen
				p.must(os.WriteFile(filepath.Join(p.mod, name), []byte(old[name]), 0o666))
			}
			p.mustRun()
			if found := p.verify(false); len(found) > 0 {
				t.Errorf("verify: %q", found)
			}
			for _, name := range steps[:min(n, len(steps)-1)] {
				if n < len(steps) && p.read(name) != old[name] {
					t.Errorf("%s is not as packs.lock has it", name)
				}
			}
		})
	}
}
