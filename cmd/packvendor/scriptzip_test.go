package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"strings"

	"github.com/fxamacker/cbor/v2"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/internal/packtest"
)

// zipCommands are the commands for valid and invalid pack files.
func zipCommands() map[string]func(*testscript.TestScript, []string) {
	return map[string]func(*testscript.TestScript, []string){
		"pack": cmdPack,
		"zip":  cmdZip,
	}
}

// pack FILE [-legacy] ID@VERSION writes a small valid pack.
func cmdPack(ts *testscript.TestScript, args []string) {
	write := func(id string) []byte { return layer(ts, "pack:"+id).Data }
	if args[1] == "-legacy" {
		args = append(args[:1], args[2:]...)
		write = func(id string) []byte {
			id, version, _ := strings.Cut(id, "@")
			return packtest.LegacyZip(id, version)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), write(args[1]), 0o666))
}

// zip FILE NAME=TEXT... writes a zip archive in which nothing is compressed; names and
// texts may hold Go's escapes, and the text of NAME.cbor is JSON for what is stored as
// CBOR.
func cmdZip(ts *testscript.TestScript, args []string) {
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for _, arg := range args[1:] {
		name, text, _ := strings.Cut(arg, "=")
		w, err := archive.CreateHeader(&zip.FileHeader{Name: unquoted(ts, name), Method: zip.Store})
		ts.Check(err)
		_, err = w.Write(contentOf(ts, name, text))
		ts.Check(err)
	}
	ts.Check(archive.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o666))
}

func contentOf(ts *testscript.TestScript, name, text string) []byte {
	if !strings.HasSuffix(name, ".cbor") {
		return []byte(unquoted(ts, text))
	}
	var value any
	ts.Check(json.Unmarshal([]byte(text), &value))
	mode, err := cbor.CanonicalEncOptions().EncMode() // the same bytes each time
	ts.Check(err)
	data, err := mode.Marshal(whole(value))
	ts.Check(err)
	return data
}

// whole turns a JSON value's numbers into integers, since CBOR tells them apart.
func whole(value any) any {
	switch value := value.(type) {
	case float64:
		return int64(value)
	case []any:
		for i := range value {
			value[i] = whole(value[i])
		}
	case map[string]any:
		for key := range value {
			value[key] = whole(value[key])
		}
	}
	return value
}
