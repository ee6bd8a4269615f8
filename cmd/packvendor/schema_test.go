package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/difference"
	"github.com/greenticai/packvendor/internal/printable"
)

// schemaPlace is where the schemas are published.
const schemaPlace = "https://raw.githubusercontent.com/greenticai/packvendor/main/docs/schema/"

// A jsonCommand is a command that has --json.
type jsonCommand struct {
	path    string // after packvendor
	doc     any
	several bool // works on several files packs.toml
	other   any  // of another kind of argument; nil if there is none
}

// jsonCommands are all of them, in the order of docs/cli.md.
var jsonCommands = []jsonCommand{
	{"", runJSON{}, true, nil},
	{"add", runJSON{}, false, nil},
	{"auth explain", authJSON{}, false, nil},
	{"cache dir", cacheDirJSON{}, false, nil},
	{"cache list", cacheListJSON{}, false, nil},
	{"cache prune", pruneJSON{}, false, nil},
	{"cache verify", cacheVerifyJSON{}, false, nil},
	{"diff", difference.JSON{}, true, nil},
	{"doctor", doctorJSON{}, false, nil},
	{"export", exportJSON{}, false, nil},
	{"fetch", fetchJSON{}, false, nil},
	{"import", importJSON{}, false, nil},
	{"init", initJSON{}, false, nil},
	{"inspect", inspectJSON{}, false, programJSON{}},
	{"list", listJSON{}, true, nil},
	{"merge-driver", mergeDriverJSON{}, false, nil},
	{"mirror explain", mirrorJSON{}, false, nil},
	{"outdated", outdatedJSON{}, true, nil},
	{"remove", runJSON{}, false, nil},
	{"sbom", writtenSBOMJSON{}, false, nil},
	{"trust add", trustAddJSON{}, false, nil},
	{"trust explain", trustExplainJSON{}, false, nil},
	{"trust list", trustListJSON{}, false, nil},
	{"trust retire", trustRetireJSON{}, false, nil},
	{"update", runJSON{}, true, nil},
	{"verify", verifyJSON{}, true, nil},
	{"version", versionJSON{}, false, nil},
	{"versions", versionsJSON{}, false, nil},
}

// file is the name of the schema's file.
func (c jsonCommand) file() string {
	if c.path == "" {
		return "packvendor.json"
	}
	return strings.ReplaceAll(c.path, " ", "-") + ".json"
}

// errorSchema is the file of the schema of a failed command's document.
const errorSchema = "error.json"

// TestSchemas compares docs/schema with the types of the documents.
func TestSchemas(t *testing.T) {
	dir := filepath.Join("..", "..", "docs", "schema")
	want := schemas(t)
	if *update {
		for name, text := range want {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != len(want) {
		t.Errorf("%s has %d files, want %d (%v)", dir, len(files), len(want), err)
	}
	for name, text := range want {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s is not what the documents are (%v): run go generate ./cmd/packvendor", name, err)
		}
	}
}

// Each command that prints a document has a schema.
func TestSchemasOfAll(t *testing.T) {
	schemas := map[string]bool{}
	for _, command := range jsonCommands {
		schemas[strings.TrimSpace("packvendor "+command.path)] = true
	}
	_, commands := documented(t)
	for _, command := range commands {
		path := command.CommandPath()
		if command.Runnable() && !command.HasSubCommands() && !schemas[path] && !slices.Contains([]string{"packvendor completion", "packvendor help"}, path) {
			t.Errorf("%s has no schema", path)
		}
	}
}

// schemas returns the schemas by the name of their file.
func schemas(t *testing.T) map[string][]byte {
	t.Helper()
	w := &schemaWriter{t: t, comments: map[string]map[string]string{}}
	files := map[string][]byte{errorSchema: w.schema(errorSchema, "a failed packvendor COMMAND --json", jsonCommand{})}
	for _, command := range jsonCommands {
		line := strings.Join(strings.Fields("packvendor "+command.path+" --json"), " ")
		files[command.file()] = w.schema(command.file(), line, command)
	}
	return files
}

// An object is a JSON object whose keys are in order.
type object []keyword

type keyword struct {
	key   string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, m := range o {
		b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		key, err := printable.MarshalJSON(m.key, "", "")
		if err != nil {
			return nil, err
		}
		value, err := printable.MarshalJSON(m.value, "", "")
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s:%s", key, value)
	}
	b.WriteString("}")
	return b.Bytes(), nil
}

// A schemaWriter makes schemas of Go types and their comments.
type schemaWriter struct {
	t        *testing.T
	comments map[string]map[string]string // of a type's package and name: of its fields, and of "" itself
	defs     map[string]object
}

// schema returns the schema of a command's documents; of errors alone if it has none.
func (w *schemaWriter) schema(file, title string, command jsonCommand) []byte {
	w.defs = map[string]object{}
	failed := w.structure(reflect.TypeFor[errorJSON]())
	w.defs["error"] = failed
	choices := []object{ref("error")}
	if command.doc != nil {
		w.defs["document"] = w.structure(reflect.TypeOf(command.doc))
		choices = []object{ref("document"), ref("error")}
	}
	if command.other != nil {
		choices = append(choices, w.shape(reflect.TypeOf(command.other)))
	}
	if command.several {
		w.defs["projects"] = w.structure(reflect.TypeFor[projectsJSON]())
		w.defs["project"] = append(w.defs["project"], keyword{"anyOf", choices})
		choices = append(slices.Clone(choices), ref("projects"))
	}
	var defs object
	for _, name := range slices.Sorted(maps.Keys(w.defs)) {
		defs = append(defs, keyword{name, w.defs[name]})
	}
	text, err := printable.MarshalJSON(object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$id", schemaPlace + file},
		{"title", title},
		{"description", "Objects may have more fields: later versions add some."},
		{"type", "object"},
		{"anyOf", choices},
		{"$defs", defs},
	}, "", "  ")
	if err != nil {
		w.t.Fatal(err)
	}
	return append(text, '\n')
}

