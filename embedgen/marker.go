package embedgen

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/ociref"
)

// marker returns the text by which a program that holds the pack names it. Its bound is that
// of all strings in the source: gofmt no longer aligns a value of a million bytes with its
// neighbours (infinity in
// https://github.com/golang/go/blob/master/src/go/printer/printer.go).
func (p Package) marker(pack Pack) (string, error) {
	ref := pack.Ref
	if pack.Path != "" {
		ref = marker.FileRef(pack.Path)
	}
	text := marker.Format(marker.Marker{
		Package:        p.ImportPath,
		Name:           pack.Name,
		Ref:            ref,
		ManifestDigest: ociref.Digest(pack.ManifestDigest),
		LayerDigest:    ociref.Digest(pack.LayerDigest),
		Size:           pack.Size,
		MediaType:      pack.MediaType,
		Sample:         pack.Sample,
	})
	if len(text) > marker.MaxSize {
		return "", fmt.Errorf("pack %+q: the marker has %d bytes, more than %d", pack.Name, len(text), marker.MaxSize)
	}
	return text, nil
}

// markerField begins the line of a generated file that has a marker.
const markerField = "\tmarker:         "

// Markers returns the markers in a generated file.
func Markers(src []byte) []string {
	var found []string
	for line := range bytes.Lines(src) {
		literal, ok := bytes.CutPrefix(line, []byte(markerField))
		if !ok {
			continue
		}
		if text, err := strconv.Unquote(string(bytes.TrimRight(literal, ",\r\n"))); err == nil {
			found = append(found, text)
		}
	}
	return found
}
