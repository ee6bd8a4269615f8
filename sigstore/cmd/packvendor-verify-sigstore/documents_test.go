package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "make the documents of testdata anew, signed by a new authority")

// The documents of testdata are requests about manifest.json with their replies. packvendor's
// own tests read them as well, so that both sides speak one protocol.
func TestDocumentsOfTestdata(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata")
	if *update {
		writeDocuments(t, dir)
	}
	requests, err := filepath.Glob(filepath.Join(dir, "*.request.json"))
	check(t, err)
	if len(requests) != 4 {
		t.Fatalf("%q", requests)
	}
	for _, name := range requests {
		input, want := read(name), read(strings.TrimSuffix(name, "request.json")+"reply.json")
		var stdout, stderr bytes.Buffer
		if code := run(nil, bytes.NewReader(input), &stdout, &stderr); code != 0 || stdout.String() != string(want) {
			t.Errorf("%s: exit %d, %s\n%s\n%s", name, code, stderr.String(), stdout.String(), want)
		}
	}
}

func writeDocuments(t *testing.T, dir string) {
	t.Helper()
	a := newAuthority(t)
	root := append(append(a.publicRoot(t), '\n'), append(newAuthority(t).privateRoot(t), '\n')...)
	workflow := a.sign(t, signing{payload: statement(ours)})
	person := map[string]*string{"1": text("https://login.example.com"), "8": text("https://login.example.com")}
	for _, number := range extensionOrder[2:] {
		person[number] = nil
	}
	for name, q := range map[string]request{
		"workflow": {Bundle: workflow, Digest: ours, Root: root},
		"private":  {Bundle: workflow, Digest: ours, Root: append(a.privateRoot(t), '\n')},
		"person":   {Bundle: a.sign(t, signing{payload: statement(ours), change: person, names: mail("release@example.com")}), Digest: ours, Root: root},
		"invalid":  {Bundle: workflow, Digest: other, Root: root},
	} {
		q.Version = protocol
		var input, reply bytes.Buffer
		check(t, json.NewEncoder(&input).Encode(q))
		check(t, os.WriteFile(filepath.Join(dir, name+".request.json"), input.Bytes(), 0o644))
		if code := run(nil, bytes.NewReader(input.Bytes()), &reply, os.Stderr); code != 0 {
			t.Fatal(name)
		}
		check(t, os.WriteFile(filepath.Join(dir, name+".reply.json"), reply.Bytes(), 0o644))
	}
}