func ref(name string) object { return object{{"$ref", "#/$defs/" + name}} }

// structure returns the schema of a struct.
func (w *schemaWriter) structure(s reflect.Type) object {
	var properties object
	required := []string{}
	w.fields(s, &properties, &required)
	o := object{{"type", "object"}}
	if about := w.comment(s, ""); about != "" {
		o = append(o, keyword{"description", about})
	}
	return append(o, keyword{"required", required}, keyword{"properties", properties})
}

// fields adds the fields of a struct, those of embedded ones included.
func (w *schemaWriter) fields(s reflect.Type, properties *object, required *[]string) {
	for i := range s.NumField() {
		field := s.Field(i)
		name, options, tagged := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous:
			w.fields(structOf(field.Type), properties, required)
			continue
		case field.Tag.Get("json") == "": // of a MarshalJSON of its own
			continue
		}
		about := w.comment(s, field.Name)
		if about == "" {
			w.t.Errorf("%v.%s has no comment, which describes it in the schema", s, field.Name)
		}
		isOptional := tagged && strings.Contains(options, "omitempty")
		*properties = append(*properties, keyword{name, w.value(field.Type, about)})
		if !isOptional {
			*required = append(*required, name)
		}
		if field.Type.Kind() == reflect.Pointer && !isOptional && s != reflect.TypeFor[errorJSON]() && !mayBeNull(about) {
			w.t.Errorf("%v.%s: its comment does not say when it is null", s, field.Name)
		}
	}
}

// mayBeNull reports whether a comment says when a field is null.
func mayBeNull(about string) bool { return strings.Contains(about, "null if ") }

func structOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// value returns the schema of a field.
func (w *schemaWriter) value(t reflect.Type, about string) object {
	o := w.shape(structOf(t))
	if mayBeNull(about) {
		if o[0].key == "$ref" {
			o = object{{"anyOf", []object{o, {{"type", "null"}}}}}
		} else {
			o[0].value = []any{o[0].value, "null"}
		}
	}
	return append(object{{"description", about}}, o...)
}

func (w *schemaWriter) shape(t reflect.Type) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{{"type", "string"}, {"format", "date-time"}}
	case t.Kind() == reflect.String:
		return object{{"type", "string"}}
	case t.Kind() == reflect.Bool:
		return object{{"type", "boolean"}}
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		return object{{"type", "integer"}, {"minimum", 0}}
	case t.Kind() == reflect.Slice:
		return object{{"type", "array"}, {"items", w.shape(structOf(t.Elem()))}}
	case t.Kind() == reflect.Map:
		return object{{"type", "object"}, {"additionalProperties", w.shape(t.Elem())}}
	}
	name := defName(t)
	if _, ok := w.defs[name]; !ok {
		w.defs[name] = nil // while it is made
		w.defs[name] = w.structure(t)
	}
	return ref(name)
}

// defName is the name of a type's schema.
func defName(t reflect.Type) string {
	name := strings.TrimSuffix(t.Name(), "JSON")
	if name == "" {
		name = filepath.Base(t.PkgPath())
	}
	return strings.ToLower(name[:1]) + name[1:]
}

// comment returns the comment on a field of a struct, or on the struct itself.
func (w *schemaWriter) comment(s reflect.Type, field string) string {
	dir := "."
	if _, below, ok := strings.Cut(s.PkgPath(), "/cmd/packvendor/"); ok {
		dir = filepath.FromSlash(below)
	}
	key := dir + "." + s.Name()
	if w.comments[key] == nil {
		w.readComments(dir)
	}
	text := strings.TrimSuffix(strings.Join(strings.Fields(w.comments[key][field]), " "), ".")
	for _, subject := range []string{"A " + s.Name(), s.Name(), field} {
		text = strings.TrimPrefix(text, subject+" is ")
	}
	return text
}

// readComments reads the comments on all structs of a package.
func (w *schemaWriter) readComments(dir string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, decl := range file.Decls {
			declared, ok := decl.(*ast.GenDecl)
			if !ok || declared.Tok != token.TYPE {
				continue
			}
			for _, spec := range declared.Specs {
				of := spec.(*ast.TypeSpec)
				if s, ok := of.Type.(*ast.StructType); ok {
					w.comments[dir+"."+of.Name.Name] = fieldComments(declared.Doc, s)
				}
			}
		}
	}
}

// fieldComments returns the comments on fields by their names, and on the struct as "".
func fieldComments(doc *ast.CommentGroup, s *ast.StructType) map[string]string {
	all := map[string]string{"": doc.Text()}
	for _, field := range s.Fields.List {
		for _, name := range field.Names {
			all[name.Name] = field.Comment.Text() + field.Doc.Text()
		}
	}
	return all
}

// decode decodes JSON as validators want it.
func decode(t *testing.T, text []byte) any {
	t.Helper()
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return value
}
