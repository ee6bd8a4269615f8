package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
)

// completing is bash with packvendor's script, in which a key completes the words of
// the script's arguments. It replaces the needed part of bash-completion.
const completing = `
_get_comp_words_by_ref() {
	words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD
	cur=${words[cword]}; prev=${words[cword-1]}
}
compopt() { :; }
source <(packvendor completion bash) || exit
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
COMP_TYPE=9; COMP_KEY=9; COLUMNS=80
__start_packvendor
printf '%s\n' "${COMPREPLY[@]}"
`

// bash, with packvendor's script, offers the right words.
func TestCompletionInBash(t *testing.T) {
	bash := packtest.NeedProgram(t, "bash")
	bin, dir := t.TempDir(), t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(exe, filepath.Join(bin, "packvendor")); err != nil {
		packtest.Unable(t, "%v", err)
	}
	tree{"packs.toml": "[packs]\nslack = \"r.io/slack:1.0.0\"\nstate = \"r.io/state:1.0.0\"\nredis = \"r.io/redis:1.0.0\"\n"}.write(t, dir)
	for _, test := range []struct {
		line, want string
	}{
		{"packvendor upd", "update"},
		{"packvendor update ", "redis  (r.io/redis:1.0.0)|slack  (r.io/slack:1.0.0)|state  (r.io/state:1.0.0)"},
		{"packvendor update s", "slack  (r.io/slack:1.0.0)|state  (r.io/state:1.0.0)"},
		{"packvendor update sl", "slack"},
		{"packvendor update slack s", "state"},
		{"packvendor update slack --lat", "--latest"},
		{"packvendor update --latest --lat", ""},
		{"packvendor --from bundle.tar --fro", "--from    (look into BUNDLE before registries; repeatable)|--frozen  (both --locked and --offline)"},
		{"packvendor update -f nowhere.toml ", ""},
		{"packvendor completion f", "fish"},
		{"packvendor verify ", ""},
		{"packvendor nonsense ", ""},
	} {
		cmd := exec.Command(bash, append([]string{"--norc", "-c", completing, "bash"}, strings.Split(test.line, " ")...)...)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + dir, "GORACE=atexit_sleep_ms=1"}
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		var got []string
		for line := range strings.Lines(string(out)) {
			got = append(got, strings.TrimSpace(line))
		}
		if text := strings.Join(got, "|"); err != nil || stderr.Len() > 0 || text != test.want {
			t.Errorf("%q: %q, want %q; %v, %s", test.line, text, test.want, err, &stderr)
		}
	}
}
