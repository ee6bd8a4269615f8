package packsfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/greenticai/packvendor/internal/tomltext"
)

// TestEdit runs the edits of each archive on its before.toml and compares the
// outcome with its after.toml or, if they fail, its error.
func TestEdit(t *testing.T) {
	for _, file := range testFiles(t, "testdata/edit/*.txtar") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			script := readEditScript(t, archive)
			before := string(script.before)
			after, err := script.run(t)
			if string(script.before) != before {
				t.Error("the caller's bytes were changed")
			}
			outcome := txtar.File{Name: "after.toml"}
			if err != nil {
				outcome = txtar.File{Name: "error", Data: []byte(err.Error() + "\n")}
			} else {
				outcome.Data = script.plain(t, after)
			}
			archive.Files = []txtar.File{archive.Files[0], outcome}
			checkGolden(t, file, string(txtar.Format(archive)))
		})
	}
}

// An editScript is the comment of an archive: line ends and edits.
type editScript struct {
	crlf   bool
	edits  []testEdit
	before []byte
}

// A testEdit is one line of a script, or more.
type testEdit struct {
	command string   // set, add, remove, signer or retire
	names   []string // one of them, but for remove
	entry   Entry
	key     string   // of signer
	layers  []Digest // of retire
}

func readEditScript(t *testing.T, archive *txtar.Archive) editScript {
	t.Helper()
	s := editScript{before: bytes.Clone(archive.Files[0].Data)}
	for line := range strings.Lines(string(archive.Comment)) {
		command, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		last := len(s.edits) - 1
		switch fields := strings.Fields(rest); command {
		case "#":
		case "crlf":
			s.crlf = true
			s.before = bytes.ReplaceAll(s.before, []byte("\n"), []byte("\r\n"))
		case "no-final-newline":
			s.before = bytes.TrimRight(s.before, "\r\n")
		case "set", "add": // NAME REF
			s.edits = append(s.edits, testEdit{command: command, names: fields[:1], entry: Entry{Ref: strings.Join(fields[1:], " ")}})
		case "path": // FILE, of the add above
			s.edits[last].entry.Path = rest
		case "version": // RANGE, of the add above
			s.edits[last].entry.Version = rest
		case "allow": // tags, in the add above
			s.edits[last].entry.AllowTags = true
		case "remove": // NAME...
			s.edits = append(s.edits, testEdit{command: command, names: fields})
		case "signer": // NAME KEY
			s.edits = append(s.edits, testEdit{command: command, names: fields[:1], key: fields[1]})
		case "retire": // NAME DIGEST...
			e := testEdit{command: command, names: fields[:1]}
			for _, layer := range fields[1:] {
				e.layers = append(e.layers, Digest(layer))
			}
			s.edits = append(s.edits, e)
		default:
			t.Fatalf("unknown line %q", line)
		}
	}
	return s
}

func (s editScript) run(t *testing.T) ([]byte, error) {
	t.Helper()
	data := s.before
	for _, e := range s.edits {
		after, err := e.apply(data)
		if err != nil {
			return nil, err
		}
		e.check(t, after)
		data = after
	}
	return data, nil
}

func (e testEdit) apply(data []byte) ([]byte, error) {
	switch e.command {
	case "set":
		return setRef(data, e.names[0], e.entry.Ref)
	case "add":
		return set(data, e.names[0], e.entry)
	case "signer":
		return AddSigner(data, e.names[0], e.key)
	case "retire":
		return RetireSigner(data, e.names[0], e.layers)
	}
	return Remove(data, e.names...)
}

// check demands of an edit that the file holds what was asked for, and that
// doing it again changes nothing.
func (e testEdit) check(t *testing.T, after []byte) {
	t.Helper()
	again, err := e.apply(after)
	if e.command == "remove" {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a second removal gives %q, %v", again, err)
		}
	} else if err != nil || !bytes.Equal(again, after) {
		t.Errorf("a second edit gives %q, %v; the first %q", again, err, after)
	}
	for _, name := range e.names {
		pack := packOf(t, after, name)
		switch e.command {
		case "set":
			if got := pack["ref"]; got != e.entry.Ref {
				t.Errorf("%s is %q, not %q, in %s", name, got, e.entry.Ref, after)
			}
		case "add":
			checkEntry(t, after, name, e.entry)
		case "remove":
			if pack != nil {
				t.Errorf("%s is still there: %v", name, pack)
			}
		case "signer":
			if got := signerOf(t, after, name)["key"]; got != e.key {
				t.Errorf("%s has the key %v, not %q, in %s", name, got, e.key, after)
			}
		case "retire":
			if got, want := fmt.Sprint(signerOf(t, after, name)["only"]), fmt.Sprint(e.layers); got != want {
				t.Errorf("%s is good for %s, not %s, in %s", name, got, want, after)
			}
		}
	}
}

