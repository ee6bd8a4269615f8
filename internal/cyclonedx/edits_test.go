package cyclonedx_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/cyclonedx"
)

// Space of the document is repeated for each line of a pack. Space beyond any style is not: the
// packs are on one line there.
func TestMergeSpace(t *testing.T) {
	const size = 1 << 16
	for name, long := range map[string]string{
		"spaces":     "\n" + strings.Repeat(" ", size),
		"line ends":  strings.Repeat("\n", size),
		"CRLF":       strings.Repeat("\r\n", size),
		"no line":    strings.Repeat(" ", size),
		"just above": "\n" + strings.Repeat("\t", 65),
	} {
		for place, text := range map[string]string{
			"root":       `{` + long + `"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"file","name":"a","bom-ref":"m"}}}`,
			"list":       "{\n \"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"components\":[" + long + "{\"type\":\"file\",\"name\":\"x\"}]}",
			"empty list": "{\n" + long + "\"components\":[],\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\"}",
			"line":       "{\n \"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"version\":1," + long + "\"components\":[]}",
		} {
			merged := merge(t, text, packs())
			if n := len(merged.Text) - len(text); n > 10_000 {
				t.Errorf("%s, %s: %d bytes more", name, place, n)
			}
			if added := merged.Text[bytes.Index(merged.Text, []byte(`"packvendor:slack`)):]; place == "root" && bytes.ContainsAny(added, "\r\n") {
				t.Errorf("%s, %s: not on one line: %.200s", name, place, added)
			}
		}
	}
}

// The widest indentation that is kept.
func TestMergeWide(t *testing.T) {
	unit := strings.Repeat(" ", 16)
	text := "{\n" + unit + "\"bomFormat\": \"CycloneDX\",\n" + unit + "\"specVersion\": \"1.6\",\n" + unit + "\"components\": []\n}\n"
	want := strings.ReplaceAll(text, "[]", "[\n"+unit+unit+"{\n"+unit+unit+unit+"\"bom-ref\": \"p\",\n"+unit+unit+unit+"\"type\": \"file\",\n"+unit+unit+unit+"\"name\": \"p\"\n"+unit+unit+"}\n"+unit+"]")
	if got := merge(t, text, []cyclonedx.Component{{Ref: "p", Type: "file", Name: "p"}}); string(got.Text) != want {
		t.Errorf("got\n%s\nwant\n%s", got.Text, want)
	}
}

// Where the root is on one line, so is each pack, even in a list whose items have lines.
func TestMergeMixed(t *testing.T) {
	text := "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"components\":[\n    {\"type\":\"file\",\"name\":\"x\"}\n]}"
	want := strings.Replace(text, "}\n]", "},\n    {\"bom-ref\":\"p\",\"type\":\"file\",\"name\":\"p\"}\n]", 1)
	if got := merge(t, text, []cyclonedx.Component{{Ref: "p", Type: "file", Name: "p"}}); string(got.Text) != want {
		t.Errorf("got\n%s\nwant\n%s", got.Text, want)
	}
}
