package vendorer_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/vendorer"
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

// BenchmarkSigned measures a run with nothing to do over packs with and without signatures.
func BenchmarkSigned(b *testing.B) {
	const packs, size = 100, 64 << 10
	for _, signed := range []bool{false, true} {
		p := trusted(b)
		var lines []string
		for n := range packs {
			name := fmt.Sprintf("p%d", n)
			data := packtest.Zip(name, "1.0.0", size)
			a := packtest.Pack(data, "")
			a.Annotations = map[string]string{
				signing.DSSEAnnotation: signing.Sign(signing.GreenticStatement("pack.gtpack", digestOf(string(data))).JSON(), acme).Annotation(),
			}
			p.pushArtifact(name, "acme/"+name, a)
			lines = append(lines, fmt.Sprintf(`%s = "$REG/acme/%s@$%s"`, name, name, name))
		}
		if p.packs(lines...); signed {
			p.trustedPacks(lines...)
		}
		p.mustRun()
		b.Run(fmt.Sprintf("signed %v", signed), func(b *testing.B) {
			for b.Loop() {
				if _, err := vendorer.Run(context.Background(), p.options); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
