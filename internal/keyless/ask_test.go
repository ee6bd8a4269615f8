package keyless

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/trust"
)

// documents is the folder of requests and replies that sigstore/ tests, too.
var documents = filepath.Join("..", "..", "sigstore", "testdata")

// document returns the request of a document as a question, the request and the reply.
func document(t testing.TB, name string) (q Question, request, reply string) {
	t.Helper()
	read := func(end string) []byte {
		data, err := os.ReadFile(filepath.Join(documents, name+end))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var fields struct {
		Bundle, Root []byte
		Digest       string
	}
	data := read(".request.json")
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	return Question{fields.Bundle, ociref.Digest(fields.Digest), fields.Root}, string(data), string(read(".reply.json"))
}

// helper returns one that acts so.
func helper(t *testing.T, m mode) *Helper {
	t.Helper()
	return newHelper(install(t, t.TempDir(), m))
}

// emptyTemp makes a folder for temporary files, and checks in the end that it is empty.
func emptyTemp(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, dir)
	}
	t.Cleanup(func() {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%v, %v", left, err)
		}
	})
}

// What packvendor asks is what sigstore's program reads, and what that says is read.
func TestAsk(t *testing.T) {
	emptyTemp(t)
	for name, want := range map[string]trust.Identity{
		"workflow": workflow, "private": workflow,
		"person": {Issuer: "https://login.example.com", Subject: "release@example.com"},
	} {
		q, request, reply := document(t, name)
		seen := filepath.Join(t.TempDir(), "seen")
		answer, err := helper(t, mode{Reply: reply, Report: seen}).Ask(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if at := answer.Identity.Time; at.IsZero() || at.Location() != time.UTC {
			t.Errorf("%s: %v", name, at)
		}
		answer.Identity.Time = time.Time{}
		if answer.Identity != want || !strings.HasPrefix(string(answer.Payload), `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"`+q.Digest.String()[7:]) {
			t.Errorf("%s: %+v, %s", name, answer.Identity, answer.Payload)
		}
		checkSight(t, seen, request)
	}
	q, _, reply := document(t, "invalid")
	_, err := helper(t, mode{Reply: reply}).Ask(t.Context(), q)
	var invalid *InvalidError
	if !errors.As(err, &invalid) || !strings.HasPrefix(err.Error(), "not a valid signature: document 1 of the root: failed to verify signature: ") {
		t.Errorf("%#v", err)
	}
}

var workflow = trust.Identity{
	Issuer: trust.GitHubIssuer, Subject: "https://github.com/acme/packs/.github/workflows/publish.yml@refs/tags/v1.0.0",
	Repository: "https://github.com/acme/packs", RepositoryID: "123456", OwnerID: "654",
	Ref: "refs/tags/v1.0.0", Trigger: "push", Runner: "github-hosted",
}

// checkSight checks that the program has an empty folder that is gone now, no environment,
// no arguments, and the request.
func checkSight(t *testing.T, file, request string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var s sight
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	s.Environment = slices.DeleteFunc(s.Environment, func(pair string) bool {
		return strings.HasPrefix(pair, "PWD=") || strings.HasPrefix(strings.ToUpper(pair), "SYSTEMROOT=") // os/exec sets them
	})
	if len(s.Args)+len(s.Environment)+len(s.Folder) > 0 || s.Request != request {
		t.Errorf("%+v", s)
	}
	if here, _ := os.Getwd(); s.Dir == here {
		t.Errorf("in %s", here)
	}
	if _, err := os.Stat(s.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v", s.Dir, err)
	}
}

// A program that gives no answer is an error, whatever it says.
func TestNoAnswer(t *testing.T) {
	emptyTemp(t)
	q, _, reply := document(t, "workflow")
	ended := func(code string) string { return "exit status " + code }
	for name, test := range map[string]struct {
		mode mode
		want string // behind the program's name
	}{
		"exit 1 with valid":       {mode{Reply: reply, Exit: 1}, ended("1")},
		"exit 1 with a text":      {mode{Exit: 1, Errors: "root: \x1b[31mempty\nx\n"}, ended("1") + `, and said "root: \x1b[31mempty\nx"`},
		"exit 1 with a long text": {mode{Exit: 3, Errors: strings.Repeat("x", 1<<20)}, ended("3") + `, and said "` + strings.Repeat("x", maxReason) + `"...`},
		"exit 1, unread":          {mode{Exit: 1, Unread: true}, ended("1")},
		"nothing":                 {mode{}, "its reply is not as the protocol demands: not JSON: unexpected EOF"},
		"text":                    {mode{Reply: "valid", Errors: "why"}, "its reply is not as the protocol demands: not JSON: invalid character 'v' looking for beginning of value"},
		"flood":                   {mode{Flood: true}, "its reply is larger than 1048576 bytes"},
		"flood behind a reply":    {mode{Flood: true, Reply: reply}, "its reply is larger than 1048576 bytes"},
		"blanks behind a reply":   {mode{Reply: reply + strings.Repeat(" ", maxReply)}, "its reply is larger than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			h := helper(t, test.mode)
			answer, err := h.Ask(t.Context(), q)
			checkError(t, h, err, test.want)
			if answer != nil {
				t.Errorf("%+v", answer)
			}
		})
	}
	t.Run("crash", func(t *testing.T) {
		h := helper(t, mode{Panic: true, Reply: reply})
		_, err := h.Ask(t.Context(), q)
		var failure *Error
		if !errors.As(err, &failure) || failure.Reason != ended("2") || !strings.HasPrefix(failure.Said, "panic: a bundle like no other\n") {
			t.Errorf("%#v", err)
		}
	})
	t.Run("no program", func(t *testing.T) {
		h := newHelper(filepath.Join(t.TempDir(), Program))
		_, err := h.Ask(t.Context(), q)
		var failure *Error
		if !errors.As(err, &failure) || !strings.HasPrefix(failure.Reason, "cannot be started: ") {
			t.Errorf("%#v", err)
		}
	})
}

