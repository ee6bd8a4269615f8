package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// authEnv is the environment, in dir, of a user without any credentials.
func authEnv(dir string) map[string]string {
	return map[string]string{"HOME": dir, "USERPROFILE": dir, "XDG_RUNTIME_DIR": dir}
}

// An interrupted look-up explains nothing.
func TestAuthExplainInterrupted(t *testing.T) {
	env := authEnv(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr strings.Builder
	code := run(ctx, process{
		args: []string{"auth", "explain", "ghcr.io"}, getenv: func(key string) string { return env[key] }, stdout: &stdout, stderr: &stderr,
	})
	if want := "packvendor: error: interrupted\n"; code != exitInterrupted || stdout.String() != "" || stderr.String() != want {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
	}
}

// The environment and its values are shown escaped, a line for each place.
func TestFault51_AuthExplainIsEscaped(t *testing.T) {
	dir := t.TempDir()
	env := authEnv(dir)
	env["DOCKER_CONFIG"] = dir + "/\x1b[1m\nx\ty\u202e"
	env["DOCKER_AUTH_CONFIG"] = "\x1b[1m\n\u202e"
	code, stdout, stderr := runWith(t, env, "auth", "explain", "ghcr.io")
	if code != 0 || stderr != "" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	for _, r := range stdout {
		if r != '\n' && (r < ' ' || r > '~') {
			t.Errorf("%q is sent to the terminal", r)
		}
	}
	lines := strings.Split(stdout, "\n")
	if got, want := strings.Join(strings.Fields(lines[0]), " "), "$DOCKER_AUTH_CONFIG line 1: not valid JSON"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(lines) != 6 || !strings.Contains(lines[1], `\x1b[1m\nx\ty\u202e`) {
		t.Errorf("got:\n%s", stdout)
	}
}

// The document has every field that programs read, even without credentials.
func TestAuthExplainJSONShape(t *testing.T) {
	for _, auth := range []string{"", "anonymous"} {
		env := authEnv(t.TempDir())
		env["PACKVENDOR_AUTH"] = auth
		code, stdout, stderr := runWith(t, env, "auth", "explain", "ghcr.io", "--json")
		var doc map[string]any
		if err := json.Unmarshal([]byte(stdout), &doc); err != nil || code != 0 || stderr != "" {
			t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
		}
		places, ok := doc["places"].([]any)
		used, has := doc["used"]
		if !ok || (len(places) == 0) != (auth != "") || !has || used != nil || doc["host"] != "ghcr.io" || doc["anonymous"] != (auth != "") {
			t.Errorf("got %s", stdout)
		}
	}
}
