package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
)

// Hints must be literally runnable. So every packvendor of a script keeps its hints in
// $PACKVENDOR_TEST_HINTS, with a copy of the script's directory at that time. After the
// script each hint is followed there: it must be a valid command line, or a valid line
// of packs.toml. Scripts show with the command hint that it helps, too.

// keptHints names the directory of kept hints, which is hintsDir in the script's
// directory; scriptWork names the latter.
const (
	keptHints  = "PACKVENDOR_TEST_HINTS"
	scriptWork = "WORK"
	hintsDir   = ".hints"
)

// A keptHint is a hint and its place.
type keptHint struct {
	Hint string
	Dir  string // below the script's directory
	Env  []string
	Args []string // of the packvendor that gave it
}

// collecting returns a standard error for packvendor, and a function to call at its
// end.
func collecting(stderr *os.File) (io.Writer, func()) {
	kept := os.Getenv(keptHints)
	if kept == "" {
		return stderr, func() {}
	}
	var said bytes.Buffer
	return io.MultiWriter(stderr, &said), func() {
		if err := keepHints(kept, said.String()); err != nil {
			fmt.Fprintln(stderr, "keeping hints:", err)
		}
	}
}

func keepHints(kept, said string) error {
	var hints []string
	for line := range strings.Lines(said) {
		if hint, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "packvendor: hint: "); ok {
			hints = append(hints, hint)
		}
	}
	if len(hints) == 0 {
		return nil
	}
	here, err := userDir()
	if err != nil {
		return err
	}
	work := os.Getenv(scriptWork)
	below, err := filepath.Rel(work, here)
	if err != nil {
		return err
	}
	for _, hint := range hints {
		place, err := os.MkdirTemp(kept, "hint-")
		if err != nil {
			return err
		}
		doc, err := json.Marshal(keptHint{Hint: hint, Dir: below, Env: os.Environ(), Args: os.Args[1:]})
		if err == nil {
			err = os.WriteFile(filepath.Join(place, "hint.json"), doc, 0o666)
		}
		if err == nil {
			err = copyWork(work, filepath.Join(place, "work"))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// userDir returns the directory of the hint's reader: under go generate, that of the go
// command.
func userDir() (string, error) {
	if os.Getenv("GOFILE") != "" {
		if dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", os.Getppid())); err == nil {
			return dir, nil
		}
	}
	return os.Getwd()
}

// copyWork copies a script's directory, without names with a leading dot, the caches.
// It copies links as links, and omits anything but files, folders and links.
func copyWork(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		below, relErr := filepath.Rel(from, path)
		switch {
		case err != nil || relErr != nil:
			return errors.Join(err, relErr)
		case strings.HasPrefix(below, ".") && below != "." && d.IsDir():
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, below), 0o777)
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, filepath.Join(to, below))
		case !d.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, below), data, 0o666)
	})
}

// followKept follows all hints of a script.
func followKept(env *testscript.Env) error {
	kept := env.Getenv(keptHints)
	places, err := filepath.Glob(filepath.Join(kept, "hint-*"))
	if err != nil {
		return err
	}
	var errs []error
	seen := map[string]bool{}
	for _, place := range places {
		var h keptHint
		doc, err := os.ReadFile(filepath.Join(place, "hint.json"))
		if err == nil {
			err = json.Unmarshal(doc, &h)
		}
		if key := h.Dir + "\x00" + h.Hint; err == nil && !seen[key] {
			seen[key] = true
			err = h.follow(filepath.Join(place, "work"))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("hint %q of packvendor %q in %s: %w", h.Hint, h.Args, h.Dir, err))
		}
	}
	return errors.Join(errs...)
}

// follow follows a hint in the copy work.
func (h keptHint) follow(work string) error {
	dir := filepath.Join(work, h.Dir)
	if rest, ok := strings.CutPrefix(h.Hint, "in "); ok {
		if file, line, above := strings.Cut(rest, ", above the first table: "); above {
			return h.write(dir, file, line)
		}
		if file, line, below := strings.Cut(rest, ", below [trust.rules]: "); below {
			return h.writeBelow(dir, file, "[trust.rules]", line)
		}
		file, rest, _ := strings.Cut(rest, ", packs.")
		_, line, _ := strings.Cut(rest, ": ")
		_, err := os.Stat(filepath.Join(dir, file))
		return errors.Join(err, toml.Unmarshal([]byte(line), &map[string]any{}))
	}
	if rest, ok := strings.CutPrefix(h.Hint, "go -C "); ok {
		if module, get, ok := strings.Cut(rest, " get -tool "); ok {
			_, err := os.Stat(filepath.Join(dir, module, "go.mod"))
			return errors.Join(err, isInstallLine("go get -tool "+get))
		}
	}
	if strings.HasPrefix(h.Hint, "go get -tool ") {
		return isInstallLine(h.Hint) // that needs the network
	}
	return h.run(dir, h.Hint)
}

// isInstallLine checks that a line which needs the network is README's line to install
// packvendor: TestPages covers it.
func isInstallLine(line string) error {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err == nil && !strings.Contains(consoles(string(readme)), "\n$ "+line+"\n") {
		err = errors.New("README installs packvendor otherwise")
	}
	return err
}

// write puts a line above the first table of a packs.toml, in place of the key's line,
// and runs the hint's command again: it may fail as before, but not for the line.
func (h keptHint) write(dir, file, line string) error {
	file = filepath.Join(dir, file)
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	key, _, _ := strings.Cut(line, "=")
	text := ""
	for old := range strings.Lines(string(data)) {
		if !strings.HasPrefix(old, key) {
			text += old
		}
	}
	if err := os.WriteFile(file, []byte(abovePacks(text, line)), 0o666); err != nil {
		return err
	}
	return h.run(dir, hint.ShellLine(append([]string{"packvendor"}, h.Args...)))
}

// writeBelow puts a line below a table's header in a packs.toml, and runs the hint's command
// again: it may fail as before, but not for the line.
func (h keptHint) writeBelow(dir, file, header, line string) error {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text, err := below(string(data), header, line)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		return err
	}
	return h.run(dir, hint.ShellLine(append([]string{"packvendor"}, h.Args...)))
}

// run runs a command line like a shell. Its exit code must be that of an accepted
// command line.
func (h keptHint) run(dir, line string) error {
	sh := exec.Command("sh", "-c", line)
	sh.Dir = dir
	sh.Env = slices.DeleteFunc(slices.Clone(h.Env), func(v string) bool { return strings.HasPrefix(v, keptHints+"=") || strings.HasPrefix(v, "GOFILE=") })
	out, err := sh.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	if code := sh.ProcessState.ExitCode(); !slices.Contains([]int{0, exitDrift, exitNetwork, exitIntegrity}, code) {
		return fmt.Errorf("exit code %d\n%s", code, out)
	}
	return nil
}
