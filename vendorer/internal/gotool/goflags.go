package gotool

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// goFlags returns the flags that the go command adds to its own: those of $GOFLAGS,
// else those that "go env -w" stored. To ask "go env" takes a good part of what a
// verify takes. https://pkg.go.dev/cmd/go#hdr-Environment_variables
func goFlags() []string {
	if flags := os.Getenv("GOFLAGS"); flags != "" {
		return splitFlags(flags)
	}
	var flags []string
	stored, _ := regularfile.Read(nil, goEnvFile(), project.MaxSource) // there need not be one
	for line := range strings.Lines(string(stored)) {
		if value, ok := strings.CutPrefix(line, "GOFLAGS="); ok {
			flags = splitFlags(value)
		}
	}
	return flags
}

// splitFlags splits flags as the go command does: at white space, but for a word that
// begins with a quote, which goes on to the next of that kind. Nothing is escaped.
func splitFlags(flags string) []string {
	var words []string
	for {
		flags = strings.TrimLeft(flags, " \t\n\r")
		if flags == "" {
			return words
		}
		var word string
		if quote := flags[:1]; quote == `"` || quote == "'" {
			word, flags, _ = strings.Cut(flags[1:], quote)
		} else if end := strings.IndexAny(flags, " \t\n\r"); end >= 0 {
			word, flags = flags[:end], flags[end:]
		} else {
			word, flags = flags, ""
		}
		words = append(words, word)
	}
}

// goEnvFile is the file that "go env -w" writes.
func goEnvFile() string {
	if name := os.Getenv("GOENV"); name != "" {
		return name
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(config, "go", "env")
}

// flagValue returns the value of the last such flag, "" if there is none.
func flagValue(flags []string, name string) string {
	value := ""
	for _, flag := range flags {
		flag = strings.TrimPrefix(strings.TrimPrefix(flag, "-"), "-")
		if v, ok := strings.CutPrefix(flag, name+"="); ok {
			value = v
		}
	}
	return value
}

// goOutput returns what a go command prints that downloads nothing. Where it fails the
// error is what it says of that.
func goOutput(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &stderr
	cmd.Env = append(cmd.Environ(), "GOPROXY=off") // with PWD: dir may lead through links
	out, err := cmd.Output()
	if said := strings.TrimSpace(stderr.String()); err != nil && said != "" {
		err = errors.New(said)
	}
	return out, err
}
