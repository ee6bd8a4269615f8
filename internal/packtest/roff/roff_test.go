package roff

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
)

var flags = regexp.MustCompile(`"run[^"]*"|(^|\s)--?[a-z]+`)

func TestRender(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{Prose(`a\b - "c" 'd' é`), `a\eb - "c" 'd' \[u00E9]`},
		{Verbatim("a-b 'c' `d` ^~"), "a\\-b \\(aqc\\(aq \\(gad\\(ga \\(ha\\(ti"},
		{Code("run -x"), `\fB\%run \%\-x\fR`},
		{Argument(`a "b"`), `"a \(dqb\(dq"`},
		{Text("With -x and\n--long, use \"run\n-y\" - or not.", flags), "With \\fB\\%\\-x\\fR and\n\\fB\\%\\-\\-long\\fR, use \\fB\\%run \\%\\-y\\fR - or not."},
		{Text(".a\n'b\nc", flags), "\\&.a\n\\&'b\nc"},
		{Example(".a\n  -b\n"), ".RS 4\n.EX\n\\&.a\n  \\-b\n.EE\n.RE\n"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

// groff shows the text as it was.
func TestGroff(t *testing.T) {
	groff := packtest.NeedProgram(t, "groff")
	cmd := exec.Command(groff, "-man", "-Tutf8", "-P-c")
	cmd.Stdin = strings.NewReader(".TH A 1\n.SH B\n" + Text(".is é \\ \"run -x\".", flags) + "\n" + Example(".as-is ~ ^ ` '\\n'"))
	out, err := cmd.CombinedOutput()
	plain := regexp.MustCompile(".\b").ReplaceAllString(string(out), "")
	for _, want := range []string{".is é \\ run -x.", ".as-is ~ ^ ` '\\n'"} {
		if err != nil || !strings.Contains(plain, want) {
			t.Errorf("%v, no %q in\n%s", err, want, plain)
		}
	}
}
