package cyclonedx_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/cyclonedx"
)

// merge adds packs, sees that the result is valid, and that adding them again changes nothing.
func merge(t *testing.T, text string, packs []cyclonedx.Component) *cyclonedx.Merged {
	t.Helper()
	merged, err := cyclonedx.Merge([]byte(text), packs)
	if err != nil {
		t.Fatal(err)
	}
	validate(t, bytes.TrimPrefix(merged.Text, []byte("\ufeff")))
	again, err := cyclonedx.Merge(merged.Text, packs)
	if err != nil || !bytes.Equal(again.Text, merged.Text) || again.Added != 0 {
		t.Errorf("again: %v, %d added\n%s\nwant\n%s", err, again.Added, again.Text, merged.Text)
	}
	return merged
}

// testdata/gomod.json is what cyclonedx-gomod v1.10.0 wrote about a small program.
func TestMergeGomod(t *testing.T) {
	text := string(read(t, "testdata/gomod.json"))
	for _, version := range []string{"1.4", "1.5", "1.6", "1.7"} {
		const schema, field = "bom-", `"specVersion": "`
		there := strings.NewReplacer(schema+"1.6", schema+version, field+"1.6", field+version)
		back := strings.NewReplacer(schema+version, schema+"1.6", field+version, field+"1.6")
		merged := merge(t, there.Replace(text), packs())
		if merged.Added != 3 || merged.Orphaned {
			t.Errorf("%s: %d added, want 3; orphaned: %t", version, merged.Added, merged.Orphaned)
		}
		golden(t, "gomod.golden", []byte(back.Replace(string(merged.Text))))
	}
}

// A document is edited in its own style, and nothing of it changes: neither the order, nor
// unknown fields, nor how numbers and strings are written.
func TestMergeStyle(t *testing.T) {
	pack := cyclonedx.Component{Ref: "p", Type: "file", Name: "p"}
	for _, test := range []struct{ name, text, want string }{
		{"on one line", `{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"file","name":"a","bom-ref":"m"}},"components":[{"type":"file","name":"x"}],"dependencies":[{"ref":"m","dependsOn":["x"]}]}`,
			`{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"file","name":"a","bom-ref":"m"}},"components":[{"type":"file","name":"x"},{"bom-ref":"p","type":"file","name":"p"}],"dependencies":[{"ref":"m","dependsOn":["x","p"]},{"ref":"p"}]}`},
		{"empty lists on one line", `{"bomFormat":"CycloneDX","specVersion":"1.4","version":1,"components":[],"dependencies":[{"dependsOn":[],"ref":"m"}],"metadata":{"component":{"type":"file","name":"a","bom-ref":"m","version":""}}}`,
			`{"bomFormat":"CycloneDX","specVersion":"1.4","version":1,"components":[{"bom-ref":"p","type":"file","name":"p"}],"dependencies":[{"dependsOn":["p"],"ref":"m"},{"ref":"p"}],"metadata":{"component":{"type":"file","name":"a","bom-ref":"m","version":""}}}`},
		{"nothing yet", "{\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.6\",\n  \"metadata\": {\"component\": {\"type\": \"file\", \"name\": \"a\", \"bom-ref\": \"m\"}}\n}\n",
			"{\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.6\",\n  \"metadata\": {\"component\": {\"type\": \"file\", \"name\": \"a\", \"bom-ref\": \"m\"}},\n  \"components\": [\n    {\n      \"bom-ref\": \"p\",\n      \"type\": \"file\",\n      \"name\": \"p\"\n    }\n  ],\n  \"dependencies\": [\n    {\n      \"ref\": \"m\",\n      \"dependsOn\": [\n        \"p\"\n      ]\n    },\n    {\n      \"ref\": \"p\"\n    }\n  ]\n}\n"},
		{"tabs, CRLF and a mark", "\ufeff{\r\n\t\"bomFormat\": \"CycloneDX\",\r\n\t\"specVersion\": \"1.6\",\r\n\t\"metadata\": {\"component\": {\"type\": \"file\", \"name\": \"a\", \"bom-ref\": \"m\"}},\r\n\t\"components\": [],\r\n\t\"dependencies\": [\r\n\t\t{\"ref\": \"m\"}\r\n\t]\r\n}",
			"\ufeff{\r\n\t\"bomFormat\": \"CycloneDX\",\r\n\t\"specVersion\": \"1.6\",\r\n\t\"metadata\": {\"component\": {\"type\": \"file\", \"name\": \"a\", \"bom-ref\": \"m\"}},\r\n\t\"components\": [\r\n\t\t{\r\n\t\t\t\"bom-ref\": \"p\",\r\n\t\t\t\"type\": \"file\",\r\n\t\t\t\"name\": \"p\"\r\n\t\t}\r\n\t],\r\n\t\"dependencies\": [\r\n\t\t{\"ref\": \"m\",\"dependsOn\":[\"p\"]},\r\n\t\t{\r\n\t\t\t\"ref\": \"p\"\r\n\t\t}\r\n\t]\r\n}"},
		{"spelling", "{ \"specVersion\" : \"1.6\" ,\t\"bomFormat\":\"\\u0043ycloneDX\",\"version\":10e-1, \"properties\":[{\"name\":\"a\\/\\u0062\",\"value\":\"</é>\"}],\n\"components\" : [ ] }",
			"{ \"specVersion\" : \"1.6\" ,\t\"bomFormat\":\"\\u0043ycloneDX\",\"version\":10e-1, \"properties\":[{\"name\":\"a\\/\\u0062\",\"value\":\"</é>\"}],\n\"components\" : [ {\"bom-ref\":\"p\",\"type\":\"file\",\"name\":\"p\"} ] }"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := merge(t, test.text, []cyclonedx.Component{pack}); string(got.Text) != test.want {
				t.Errorf("got\n%s\nwant\n%s", got.Text, test.want)
			}
		})
	}
}

