package packsfile

import (
	"errors"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/greenticai/packvendor/internal/packtest/signing"
)

// An excuse is a message of Parse for which the schema has none.
type excuse struct{ message, why string }

// notForSchema lists the errors of Parse that the schema cannot express, and why. All
// others the schema reports at the same place.
var notForSchema = []excuse{
	{`^"[^"]+" is a tag, not a pin: tags can move$`, "what allows tags may stand elsewhere: the schema could only refuse the whole file"},
	{`^Go name \w+ is that of packs\.[\w-]+ already: set another go_name$`, "a schema compares no names"},
	{`^data and (file|the stub) are both "[^"]+"$`, "a schema compares no values"},
	{`^invalid reference "[^"]+"(\.\.\.)?: host and repository are longer than 255 characters$`, "a pattern does not count across its parts"},
	{`^"\[[0-9a-f:]+\](:\d+)?" is not a registry host$`, "a pattern for IPv6 addresses is one that nobody can read"},
	{`^version "[^"]+" is not a range of versions such as \^0\.4$`, "a pattern for ranges is one that nobody can read"},
	{`^no signer is named "[^"]+"`, "a schema compares no names"},
	{`^names the same as "[^"]+"$`, "a schema compares no names"},
	{`^"[^"]+" is there twice$`, "a schema does not know that two names are the same"},
	{`^the same signer as [\w-]+$`, "a schema compares no values"},
	{`^signs without a key, and trust\.root is missing$`, "the schema could only refuse the whole table"},
	{`^"[^"]+" has no dot, so it is not a file but a key in base64: `, "a pattern knows no keys"},
	{`^(?:"[^"]+": )?(?:host and repository are longer than 255 characters|"\[[0-9a-f:]+\](:\d+)?" is not a registry host)$`, "as for references"},
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../packs.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// Taplo and what builds on it read Draft 4.
func TestSchemaIsDraft4(t *testing.T) {
	schema := compileSchema(t) // which checks it against its own schema
	if schema.DraftVersion != 4 {
		t.Errorf("it is of Draft %d", schema.DraftVersion)
	}
	if schema.ID != schemaURL {
		t.Errorf("it is %s, but New names %s", schema.ID, schemaURL)
	}
	if first, _, _ := strings.Cut(string(readFile(t, "../packs.toml.example")), "\n"); first != "#:schema "+schemaURL {
		t.Errorf("packs.toml.example begins with %s", first)
	}
}

// The schema and Parse agree about each packs.toml that the tests have.
func TestSchemaAgreesWithParse(t *testing.T) {
	s := schemaTest{t: t, schema: compileSchema(t), used: map[int]bool{}}
	s.check("packs.toml.example", readFile(t, "../packs.toml.example"))
	if s.good != 1 {
		t.Error("packs.toml.example is not accepted")
	}
	for _, file := range testFiles(t, "testdata/parse/*.toml") {
		s.check(file, readFile(t, file))
	}
	for _, pattern := range []string{"testdata/edit/*.txtar", "../testdata/scripts/*.txtar"} {
		for _, file := range testFiles(t, pattern) {
			for _, member := range readArchive(t, file) {
				if path.Ext(member.Name) == ".toml" || strings.Contains(member.Name, "packs.toml") {
					s.check(filepath.Base(file)+" "+member.Name, expand(member.Data))
				}
			}
		}
	}
	for seed := range uint64(100) {
		s.check("generated", []byte(generate(seed).String()))
	}
	if s.good < 300 || s.bad < 30 {
		t.Errorf("%d good ones and %d bad ones are too few to be all", s.good, s.bad)
	}
}

// The schema and Parse agree about each fault alone.
func TestSchemaAgreesAboutFaults(t *testing.T) {
	s := schemaTest{t: t, schema: compileSchema(t), used: map[int]bool{}}
	for _, fault := range schemaFaults() {
		s.check(fault, []byte(fault))
	}
	for _, system := range systemsOf(t) {
		s.check(system, []byte(`embed.file = "x_`+system+`.go"`))
	}
	for word := token.BREAK; word <= token.VAR; word++ {
		s.check(word.String(), []byte(`embed.package = "`+word.String()+`"`))
	}
	if s.good != 0 {
		t.Errorf("%d faults are none", s.good)
	}
	for i, rule := range notForSchema {
		if !s.used[i] {
			t.Errorf("nothing needs the rule %s", rule.message)
		}
	}
}

var (
	variableRule = regexp.MustCompile(`(@?)\$([A-Z][A-Z0-9_]*)`)
	unknownRule  = regexp.MustCompile(`^unknown (?:key|table) ("(?:[^"\\]|\\.)*")`)
)

// expand gives the variables of an end-to-end script values of their kind.
func expand(data []byte) []byte {
	return variableRule.ReplaceAllFunc(data, func(match []byte) []byte {
		at, isDigest := strings.CutPrefix(string(match), "@")
		switch {
		case isDigest:
			return []byte("@" + digest)
		case strings.HasSuffix(at, "_LAYER"):
			return []byte(digest)
		}
		return []byte("127.0.0.1:5000")
	})
}

// A schemaTest compares what the schema and Parse think of files.
type schemaTest struct {
	t         *testing.T
	schema    *jsonschema.Schema
	good, bad int
	used      map[int]bool // the rules of notForSchema that were needed
}

func (s *schemaTest) check(name string, data []byte) {
	s.t.Helper()
	_, err := Parse("packs.toml", data)
	doc, syntax := parseDocument("packs.toml", data)
	if syntax != nil {
		return
	}
	if err == nil {
		s.good++
	} else {
		s.bad++
	}
	got := placesOf(s.schema.Validate(asJSON(doc.root.decoded)))
	var errs Errors
	errors.As(err, &errs)
	want := map[string]bool{}
	for _, e := range errs {
		place := placeOf(doc, e)
		rule := excuseFor(e)
		switch {
		case rule < 0 || want[place]:
			want[place] = true
		case got[place]: // the schema can do so where it is gross
			want[place] = true
		default:
			s.used[rule] = true
		}
	}
	if !maps.Equal(want, got) {
		s.t.Errorf("%s: the schema refuses %q, but Parse %q: %v", name, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)), err)
	}
}

