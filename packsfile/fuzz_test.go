package packsfile

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// seeds returns the packs.toml of every test there is.
func seeds(f *testing.F) [][]byte {
	var all [][]byte
	for _, file := range testFiles(f, "testdata/parse/*.toml") {
		all = append(all, readFile(f, file))
	}
	archives := testFiles(f, "testdata/edit/*.txtar")
	archives = append(archives, endToEndScripts(f)...)
	for _, file := range archives {
		for _, member := range readArchive(f, file) {
			if path.Ext(member.Name) == ".toml" {
				all = append(all, member.Data, bytes.ReplaceAll(member.Data, []byte("\n"), []byte("\r\n")))
			}
		}
	}
	return all
}

// FuzzParse: never a panic, the same answer twice, in bounded time, and with
// the properties that callers rely on.
func FuzzParse(f *testing.F) {
	for _, data := range seeds(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		start := time.Now()
		file, err := Parse("packs.toml", data)
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("took %v", took)
		}
		checkInvariants(t, file, err)
		checkSame(t, data, file, err)
	})
}

// FuzzSetRef: an edit is refused, or the TOML library finds the reference set
// and nothing else changed, and so do the bytes.
func FuzzSetRef(f *testing.F) {
	for i, data := range seeds(f) {
		f.Add(data, []string{"x", "a", "b", "messaging-slack"}[i%4], i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, name string, pin bool) {
		ref := "ghcr.io/o/new:1.0"
		if pin {
			ref += "@" + digest
		}
		before := bytes.Clone(data)
		after, err := SetRef(data, name, ref)
		if !bytes.Equal(data, before) {
			t.Fatal("the caller's bytes were changed")
		}
		if err != nil {
			checkRefusal(t, data, name, err)
			return
		}
		checkDecoded(t, before, after, name, ref)
		checkOnePlace(t, before, after, name)
		again, err := SetRef(after, name, ref)
		if err != nil || !bytes.Equal(again, after) {
			t.Errorf("a second edit gives %q, %v; the first %q", again, err, after)
		}
	})
}

// checkRefusal demands that a good file is never refused.
func checkRefusal(t *testing.T, data []byte, name string, refusal error) {
	t.Helper()
	if _, err := Parse("packs.toml", data); err == nil && checkName(name) == nil && len(data) < MaxSize/2 {
		t.Errorf("refused: %v, for %q", refusal, data)
	}
	var syntax *SyntaxError
	if _, err := Parse("packs.toml", data); errors.As(err, &syntax) != errors.As(refusal, &syntax) && checkName(name) == nil && len(data) < MaxSize/2 {
		t.Errorf("Parse says %v, SetRef %v", err, refusal)
	}
}

// checkDecoded compares the two texts by the TOML library's reading alone.
func checkDecoded(t *testing.T, before, after []byte, name, ref string) {
	t.Helper()
	if got := refOf(t, after, name); got != ref {
		t.Fatalf("%s is %s in %q", name, got, after)
	}
	want, wantErr := decodeTOML(before)
	got, gotErr := decodeTOML(after)
	if wantErr != nil || gotErr != nil {
		t.Fatal(wantErr, gotErr)
	}
	for _, tree := range []map[string]any{want, got} {
		packs, _ := tree["packs"].(map[string]any)
		if table, ok := packs[name].(map[string]any); ok && len(table) > 1 {
			delete(table, "ref")
		} else {
			delete(packs, name)
		}
		if len(packs) == 0 {
			delete(tree, "packs")
		}
	}
	// Printed, maps are in order, and NaN is equal to itself.
	if !reflect.DeepEqual(want, got) && fmt.Sprintf("%#v", want) != fmt.Sprintf("%#v", got) {
		t.Errorf("%q\nbecame\n%q", before, after)
	}
}

// checkOnePlace demands that an addition removes nothing and adds few lines,
// and that a replacement adds none.
func checkOnePlace(t *testing.T, before, after []byte, name string) {
	t.Helper()
	start := 0
	for start < min(len(before), len(after)) && before[start] == after[start] {
		start++
	}
	end := 0
	for end < min(len(before), len(after))-start && before[len(before)-1-end] == after[len(after)-1-end] {
		end++
	}
	removed, inserted := before[start:len(before)-end], after[start:len(after)-end]
	tree, err := decodeTOML(before)
	if err != nil {
		t.Fatal(err)
	}
	packs, _ := tree["packs"].(map[string]any)
	most := 4 // a line end, a blank line, a header, a key
	if _, replaced := packs[name]; replaced {
		most = 0
	} else if len(removed) > 0 {
		t.Errorf("removed %q", removed)
	}
	if bytes.Count(inserted, []byte("\n")) > most {
		t.Errorf("inserted %q", inserted)
	}
}

func endToEndScripts(f *testing.F) []string {
	// The folder may not be there where the package is tested alone.
	files, err := filepath.Glob("../testdata/scripts/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	return files
}
