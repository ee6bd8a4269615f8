package hint

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/invocation"
)

// packsToml is the name of packs.toml where no other is given.
const packsToml = "packs.toml"

// A Context is the command line at hand, which hints repeat in part.
type Context struct {
	Args      []string               // the command line at hand
	Name      string                 // of its command
	Has       func(flag string) bool // whether its command has that flag; nil: none
	Sets      func(flag string) bool // whether it, or PACKVENDOR_FLAGS, sets that flag; nil: none
	Preset    []string               // names of the flags that PACKVENDOR_FLAGS sets
	File      string                 // packs.toml; "" for commands without one
	IsNearest bool                   // File was found without -f
	InCI      bool
	Form      func() invocation.Form // in which packvendor was started; nil: by its name
}

// Text is a hint as the user can type it; "" for none.
func (c *Context) Text(h Hint) string {
	switch {
	case h.isCommand:
		line := c.commandLine(slices.Concat(h.words, h.packs, h.flags), h.inProject)
		if h.ours != "" {
			line = c.checkout(h.ours) + " && " + line
		}
		return line
	case h.insecure != nil:
		return fmt.Sprintf("in %s, above the first table: insecure_registries = [%s]", h.file, quotedList(h.insecure))
	}
	return h.line
}

// checkout is the git command that takes our side of a file in a merge.
func (c *Context) checkout(file string) string {
	words := []string{"git", "checkout", "--ours", file}
	if dir := c.form().Dir(); dir != "" {
		words = slices.Insert(words, 1, "-C", dir)
	}
	return ShellLine(words)
}

// Command is a command that works on the packs.toml at hand.
func (c *Context) Command(words ...string) Hint {
	return Hint{isCommand: true, words: words, inProject: true}
}

// Edit is a command that changes packs.toml or packs.lock, with the network.
func (c *Context) Edit(words ...string) Hint {
	h := c.Command(words...)
	h.flags = c.without("offline")
	return h
}

// Update is the edit that follows the tag of a pack, or gives it one: NAME@TAG.
func (c *Context) Update(pack string, flags ...string) Hint {
	h := c.Edit(append([]string{"update"}, flags...)...)
	h.packs = []string{pack}
	return h
}

// MergeDriver is the command that has git merge packs.lock by packvendor. Git runs it at the top
// of the work tree; packvendor, as it was started, runs in dir below that, "" for the top.
func (c *Context) MergeDriver(dir string) Hint {
	words := c.form().Command("merge-driver")
	files := " %O %A %B %P"
	switch {
	case dir == "":
	case words[0] == "go":
		words = slices.Concat([]string{"go", "-C", dir}, words[1:])
		files = ` "$PWD"/%O "$PWD"/%A "$PWD"/%B %P` // they are relative, and git quotes the last one alone
	case !filepath.IsAbs(words[0]) && filepath.Base(words[0]) != words[0]:
		words[0] = path.Join(dir, filepath.ToSlash(words[0]))
	}
	line := strings.ReplaceAll(ShellLine(words), "%", "%%") // git expands %A and the like
	return Line("git config merge.packvendor.driver %s", shellWord(line+files))
}

// Run is the command that makes everything agree again. In CI it is for the user's own
// machine, where PACKVENDOR_FLAGS is another.
func (c *Context) Run() Hint {
	h := c.Command()
	if !c.InCI {
		h.flags = c.without("locked", "frozen", "offline")
	}
	return h
}

// RunOurs is Run after git has taken our side of a file in a merge.
func (c *Context) RunOurs(file string) Hint {
	h := c.Run()
	h.ours = file
	return h
}

// Restore is the command that writes the locked packs again.
func (c *Context) Restore() Hint {
	h := c.Command()
	h.flags = c.without("frozen", "offline")
	return h
}

// Again is the command line at hand with more flags, and with the network.
func (c *Context) Again(flags ...string) Hint {
	words := slices.DeleteFunc(slices.Clone(c.Args), func(word string) bool {
		name, _, _ := strings.Cut(word, "=")
		return name == "--offline" || name == "--frozen"
	})
	networkFlags := slices.DeleteFunc([]string{"offline", "frozen"}, func(flag string) bool { return !c.HasFlag(flag) })
	flags = append(flags, c.without(networkFlags...)...)
	if end := slices.Index(words, "--"); end >= 0 { // what follows are no flags
		return Command(slices.Insert(words, end, flags...)...)
	}
	return Hint{isCommand: true, words: words, flags: flags}
}

// For is the command line at hand for another packs.toml.
func (c *Context) For(file string) Hint {
	var words []string
	for i := 0; i < len(c.Args); i++ {
		name, _, hasValue := strings.Cut(c.Args[i], "=")
		switch {
		case name != "-f" && name != "--file":
			words = append(words, c.Args[i])
		case !hasValue:
			i++ // the value is the next word
		}
	}
	return Hint{isCommand: true, words: words, flags: []string{"-f", file}}
}

// HasFlag reports whether the command at hand has a flag.
func (c *Context) HasFlag(name string) bool { return c.Has != nil && c.Has(name) }

// SetsFlag reports whether the command line at hand, or PACKVENDOR_FLAGS, sets a flag.
func (c *Context) SetsFlag(name string) bool { return c.Sets != nil && c.Sets(name) }

// without returns the flags that undo those of PACKVENDOR_FLAGS.
func (c *Context) without(names ...string) []string {
	var flags []string
	for _, name := range c.Preset {
		if slices.Contains(names, name) {
			flags = append(flags, "--"+name+"=false")
		}
	}
	return flags
}

// commandLine is a command line of packvendor's, in the form in which it was started,
// with the -f that it needs. A line that would be the program's name alone has a -f,
// too: after "packvendor: hint:" it would read like a stutter.
func (c *Context) commandLine(args []string, inProject bool) string {
	form := c.form()
	start := form.Command
	if inProject {
		if c.File != "" && c.File != packsToml && !c.IsNearest {
			args = append(slices.Clone(args), "-f", c.File)
		}
		start = form.ProjectCommand
	}
	words := start(args...)
	if len(words) == 1 {
		words = start("-f", cmp.Or(c.File, packsToml))
	}
	return ShellLine(words)
}

// form is the form in which packvendor was started.
func (c *Context) form() invocation.Form {
	if c.Form == nil {
		return invocation.Form{}
	}
	return c.Form()
}
