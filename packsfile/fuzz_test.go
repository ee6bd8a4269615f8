package packsfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/tomltext"
	"github.com/greenticai/packvendor/internal/trust"
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
		checkTrust(t, data, file)
	})
}

// checkTrust reads the keys of a file's table trust, and the file as an organisation's.
func checkTrust(t *testing.T, data []byte, f *File) {
	t.Helper()
	one := signing.Ed25519(1).PEM()
	if f != nil {
		policy, err := f.Trust.Policy(func(string) ([]byte, error) { return one, nil })
		checkPolicy(t, f.Trust, policy, err)
	}
	trust, err := ParseTrust("packs.toml", data)
	checkErrors(t, err)
	if (trust == nil) == (err == nil) {
		t.Errorf("table %v with error %v", trust, err)
	}
	if trust == nil {
		return
	}
	if file, err := Parse("packs.toml", data); err != nil || !reflect.DeepEqual(file.Trust, trust) {
		t.Errorf("Parse gives %+v, %v; ParseTrust %+v", file, err, trust)
	}
}

// checkPolicy demands that only keys can be wrong after Parse, and that a policy has what the
// table has.
func checkPolicy(t *testing.T, table *Trust, policy *Policy, err error) {
	t.Helper()
	checkErrors(t, err)
	var errs Errors
	errors.As(err, &errs)
	for _, e := range errs {
		if !strings.HasPrefix(e.Key, "trust.signers.") || !strings.HasPrefix(e.Msg, "the same signer as ") {
			t.Errorf("Parse did not say %v", e)
		}
	}
	switch {
	case (policy == nil) != (err != nil):
		t.Errorf("policy %v with error %v", policy, err)
	case policy == nil || table == nil:
	case policy.HasRules() != (len(table.Rules) > 0) || len(policy.Signers()) != len(table.Signers):
		t.Errorf("policy %+v of %+v", policy, table)
	default:
		for _, s := range policy.Signers() {
			if err := trust.CheckID(s.ID()); err != nil {
				t.Errorf("%q, which packs.lock would have, %v", s.ID(), err)
			}
		}
	}
}

// FuzzSigners: an edit is refused, or the TOML library finds the signer as it is wanted and
// nothing else changed; a second edit does nothing.
func FuzzSigners(f *testing.F) {
	for i, data := range seeds(f) {
		f.Add(data, []string{"new", "old", "a", "greentic"}[i%4], uint8(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, name string, choice uint8) {
		before := bytes.Clone(data)
		layers := [][]Digest{{digest}, {digest, ociref.DigestOf(nil)}}[choice%2]
		for _, retire := range []bool{false, true} {
			edit := func(data []byte) ([]byte, error) {
				if retire {
					return RetireSigner(data, name, layers)
				}
				return AddSigner(data, name, "keys/new.pub")
			}
			after, err := edit(data)
			if !bytes.Equal(data, before) {
				t.Fatal("the caller's bytes were changed")
			}
			signer := map[string]any{}
			if tree, err := tomltext.Decode(data); err == nil && tree != nil {
				signer = signerOf(t, data, name)
			}
			if err != nil {
				isFine := errors.Is(err, fs.ErrExist) && !retire || errors.Is(err, fs.ErrNotExist) && retire && signer == nil
				if !isFine {
					checkRefusal(t, data, name, err)
				}
				continue
			}
			checkSigner(t, before, after, name, retire, layers)
			again, err := edit(after)
			if err != nil || !bytes.Equal(again, after) {
				t.Errorf("a second edit gives %q, %v; the first %q", again, err, after)
			}
		}
	})
}

// checkSigner demands that two texts differ in one signer's key or layers alone, by the TOML
// library's reading.
func checkSigner(t *testing.T, before, after []byte, name string, retire bool, layers []Digest) {
	t.Helper()
	changed := "key"
	if retire {
		changed = "only"
		slices.Sort(layers)
		if got := fmt.Sprint(signerOf(t, after, name)[changed]); got != fmt.Sprint(layers) {
			t.Errorf("%s is good for %s in %q", name, got, after)
		}
	} else if signerOf(t, after, name)[changed] != "keys/new.pub" {
		t.Errorf("%s has not the key in %q", name, after)
	}
	var plain []string
	for _, data := range [][]byte{before, after} {
		tree, err := tomltext.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		trust, _ := tree["trust"].(map[string]any)
		signers, _ := trust["signers"].(map[string]any)
		signer, _ := signers[name].(map[string]any)
		delete(signer, changed)
		for _, empty := range []struct {
			table, in map[string]any
			key       string
		}{{signer, signers, name}, {signers, trust, "signers"}, {trust, tree, "trust"}} {
			if len(empty.table) == 0 && empty.in != nil {
				delete(empty.in, empty.key)
			}
		}
		plain = append(plain, fmt.Sprintf("%#v", tree)) // maps are in order, and NaN is equal to itself
	}
	if plain[0] != plain[1] {
		t.Errorf("%q\nbecame\n%q", before, after)
	}
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
		after, err := setRef(data, name, ref)
		if !bytes.Equal(data, before) {
			t.Fatal("the caller's bytes were changed")
		}
		if err != nil {
			if !isFile(data, name) {
				checkRefusal(t, data, name, err)
			}
			return
		}
		checkDecoded(t, before, after, name, ref)
		checkOnePlace(t, before, after, name)
		again, err := setRef(after, name, ref)
		if err != nil || !bytes.Equal(again, after) {
			t.Errorf("a second edit gives %q, %v; the first %q", again, err, after)
		}
	})
}

