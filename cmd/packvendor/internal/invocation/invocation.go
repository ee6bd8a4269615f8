// Package invocation finds out how packvendor was started, so that a hint can be a
// command line in the same form: packvendor, go tool packvendor, go run PACKAGE.
package invocation

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/regularfile"
)

// Program is packvendor's own name.
const Program = "packvendor"

// A Form is the way in which packvendor was started. Its zero value is the program
// itself, in the working directory.
type Form struct {
	words []string // the command line up to packvendor's own arguments
	dir   string   // where go generate started it, as its user sees it; "" for here
}

// A Process is a process of the system, as far as the system shows it.
type Process struct {
	Args   []string // its command line; nil if it is not shown
	Dir    string   // its working directory; "" if it is not shown
	Parent int      // its parent's id; 0 if it is not shown
}

// A System is the information that Find needs. Any part may be nil.
type System struct {
	Args   []string             // packvendor's own command line
	Parent int                  // the id of packvendor's parent
	Look   func(id int) Process // shows a process
	Getenv func(string) string
	Dir    string // the working directory, absolute
	// HasTool reports whether the go.mod file nearest to Dir has packvendor as a tool.
	HasTool func() bool
	// IsSame reports whether two paths, from Dir, lead to the same file.
	IsSame func(a, b string) bool
}

// Find returns the form in which the system started packvendor. The parent's command
// line tells it; where the system shows none, packvendor is taken for a tool of
// go.mod where it is one.
func Find(s System) Form {
	if len(s.Args) == 0 {
		return Form{}
	}
	parent := s.Look(s.Parent)
	f := Form{words: s.shorten(prefix(parent.Args, s.Args[1:]))}
	generate := s.Look(parent.Parent)
	switch {
	case f.words != nil:
	case parent.Args == nil && s.HasTool():
		f.words = []string{"go", "tool", Program}
	default:
		f.words, generate = []string{direct(s.Args[0])}, parent
	}
	if s.Getenv("GOFILE") != "" { // https://pkg.go.dev/cmd/go#hdr-Generate_Go_files_by_processing_source
		f.dir = seenFrom(generate, s.Dir)
	}
	return f
}

// prefix returns the words of a go tool or go run command before the arguments that
// it passed on; nil if the command is another.
func prefix(command, passed []string) []string {
	n := len(command) - len(passed)
	if n < 3 || !isGo(command[0]) || !slices.Equal(command[n:], passed) {
		return nil
	}
	if !slices.Contains(command[1:n], "tool") && !slices.Contains(command[1:n], "run") {
		return nil
	}
	words := slices.Clone(command[:n])
	words[0] = "go"
	return words
}

// shorten has the flag -modfile of a go command name its file from the working directory,
// where that is shorter. A CI job or a Makefile gives the absolute path.
func (s System) shorten(words []string) []string {
	for i, word := range words {
		flag, file, hasValue := strings.Cut(word, "=")
		switch {
		case flag != "-modfile" && flag != "--modfile":
		case hasValue:
			words[i] = flag + "=" + s.shortPath(file)
		case i+1 < len(words):
			words[i+1] = s.shortPath(words[i+1])
		}
	}
	return words
}

// shortPath returns a path as it is, or from the working directory if that is shorter.
// Symbolic links may make the latter another file.
func (s System) shortPath(file string) string {
	if !filepath.IsAbs(file) || s.IsSame == nil {
		return file
	}
	short, err := filepath.Rel(s.Dir, file)
	if err != nil || len(short) >= len(file) || !s.IsSame(short, file) {
		return file
	}
	return short
}

// isGo reports whether a program is the go command: go, go.exe or go1.26.0.
func isGo(program string) bool {
	name := strings.TrimSuffix(filepath.Base(program), ".exe")
	version, ok := strings.CutPrefix(name, "go")
	return ok && strings.Trim(version, "0123456789.") == ""
}

// direct returns the program as it was typed: a path, or its name.
func direct(program string) string {
	if filepath.Base(program) != program {
		return program
	}
	return Program
}

// seenFrom returns dir as the user of a go generate process would name it, which is
// absolute where the system does not show where that process runs.
func seenFrom(generate Process, dir string) string {
	if generate.Dir == "" || len(generate.Args) < 2 || !isGo(generate.Args[0]) || !slices.Contains(generate.Args, "generate") {
		return dir
	}
	below, err := filepath.Rel(generate.Dir, dir)
	if err != nil {
		return dir
	}
	return below
}

// Command returns the words of a command line that starts packvendor with args,
// typed where its user is. A go command runs it in the directory where it runs now.
func (f Form) Command(args ...string) []string {
	words := f.words
	if words == nil {
		words = []string{Program}
	}
	if words[0] == "go" && f.isElsewhere() {
		words = slices.Concat([]string{"go", "-C", f.dir}, words[1:])
	}
	return slices.Concat(words, args)
}

// ProjectCommand is Command for args that take -f: packvendor has no flag for a
// directory, so it is told which packs.toml is meant.
func (f Form) ProjectCommand(args ...string) []string {
	if f.isElsewhere() && (f.words == nil || f.words[0] != "go") {
		args = f.withFile(args)
	}
	return f.Command(args...)
}

// Dir is the directory in which packvendor runs, as its user sees it where that is
// another one than the user's; else "".
func (f Form) Dir() string {
	if f.isElsewhere() {
		return f.dir
	}
	return ""
}

// isElsewhere reports whether the user's directory is another than packvendor's.
func (f Form) isElsewhere() bool { return f.dir != "" && f.dir != "." }

// withFile has args name the packs.toml as the user's directory sees it.
func (f Form) withFile(args []string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		if file, ok := strings.CutPrefix(arg, "-f="); ok {
			args[i] = "-f=" + f.place(file)
			return args
		}
		if arg == "-f" && i+1 < len(args) {
			args[i+1] = f.place(args[i+1])
			return args
		}
	}
	return append(args, "-f", f.place("packs.toml"))
}

func (f Form) place(file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(f.dir, file)
}

// Current is the System that this process runs on. hasTool is System.HasTool.
func Current(getenv func(string) string, hasTool func(dir string) bool) System {
	dir, err := os.Getwd()
	return System{
		Args: os.Args, Parent: os.Getppid(), Look: look, Getenv: getenv, Dir: dir,
		HasTool: func() bool { return err == nil && hasTool(dir) },
		IsSame:  regularfile.Same,
	}
}
