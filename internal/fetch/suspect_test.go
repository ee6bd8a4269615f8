package fetch

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
)

// Layers that could not be selected are not offered: their digests may be any
// text that a registry likes to send.
func TestSuspect(t *testing.T) {
	digest := func(c string) string { return "sha256:" + strings.Repeat(c, 64) }
	markdown := Layer{MediaType: "text/markdown", Digest: digest("a"), Size: 1}
	tar := Layer{MediaType: "application/vnd.oci.image.layer.v1.tar", Digest: digest("b"), Size: 1}
	hostile := Layer{MediaType: "application/octet-stream", Digest: "sha256:\x1b[2J\npackvendor: error: fake", Size: 1}
	sizeless := Layer{MediaType: "application/json", Digest: digest("c"), Size: -1}
	foreign := Layer{MediaType: "image/png", Digest: digest("d"), Size: 1}
	zip, text := []byte("PK\x03\x04"), []byte("# re")
	octets := Layer{MediaType: "application/octet-stream", Digest: digest("e"), Size: 1}
	tar2, mine := tar, Layer{MediaType: "application/x-mine", Digest: digest("f"), Size: 1}
	tar2.Digest = digest("9")
	pack := Layer{MediaType: "application/vnd.greentic.gtpack.v1+zip", Digest: digest("1"), Size: 1}
	pack2, same := pack, pack
	pack2.Digest = digest("2")
	escape := Layer{MediaType: "image/\x1b[2J", Digest: digest("3"), Size: 1}
	var many []Layer
	var manyTypes []string
	for i := range maxShown + 1 {
		many = append(many, Layer{MediaType: fmt.Sprintf("image/x%d", i), Digest: digest("4"), Size: 1})
		manyTypes = append(manyTypes, many[i].MediaType)
	}
	of := func(layer Layer, layers ...Layer) Resolved {
		return Resolved{Layer: layer, Layers: layers, byRules: true}
	}
	named := func(layer Layer, layers ...Layer) Resolved { return Resolved{Layer: layer, Layers: layers} }
	for _, test := range []struct {
		name    string
		accept  []string
		pack    Resolved
		head    []byte
		suspect bool
		want    SuspectLayer
	}{
		{"a zip alone", nil, of(tar, tar), zip, false, SuspectLayer{}},
		{"an empty zip", nil, of(tar, tar), []byte("PK\x05\x06"), false, SuspectLayer{}},
		{"no zip", nil, of(tar, tar), text, true, SuspectLayer{NotZip: true}},
		{"no bytes", nil, of(tar, tar), []byte{}, true, SuspectLayer{NotZip: true}},
		{"bytes unknown", nil, of(tar, tar), nil, false, SuspectLayer{}},
		{"markdown over another", nil, of(markdown, tar, markdown), nil, true, SuspectLayer{Others: []Layer{tar}}},
		{"markdown that was named", nil, named(markdown, tar, markdown), nil, false, SuspectLayer{Others: []Layer{tar}}},
		{"markdown over what is none", nil, of(markdown, hostile, sizeless, markdown), nil, false, SuspectLayer{}},
		{"the first of two", nil, of(tar, tar, octets), zip, true, SuspectLayer{Others: []Layer{octets}, FirstOfSeveral: true}},
		{"the first of two of a type", nil, of(tar, tar, tar2), zip, true, SuspectLayer{Others: []Layer{tar2}, FirstOfSeveral: true}},
		{"the first of two preferred", nil, of(pack, octets, pack, pack2), zip, true, SuspectLayer{Others: []Layer{octets, pack2}, FirstOfSeveral: true}},
		{"one twice", nil, of(pack, pack, same), zip, false, SuspectLayer{}},
		{"the preferred one", nil, of(pack, octets, tar, pack), zip, false, SuspectLayer{Others: []Layer{octets, tar}}},
		{"the first of two that was named", nil, named(tar, tar, octets), zip, false, SuspectLayer{Others: []Layer{octets}}},
		{"a type of the user's beside another", []string{mine.MediaType}, of(tar, mine, tar), zip, false, SuspectLayer{Others: []Layer{mine}}},
		{"two of the user's types", []string{mine.MediaType, foreign.MediaType}, of(mine, mine, foreign), zip, true, SuspectLayer{Others: []Layer{foreign}, FirstOfSeveral: true}},
		{"beside an unknown one", nil, of(pack, foreign, pack, foreign), zip, true, SuspectLayer{Unknown: []string{"image/png"}}},
		{"beside one of no type", nil, of(pack, pack, Layer{}), zip, true, SuspectLayer{Unknown: []string{""}}},
		{"beside a hostile one", nil, of(pack, escape, pack), zip, true, SuspectLayer{Unknown: []string{`"image/\x1b[2J"`}}},
		{"beside many unknown ones", nil, of(pack, append(many, pack)...), zip, true, SuspectLayer{Unknown: manyTypes[:maxShown]}},
		{"named beside an unknown one", nil, named(pack, foreign, pack), zip, false, SuspectLayer{}},
	} {
		f, err := New(Options{AcceptMediaTypes: test.accept})
		if err != nil {
			t.Fatal(err)
		}
		test.pack.Reference = ociref.Reference{Registry: "r.example", Repository: "a"}
		test.want.Reference, test.want.Layer = "r.example/a", test.pack.Layer
		var head io.ReaderAt
		if test.head != nil {
			head = bytes.NewReader(test.head)
		}
		d, suspect := f.Suspect(&test.pack, head)
		if suspect != test.suspect || !reflect.DeepEqual(d, test.want) {
			t.Errorf("%s: got %+v, %t, want %+v, %t", test.name, d, suspect, test.want, test.suspect)
		}
	}
}
