package embedgen_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/ociref"
)

func parseSource(t *testing.T, src []byte) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "packs_gen.go", src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// declared returns what f declares, sorted.
func declared(f *ast.File) []string {
	var found []string
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				found = append(found, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					found = append(found, s.Name.Name)
				case *ast.ValueSpec:
					for _, name := range s.Names {
						found = append(found, name.Name)
					}
				}
			}
		}
	}
	slices.Sort(found)
	return found
}

// directives returns every embed directive and the variable under it. Both
// the syntax tree and the bare lines are searched, and must agree.
func directives(src []byte, f *ast.File) []string {
	var found []string
	comments, bare := 0, 0
	for _, group := range f.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//go:build ") {
				found = append(found, c.Text)
			}
			if strings.HasPrefix(c.Text, "//go:") || strings.HasPrefix(c.Text, "/*") || strings.HasPrefix(c.Text, "//line") {
				comments++
			}
		}
	}
	for _, line := range lines(src) {
		if strings.HasPrefix(strings.TrimSpace(line), "//go:") {
			bare++
		}
	}
	for _, decl := range f.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.VAR {
			continue
		}
		v := d.Specs[0].(*ast.ValueSpec)
		if d.Doc == nil { // it embeds nothing
			continue
		}
		found = append(found, d.Doc.List[0].Text+" "+v.Names[0].Name+" "+types.ExprString(v.Type))
	}
	if comments != len(found) || bare != len(found) {
		found = append(found, "and "+strconv.Itoa(comments)+" comments and "+strconv.Itoa(bare)+" lines that are directives")
	}
	return found
}

func wantDirectives(p embedgen.Package) []string {
	var want []string
	if p.Stub {
		want = append(want, "//go:build !packvendor_stub")
	}
	for _, pack := range byName(p) {
		want = append(want, "//go:embed "+path.Join(p.Data, pack.Name+".gtpack")+" gtpack"+pack.GoName+" gtpack")
	}
	return want
}

// constructed returns the fields that the packs' variables set, in order.
func constructed(t *testing.T, f *ast.File) []string {
	t.Helper()
	var found []string
	ast.Inspect(f, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		key, value := pair.Key.(*ast.Ident).Name, types.ExprString(pair.Value)
		if lit, ok := pair.Value.(*ast.BasicLit); ok {
			s, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Error(err)
			}
			value = s
		}
		found = append(found, key+"="+value)
		return true
	})
	return found
}

func wantConstructed(p embedgen.Package) []string {
	var want []string
	for _, pack := range byName(p) {
		want = append(want, "marker="+wantMarker(p, pack),
			"name="+pack.Name, "ref="+pack.Ref, "manifestDigest="+pack.ManifestDigest,
			"layerDigest="+pack.LayerDigest, "mediaType="+pack.MediaType, "data=&gtpack"+pack.GoName)
	}
	return want
}

func wantMarker(p embedgen.Package, pack embedgen.Pack) string {
	ref := pack.Ref
	if pack.Path != "" {
		ref = "file:" + pack.Path
	}
	return marker.Format(marker.Marker{
		Package: p.ImportPath, Name: pack.Name, Ref: ref, ManifestDigest: ociref.Digest(pack.ManifestDigest),
		LayerDigest: ociref.Digest(pack.LayerDigest), Size: pack.Size, MediaType: pack.MediaType, Sample: pack.Sample,
	})
}

func byName(p embedgen.Package) []embedgen.Pack {
	packs := slices.Clone(p.Packs)
	slices.SortFunc(packs, func(a, b embedgen.Pack) int { return strings.Compare(a.Name, b.Name) })
	return packs
}
