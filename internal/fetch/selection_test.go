package fetch

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// layersOf returns layers of these media types. Their digests differ.
func layersOf(types ...string) []Layer {
	var layers []Layer
	for i, mediaType := range types {
		layers = append(layers, Layer{MediaType: mediaType, Digest: fmt.Sprintf("sha256:%064x", i), Size: int64(i)})
	}
	return layers
}

func TestSelectByRules(t *testing.T) {
	const (
		packJSON = "application/vnd.greentic.pack+json"
		gtpackV1 = "application/vnd.greentic.gtpack.v1+zip"
		gtpack   = "application/vnd.greentic.gtpack+zip"
		packZip  = "application/vnd.greentic.pack+zip"
		markdown = "text/markdown"
		octets   = "application/octet-stream"
		custom   = "application/vnd.acme.pack"
	)
	for _, test := range []struct {
		types, accept []string
		want          int // -1: none
	}{
		// The preferred ones, in this order, wherever they stand.
		{[]string{packJSON, gtpackV1, gtpack, packZip, markdown}, nil, 0},
		{[]string{markdown, packZip, gtpack, gtpackV1, packJSON}, nil, 4},
		{[]string{markdown, packZip, gtpack, gtpackV1}, nil, 3},
		{[]string{markdown, packZip, gtpack}, nil, 2},
		{[]string{markdown, packZip}, nil, 1},
		{[]string{octets, markdown}, nil, 1},
		{[]string{octets, "application/json", packZip}, nil, 2},
		{[]string{gtpackV1, gtpackV1}, nil, 0},
		// Else the first accepted one.
		{[]string{"image/png", octets, "application/json"}, nil, 1},
		{[]string{"application/json", octets}, nil, 0},
		{[]string{"application/vnd.oci.image.layer.v1.tar"}, nil, 0},
		{[]string{"application/vnd.oci.image.layer.v1.tar+gzip"}, nil, 0},
		{[]string{"application/vnd.oci.image.layer.v1.tar+zstd"}, nil, 0},
		{[]string{"application/vnd.greentic.gtpack.layer.v1+tar"}, nil, 0},
		{[]string{"image/png", "application/x+tar"}, nil, 1},
		{[]string{"application/x+tar+gzip"}, nil, 0},
		{[]string{"application/x+tar+zstd"}, nil, 0},
		// None.
		{nil, nil, -1},
		{[]string{"image/png", custom, ""}, nil, -1},
		{[]string{"application/x+tar+bzip2", "application/x.tar", "application/tar"}, nil, -1},
		{[]string{"+tar", "x +tar", "a/b/c+tar", "a/\x1b+tar", "/x+tar", "a/+tar"}, nil, -1},
		{[]string{"Application/JSON", "TEXT/markdown", "application/json; charset=utf-8", " application/json"}, nil, -1},
		// More types count only where the list accepts none.
		{[]string{custom}, []string{custom}, 0},
		{[]string{"image/png", custom}, []string{custom}, 1},
		{[]string{custom, octets}, []string{custom}, 1},
		{[]string{custom, markdown}, []string{custom}, 1},
		{[]string{custom, "application/x+tar"}, []string{custom}, 1},
		{[]string{"image/png", custom}, []string{custom, "image/png"}, 0},
		{[]string{"not a type"}, []string{"not a type"}, -1},
	} {
		layers := layersOf(test.types...)
		sel, err := selectPack(layers, test.accept, "")
		if test.want < 0 {
			var none *NoPackError
			if !errors.As(err, &none) {
				t.Errorf("%q: got %v, %v, want a *NoPackError", test.types, sel.layer, err)
			}
			continue
		}
		if err != nil || sel.layer != layers[test.want] || !sel.shared {
			t.Errorf("%q accepting %q: got %+v, %v, want layer %d", test.types, test.accept, sel, err, test.want)
		}
	}
}

func TestSelectByOverride(t *testing.T) {
	layers := layersOf("text/markdown", "image/png", "image/gif", "image/gif")
	layers = append(layers, Layer{MediaType: "text/other", Digest: layers[0].Digest, Size: 0})
	for _, test := range []struct {
		override string
		want     int
		shared   bool
	}{
		{"text/markdown", 0, true}, // what the rules select as well
		{layers[0].Digest, 0, true},
		{"text/other", 4, true}, // the same bytes under another name
		{"image/png", 1, false},
		{layers[1].Digest, 1, false},
		{layers[3].Digest, 3, false},
	} {
		sel, err := selectPack(layers, nil, test.override)
		if err != nil || sel.layer != layers[test.want] || sel.shared != test.shared {
			t.Errorf("%s: got %+v, %v, want layer %d, shared %t", test.override, sel, err, test.want, test.shared)
		}
	}
	sel, err := selectPack(layersOf("image/png"), nil, "image/png")
	if err != nil || sel.shared {
		t.Errorf("of a manifest without an accepted layer: got %+v, %v", sel, err)
	}
}

