package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
)

// interruptGrace is how long a command has to end after an interrupt.
const interruptGrace = 5 * time.Second

// say prints a remark.
func (s *stage) say(format string, args ...any) {
	fmt.Fprintf(s.stdout, "# "+format+"\n", args...)
}

// echo prints a command line.
func (s *stage) echo(words ...string) {
	fmt.Fprintf(s.stdout, "$ %s\n", strings.Join(words, " "))
}

// command prints a command line and runs it in the program's directory. If ctx
// ends, the command and all that it started are interrupted, and waited for.
func (s *stage) command(ctx context.Context, words ...string) error {
	s.echo(words...)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir, cmd.Env = s.app, s.env
	cmd.Stdout, cmd.Stderr = s.stdout, s.stderr
	cmd.WaitDelay = interruptGrace
	interruptible(cmd)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(words, " "), err)
	}
	return nil
}

// head, grep and find print what the programs of these names would: not every
// system has them.

func (s *stage) head(name string) error {
	s.echo("head", name)
	data, err := os.ReadFile(s.path(name))
	if err != nil {
		return err
	}
	lines := strings.SplitAfter(string(data), "\n")
	_, err = io.WriteString(s.stdout, strings.Join(lines[:min(10, len(lines))], ""))
	return err
}

func (s *stage) grep(word string, names ...string) error {
	s.echo(append([]string{"grep", "-hw", word}, names...)...)
	whole := regexp.MustCompile(`\b` + word + `\b`)
	for _, name := range names {
		data, err := os.ReadFile(s.path(name))
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(data)) {
			if whole.MatchString(line) {
				io.WriteString(s.stdout, line)
			}
		}
	}
	return nil
}

func (s *stage) find(dir string) error {
	s.echo("find", dir, "-type f | sort")
	files, err := s.look()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(name, dir+"/") {
			fmt.Fprintln(s.stdout, name)
		}
	}
	return nil
}

func (s *stage) path(name string) string { return filepath.Join(s.app, filepath.FromSlash(name)) }

// look returns the program's files, and of each its time of change and digest.
func (s *stage) look() (map[string]string, error) {
	files := make(map[string]string)
	app := os.DirFS(s.app)
	err := fs.WalkDir(app, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := fs.ReadFile(app, name)
		files[name] = fmt.Sprint(info.ModTime().UnixNano(), ociref.DigestOf(data))
		return err
	})
	return files, err
}

// differences returns the names of files that are not the same in both, sorted.
func differences(before, after map[string]string) []string {
	var names []string
	all := maps.Clone(before)
	maps.Copy(all, after)
	for name := range all {
		if before[name] != after[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