func checkError(t *testing.T, h *Helper, err error, want string) {
	t.Helper()
	var failure *Error
	if !errors.As(err, &failure) || failure.Program != h.Path() || err.Error() != printable.Word(h.Path(), maxQuoted)+": "+want {
		t.Errorf("%v, not %s", err, want)
	}
}

// A program that hangs is ended, with the children that hold its output.
func TestHang(t *testing.T) {
	emptyTemp(t)
	q, _, _ := document(t, "workflow")
	c := listen(t)
	h := helper(t, mode{Hang: c.address()})
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	ended := make(chan func(), 1)
	go func() {
		end := c.meet()
		cancel(stopped)
		ended <- end
	}()
	if _, err := h.Ask(ctx, q); !errors.Is(err, stopped) {
		t.Error(err)
	}
	checkEnd(<-ended)
	c.listener.Close() // another child ends at once

	h.timeout = time.Millisecond
	_, err := h.Ask(t.Context(), q)
	checkError(t, h, err, "no reply within 1ms")
}

// A program that hangs again and again is not asked any more: a run ends soon.
func TestHangs(t *testing.T) {
	emptyTemp(t)
	q, _, _ := document(t, "workflow")
	c := listen(t)
	h := helper(t, mode{Hang: c.address()})
	c.listener.Close()
	h.timeout = time.Millisecond
	for n := range maxHangs {
		q.Bundle = []byte{byte(n)}
		_, err := h.Ask(t.Context(), q)
		checkError(t, h, err, "no reply within 1ms")
	}
	h.timeout = time.Second
	q.Bundle = nil
	_, err := h.Ask(t.Context(), q)
	checkError(t, h, err, "not asked again: 3 times there was no reply within 1s")
}

// checkEnd waits for the end of a child. Only on Unix does its parent's end end it.
func checkEnd(end func()) {
	if runtime.GOOS != "windows" {
		end()
	}
}

// A program whose child keeps the output open has not answered, and the child is ended.
func TestDetached(t *testing.T) {
	emptyTemp(t)
	q, _, reply := document(t, "workflow")
	c := listen(t)
	h := helper(t, mode{Detach: c.address(), Reply: reply})
	ended := make(chan func(), 1)
	go func() { ended <- c.meet() }()
	_, err := h.Ask(t.Context(), q)
	checkError(t, h, err, "its output stays open after its end")
	checkEnd(<-ended)
}