// What CycloneDX does not define stays as it is, wherever it stands, byte for byte.
func TestMergeUnknown(t *testing.T) {
	pack := cyclonedx.Component{Ref: "p", Type: "file", Name: "p"}
	for _, version := range []string{"1.4", "1.7"} {
		lines := []string{
			`{`,
			`  "x-first": {"a" : [1.0, 1e2, -0, "\u00E9\/", null] },`,
			`  "bomFormat": "CycloneDX",`,
			`  "specVersion": "` + version + `",`,
			`  "metadata": {`,
			`    "x-meta": [ ],`,
			`    "component": {"x-before": {}, "bom-ref": "m", "type": "file", "name": "a", "x-after": "<&>"},`,
			`    "x-end": true`,
			`  },`,
			`  "components": [`,
			`    {"x-it": [[]], "type": "file",  "name": "x"}`, // 10
			`  ],`,
			`  "x-middle":1,`,
			`  "dependencies": [`,
			`    {`,
			`      "x-need": "é",`,
			`      "ref": "m",`,
			`      "dependsOn": ["x"],`, // 17
			`      "x-more": {"dependsOn": ["y"]}`,
			`    }`, // 19
			`  ],`,
			`  "x-last": {"components": [], "dependencies": [{"ref": "m"}]}`,
			`}`,
		}
		want := slices.Clone(lines)
		want[10] += ",\n    {\n      \"bom-ref\": \"p\",\n      \"type\": \"file\",\n      \"name\": \"p\"\n    }"
		want[17] = strings.Replace(want[17], `"x"`, `"x","p"`, 1)
		want[19] += ",\n    {\n      \"ref\": \"p\"\n    }"
		got, err := cyclonedx.Merge([]byte(strings.Join(lines, "\n")), []cyclonedx.Component{pack})
		if err != nil || got.Added != 1 || got.Orphaned {
			t.Fatalf("%+v, %v", got, err)
		}
		if string(got.Text) != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", got.Text, strings.Join(want, "\n"))
		}
		again, err := cyclonedx.Merge(got.Text, []cyclonedx.Component{pack})
		if err != nil || !bytes.Equal(again.Text, got.Text) {
			t.Errorf("again: %v\n%s", err, again.Text)
		}
	}
}

