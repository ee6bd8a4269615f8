package packsfile

import (
	"errors"
	"testing"
)

func TestNew(t *testing.T) {
	const top = `#:schema https://raw.githubusercontent.com/greenticai/packvendor/main/packs.schema.json
# All keys: https://github.com/greenticai/packvendor/blob/main/packs.toml.example

`
	const packs = `# "packvendor add REF" writes lines here: NAME = "REFERENCE"
[packs]
`
	for _, test := range []struct {
		embed Embed
		want  string
	}{
		{Embed{}, top + packs},
		{Embed{Dir: ".", File: "packs_gen.go", Data: "packs", Line: 3}, top + packs},
		{Embed{Stub: true}, top + "[embed]\nstub = true\n\n" + packs},
		{Embed{Package: "packs"}, top + "[embed]\npackage = \"packs\"\n\n" + packs},
		{
			Embed{Dir: "a \"b\" \u00e4", Package: "p", File: "f.go", Data: "d/e"},
			top + "[embed]\ndir = \"a \\\"b\\\" \u00e4\"\npackage = \"p\"\nfile = \"f.go\"\ndata = \"d/e\"\n\n" + packs,
		},
	} {
		text := New(test.embed)
		if string(text) != test.want {
			t.Errorf("New(%+v) is\n%s\nwant\n%s", test.embed, text, test.want)
		}
		f, err := Parse("packs.toml", text)
		if err != nil {
			t.Errorf("New(%+v): %v", test.embed, err)
			continue
		}
		if again := New(f.Embed); string(again) != test.want {
			t.Errorf("New(%+v) is\n%s\nwant\n%s", f.Embed, again, test.want)
		}
	}
}

// Parse reports invalid values; New does not change them.
func TestNewOfBadValues(t *testing.T) {
	for _, dir := range []string{"a\nb", "\"\n[packs]\n#", `\`, "\u202e"} {
		_, err := Parse("packs.toml", New(Embed{Dir: dir}))
		var errs Errors
		if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Key != "embed.dir" {
			t.Errorf("%q: %v", dir, err)
		}
	}
}

// The lines of packvendor add come below the header.
func TestNewTakesPacks(t *testing.T) {
	before := string(New(Embed{}))
	got, err := set([]byte(before), "x", Entry{Ref: "ghcr.io/o/x", Version: "^1"})
	want := before + "x = { ref = \"ghcr.io/o/x\", version = \"^1\" }\n"
	if err != nil || string(got) != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
	}
	if got, err = Remove(got, "x"); err != nil || string(got) != before {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, before)
	}
}
