package packsfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
)

// benchFile is a packs.toml of n packs that are pinned by digest.
func benchFile(n int) []byte {
	var b strings.Builder
	b.WriteString("# A comment.\n\n[embed]\ndir = \"internal/packs\"\n\n[packs]\n")
	for i := range n {
		fmt.Fprintf(&b, "pack-%04d = \"ghcr.io/greenticai/packs/pack-%04d:1.0.%d@%s\"\n", i, i, i, ociref.DigestOf(fmt.Append(nil, i)))
	}
	return []byte(b.String())
}

// benchCounts are numbers of packs; the last fills a file with a digest each.
var benchCounts = []int{5, 100, 1500}

func BenchmarkParse(b *testing.B) {
	for _, n := range benchCounts {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			data := benchFile(n)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse("packs.toml", data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSetRef(b *testing.B) {
	for _, n := range benchCounts {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			data := benchFile(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := setRef(data, "pack-0003", "ghcr.io/greenticai/packs/other:2.0.0"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The same of an edit of all packs at once.
func TestSetRefsAllocatesByThePack(t *testing.T) {
	const few, many, limit = 100, 1500, 60
	for _, n := range []int{few, many} {
		data, refs := benchFile(n), map[string]string{}
		for i := range n {
			refs[fmt.Sprintf("pack-%04d", i)] = fmt.Sprintf("ghcr.io/greenticai/packs/other-%d@%s", i, ociref.DigestOf(nil))
		}
		per := testing.AllocsPerRun(1, func() {
			if _, err := SetRefs(data, refs); err != nil {
				t.Fatal(err)
			}
		}) / float64(n)
		if per > limit {
			t.Errorf("%d packs: %.0f allocations a pack, want at most %d", n, per, limit)
		}
	}
}

// Ten thousand packs are read, and edited all at once.
func TestTenThousandPacks(t *testing.T) {
	const packs = 10_000
	data, refs := benchFile(packs), map[string]string{}
	f, err := Parse("packs.toml", data)
	if err != nil || len(f.Packs) != packs {
		t.Fatalf("%v, %v", f, err)
	}
	for _, pack := range f.Packs {
		refs[pack.Name] = "ghcr.io/greenticai/packs/other@" + string(pack.Reference.Digest)
	}
	edited, err := SetRefs(data, refs)
	if err != nil {
		t.Fatal(err)
	}
	f, err = Parse("packs.toml", edited)
	if err != nil || len(f.Packs) != packs || f.Packs[packs-1].Ref != refs[f.Packs[packs-1].Name] {
		t.Errorf("%.200v, %v", f, err)
	}
}

// The cost of a pack does not depend on their number.
func TestParseAllocatesByThePack(t *testing.T) {
	const few, many, limit = 100, 1500, 25
	per := map[int]float64{}
	for _, n := range []int{few, many} {
		data := benchFile(n)
		if f, err := Parse("packs.toml", data); err != nil || len(f.Packs) != n {
			t.Fatalf("a file of %d packs: %v", n, err)
		}
		per[n] = testing.AllocsPerRun(3, func() { Parse("packs.toml", data) }) / float64(n)
	}
	if per[many] > limit || per[many] > per[few]*1.1 {
		t.Errorf("%.1f allocations a pack of %d, %.1f of %d, want at most %d and no more than there", per[many], many, per[few], few, limit)
	}
}
