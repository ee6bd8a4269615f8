package embedgen

import (
	"fmt"
	"slices"

	"github.com/greenticai/packvendor/internal/names"
)

// check accepts only values that cannot break out of their place in the source, and
// that the go command's embed rules allow.
func (p Package) check() error {
	if err := names.CheckPackage(p.Name); err != nil {
		return fmt.Errorf("package name %+q %w", p.Name, err)
	}
	if err := names.CheckData(p.Data); err != nil {
		return fmt.Errorf("data folder %+q %w", p.Data, err)
	}
	given, goNames := map[string]bool{}, map[string]string{}
	for _, pack := range p.Packs {
		if err := pack.check(); err != nil {
			return fmt.Errorf("pack %+q: %w", pack.Name, err)
		}
		if given[pack.Name] {
			return fmt.Errorf("pack %+q is given twice", pack.Name)
		}
		if other, ok := goNames[pack.GoName]; ok {
			return fmt.Errorf("packs %+q and %+q have the same accessor name %s",
				min(other, pack.Name), max(other, pack.Name), pack.GoName)
		}
		given[pack.Name], goNames[pack.GoName] = true, pack.Name
	}
	return nil
}

func (p Pack) check() error {
	if err := names.CheckPack(p.Name); err != nil {
		return fmt.Errorf("the name %w", err)
	}
	if !names.IsExported(p.GoName) {
		return fmt.Errorf("accessor name %+q is not an exported ASCII identifier", p.GoName)
	}
	if slices.Contains(names.Taken, p.GoName) {
		return fmt.Errorf("accessor name %s is taken by the generated file itself", p.GoName)
	}
	if p.Size < 0 {
		return fmt.Errorf("size %d is negative", p.Size)
	}
	for _, field := range []struct{ name, value string }{
		{"reference", p.Ref}, {"manifest digest", p.ManifestDigest}, {"layer digest", p.LayerDigest}, {"media type", p.MediaType},
	} {
		if len(field.value) > maxString {
			return fmt.Errorf("the %s has %d bytes, more than %d", field.name, len(field.value), maxString)
		}
	}
	return nil
}

// maxString bounds a quoted value, in bytes. gofmt no longer aligns a value of a
// million bytes with its neighbours: infinity in
// https://github.com/golang/go/blob/master/src/go/printer/printer.go
const maxString = 128 << 10