// isFile tells whether a pack is a file, without a reference.
func isFile(data []byte, name string) bool {
	c, err := Parse("packs.toml", data)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(c.Packs, func(p Pack) bool { return p.Name == name && p.Ref == "" })
}

// FuzzEdit: what Set and Remove write is, by the TOML library's reading, what
// was asked for and nothing else; a second Set does nothing; Remove takes
// away and adds nothing.
func FuzzEdit(f *testing.F) {
	entries := fuzzEntries()
	for i, data := range seeds(f) {
		f.Add(data, []string{"x", "a", "b", "messaging-slack", "state-redis"}[i%5], uint8(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, name string, choice uint8) {
		before := bytes.Clone(data)
		e := entries[int(choice)%len(entries)]
		after, err := set(data, name, e)
		if err != nil {
			checkRefusal(t, data, name, err)
		} else {
			checkEntry(t, after, name, e)
			keys := []string{"ref", "path", "version", "allow_tags"}
			if e.Ref == "" {
				keys = append(keys, "layer")
			}
			checkOthers(t, before, after, name, keys...)
			again, err := set(after, name, e)
			if err != nil || !bytes.Equal(again, after) {
				t.Errorf("a second edit gives %q, %v; the first %q", again, err, after)
			}
			checkRemoval(t, after, name)
		}
		checkRemoval(t, data, name)
		if !bytes.Equal(data, before) {
			t.Error("the caller's bytes were changed")
		}
	})
}

func fuzzEntries() []Entry {
	return []Entry{
		{Ref: "ghcr.io/o/new:1.0@" + digest},
		{Ref: "ghcr.io/o/new", Version: ">=1.2, <2"},
		{Ref: "ghcr.io/o/new:1.0", AllowTags: true},
		{Ref: "ghcr.io/o/new:1.0"},
		{Ref: "ghcr.io/o/new:1.0@" + digest, Path: "../a b.gtpack"},
		{Path: "a.gtpack"},
	}
}

// checkRemoval removes a pack from a text, which may be none of TOML.
func checkRemoval(t *testing.T, before []byte, name string) {
	t.Helper()
	after, err := Remove(before, name)
	if errors.Is(err, fs.ErrNotExist) {
		if pack := packOf(t, before, name); pack != nil {
			t.Errorf("%s is not found, but is %v in %q", name, pack, before)
		}
		return
	}
	if err != nil {
		checkRefusal(t, before, name, err)
		return
	}
	if pack := packOf(t, after, name); pack != nil {
		t.Errorf("%s is still %v in %q", name, pack, after)
	}
	if packOf(t, before, name) == nil {
		t.Errorf("%s was not there to be removed in %q", name, before)
	}
	if !isSubsequence(after, before) {
		t.Errorf("%q\nbecame\n%q", before, after)
	}
	checkOthers(t, before, after, name)
}

// isSubsequence reports whether all that remains was there before, in order.
func isSubsequence(after, before []byte) bool {
	for _, c := range after {
		i := bytes.IndexByte(before, c)
		if i < 0 {
			return false
		}
		before = before[i+1:]
	}
	return true
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
	if got := packOf(t, after, name)["ref"]; got != ref {
		t.Fatalf("%s is %s in %q", name, got, after)
	}
	checkOthers(t, before, after, name, "ref")
}

// checkOthers demands that two texts differ in those keys of one pack alone, or
// in the whole pack if no keys are given, by the TOML library's reading.
func checkOthers(t *testing.T, before, after []byte, name string, keys ...string) {
	t.Helper()
	want, wantErr := tomltext.Decode(before)
	got, gotErr := tomltext.Decode(after)
	if wantErr != nil || gotErr != nil {
		t.Fatal(wantErr, gotErr)
	}
	for _, tree := range []map[string]any{want, got} {
		packs, _ := tree["packs"].(map[string]any)
		table, _ := packs[name].(map[string]any)
		for _, key := range keys {
			delete(table, key)
		}
		if len(table) == 0 || len(keys) == 0 {
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
	tree, err := tomltext.Decode(before)
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
