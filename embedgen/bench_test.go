package embedgen_test

import (
	"fmt"
	"testing"

	"github.com/greenticai/packvendor/embedgen"
)

// A run with nothing to do generates the file to compare it.
func BenchmarkGenerate(b *testing.B) {
	p := embedgen.Package{Name: "packs", ImportPath: "example.com/app/internal/packs", Data: "packs"}
	for n := range 100 {
		pack := slack()
		pack.Name, pack.GoName = fmt.Sprintf("p%d", n), fmt.Sprintf("P%d", n)
		p.Packs = append(p.Packs, pack)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := embedgen.Generate(p); err != nil {
			b.Fatal(err)
		}
	}
}
