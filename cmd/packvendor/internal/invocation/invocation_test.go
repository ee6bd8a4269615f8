package invocation

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// rooted finds the start of an absolute path in a command line.
var rooted = regexp.MustCompile(`(^|[ =])/`)

// native writes the slash-separated paths of a command line as this system does. Absolute
// paths get a volume, if it has them.
func native(t *testing.T, line string) string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.FromSlash(rooted.ReplaceAllString(line, "${1}"+filepath.VolumeName(here)+"/"))
}

func TestFind(t *testing.T) {
	const (
		parent      = 11
		grandparent = 12
	)
	top, dir := native(t, "/app"), native(t, "/app/internal/packs")
	generate := Process{Args: []string{"go", "generate", "./..."}, Dir: top}
	for _, test := range []struct {
		name                string
		args                string
		parent, grandparent Process
		generated, tool     bool
		want                string
	}{
		{name: "from a shell", args: "packvendor list", parent: Process{Args: []string{"bash"}}, tool: true, want: "packvendor update a"},
		{name: "by a path", args: "./bin/packvendor list", parent: Process{Args: []string{"bash"}}, want: "./bin/packvendor update a"},
		{name: "tool", args: "/cache/packvendor list -q", parent: Process{Args: strings.Fields("/usr/local/go/bin/go tool packvendor list -q")}, want: "go tool packvendor update a"},
		{name: "tool without arguments", args: "/cache/packvendor", parent: Process{Args: strings.Fields("go tool packvendor")}, want: "go tool packvendor update a"},
		{name: "tool of a mod file", args: "/cache/packvendor list", parent: Process{Args: strings.Fields("go tool -modfile=packvendor.mod packvendor list")}, want: "go tool -modfile=packvendor.mod packvendor update a"},
		{name: "tool of an absolute mod file", args: "/cache/packvendor list", parent: Process{Args: strings.Fields("go tool -modfile=/app/internal/packvendor.mod packvendor list")}, want: "go tool -modfile=../packvendor.mod packvendor update a"},
		{name: "tool of an absolute mod file, in two words", args: "/cache/packvendor list", parent: Process{Args: strings.Fields("go tool --modfile /app/internal/packs/packvendor.mod packvendor list")}, want: "go tool --modfile packvendor.mod packvendor update a"},
		{name: "tool of a mod file that is nearer by its absolute path", args: "/cache/packvendor list", parent: Process{Args: strings.Fields("go tool -modfile=/p.mod packvendor list")}, want: "go tool -modfile=/p.mod packvendor update a"},
		{name: "tool of a mod file behind a link", args: "/cache/packvendor list", parent: Process{Args: strings.Fields("go tool -modfile=/app/internal/link/p.mod packvendor list")}, want: "go tool -modfile=/app/internal/link/p.mod packvendor update a"},
		{name: "in another directory", args: "/cache/packvendor list", parent: Process{Args: strings.Fields("go1.26.0 -C sub tool packvendor list")}, want: "go -C sub tool packvendor update a"},
		{name: "run", args: "/tmp/packvendor list", parent: Process{Args: strings.Fields("go.exe run example.com/packvendor@v1.0.0 list")}, want: "go run example.com/packvendor@v1.0.0 update a"},
		{name: "a parent with other arguments", args: "packvendor list", parent: Process{Args: strings.Fields("go tool packvendor verify")}, want: "packvendor update a"},
		{name: "a parent named otherwise", args: "packvendor list", parent: Process{Args: strings.Fields("gopher tool packvendor list")}, want: "packvendor update a"},
		{name: "an unseen parent, a tool", args: `C:\cache\packvendor.exe list`, tool: true, want: "go tool packvendor update a"},
		{name: "an unseen parent, no tool", args: "packvendor list", want: "packvendor update a"},
		{name: "generate, tool", args: "/cache/packvendor", parent: Process{Args: strings.Fields("go tool packvendor")}, grandparent: generate, generated: true, want: "go -C internal/packs tool packvendor update a"},
		{name: "generate, unseen", args: "/cache/packvendor", tool: true, generated: true, want: "go -C /app/internal/packs tool packvendor update a"},
		{name: "generate by something else", args: "/cache/packvendor", parent: Process{Args: strings.Fields("go tool packvendor")}, grandparent: Process{Args: []string{"make"}, Dir: top}, generated: true, want: "go -C /app/internal/packs tool packvendor update a"},
		{name: "generate in that directory", args: "/cache/packvendor", parent: Process{Args: strings.Fields("go tool packvendor")}, grandparent: Process{Args: generate.Args, Dir: dir}, generated: true, want: "go tool packvendor update a"},
		{name: "generate, the program itself", args: "packvendor", parent: generate, generated: true, want: "packvendor update a -f internal/packs/packs.toml"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.parent.Parent = grandparent
			for i, word := range test.parent.Args {
				test.parent.Args[i] = native(t, word)
			}
			want := native(t, test.want)
			f := Find(System{
				Args: strings.Fields(native(t, test.args)), Parent: parent, Dir: dir,
				Look: func(id int) Process {
					return map[int]Process{parent: test.parent, grandparent: test.grandparent}[id]
				},
				Getenv:  func(string) string { return map[bool]string{true: "generate.go"}[test.generated] },
				HasTool: func() bool { return test.tool },
				IsSame:  func(_, b string) bool { return !strings.Contains(b, "link") },
			})
			if got := strings.Join(f.ProjectCommand("update", "a"), " "); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if isElsewhere := strings.Contains(test.want, "internal/packs"); isElsewhere != (f.Dir() != "") {
				t.Errorf("directory %q", f.Dir())
			}
		})
	}
}

// A packs.toml that is named is found from where the user is.
func TestCommandWithFile(t *testing.T) {
	f := Form{dir: "sub"}
	for args, want := range map[string]string{
		"-f other.toml list": "packvendor -f sub/other.toml list",
		"list -f=other.toml": "packvendor list -f=sub/other.toml",
		"list -f /a/p.toml":  "packvendor list -f /a/p.toml",
		"list -f ../p.toml":  "packvendor list -f p.toml",
		"":                   "packvendor -f sub/packs.toml",
	} {
		if got := strings.Join(f.ProjectCommand(strings.Fields(native(t, args))...), " "); got != native(t, want) {
			t.Errorf("%q: %s, want %s", args, got, native(t, want))
		}
	}
}

// What is about no project names none.
func TestCommand(t *testing.T) {
	for want, f := range map[string]Form{
		"packvendor cache dir":                {dir: "sub"},
		"go -C sub tool packvendor cache dir": {dir: "sub", words: []string{"go", "tool", "packvendor"}},
	} {
		if got := strings.Join(f.Command("cache", "dir"), " "); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// The zero value is the program itself.
func TestZero(t *testing.T) {
	if got := strings.Join((Form{}).Command("list"), " "); got != "packvendor list" {
		t.Error(got)
	}
	if got := Find(System{}); got.dir != "" || got.words != nil {
		t.Errorf("%+v", got)
	}
}

// This process's parent runs where it says.
func TestLook(t *testing.T) {
	p := look(os.Getpid())
	if p.Args == nil {
		t.Skip("this system shows no processes")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(p.Args, " ") != strings.Join(os.Args, " ") || p.Dir != here || p.Parent != os.Getppid() {
		t.Errorf("%+v", p)
	}
	if p := look(0); p.Args != nil || p.Dir != "" || p.Parent != 0 {
		t.Errorf("process 0: %+v", p)
	}
}
