package packsfile

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestSetRef runs the edits of each archive on its before.toml and compares
// the outcome with its after.toml or, if they fail, its error.
func TestSetRef(t *testing.T) {
	for _, file := range testFiles(t, "testdata/edit/*.txtar") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			script := readEditScript(t, archive)
			before := string(script.before)
			after, err := script.run()
			if string(script.before) != before {
				t.Error("the caller's bytes were changed")
			}
			outcome := txtar.File{Name: "after.toml"}
			if err != nil {
				outcome = txtar.File{Name: "error", Data: []byte(err.Error() + "\n")}
			} else {
				checkEdited(t, script, after)
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
	sets   [][2]string // name, reference
	before []byte
}

func readEditScript(t *testing.T, archive *txtar.Archive) editScript {
	t.Helper()
	s := editScript{before: bytes.Clone(archive.Files[0].Data)}
	for line := range strings.Lines(string(archive.Comment)) {
		switch fields := strings.Fields(line); fields[0] {
		case "#":
		case "crlf":
			s.crlf = true
			s.before = bytes.ReplaceAll(s.before, []byte("\n"), []byte("\r\n"))
		case "no-final-newline":
			s.before = bytes.TrimRight(s.before, "\r\n")
		case "set":
			s.sets = append(s.sets, [2]string{fields[1], fields[2]})
		default:
			t.Fatalf("unknown line %q", line)
		}
	}
	return s
}

func (s editScript) run() ([]byte, error) {
	data := s.before
	for _, set := range s.sets {
		var err error
		if data, err = SetRef(data, set[0], set[1]); err != nil {
			return nil, err
		}
	}
	return data, nil
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

// checkEdited demands of any edit that it holds what was asked for, that
// that doing it again changes nothing.
func checkEdited(t *testing.T, s editScript, after []byte) {
	t.Helper()
	for _, set := range s.sets {
		again, err := SetRef(after, set[0], set[1])
		if err != nil || !bytes.Equal(again, after) {
			t.Errorf("a second edit gives %q, %v; the first %q", again, err, after)
		}
		if got := refOf(t, after, set[0]); got != set[1] {
			t.Errorf("%s is %q, not %q, in %s", set[0], got, set[1], after)
		}
	}
}

// refOf returns the reference of a pack by the TOML library's reading alone.
func refOf(t *testing.T, data []byte, name string) string {
	t.Helper()
	tree, err := decodeTOML(data)
	if err != nil {
		t.Fatal(err)
	}
	packs, _ := tree["packs"].(map[string]any)
	if table, ok := packs[name].(map[string]any); ok {
		return fmt.Sprint(table["ref"])
	}
	return fmt.Sprint(packs[name])
}

func TestSetRefKeepsByteOrderMark(t *testing.T) {
	ref := "ghcr.io/o/x@" + digest
	for before, want := range map[string]string{
		byteOrderMark: byteOrderMark + "[packs]\nx = \"" + ref + "\"\n",
		byteOrderMark + "packs.x = 'ghcr.io/o/x:1'": byteOrderMark + "packs.x = '" + ref + "'",
	} {
		got, err := SetRef([]byte(before), "x", ref)
		if err != nil || string(got) != want {
			t.Errorf("SetRef(%q) = %q, %v; want %q", before, got, err, want)
		}
	}
}

func TestSetRefAtTheLimit(t *testing.T) {
	data := []byte("# " + strings.Repeat("x", MaxSize-3) + "\n")
	_, err := SetRef(data, "x", "ghcr.io/o/x:1")
	want := "cannot set the reference of packs.x: the file would become unreadable: packs.toml: the file is larger than 262144 bytes"
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
		if err := doc.checkEdit([]byte(after), "x", "ghcr.io/o/x:2"); err == nil {
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
