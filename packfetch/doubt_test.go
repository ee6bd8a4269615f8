package packfetch

import (
	"reflect"
	"strings"
	"testing"
)

// Layers that could not be selected are not offered: their digests may be any
// text that a registry likes to send.
func TestDoubt(t *testing.T) {
	digest := func(c string) string { return "sha256:" + strings.Repeat(c, 64) }
	markdown := Layer{MediaType: "text/markdown", Digest: digest("a"), Size: 1}
	tar := Layer{MediaType: "application/vnd.oci.image.layer.v1.tar", Digest: digest("b"), Size: 1}
	hostile := Layer{MediaType: "application/octet-stream", Digest: "sha256:\x1b[2J\npackvendor: error: fake", Size: 1}
	sizeless := Layer{MediaType: "application/json", Digest: digest("c"), Size: -1}
	foreign := Layer{MediaType: "image/png", Digest: digest("d"), Size: 1}
	zip, text := []byte("PK\x03\x04"), []byte("# re")
	f, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		pack     Pack
		head     []byte
		doubtful bool
		notZip   bool
		others   []Layer
	}{
		{"a zip alone", Pack{Layer: tar, Layers: []Layer{tar}, byRules: true}, zip, false, false, nil},
		{"an empty zip", Pack{Layer: tar, Layers: []Layer{tar}, byRules: true}, []byte("PK\x05\x06"), false, false, nil},
		{"no zip", Pack{Layer: tar, Layers: []Layer{tar}, byRules: true}, text, true, true, nil},
		{"no bytes", Pack{Layer: tar, Layers: []Layer{tar}, byRules: true}, []byte{}, true, true, nil},
		{"bytes unknown", Pack{Layer: tar, Layers: []Layer{tar}, byRules: true}, nil, false, false, nil},
		{"markdown over another", Pack{Layer: markdown, Layers: []Layer{tar, markdown}, byRules: true}, nil, true, false, []Layer{tar}},
		{"markdown that was named", Pack{Layer: markdown, Layers: []Layer{tar, markdown}}, nil, false, false, []Layer{tar}},
		{"markdown over what is none", Pack{Layer: markdown, Layers: []Layer{hostile, sizeless, foreign, markdown}, byRules: true}, nil, false, false, nil},
	} {
		test.pack.Reference = "r"
		d, doubtful := f.Doubt(&test.pack, test.head)
		want := Doubtful{Reference: "r", Layer: test.pack.Layer, NotZip: test.notZip, Others: test.others}
		if doubtful != test.doubtful || !reflect.DeepEqual(d, want) {
			t.Errorf("%s: got %+v, %t, want %+v, %t", test.name, d, doubtful, want, test.doubtful)
		}
	}
}