// Each field of a reply is demanded, and believed only as the protocol writes it.
func TestLies(t *testing.T) {
	q, _, verified := document(t, "workflow")
	_, _, invalid := document(t, "invalid")
	k := key{ociref.DigestOf(q.Bundle), q.Digest, ociref.DigestOf(q.Root)}
	other := ociref.DigestOf(nil)
	for name, test := range map[string]struct {
		reply  string
		change map[string]any // fields
		want   string
	}{
		"another bundle":        {verified, map[string]any{"bundle_digest": other}, `bundle_digest: "` + other.String() + `", not ` + k.bundle.String()},
		"another root":          {verified, map[string]any{"root_digest": other}, `root_digest: "` + other.String() + `", not ` + k.root.String()},
		"another digest":        {verified, map[string]any{"digest": other}, `digest: "` + other.String() + `", not ` + k.digest.String()},
		"invalid of another":    {invalid, nil, `digest: "sha256:e7b0c7ca59efa17fc92e5aafb66a8109dd8bac6baf3db6e56c926dfa263ec1ea", not ` + k.digest.String()},
		"another version":       {verified, map[string]any{"version": 2}, "version: 2, not 1"},
		"a version in quotes":   {verified, map[string]any{"version": "1"}, "version: not a number"},
		"another verdict":       {verified, map[string]any{"verdict": "Verified"}, `verdict: "Verified", not verified or invalid`},
		"a surplus field":       {verified, map[string]any{"new": ""}, "new: unknown field"},
		"a reason, and valid":   {verified, map[string]any{"reason": "x"}, "reason: unknown field"},
		"invalid, and a signer": {verified, map[string]any{"verdict": "invalid", "reason": "x"}, "issuer: unknown field"},
		"invalid without why":   {verified, map[string]any{"verdict": "invalid"}, "issuer: unknown field"},
		"an empty issuer":       {verified, map[string]any{"issuer": ""}, "issuer: empty"},
		"an empty subject":      {verified, map[string]any{"subject": ""}, "subject: empty"},
		"an empty payload":      {verified, map[string]any{"payload": ""}, "payload: empty"},
		"a payload of text":     {verified, map[string]any{"payload": "e30"}, "payload: not base64 as its bytes are encoded: standard alphabet, padding, no line breaks"},
		"a number as a number":  {verified, map[string]any{"repository_id": 123456}, "repository_id: not a string"},
		"no ref":                {verified, map[string]any{"ref": nil}, "ref: not a string"},
		"another time":          {verified, map[string]any{"time": "2026-11-30T09:57:57+01:00"}, `time: "2026-11-30T09:57:57+01:00" is not a time in UTC`},
		"fractions":             {verified, map[string]any{"time": "2026-11-30T09:57:57.5Z"}, `time: "2026-11-30T09:57:57.5Z" is not a time in UTC`},
		"no time":               {verified, map[string]any{"time": ""}, `time: "" is not a time in UTC`},
	} {
		t.Run(name, func(t *testing.T) {
			answer, reason, err := readReply(changed(t, test.reply, test.change), k)
			if err == nil || err.Error() != test.want || answer != nil || reason != "" {
				t.Errorf("%+v, %q, %v, not %s", answer, reason, err, test.want)
			}
		})
	}
	about, _, _ := document(t, "invalid")
	for name, test := range map[string]struct {
		change map[string]any
		want   string
	}{
		"an empty reason": {map[string]any{"reason": ""}, "reason: empty"},
		"a payload":       {map[string]any{"payload": ""}, "payload: unknown field"},
		"no verdict":      {map[string]any{"verdict": ""}, `verdict: "", not verified or invalid`},
	} {
		_, _, err := readReply(changed(t, invalid, test.change), key{k.bundle, about.Digest, k.root})
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, not %s", name, err, test.want)
		}
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(verified), &fields); err != nil || len(fields) != 15 {
		t.Fatalf("%v, %v", fields, err)
	}
	for field := range fields {
		lacking := map[string]any{}
		for other, value := range fields {
			if other != field {
				lacking[other] = value
			}
		}
		data, _ := json.Marshal(lacking)
		if _, _, err := readReply(data, k); err == nil || err.Error() != field+": missing" {
			t.Errorf("%s: %v", field, err)
		}
	}
	for name, reply := range map[string]string{
		"twice": verified + verified, "a field twice": strings.Replace(verified, `"ref":`, `"trigger":"x","ref":`, 1), "a case": strings.Replace(verified, `"ref":`, `"Ref":`, 1),
	} {
		if answer, _, err := readReply([]byte(reply), k); err == nil || answer != nil {
			t.Errorf("%s: %+v", name, answer)
		}
	}
}

// changed returns a reply with other fields.
func changed(t *testing.T, reply string, change map[string]any) []byte {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(reply), &fields); err != nil {
		t.Fatal(err)
	}
	for field, value := range change {
		fields[field] = value
	}
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The same question is asked once, another anew.
func TestAskOnce(t *testing.T) {
	q, _, reply := document(t, "workflow")
	seen := filepath.Join(t.TempDir(), "seen")
	h := helper(t, mode{Reply: reply, Report: seen})
	for _, runs := range []bool{true, false} {
		if _, err := h.Ask(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(seen); (err == nil) != runs {
			t.Fatalf("%t: %v", runs, err)
		}
	}
	q.Root = append(q.Root, '\n')
	_, err := h.Ask(t.Context(), q)
	if err == nil || !strings.Contains(err.Error(), "root_digest: ") {
		t.Error(err)
	}
}