// excuseFor returns which rule excuses the schema from an error, -1 if none does.
func excuseFor(e *Error) int {
	return slices.IndexFunc(notForSchema, func(rule excuse) bool {
		return regexp.MustCompile(rule.message).MatchString(e.Msg)
	})
}

// placeOf returns what an error is about: a key of the file, packs/NAME, embed/KEY,
// trust/signers/NAME or trust/rules/KEY.
func placeOf(doc *document, e *Error) string {
	if n := doc.root.child("trust"); n != nil && strings.HasPrefix(e.Key, "trust.") {
		for _, child := range n.children {
			for _, entry := range child.children {
				if key := trustKey(child.key, entry.key); e.Key == key || strings.HasPrefix(e.Key, key+".") {
					return "trust/" + child.key + "/" + entry.key
				}
			}
		}
	}
	if strings.HasPrefix(e.Key, "packs.") {
		for _, n := range doc.root.child("packs").children {
			if packKey(n.key) == e.Key {
				return "packs/" + n.key
			}
		}
	}
	place := strings.Replace(e.Key, ".", "/", 1)
	if m := unknownRule.FindStringSubmatch(e.Msg); m != nil {
		key, err := strconv.Unquote(m[1])
		if err != nil {
			return m[1]
		}
		return strings.TrimPrefix(place+"/"+key, "/")
	}
	return place
}

// placesOf returns what a refusal by the schema is about, in the same words.
func placesOf(refusal error) map[string]bool {
	places := map[string]bool{}
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		for _, cause := range e.Causes {
			walk(cause)
		}
		if len(e.Causes) > 0 {
			return
		}
		unknown, ok := e.ErrorKind.(*kind.AdditionalProperties)
		if !ok {
			places[placeOfPath(e.InstanceLocation...)] = true
			return
		}
		for _, key := range unknown.Properties {
			places[placeOfPath(append(slices.Clone(e.InstanceLocation), key)...)] = true
		}
	}
	var e *jsonschema.ValidationError
	if errors.As(refusal, &e) {
		walk(e)
	} else if refusal != nil {
		places[refusal.Error()] = true
	}
	return places
}