func TestNoPackError(t *testing.T) {
	zero, one := layersOf("", "")[0].Digest, layersOf("", "")[1].Digest
	for _, test := range []struct {
		layers   []Layer
		override string
		want     string
	}{
		{nil, "", "the manifest has no layers"},
		{nil, "image/png", "the manifest has no layers"},
		{layersOf("image/png", "image/gif"), "",
			`no layer has a media type that is accepted for packs ("image/png" ` + zero + `, "image/gif" ` + one + `)`},
		{layersOf("image/png"), "image/gif", `no layer is "image/gif" ("image/png" ` + zero + `)`},
		{layersOf("image/png"), "sha256:" + hexB, `no layer is "sha256:` + hexB + `" ("image/png" ` + zero + `)`},
		{layersOf("image/png", "image/png"), "image/png",
			`several layers are "image/png": name one by digest ("image/png" ` + zero + `, "image/png" ` + one + `)`},
		{[]Layer{{MediaType: "\x1b[2J\u202e", Digest: "x\ny"}}, "", `no layer has a media type that is accepted for packs ("\x1b[2J\u202e" "x\ny")`},
	} {
		_, err := selectPack(test.layers, nil, test.override)
		var none *NoPackError
		if !errors.As(err, &none) || err.Error() != test.want {
			t.Errorf("override %q:\n got %v (%T)\nwant %s", test.override, err, err, test.want)
		}
	}
}

func TestFault20_SelectedLayerIsChecked(t *testing.T) {
	good := Layer{MediaType: "text/markdown", Digest: "sha256:" + hexA, Size: 7}
	for name, test := range map[string]struct {
		change func(*Layer)
		want   string
	}{
		"sha512":        {func(l *Layer) { l.Digest = "sha512:" + hexA }, `invalid manifest: pack layer: digest algorithm "sha512" is not supported: only sha256`},
		"no digest":     {func(l *Layer) { l.Digest = "" }, `invalid manifest: pack layer: digest "" does not start with "sha256:"`},
		"upper case":    {func(l *Layer) { l.Digest = "sha256:" + strings.ToUpper(hexA) }, `invalid manifest: pack layer: digest "sha256:` + strings.ToUpper(hexA) + `" is not lower-case hexadecimal`},
		"path":          {func(l *Layer) { l.Digest = "sha256:../../x" }, `invalid manifest: pack layer: digest "sha256:../../x" has 7 characters after "sha256:", not 64`},
		"no size":       {func(l *Layer) { l.Size = -1 }, "invalid manifest: pack layer: its size is missing or not a number of bytes"},
		"absurd size":   {func(l *Layer) { l.Size = math.MinInt64 }, "invalid manifest: pack layer: its size is missing or not a number of bytes"},
		"nothing amiss": {func(*Layer) {}, ""},
	} {
		l := good
		test.change(&l)
		_, err := selectPack([]Layer{l}, nil, "")
		var bad *ManifestError
		if test.want == "" && err != nil || test.want != "" && (!errors.As(err, &bad) || err.Error() != test.want) {
			t.Errorf("%s: got %v (%T), want %s", name, err, err, test.want)
		}
	}
	_, err := selectPack([]Layer{{MediaType: "no type", Digest: good.Digest}}, nil, good.Digest)
	if want := `invalid manifest: pack layer: "no type" is not a media type`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAccepts(t *testing.T) {
	for mediaType, want := range map[string]bool{
		"text/markdown":                          true,
		"application/vnd.acme+tar":               true,
		"x/" + strings.Repeat("a", 123) + "+tar": true,
		"x/" + strings.Repeat("a", 124) + "+tar": false, // 128 characters
		"application/vnd.acme":                   false,
		"":                                       false,
	} {
		if got := Accepts(mediaType, nil); got != want {
			t.Errorf("%q: got %t, want %t", mediaType, got, want)
		}
	}
	if !Accepts("application/vnd.acme", []string{"application/vnd.acme"}) || Accepts("x", []string{"x"}) {
		t.Error("more types")
	}
}

func TestFault51_IndexErrorQuotes(t *testing.T) {
	err := &IndexError{Reason: "lists no pack", Children: []Child{
		{Digest: "sha256:" + hexA, MediaType: imageType, Platform: "linux/amd64"},
		{Digest: "a\x1b", MediaType: "b\n", Platform: "c\u202e"},
	}}
	want := "the image index lists no pack\n\tsha256:" + hexA + "  " + imageType + "  linux/amd64\n\t\"a\\x1b\"  \"b\\n\"  \"c\\u202e\""
	if got := err.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The page of packs.toml lists the media types in the order in which a layer is chosen.
func TestPageListsMediaTypes(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "packs-toml.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n### layer\n")
	list, _, _ := strings.Cut(section, "\n```")
	var got []string
	for _, found := range regexp.MustCompile("`([a-z]+/[^`]+|\\+[^`]+)`").FindAllStringSubmatch(list, -1) {
		got = append(got, found[1])
	}
	if want := slices.Concat(acceptedTypes, acceptedSuffixes); !slices.Equal(got, want) {
		t.Errorf("the page lists\n%q\nand a layer is chosen by\n%q", got, want)
	}
	for i, mediaType := range preferredTypes {
		if line := fmt.Sprintf("\n%d. `%s`\n", i+1, mediaType); !strings.Contains(list, line) {
			t.Errorf("the page has no line %q", line)
		}
	}
}