// Bytes that are not added are those of the document, in their order.
func TestMergeKeeps(t *testing.T) {
	text := read(t, "testdata/gomod.json")
	merged := merge(t, string(text), packs())
	rest := merged.Text
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, ",\n")
		i := bytes.Index(rest, line)
		if i < 0 {
			t.Fatalf("%s is lost", line)
		}
		rest = rest[i+len(line):]
	}
}

// Without a main component that has a bom-ref, the packs are components alone.
func TestMergeOrphaned(t *testing.T) {
	for _, metadata := range []string{`{}`, `{"component":{"type":"file","name":"a"}}`} {
		merged := merge(t, `{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":`+metadata+`}`, packs())
		if !merged.Orphaned || merged.Added != 3 || bytes.Contains(merged.Text, []byte("dependencies")) {
			t.Errorf("%s: orphaned: %t, %d added\n%s", metadata, merged.Orphaned, merged.Added, merged.Text)
		}
	}
}

// No bom-ref stands twice. A component that has the bom-ref of a pack is this pack, however deep
// it is; if anything else has it, the pack gets another.
func TestMergeTakenRef(t *testing.T) {
	const component = `{"type":"file","name":"x","bom-ref":"REF"}`
	for _, test := range []struct{ name, members, want string }{
		{"component", `"components":[` + component + `]`, ""},
		{"nested component", `"components":[{"type":"file","name":"a","components":[{"type":"file","name":"b","components":[` + component + `]}]}]`, ""},
		{"component in the main component", `"metadata":{"component":{"type":"file","name":"a","components":[` + component + `]}}`, ""},
		{"main component", `"metadata":{"component":` + component + `}`, "p-2"},
		{"tool", `"metadata":{"tools":{"components":[` + component + `]}}`, "p-2"},
		{"ancestor", `"components":[{"type":"file","name":"a","pedigree":{"ancestors":[` + component + `]}}]`, "p-2"},
		{"service", `"services":[{"name":"s","services":[{"name":"t","bom-ref":"REF"}]}]`, "p-2"},
		{"vulnerability", `"vulnerabilities":[{"bom-ref":"REF"}]`, "p-2"},
		{"spelling", `"services":[{"name":"s","bom-ref":"\u0070"}]`, "p-2"},
		{"service and the next", `"services":[{"name":"s","bom-ref":"REF"},{"name":"t","bom-ref":"p-2"}]`, "p-3"},
		{"service and a component", `"services":[{"name":"s","bom-ref":"REF"}],"components":[{"type":"file","name":"x","bom-ref":"p-2"}]`, ""},
	} {
		text := `{"bomFormat":"CycloneDX","specVersion":"1.6",` + strings.ReplaceAll(test.members, "REF", "p") + `}`
		merged := merge(t, text, []cyclonedx.Component{{Ref: "p", Type: "file", Name: "p"}})
		added := `{"bom-ref":"` + test.want + `","type":"file","name":"p"}`
		if n := bytes.Count(merged.Text, []byte(added)); test.want != "" && (n != 1 || merged.Added != 1) || test.want == "" && string(merged.Text) != text {
			t.Errorf("%s: %d added: %s", test.name, merged.Added, merged.Text)
		}
	}
}

// The main component depends on a pack by the bom-ref that the pack has in the document.
func TestMergeTakenRefDependency(t *testing.T) {
	text := `{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"file","name":"a","bom-ref":"p"}},"dependencies":[{"ref":"p"}]}`
	merged := merge(t, text, []cyclonedx.Component{{Ref: "p", Type: "file", Name: "p"}})
	if want := `"dependencies":[{"ref":"p","dependsOn":["p-2"]},{"ref":"p-2"}]`; !bytes.Contains(merged.Text, []byte(want)) {
		t.Errorf("got %s, want %s", merged.Text, want)
	}
	if merged.Packs[0].Ref != "p-2" {
		t.Errorf("the pack is %s", merged.Packs[0].Ref)
	}
}

