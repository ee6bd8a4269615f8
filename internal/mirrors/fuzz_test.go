package mirrors

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/tomltext"
)

var references = []string{
	"reg.example/a/b:1", "reg.example:5000/a@" + digest, "a.reg.example/a", "docker.io/library/a:1", "localhost:80/a:1@" + digest, "[::1]:5000/a:1",
}

// FuzzParse: never a panic, the same answer twice, in bounded time, errors with a line of
// the file, and rules that stay the same when they are written down.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "\ufeff# x", pulls, "a = '''\n'''", "registry = [{location='a', mirror=[{location='b'}]}]",
		"[[registry]]\nprefix='*.example'\n[[registry.mirror]]\nlocation='m'\ninsecure=true", "[registries.search]\nregistries=['a']",
		"[[registry]]\nlocation='reg.example'\nblocked=true", "[[registry]]\nLocation='a'\nlocation='b'", "a = 07:32:00 # b\nc.\"d\\t\" = { e = [1, 2.0, +inf,\n], }",
		"[[registry]]\nlocation='docker.io'\nmirror-by-digest-only=true\nnamespace-proxy='x'", "a=[[[[]]]]", "[a.b]\n[[a.b.c]]\n[a.b.c.d]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		start := time.Now()
		file, err := Parse("f.conf", data)
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("took %v", took)
		}
		again, err2 := Parse("f.conf", data)
		if !reflect.DeepEqual(file, again) || !reflect.DeepEqual(err, err2) {
			t.Errorf("%+v, %v; then %+v, %v", file, err, again, err2)
		}
		if err != nil {
			checkError(t, data, err)
			return
		}
		checkRules(t, data, file)
		checkPlans(t, file)
	})
}

func checkError(t *testing.T, data []byte, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.File != "f.conf" || e.Line < 0 || e.Line > 1+strings.Count(string(data), "\n") {
		t.Errorf("%T %v", err, err)
	}
	for _, c := range err.Error() {
		if c < ' ' || c > '~' {
			t.Errorf("%q", err.Error())
		}
	}
}

// checkRules checks what Parse promises of a file, and that its rules mean themselves.
func checkRules(t *testing.T, data []byte, f *File) {
	t.Helper()
	if !slices.IsSortedFunc(f.Rules, func(a, b Rule) int { return strings.Compare(a.Prefix, b.Prefix) }) || f.Version1 && f.Rules != nil {
		t.Errorf("%+v", f)
	}
	lines := 1 + strings.Count(string(data), "\n")
	for _, r := range f.Rules {
		if r.File != "f.conf" || r.Line < 1 || r.Line > lines {
			t.Errorf("%+v", r)
		}
		for _, m := range r.Mirrors {
			if m.File != "f.conf" || m.Line < 1 || m.Line > lines || m.Location == "" {
				t.Errorf("%+v", m)
			}
		}
	}
	text := write(t, f.Rules)
	again, err := Parse("f.conf", text)
	if len(text) > MaxSize {
		return // names of a few bytes have become lines
	}
	if err != nil || !reflect.DeepEqual(withoutLines(again.Rules), withoutLines(f.Rules)) {
		t.Errorf("%s\ngives %+v, %v\ninstead of %+v", text, again, err, f)
	}
	if a, b := Merge(f), Merge(f, again, f); !reflect.DeepEqual(a.Rules, b.Rules) {
		t.Errorf("merged with itself: %+v, not %+v", b, a)
	}
}

// write returns rules as a file.
func write(t *testing.T, rules []Rule) []byte {
	t.Helper()
	type table = map[string]any
	endpoint := func(e Endpoint) table {
		return table{"location": e.Location, "insecure": e.Insecure, "namespace-proxy": e.Namespace}
	}
	registries := []table{}
	for _, r := range rules {
		one, mirrors := endpoint(r.Endpoint), []table{}
		for _, m := range r.Mirrors {
			mirror := endpoint(m.Endpoint)
			mirror["pull-from-mirror"] = string(m.Pull)
			mirrors = append(mirrors, mirror)
		}
		one["prefix"], one["blocked"], one["mirror-by-digest-only"], one["mirror"] = r.Prefix, r.Blocked, r.ByDigestOnly, mirrors
		if r.Prefix == "" {
			one["prefix"] = "/"
		}
		registries = append(registries, one)
	}
	text, err := toml.Marshal(table{"registry": registries})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func withoutLines(rules []Rule) []Rule {
	rules = slices.Clone(rules)
	for i := range rules {
		rules[i].Line = 0
		rules[i].Mirrors = slices.Clone(rules[i].Mirrors)
		for j := range rules[i].Mirrors {
			rules[i].Mirrors[j].Line = 0
		}
	}
	return rules
}

// checkPlans checks that each source of a plan is a reference to the same thing, and that
// nobody asks what is blocked.
func checkPlans(t *testing.T, f *File) {
	t.Helper()
	c := Merge(f)
	for _, s := range references {
		ref := reference(t, s)
		p, err := c.Plan(ref)
		if err != nil {
			if !errors.As(err, new(*Error)) && !errors.As(err, new(*BlockedError)) {
				t.Errorf("%s: %T %v", ref, err, err)
			}
			continue
		}
		if len(p.Sources) == 0 || (p.Rule == nil) != (c.Rule(ref) == nil) {
			t.Errorf("%s: %+v", ref, p)
		}
		own := 0
		for _, source := range slices.Concat(p.Sources, p.Blocked) {
			if source.Role != RoleMirror {
				own++
			}
			if again, err := ociref.Parse(source.Reference.String()); err != nil || again != source.Reference || again.Tag != ref.Tag || again.Digest != ref.Digest {
				t.Errorf("%s: %+v, %v", ref, source, err)
			}
			if r := c.Rule(source.Reference); r != nil && r.Blocked != slices.Contains(p.Blocked, source) {
				t.Errorf("%s: %+v", ref, p)
			}
		}
		if own != 1 {
			t.Errorf("%s: %+v", ref, p)
		}
	}
}

// FuzzScan: the scanner follows what the TOML library accepts, and knows the line of each
// key.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		"", "a.b = 1\n'c' = \"\\\"\"", "a = '''x''''' # y", "[[a]]\nb={c=[{}, {d=1,}]}\n[a.e]\n[[a]]", "\xff\xfea = 1", "a = 1979-05-27 07:32:00.5Z", "a = 0x1F_ff\r\n", "a = \"\"\"\\\n\n  x\"\"\"\"\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 10_000 { // below all bounds but the depth and the length of a key
			return
		}
		values, libraryErr := tomltext.Decode(data)
		places, err := scan(data)
		if libraryErr != nil {
			return
		}
		if err != nil {
			if !strings.Contains(err.Error(), "nested more than") && !strings.Contains(err.Error(), "have more than") {
				t.Errorf("the library reads %q, but: %v", data, err)
			}
			return
		}
		checkPlaces(t, data, values, places)
	})
}

func checkPlaces(t *testing.T, data []byte, value any, at *place) {
	t.Helper()
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			p := at.key(key)
			if p == nil && !strings.Contains(string(data), `\`) {
				t.Fatalf("no place for %q in %q", key, data)
			}
			if p != nil {
				checkPlaces(t, data, inner, p)
			}
		}
	case []map[string]any:
		for i, inner := range value {
			p := at.item(i)
			if p == nil || p.line < 1 || p.line > 1+strings.Count(string(data), "\n") {
				t.Fatalf("no place for table %d in %q", i, data)
			}
			checkPlaces(t, data, inner, p)
		}
	}
}
