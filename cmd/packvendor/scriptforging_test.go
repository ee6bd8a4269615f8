package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/ociref"
)

// forge FILE [NAME=VALUE...] replaces fields of a file of evidence, and its digest in
// packs.lock. A VALUE is text or a number; it is the bytes of a file if it begins with @,
// and without one the field goes.
func cmdForge(ts *testscript.TestScript, args []string) {
	was := ts.ReadFile(args[0])
	fields := map[string]any{}
	ts.Check(json.Unmarshal([]byte(was), &fields))
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		fields[name] = forged(ts, value)
	}
	var line []string
	for _, name := range []string{"version", "format", "key", "manifest", "index", "bundle", "signature", "payload"} {
		if fields[name] == nil {
			continue
		}
		value, err := json.Marshal(fields[name])
		ts.Check(err)
		line = append(line, `"`+name+`":`+string(value))
	}
	is := "{" + strings.Join(line, ",") + "}\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(is), 0o666))
	cmdEverywhere(ts, []string{string(ociref.DigestOf([]byte(was))), string(ociref.DigestOf([]byte(is))), "packs.lock"})
}

// forged returns the value of a field; nil deletes it.
func forged(ts *testscript.TestScript, value string) any {
	var number json.Number
	switch name, isFile := strings.CutPrefix(value, "@"); {
	case value == "":
		return nil
	case isFile:
		return base64.StdEncoding.EncodeToString([]byte(ts.ReadFile(name)))
	case json.Unmarshal([]byte(value), &number) == nil:
		return number
	}
	return value
}

// everywhere OLD NEW FILE... replaces each OLD in these files, of which one must have it.
// OLD and NEW may hold Go's escapes.
func cmdEverywhere(ts *testscript.TestScript, args []string) {
	before, after, found := unquoted(ts, args[0]), unquoted(ts, args[1]), false
	for _, name := range args[2:] {
		text := ts.ReadFile(name)
		found = found || strings.Contains(text, before)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(strings.ReplaceAll(text, before, after)), 0o666))
	}
	if !found {
		ts.Fatalf("%q is in none of %q", args[0], args[2:])
	}
}

// remark FILE PACK... rewrites the fields head and part of these packs' markers in a generated
// file, as the vendored packs and the field size have them.
func cmdRemark(ts *testscript.TestScript, args []string) {
	text := ts.ReadFile(args[0])
	for _, name := range args[1:] {
		rule := regexp.MustCompile(`( name=` + name + ` .* size=)(\d+)( media=\S+ )head=\S+ part=[^\\]+`)
		fields := rule.FindStringSubmatch(text)
		if fields == nil {
			ts.Fatalf("%s has no marker of %s", args[0], name)
		}
		size, err := strconv.Atoi(fields[2])
		ts.Check(err)
		bytes := ts.ReadFile("packs/" + name + ".gtpack")
		sample := marker.SampleOf([]byte(bytes[:min(size, len(bytes))]))
		text = rule.ReplaceAllString(text, fmt.Sprintf("${1}${2}${3}head=%x part=%s", sample.Head, sample.Part.Hex()))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o666))
}

// manifest FILE REPOSITORY@DIGEST writes a manifest of the registry into a file.
func cmdManifest(ts *testscript.TestScript, args []string) {
	repository, digest, _ := strings.Cut(args[1], "@")
	reg := registryOf(ts)
	resp, err := reg.Client().Get(reg.URL() + "/v2/" + repository + "/manifests/" + digest)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if resp.StatusCode != http.StatusOK {
		ts.Fatalf("%s: %s", args[1], resp.Status)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), body, 0o666))
}