// Without packs, nothing changes.
func TestMergeNothing(t *testing.T) {
	for _, text := range []string{string(read(t, "testdata/gomod.json")), `{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"file","name":"a","bom-ref":"m"}}}`} {
		if merged := merge(t, text, nil); string(merged.Text) != text {
			t.Errorf("got %s, want %s", merged.Text, text)
		}
	}
}

// Packs of several projects can be added one after the other.
func TestMergeSeveral(t *testing.T) {
	text := string(read(t, "testdata/gomod.json"))
	first := merge(t, text, packs()[:1])
	both := merge(t, string(first.Text), packs())
	if first.Added != 1 || both.Added != 2 {
		t.Errorf("%d, then %d added, want 1 and 2", first.Added, both.Added)
	}
	at := merge(t, text, packs())
	if !bytes.Equal(both.Text, at.Text) {
		t.Errorf("one after the other\n%s\nat once\n%s", both.Text, at.Text)
	}
}

// What main depends on may stand in several lists. A pack is added to none if one has it.
func TestMergeTwoMains(t *testing.T) {
	text := `{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"file","name":"a","bom-ref":"m"}},"dependencies":[{"ref":"m"},{"ref":"m","dependsOn":["x"]},{"ref":"m","dependsOn":["p"]}]}`
	merged, err := cyclonedx.Merge([]byte(text), []cyclonedx.Component{{Ref: "p"}, {Ref: "q"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := `"dependencies":[{"ref":"m"},{"ref":"m","dependsOn":["x","q"]},{"ref":"m","dependsOn":["p"]},{"ref":"p"},{"ref":"q"}]`; !bytes.Contains(merged.Text, []byte(want)) {
		t.Errorf("got %s, want %s", merged.Text, want)
	}
}

func TestMergeRefuses(t *testing.T) {
	document := func(members string) string { return `{"bomFormat":"CycloneDX","specVersion":"1.6"` + members + `}` }
	for _, test := range []struct{ text, want string }{
		{"", "not JSON: unexpected EOF"},
		{"\ufeff <?xml version=\"1.0\"?><bom/>", "it is XML, not JSON"},
		{`[]`, "not a JSON object"},
		{`{"spdxVersion":"SPDX-2.3"}`, "not a CycloneDX document"},
		{`{"bomFormat":"Other","specVersion":"1.6"}`, "not a CycloneDX document"},
		{`{"bomFormat":"CycloneDX"}`, "specVersion: missing"},
		{`{"bomFormat":"CycloneDX","specVersion":"1.3"}`, "specVersion: CycloneDX 1.3 is not supported: 1.4 to 1.7 are"},
		{`{"bomFormat":"CycloneDX","specVersion":"1.8"}`, "specVersion: CycloneDX 1.8 is not supported: 1.4 to 1.7 are"},
		{`{"bomFormat":"CycloneDX","specVersion":"2\u001b[2J"}`, `specVersion: CycloneDX "2\x1b[2J" is not supported: 1.4 to 1.7 are`},
		{document(`,"signature":{}`), "signature: it would no longer be valid: add the packs first, then sign"},
		{document(`,"components":null`), "components: not a list"},
		{document(`,"components":[1]`), "components[0]: not an object"},
		{document(`,"components":[{"bom-ref":1}]`), "components[0].bom-ref: not a string"},
		{document(`,"components":[{"components":[{"bom-ref":1}]}]`), "components[0].components[0].bom-ref: not a string"},
		{document(`,"components":[{"components":{}}]`), "components[0].components: not a list"},
		{document(`,"metadata":{"component":{"components":[1]}}`), "metadata.component.components[0]: not an object"},
		{document(`,"metadata":[]`), "metadata: not an object"},
		{document(`,"metadata":{"component":{"bom-ref":"m"}},"dependencies":{}`), "dependencies: not a list"},
		{document(`,"metadata":{"component":{"bom-ref":"m"}},"dependencies":[{}]`), "dependencies[0].ref: missing"},
		{document(`,"metadata":{"component":{"bom-ref":"m"}},"dependencies":[{"ref":"m","dependsOn":[1]}]`), "dependencies[0].dependsOn[0]: not a string"},
		{document(`,"components":[],"components":[]`), `key "components" stands twice in one object`},
		{document(`,"a":` + strings.Repeat("[", 128) + strings.Repeat("]", 128)), "nested deeper than 128"},
		{document(`,"a":[` + strings.Repeat("0,", 1_000_000) + `0]`), "more than 1000000 values"},
		{document(`} {`), "data after the JSON document"},
		{"{\"bomFormat\":\"\xff\"}", "not valid UTF-8"},
	} {
		merged, err := cyclonedx.Merge([]byte(test.text), packs())
		if !errors.As(err, new(*cyclonedx.FormatError)) || err.Error() != test.want {
			t.Errorf("%.80s: %v, %v, want %s", test.text, merged, err, test.want)
		}
	}
}

// FuzzMerge: the packs are added to any document that has one reading, all else keeps its
// meaning, and adding them again changes nothing.
func FuzzMerge(f *testing.F) {
	for _, text := range []string{
		`{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"bom-ref":"m"}},"dependencies":[{"ref":"m","dependsOn":["x"]}]}`,
		"{\n\t\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.4\",\"components\":[ ],\"x\":[1e3]\r\n}",
		"\ufeff{\r\n \"specVersion\":\"1.7\",\"bomFormat\":\"CycloneDX\",\r\n \"metadata\":{\"component\":{\"bom-ref\":\"packvendor:local@" + string(digest("3c")) + "\"}}}",
	} {
		f.Add([]byte(text))
	}
	added := packs()
	f.Fuzz(func(t *testing.T, data []byte) {
		merged, err := cyclonedx.Merge(data, added)
		if err != nil {
			return
		}
		again, err := cyclonedx.Merge(merged.Text, added)
		if err != nil || !bytes.Equal(again.Text, merged.Text) {
			t.Fatalf("again: %v\n%s\n%s", err, merged.Text, again.Text)
		}
		before, after := members(t, data), members(t, merged.Text)
		for key, value := range before {
			if !slices.Contains([]string{"components", "dependencies"}, key) && !bytes.Equal(value, after[key]) {
				t.Fatalf("%s was %s, and is %s", key, value, after[key])
			}
		}
		if len(merged.Packs) != len(added) {
			t.Fatalf("%d packs, want %d", len(merged.Packs), len(added))
		}
		had, has := refs(t, data), refs(t, merged.Text)
		for _, pack := range merged.Packs {
			if n := has[pack.Ref]; n == 0 || had[pack.Ref] == 0 && n > 1 || had[pack.Ref] > 0 && n > had[pack.Ref] {
				t.Fatalf("%s was there %d times, and is %d times\n%s", pack.Ref, had[pack.Ref], n, merged.Text)
			}
		}
	})
}

// refs counts the bom-refs of a document.
func refs(t *testing.T, data []byte) map[string]int {
	t.Helper()
	found := map[string]int{}
	var walk func(value any)
	walk = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			if ref, ok := value["bom-ref"].(string); ok {
				found[ref]++
			}
			for _, inner := range value {
				walk(inner)
			}
		case []any:
			for _, inner := range value {
				walk(inner)
			}
		}
	}
	var doc any
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), &doc); err != nil {
		t.Fatal(err)
	}
	walk(doc)
	return found
}

func members(t *testing.T, data []byte) (members map[string]json.RawMessage) {
	t.Helper()
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), &members); err != nil {
		t.Fatal(err)
	}
	return members
}