// placeOfPath cuts off what placeOf does not tell.
func placeOfPath(path ...string) string {
	depth := 1
	if len(path) > 0 && (path[0] == "packs" || path[0] == "embed" || path[0] == "limits") {
		depth = 2
	}
	if len(path) > 1 && path[0] == "trust" {
		depth = 2
		if path[1] == "signers" || path[1] == "rules" {
			depth = 3
		}
	}
	return strings.Join(path[:min(depth, len(path))], "/")
}

// asJSON returns what JSON would have for a value of TOML. A time is a string
// there.
func asJSON(value any) any {
	switch value := value.(type) {
	case map[string]any:
		object := make(map[string]any)
		for key, element := range value {
			object[key] = asJSON(element)
		}
		return object
	case []any:
		array := make([]any, len(value))
		for i, element := range value {
			array[i] = asJSON(element)
		}
		return array
	case []map[string]any:
		array := make([]any, len(value))
		for i, element := range value {
			array[i] = asJSON(element)
		}
		return array
	case time.Time:
		return value.Format(time.RFC3339)
	}
	return value
}

// systemsOf returns the systems that the schema knows of the go command's.
func systemsOf(t *testing.T) []string {
	t.Helper()
	list := regexp.MustCompile(`_\(\?:(aix\|[a-z0-9|]+)\)`).FindSubmatch(readFile(t, "../packs.schema.json"))
	if list == nil {
		t.Fatal("the schema has no list of systems")
	}
	return strings.Split(string(list[1]), "|")
}