// checkEntry demands that the pack called name is e, by the TOML library's
// reading alone.
func checkEntry(t *testing.T, data []byte, name string, e Entry) {
	t.Helper()
	pack := packOf(t, data, name)
	ref, _ := pack["ref"].(string)
	file, _ := pack["path"].(string)
	version, _ := pack["version"].(string)
	tree, _ := tomltext.Decode(data)
	allowed := pack["allow_tags"] == true || pack["allow_tags"] == nil && e.AllowTags && tree["allow_tags"] == true
	if ref != e.Ref || file != e.Path || version != e.Version || allowed != e.AllowTags {
		t.Errorf("%s is %v, not %+v, in %s", name, pack, e, data)
	}
	if _, own := pack["allow_tags"]; own && !e.AllowTags {
		t.Errorf("%s keeps its allow_tags in %s", name, data)
	}
}

// plain undoes what the script did to the line ends.
func (s editScript) plain(t *testing.T, after []byte) []byte {
	t.Helper()
	if !s.crlf {
		return after
	}
	lf := bytes.ReplaceAll(after, []byte("\r\n"), []byte("\n"))
	if !bytes.Equal(bytes.ReplaceAll(lf, []byte("\n"), []byte("\r\n")), after) {
		t.Errorf("line ends are mixed: %q", after)
	}
	return lf
}

// packOf returns a pack as a table, nil if there is none, by the TOML library's
// reading alone.
func packOf(t *testing.T, data []byte, name string) map[string]any {
	t.Helper()
	tree, err := tomltext.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	packs, _ := tree["packs"].(map[string]any)
	switch pack := packs[name].(type) {
	case nil:
		return nil
	case map[string]any:
		return pack
	default:
		return map[string]any{"ref": pack}
	}
}

// signerOf returns a signer, nil if there is none, by the TOML library's reading alone.
func signerOf(t *testing.T, data []byte, name string) map[string]any {
	t.Helper()
	tree, err := tomltext.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	trust, _ := tree["trust"].(map[string]any)
	signers, _ := trust["signers"].(map[string]any)
	signer, _ := signers[name].(map[string]any)
	return signer
}

// setRef is SetRefs of one pack.
func setRef(data []byte, name, ref string) ([]byte, error) {
	return SetRefs(data, map[string]string{name: ref})
}

// set is SetAll of one pack.
func set(data []byte, name string, e Entry) ([]byte, error) {
	return SetAll(data, map[string]Entry{name: e})
}

func TestSetRefKeepsByteOrderMark(t *testing.T) {
	ref := "ghcr.io/o/x@" + digest
	for before, want := range map[string]string{
		byteOrderMark: byteOrderMark + "[packs]\nx = \"" + ref + "\"\n",
		byteOrderMark + "packs.x = 'ghcr.io/o/x:1'": byteOrderMark + "packs.x = '" + ref + "'",
	} {
		got, err := setRef([]byte(before), "x", ref)
		if err != nil || string(got) != want {
			t.Errorf("SetRefs(%q) = %q, %v; want %q", before, got, err, want)
		}
	}
}

func TestRemoveKeepsByteOrderMark(t *testing.T) {
	for before, want := range map[string]string{
		byteOrderMark + "packs.x = 1":                       byteOrderMark,
		byteOrderMark + "packs.x = 1\n\npacks.y = 1\n":      byteOrderMark + "packs.y = 1\n",
		byteOrderMark + "\n[packs.x]\nref = 1\n":            byteOrderMark,
		byteOrderMark + "packs = { x = 1, y = 1 }\n":        byteOrderMark + "packs = { y = 1 }\n",
		byteOrderMark + "packs.y = 1\n\n[packs.x]\na = 1\n": byteOrderMark + "packs.y = 1\n",
	} {
		got, err := Remove([]byte(before), "x")
		if err != nil || string(got) != want {
			t.Errorf("Remove(%q) = %q, %v; want %q", before, got, err, want)
		}
	}
}

func TestSetRefAtTheLimit(t *testing.T) {
	data := []byte("# " + strings.Repeat("x", MaxSize-3) + "\n")
	_, err := setRef(data, "x", "ghcr.io/o/x:1")
	want := "cannot set the reference of packs.x: the file would become unreadable: packs.toml: the file is larger than 4194304 bytes"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// An edit that does more than it should is found, whatever made it.
func TestCheckEdit(t *testing.T) {
	before := "packs.x = 'ghcr.io/o/x:1'\n"
	for _, after := range []string{
		"packs.x = 'ghcr.io/o/x:2'\npacks.y = 'ghcr.io/o/y:2'\n",
		"packs.x = 'ghcr.io/o/x:1'\n",
		"packs.x = 'ghcr.io/o/x:2'\nallow_tags = true\n",
		"packs.x.ref = 'ghcr.io/o/x:2'\npacks.x.layer = 'a/b'\n",
		"",
	} {
		doc, err := parseDocument("packs.toml", []byte(before))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := doc.checkEdit([]byte(after), packsPath, map[string][]assignment{"x": {{"ref", "ghcr.io/o/x:2"}}}); err == nil {
			t.Errorf("%q passes", after)
		}
	}
}

func readArchive(t testing.TB, file string) []txtar.File {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return txtar.Parse(data).Files
}
