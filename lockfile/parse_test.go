package lockfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/greenticai/packvendor/lockfile"
)

func TestFault53_ParseErrors(t *testing.T) {
	inputs(t, "errors", func(t *testing.T, base string, data []byte) {
		l, err := lockfile.Parse("packs.lock", data)
		var errs lockfile.Errors
		if l != nil || !errors.As(err, &errs) {
			t.Fatalf("got %v, %v", l, err)
		}
		golden(t, base+".golden", []byte(err.Error()+"\n"))

		crlf := bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
		if _, again := lockfile.Parse("packs.lock", crlf); again == nil || again.Error() != err.Error() {
			t.Errorf("with CRLF: got\n%v\nwant\n%v", again, err)
		}
	})
}

// Bytes that text files are a bad home for.
func TestFault53_ParseBytes(t *testing.T) {
	canonical := string(lockfile.Format(&lockfile.Lock{Entries: []lockfile.Entry{slack("a")}}))
	tests := []struct{ name, old, new, want string }{
		{"NUL", "slack:", "sl\x00ck:", "packs.lock:6: byte 0x00 is not printable ASCII"},
		{"UTF-8", `name = "a"`, `name = "ä"`, "packs.lock:5: byte 0xc3 is not printable ASCII"},
		{"BOM", "# Code", "\ufeff# Code", "packs.lock:1: byte 0xef is not printable ASCII"},
		{"lone CR", "version = 1\n", "version = 1\rx\n", "packs.lock:2: byte 0x0d is not printable ASCII"},
		{"DEL in a comment", "EDIT.", "EDIT.\x7f", "packs.lock:1: byte 0x7f is not printable ASCII"},
		{"tab in a string", `name = "a"`, "name = \"\ta\"", `packs.lock:5: name: character "\t" is not accepted in a string`},
		{"too large", "EDIT.", "EDIT." + strings.Repeat(" ", lockfile.MaxSize), "packs.lock:1: the file is larger than 16777216 bytes"},
		{"long value", "application/zip", strings.Repeat("x", 4097), "packs.lock:10: media_type: the value is longer than 4096 characters"},
		{"long number", "size = 12", "size = " + strings.Repeat("1", 4097), "packs.lock:9: size: the value is longer than 4096 characters"},
		{"long key", "size = 12", strings.Repeat("s", 65) + " = 12\nsize = 12", "packs.lock:9: cannot read this line: want key = value, [[pack]] or a comment"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(canonical, test.old, test.new, 1)
			_, err := lockfile.Parse("packs.lock", []byte(text))
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %.300v\nwant %s", err, test.want)
			}
		})
	}
}

func TestErrorFields(t *testing.T) {
	_, err := lockfile.Parse("dir/packs.lock", []byte("version = 1\n\n[[pack]]\nsize = -1\n"))
	var first *lockfile.Error
	if !errors.As(err, &first) {
		t.Fatalf("got %v", err)
	}
	want := lockfile.Error{File: "dir/packs.lock", Line: 3, Key: "name", Msg: "this [[pack]] has no name"}
	if *first != want {
		t.Errorf("got %+v, want %+v", *first, want)
	}
}

// A file that is no packs.lock at all is refused briefly.
func TestTooManyErrors(t *testing.T) {
	text := "version = 1\n" + strings.Repeat("nonsense\n", 400_000)
	_, err := lockfile.Parse("packs.lock", []byte(text))
	var errs lockfile.Errors
	if !errors.As(err, &errs) || len(errs) != 101 {
		t.Fatalf("got %d errors: %.300v", len(errs), err)
	}
	if got, want := errs[100].Error(), "packs.lock:102: too many errors"; got != want {
		t.Errorf("last error: got %s, want %s", got, want)
	}
}

func TestTooManyErrorsAtTheEnd(t *testing.T) {
	text := "version = 1\n" + strings.Repeat("[[pack]]\n", 50)
	_, err := lockfile.Parse("packs.lock", []byte(text))
	var errs lockfile.Errors
	if !errors.As(err, &errs) || len(errs) != 101 {
		t.Fatalf("got %d errors: %.300v", len(errs), err)
	}
}

func FuzzParse(f *testing.F) {
	full := slack("a")
	full.Version, full.Layer, full.Tag, full.IndexDigest = "^1", "a/b", "t", digestC
	full.Signer, full.Evidence = signers[0], digestD
	file := lockfile.Entry{Name: "c", Ref: "ghcr.io/a/b", Version: "^1", Path: "../c d.gtpack", LayerDigest: digestC, Size: 12}
	text := string(lockfile.Format(&lockfile.Lock{Entries: []lockfile.Entry{full, slack("b"), file}}))
	f.Add([]byte(text))
	for _, signer := range signers[1:] {
		f.Add([]byte(strings.Replace(text, signers[0], signer, 1)))
	}
	f.Add([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	f.Add([]byte(strings.ReplaceAll(text, " = ", "=")))
	f.Add([]byte("version = 1 # x\n[[ pack ]]\n[x]\nname = \"a\\\n=======x\n"))
	for _, data := range scriptLocks(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := lockfile.Parse("packs.lock", data)
		if err != nil {
			var errs lockfile.Errors
			if l != nil || !errors.As(err, &errs) || len(errs) == 0 {
				t.Fatalf("got %v, %v", l, err)
			}
			checkMessages(t, errs)
			return
		}
		checkRoundTrip(t, l)
	})
}

// scriptLocks returns every packs.lock of the end-to-end scripts, as it stands
// there and with values for its variables. The scripts may not be there where
// the package is tested alone.
func scriptLocks(f *testing.F) [][]byte {
	files, err := filepath.Glob(filepath.Join("..", "testdata", "scripts", "*.txtar"))
	if err != nil {
		f.Fatal(err)
	}
	var locks [][]byte
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, member := range archive.Files {
			if strings.HasPrefix(path.Base(member.Name), "packs.lock") {
				locks = append(locks, member.Data, []byte(os.Expand(string(member.Data), scriptValue)))
			}
		}
	}
	return locks
}

// scriptValue is a value for a script's variable, such as $REG and $PACK_SIZE.
func scriptValue(name string) string {
	switch {
	case name == "REG":
		return "registry.example"
	case strings.HasSuffix(name, "_SIZE"):
		return "12"
	}
	return string(digestC)
}

func checkMessages(t *testing.T, errs lockfile.Errors) {
	if !slices.IsSortedFunc(errs, func(a, b *lockfile.Error) int { return a.Line - b.Line }) {
		t.Errorf("not by line:\n%v", errs)
	}
	for _, e := range errs {
		if strings.ContainsFunc(e.Error(), func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("not printable: %+q", e.Error())
		}
	}
}

func checkRoundTrip(t *testing.T, l *lockfile.Lock) {
	text := lockfile.Format(l)
	again, err := lockfile.Parse("packs.lock", text)
	if err != nil {
		t.Fatalf("cannot parse what Format wrote: %v\n%s", err, text)
	}
	if !slices.Equal(again.Entries, l.Entries) {
		t.Errorf("parsed again: got %+v\nwant %+v", again.Entries, l.Entries)
	}
	if twice := lockfile.Format(again); !bytes.Equal(twice, text) {
		t.Errorf("formatted twice: got\n%s\nwant\n%s", twice, text)
	}
	for _, p := range l.Entries {
		if err := p.Validate(); err != nil {
			t.Errorf("parsed, but: %v", err)
		}
		if l.Line(p.Name) == 0 {
			t.Errorf("%s has no line", p.Name)
		}
		_ = fmt.Sprint(p.Check()) // never panics
	}
}