// schemaFaults returns files with one fault each.
func schemaFaults() []string {
	var faults []string
	add := func(before, after string, values ...string) {
		for _, value := range values {
			faults = append(faults, before+value+after)
		}
	}
	pin := `ref = "ghcr.io/o/x@` + digest + `"`
	add("", "", `allow_tags = 1`, `Allow_tags = true`, `packs = []`, `packs = "x"`, `embed = 1`, `colour = 1979-05-27`,
		`insecure_registries = "localhost"`, `insecure_registries = [1]`, `accept_media_types = {}`, `accept_media_types = [["a/b"]]`)
	add(`insecure_registries = ["`, `"]`, "", "http://localhost", "localhost:", "localhost:0", "localhost:65536", "-a", "a-", "a..b", "a b",
		"a/b", "\u00e4", "u@h", "[::1", "[1.2.3.4]", "[::1]:x", "[1:2]", "[:::]:5000", strings.Repeat("a", 64))
	add(`accept_media_types = ["`, `"]`, "", "a", "a/", "/a", "a/b/c", "a/b;c", "-a/b", "a/.b", "a/b ", "a/"+strings.Repeat("b", 128), "\u0430/b")
	add("embed.", "", `colour = 1`, `dir = 1`, `package = true`, `file = []`, `data = {}`, "file = \"packs.go\"\nembed.data = \"Packs.go/x\"",
		`stub = 1`, "stub = true\nembed.data = \"Packs_gen_stub.go/x\"")
	add("limits.", "", `colour = 1`, `pack = 1`, `total = true`, `pack = []`, `total = {}`)
	add(`limits.pack = "`, `"`, "", "20", "MB", "0MB", "020MB", "0.5MB", "1.MB", "1.2345MB", ".5MB", "-1MB", "+1MB", "1e3MB", "1,000MB", " 1MB", "1MB ", "1  MB", "1\\tMB",
		"1TB", "1M", "1iB", "1MBB", "1kiBs", "1234567890B", "1 m b", "\u0661MB", "1\u212aB")
	add(`embed.dir = "`, `"`, "", "/a", `a\\b`, "C:/a", "a:b", `a\nb`, `\u0000`, `a\u202e`, `\u00a0`, `a\u200bb`, `a\ufeff`)
	add(`embed.package = "`, `"`, "", "_", "func", "type", "a-b", "1a", "x_test", "documentation", "\u00e4")
	add(`embed.file = "`, `"`, "", ".go", "_x.go", "x", "x.GO", "x_test.go", "x_windows.go", "x_linux_amd64.go", "a/x.go", `a\\x.go`, "con.go",
		"COM1.x.go", "nul.x.go", "x_arm64.foo.go", "x_linux_test.foo.go", "\u00e4.go", "x y.go")
	add(`embed.data = "`, `"`, "", ".", "..", "/a", "a/", "a//b", "./a", "a/../b", ".git", "a/_b", "a./b", "a/b.", "a b", "vendor", "a/Vendor/b",
		"go.mod", "a/nul.d/b", "lpt9", "CON", "\u00e4")
	add("packs.", ` = { `+pin+`, go_name = "Fine" }`, "con", "nul", "aux", "prn", "com0", "lpt9", "A", "1", "-a", `""`, `"a.b"`, `"a b"`, `"\u00e4"`, strings.Repeat("a", 65))
	add("packs.", ` = { `+pin+` }`, "pack", "packs", "lookup", "pack-", "packs__")
	add("packs.", ` = "ghcr.io/o/x@`+digest+`"`, "pack", "packs_-", "lookup", "nul")
	add("packs.x = ", "", "1", "true", "[]", "{}", "1979-05-27", `{ layer = "a/b" }`, `{ ref = 1 }`, `{ ref = ["ghcr.io/o/x:1"] }`)
	add("packs.x = { "+pin+", ", " }", `colour = 1`, `Ref = ""`, `layer = 1`, `go_name = 1`, `allow_tags = "yes"`, `version = 1`, `version = "^1"`)
	add("packs.x = { path = ", " }", "1", "[]", `""`, `"/a"`, `"C:/a"`, `"a:b"`, `"a\\b"`, `"./a"`, `"a/"`, `"a//b"`, `"a/../b"`, `"../a/../b"`, `"."`, `".."`, `"../.."`, `"a/."`,
		`"a\n"`, `"a\u0000"`, `"\u00e4"`, `"a'b"`, `'a"b'`, `"a./b"`, `"a /b"`, `"a."`, `"nul"`, `"a/Con.gtpack"`, `"lpt1/a"`, `"`+strings.Repeat("a", 1025)+`"`)
	add("packs.x = { path = 'a', ", " }", `version = "^1"`, `layer = "a/b"`, "allow_tags = true", "ref = 1", `ref = "ghcr.io/o/x"`, `ref = ""`)
	add("packs.x = { "+pin+`, layer = "`, `" }`, "", "a", "sha256:12", "sha512:12", "a/b; c", "ghcr.io/a/b:1", digest+"0", strings.ToUpper(digest))
	add("packs.x = { "+pin+`, go_name = "`, `" }`, "", "x", "_X", "A-B", "\u00c4", "A\u00e4", "Pack", "Packs", "Lookup")
	add("packs.x = { "+pin+" }\npacks.", "", "x- = { "+pin+" }", "y = { "+pin+`, go_name = "X" }`)
	add("packs.x = { ref = \"ghcr.io/o/x\", version = ", " }", "1", "[]", `""`, `" "`, `"newest"`, `"^"`, `"1 ||"`, `"|| 1"`, `"1,"`, `"1,,2"`, `">=1.2<2"`,
		`"1.2.3.4"`, `"1."`, `"v"`, `"^1 && ^2"`, `"=="`, `"1-"`, `"^1\t"`, `"^1\n"`, `"\u2264 1"`, `"1`+strings.Repeat(" ", 256)+`"`,
		`"1.2.3-01"`, `"99999999999999999999"`)
	add("packs.x = { version = \"^1\", ref = \"", "\" }", "ghcr.io/o/x:1", "ghcr.io/o/x:1@"+digest, "oci://ghcr.io/o/x@"+digest, "x", "ghcr.io", "")
	for _, form := range [][2]string{{`packs.x = "`, `"`}, {`packs.x = { allow_tags = true, ref = "`, `" }`}} {
		add(form[0], form[1], "", "x", "x:1", "o/x:1", "ghcr.io", "ghcr.io/", "ghcr.io/o/x", "oci://ghcr.io/o/x", "http://ghcr.io/o/x:1",
			"oci://oci://ghcr.io/o/x:1", "OCI://ghcr.io/o/x:1", "ghcr.io/../x:1", "ghcr.io//x:1", "ghcr.io/o/:1", "ghcr.io/o/X:1", "ghcr.io/o/x-:1",
			"ghcr.io/o/x..y:1", "ghcr.io/o/x___y:1", "ghcr.io/o/x._y:1", "ghcr.io/o/x:", "ghcr.io/o/x:.1", "ghcr.io/o/x:1 ", "ghcr.io/o/x:1+b",
			"ghcr.io/o/x:"+strings.Repeat("1", 129), "ghcr.io/o/x@sha256:12", "ghcr.io/o/x@sha512:"+strings.Repeat("0", 128), "ghcr.io/o/x:1@",
			"ghcr.io/o/x@"+strings.ToUpper(digest), "ghcr.io/o/x@"+digest+"0", "ghcr.io/o/x@"+digest+":1", "ghcr.io/o/x\\n:1", "ghcr.io/o/\u0445:1",
			"user:pw@ghcr.io/o/x:1", "ghcr.io:/o/x:1", "ghcr.io:99999/o/x:1", "-ghcr.io/o/x:1", "[::1/o/x:1", "[::g]/o/x:1",
			"ghcr.io/"+strings.Repeat("x", 250)+":1", "ghcr.io/"+strings.Repeat("x/", 300)+"x:1")
	}
	add(`packs.x = "`, `"`, "ghcr.io/o/x:1", "localhost/x:stable")
	return append(faults, trustFaults()...)
}

