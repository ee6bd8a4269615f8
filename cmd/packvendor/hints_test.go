package main

import (
	"context"
	"strings"
	"testing"
)

const someDigest = "sha256:1111111111111111111111111111111111111111111111111111111111111111"

// The hint after a need for the network is the same command with it. packvendor itself
// accepts each hint as a command line.
func TestHintRerun(t *testing.T) {
	ref := "r.invalid/a:1@" + someDigest
	for _, test := range []struct {
		name, flags string
		args        []string
		want        string
	}{
		{"offline", "", []string{"fetch", "--offline", ref}, "packvendor fetch " + ref},
		{"offline=true", "", []string{"fetch", ref, "--offline=true"}, "packvendor fetch " + ref},
		{"from the environment", "--offline", []string{"fetch", ref}, "packvendor fetch " + ref + " --offline=false"},
		{"flags of other commands", "--frozen --offline", []string{"fetch", ref}, "packvendor fetch " + ref + " --offline=false"},
		{"tags", "", []string{"fetch", "r.invalid/a:1"}, "packvendor fetch r.invalid/a:1 --allow-tags"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := runWith(t, map[string]string{"PACKVENDOR_FLAGS": test.flags, "GREENTIC_PACK_CACHE_DIR": t.TempDir()}, test.args...)
			if code == 0 || stdout != "" {
				t.Errorf("exit code %d, stdout %q", code, stdout)
			}
			_, hint, _ := strings.Cut(stderr, "packvendor: hint: ")
			if hint = strings.TrimSpace(hint); hint != test.want {
				t.Errorf("hint %q, want %q\n%s", hint, test.want, stderr)
			}
			c := newCLI(process{args: strings.Fields(hint)[1:], getenv: func(string) string { return "" }})
			command, rest, err := c.root.Find(c.args)
			if err == nil {
				err = command.ParseFlags(rest)
			}
			if err != nil {
				t.Errorf("the hint %q is no command line: %v", hint, err)
			}
		})
	}
}

// runWith runs packvendor in this process, with those variables alone.
func runWith(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = run(context.Background(), process{args: args, getenv: func(key string) string { return env[key] }, stdout: &out, stderr: &errs})
	return code, out.String(), errs.String()
}
