package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// What cannot be answered has no output.
func TestNoReply(t *testing.T) {
	a := newAuthority(t)
	bundle, root := a.sign(t, signing{payload: statement(ours)}), a.publicRoot(t)
	valid, err := json.Marshal(request{Version: protocol, Bundle: bundle, Digest: ours, Root: root})
	check(t, err)
	with := func(change func(map[string]any)) string {
		var fields map[string]any
		check(t, json.Unmarshal(valid, &fields))
		change(fields)
		text, err := json.Marshal(fields)
		check(t, err)
		return string(text)
	}
	set := func(key string, value any) string { return with(func(q map[string]any) { q[key] = value }) }
	zeros := bytes.Repeat([]byte{0}, 1<<20+1)
	for name, test := range map[string]struct {
		args  []string
		input string
		code  int
		want  string // begins standard error, after the program's name
	}{
		"arguments":        {[]string{"--help"}, string(valid), exitUsage, "no arguments, please"},
		"nothing":          {nil, "", exitFailed, "request: unexpected end of JSON input"},
		"text":             {nil, "bundle", exitFailed, "request: invalid character 'b'"},
		"two documents":    {nil, string(valid) + string(valid), exitFailed, "request: invalid character '{' after top-level value"},
		"no version":       {nil, with(func(q map[string]any) { delete(q, "version") }), exitFailed, "request: protocol 0 is not supported, only 1"},
		"another version":  {nil, with(func(q map[string]any) { q["version"], q["new"] = 2, true }), exitFailed, "request: protocol 2 is not supported, only 1"},
		"another field":    {nil, set("new", true), exitFailed, `request: json: unknown field "new"`},
		"no bundle":        {nil, with(func(q map[string]any) { delete(q, "bundle") }), exitFailed, "request: no bundle"},
		"large bundle":     {nil, set("bundle", zeros), exitFailed, "request: a bundle larger than 1048576 bytes"},
		"no root":          {nil, set("root", ""), exitFailed, "request: no root"},
		"large root":       {nil, set("root", zeros), exitFailed, "request: a root larger than 1048576 bytes"},
		"large request":    {nil, strings.Repeat(" ", 4<<20+1), exitFailed, "request: larger than 4194304 bytes"},
		"no digest":        {nil, set("digest", "sha256:"+strings.ToUpper(ours[7:])), exitFailed, `request: digest "sha256:`},
		"blank root":       {nil, set("root", []byte(" \n")), exitFailed, "root: empty"},
		"no JSON":          {nil, set("root", []byte("root")), exitFailed, "root: invalid character 'r'"},
		"no document":      {nil, set("root", []byte("{}")), exitFailed, "root: document 1: unsupported TrustedRoot media type"},
		"one bad document": {nil, set("root", append(bytes.Clone(root), "{}"...)), exitFailed, "root: document 2: unsupported TrustedRoot media type"},
		"too many of them": {nil, set("root", bytes.Repeat(root, maxRoots+1)), exitFailed, "root: more than 16 documents"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(test.args, strings.NewReader(test.input), &stdout, &stderr)
		if code != test.code || stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "packvendor-verify-sigstore: "+test.want) {
			t.Errorf("%s: exit %d, %q, %q", name, code, stdout.String(), stderr.String())
		}
	}
}