// trustFaults returns files with one fault each in the table trust.
func trustFaults() []string {
	var faults []string
	add := func(before, after string, values ...string) {
		for _, value := range values {
			faults = append(faults, before+value+after)
		}
	}
	key := signing.Base64(signing.Ed25519(1).SPKI())
	only := `"` + digest + `"`
	add("trust", "", " = 1", " = []", ".colour = 1", ".Root = 1", ".signers = 1", ".rules = []", ".root = 1")
	add("trust.root = '", "'", "", "/a", `a\b`, "C:/a", "a/", ".", "a/..")
	add("trust.signers.", " = { key = 'a.pub' }", "A", "con", "1", `"a.b"`, `"a b"`, `""`, strings.Repeat("a", 65))
	add("trust.signers.a = ", "", "1", `"a.pub"`, "[]", "{}", "[{ key = 'a.pub' }]", "{ colour = 1 }", "{ Key = 'a.pub' }", "{ only = ["+only+"] }",
		"{ refs = ['refs/tags/**'] }", "{ identity = 'x' }")
	add("trust.signers.a = { key = ", " }", "1", "['a.pub']", `""`, `"/a.pub"`, `"a\\b.pub"`, `"C:a.pub"`, `"a.d/"`, `"."`, `".."`, `"a/.."`, `"a"`, `"a\n.pub"`,
		`"a\u202e.pub"`, `"MCowBQYDK2Vw"`, `"`+strings.TrimRight(key, "=")+`"`, `"`+strings.Replace(key, "V", "X", 1)+`"`, `"`+key+` "`)
	add("trust.signers.a = { key = 'a.pub', ", " }", "repository = 'github.com/o/r'", "issuer = 'https://a.example'", "identity = 'x'", "refs = ['refs/tags/**']",
		"repository_id = 1", "workflow = '.github/workflows/a.yml'", "self_hosted = true", "only = []", "only = 'x'", "only = [1]", "only = ['x']",
		"only = ["+only+", "+only+"]", "names = 'x'", "names = [1]", "names = ['**']", "names = ['o/x']", "names = ['ghcr.io/o/x:1']",
		"names = ['ghcr.io/o/x@"+digest+"']", "names = ['ghcr.io/*']", "names = ['ghcr.io/o/x', 'ghcr.io/o/x']", "names = ['ghcr.io/o/x', 'GHCR.io/o/x']")
	const workflow = "trust = { root = 'r', signers = { a = { repository = 'github.com/o/r', repository_id = 1, workflow = '.github/workflows/a.yml', refs = ['refs/tags/**'] } } }"
	for old, values := range map[string][]string{
		"'github.com/o/r'":          {"1", "'github.com/o'", "'github.com/o/r/x'", "'https://github.com/o/r'", "'gitlab.com/o/r'", "'GitHub.com/o/r'", "''"},
		"repository_id = 1":         {"repository_id = 0", "repository_id = '1'", "repository_id = 1.5", "repository_id = -1"},
		"'.github/workflows/a.yml'": {"1", "'a.yml'", "'.github/workflows/a'", "'.github/workflows/a/b.yml'", "'/.github/workflows/a.yml'"},
		"'refs/tags/**'": {"", "1", "'**'", "'main'", "'refs/**'", "'refs/pull/**'", "'refs/tags'", "'refs/tags/'", "'refs/tags/v*'", "'refs/heads/a//b'", "'refs/heads/a/../b'",
			"'refs/heads/./**'", `"refs/heads/\u00e4"`},
		" } } }":             {", issuer = 'https://a.example' } } }", ", identity = 'x' } } }", ", self_hosted = 1 } } }"},
		"root = 'r', ":       {""},
		"repository_id = 1,": {""},
	} {
		for _, value := range values {
			faults = append(faults, strings.Replace(workflow, old, value, 1))
		}
	}
	const account = "trust = { root = 'r', signers = { a = { issuer = "
	add(account, ", identity = 'x' } } }", "1", "''", "'a.example'", "'http://a.example'", "'https://'", "'https://a.example?x'", "'https://a.example/#x'", "'https://u@a.example'",
		"'https://a.example/a b'", "'https://token.actions.githubusercontent.com'", "'https://Token.actions.githubusercontent.com:443/'", `"https://\u00e4.example"`)
	add(account+"'https://a.example', identity = ", " } } }", "1", "''", "'*@a.example'", `"\u00e4"`, `"a\\b"`, `'"'`)
	add(account+"'https://a.example', ", " } } }", "", "identity = 'x', refs = ['refs/tags/**']", "identity = 'x', repository = 'github.com/o/r'")
	add("trust.rules.", " = []", `""`, "a", `"ghcr.io"`, `"ghcr.io/"`, `"o/x"`, `"*"`, `"***"`, `"/**"`, `"ghcr.io/o/*"`, `"ghcr.io/*/x"`, `"ghcr.io/**/x"`, `"ghcr.io/o**"`, `"ghcr.io/o/x:1"`,
		`"ghcr.io/o/x:1@`+digest+`"`, `"ghcr.io/o/x@sha256:12"`, `"ghcr.io/o/x@`+digest+`/**"`, `"https://ghcr.io/o/x"`, `"ghcr.io/O/x"`, `"[::g]/o/x"`, `"[:::]/o/x"`, `"[:::]/**"`, `"path:Slack"`,
		`"path:*"`, `"path:"`, `"path:con"`, `"path:1"`, `"path:a.b"`, `"ghcr.io/`+strings.Repeat("x", 250)+`"`)
	add("trust.rules.\"ghcr.io/o/x\" = ", "", "1", "'a'", "{ signers = ['a'], need = 2 }", "[1]", "['a']", "[{}]")
	add("trust = { signers.a.key = 'a.pub', signers.b.key = '"+key+"', ", " }", "signers.c.key = '"+key+"'", "rules = { 'ghcr.io/o/x' = ['a', 'a'] }", "rules = { 'ghcr.io/o/x' = ['b', 'c'] }",
		"rules = { 'ghcr.io/o/x' = ['a'], 'GHCR.io/o/x' = ['b'] }")
	return faults
}

// People can read the message that an editor shows for a range.
func TestSchemaVersionIsReadable(t *testing.T) {
	text := string(readFile(t, "../packs.schema.json"))
	_, text, _ = strings.Cut(text, "\"version\": {\n      \"description\": \"A range of semantic versions")
	text, _, _ = strings.Cut(text, "}")
	_, pattern, ok := strings.Cut(text, `"pattern": `)
	if !ok || len(pattern) > 100 {
		t.Errorf("the pattern has %d characters:\n%s", len(pattern), pattern)
	}
}
