package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/tools/txtar"
)

// A printedDocument is a JSON document that docs/cli.md or a script shows.
type printedDocument struct {
	place  string
	schema string // its file
	text   string
}

// The documents that docs/cli.md and the scripts show are those of their schemas, which
// then allow no other fields, and no other values of fields that have few.
func TestSchemasOfDocuments(t *testing.T) {
	strict := strictSchemas(t)
	seen := map[string]int{}
	for _, printed := range append(guideDocuments(t), scriptDocuments(t)...) {
		seen[printed.schema]++
		doc := decode(t, []byte(printed.text))
		if err := strict[printed.schema].Validate(doc); err != nil {
			t.Errorf("%s: %v\n%s", printed.place, err, printed.text)
		}
		doc.(map[string]any)["surprise"] = true
		if strict[printed.schema].Validate(doc) == nil {
			t.Errorf("%s: the strict %s allows a field that it does not have", printed.place, printed.schema)
		}
	}
	for name := range strict {
		if seen[name] == 0 {
			t.Errorf("no document is one of %s", name)
		}
	}
	t.Logf("documents: %v", seen)
}

// The schemas themselves allow fields that they do not have.
func TestSchemasAllowMore(t *testing.T) {
	for _, printed := range guideDocuments(t) {
		schema := compileSchema(t, printed.schema, readSchema(t, printed.schema))
		doc := decode(t, []byte(strings.Replace(printed.text, "{", `{"surprise": true, `, -1)))
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", printed.place, err)
		}
	}
}

// fieldValues are the values of fields that have few, by the names of the structs in the
// schemas. Consumers must expect others of later versions.
var fieldValues = map[string][]any{
	"listed.vendored":     {"yes", "no", "changed", "-"},
	"listed.cached":       {"yes", "no", "changed", "-"},
	"packChange.kind":     {"added", "removed", "changed"},
	"fileChange.kind":     {"added", "removed", "changed"},
	"mark.signature":      {"signed", "unsigned", "unsearched"},
	"search.result":       {"signed", "unsigned", "unsearched", "no-rule", "not-asked"},
	"organisation.result": {"signed", "unsigned", "unsearched", "no-rule", "not-asked"},
	"check.level":         {"ok", "warning", "error"},
	"place.finding":       {"absent", "nothing", "failed", "skipped", "password", "identity-token", "registry-token"},
	"problem.code":        {1, 2, 3, 4, 5, 130},
	"failure.code":        {1, 2, 3, 4, 5, 130},
	"check.code":          {1, 2, 3, 4, 5},
	"project.code":        {0, 1, 2, 3, 4, 5, 130},
}

// readSchema reads a file of docs/schema.
func readSchema(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "schema", name))
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, text).(map[string]any)
}

func compileSchema(t *testing.T, name string, schema map[string]any) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource(schemaPlace+name, schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile(schemaPlace + name)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// strictSchemas are the schemas in the form that allows nothing else.
func strictSchemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	all := map[string]*jsonschema.Schema{}
	for name := range schemas(t) {
		schema := readSchema(t, name)
		schema["unevaluatedProperties"] = false
		for def, value := range schema["$defs"].(map[string]any) {
			restrict(def, value.(map[string]any))
		}
		all[name] = compileSchema(t, name, schema)
	}
	return all
}

// restrict makes the schema of a struct allow nothing else. What one of several
// documents is, is told by who refers to them.
func restrict(def string, schema map[string]any) {
	if !slices.Contains([]string{"document", "error", "projects"}, def) {
		schema["unevaluatedProperties"] = false
	}
	for name, property := range schema["properties"].(map[string]any) {
		if values := fieldValues[def+"."+name]; values != nil {
			property.(map[string]any)["enum"] = values
		}
	}
}

var guideDocument = regexp.MustCompile("(?s)(?:<code>|\n    )(packvendor [^<\n]+?)(?:</code>[^\n]*)?\n\n```json\n(.*?)```")

// guideDocuments are the documents in docs/cli.md.
func guideDocuments(t *testing.T) []printedDocument {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	var all []printedDocument
	for _, found := range guideDocument.FindAllStringSubmatch(string(page), -1) {
		all = append(all, printedDocument{"docs/cli.md: " + found[1], schemaFile(strings.Fields(found[1])[1:]), found[2]})
	}
	if len(all) != len(jsonExamples) {
		t.Fatalf("docs/cli.md has %d documents, want %d", len(all), len(jsonExamples))
	}
	return all
}

// scriptDocuments are the documents that scripts compare with standard output.
func scriptDocuments(t *testing.T) []printedDocument {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", "testdata", "scripts", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var all []printedDocument
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, documentsIn(filepath.Base(name), archive)...)
	}
	return all
}

func documentsIn(script string, archive *txtar.Archive) []printedDocument {
	files := map[string]string{}
	for _, file := range archive.Files {
		files[filepath.Base(file.Name)] = plainNumbers.ReplaceAllString(string(file.Data), ": 1")
	}
	var all []printedDocument
	var command []string
	for line := range strings.Lines(string(archive.Comment)) {
		words := strings.Fields(line)
		if at := slices.Index(words, "packvendor"); at > 0 && slices.Contains([]string{"exec", "exits", "quick"}, words[0]) {
			command = words[at+1:]
		}
		if len(words) != 3 || !strings.HasPrefix(words[0], "cmp") || words[1] != "stdout" {
			continue
		}
		if slices.Contains(command, "--format") && !slices.Contains(command, "--json") {
			continue // the form is another program's
		}
		if text := files[filepath.Base(words[2])]; json.Valid([]byte(text)) && strings.HasPrefix(text, "{") {
			all = append(all, printedDocument{script, schemaFile(command), text})
		}
	}
	return all
}

// plainNumbers are variables of scripts in the place of numbers.
var plainNumbers = regexp.MustCompile(`: [0-9]*\$[A-Z][A-Z0-9_]*`)

// schemaFile is the schema of a command line's document.
func schemaFile(args []string) string {
	c := newCLI(process{getenv: func(string) string { return "" }, stdout: new(bytes.Buffer), stderr: new(bytes.Buffer)})
	command, _, err := c.root.Find(args)
	if err != nil {
		return errorSchema
	}
	for _, known := range jsonCommands {
		if strings.TrimSpace("packvendor "+known.path) == command.CommandPath() {
			return known.file()
		}
	}
	return errorSchema
}

// The page about JSON documents names each schema.
func TestSchemasPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "json.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(schemas(t))) {
		if !strings.Contains(string(page), "(schema/"+name+")") {
			t.Errorf("docs/json.md has no link to schema/%s", name)
		}
	}
}
