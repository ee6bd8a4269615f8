package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
)

// A screen is a real terminal's, with a packvendor in it.
type screen struct {
	testing.TB
	socket string
}

// newTerminal runs a shell command, in which packvendor is this program, in the project
// in dir and in a terminal of that width. The last line on the screen is its exit code.
func (b *fixture) newTerminal(columns int, dir, command string) *screen {
	b.Helper()
	packtest.NeedProgram(b, "tmux")
	bin, err := os.MkdirTemp("", "tmux-") // a socket's path must be short
	b.must(err)
	b.Cleanup(func() { os.RemoveAll(bin) })
	exe, err := os.Executable()
	b.must(err)
	b.must(os.Symlink(exe, filepath.Join(bin, "packvendor")))
	script := filepath.Join(bin, "run.sh")
	rest := packtest.NeedProgram(b, "sleep") + " 120" // the terminal ends by itself if the test is killed
	ended := b.newEnded(filepath.Join(bin, "alive"))
	b.must(os.WriteFile(script, []byte("exec 9>'"+ended.Name()+"'\ntrap : INT\n"+command+"\necho \"exit $?\"\nexec "+rest+"\n"), 0o666))
	term := &screen{TB: b, socket: filepath.Join(bin, "socket")}
	cmd := term.tmux("-f", os.DevNull, "new-session", "-d", "-x", strconv.Itoa(columns), "-y", "24", "-c", dir, packtest.NeedProgram(b, "sh"), script)
	cmd.Env = append(slices.Clone(b.env), "PATH="+bin, "GREENTIC_PACK_CACHE_DIR="+b.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("tmux: %v\n%s", err, out)
	}
	b.Cleanup(func() {
		term.tmux("kill-server").Run()
		ended.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.Copy(io.Discard, ended); err != nil {
			b.Errorf("a process of the terminal goes on: %v", err)
		}
		ended.Close()
	})
	return term
}

// newEnded makes a FIFO that ends when no process writes to it any more: processes of
// the terminal may outlive it and tidy up.
func (b *fixture) newEnded(name string) *os.File {
	b.Helper()
	b.must(exec.Command(packtest.NeedProgram(b, "mkfifo"), name).Run())
	fifo, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	b.must(err)
	return fifo
}

func (term *screen) tmux(args ...string) *exec.Cmd {
	return exec.Command("tmux", append([]string{"-S", term.socket}, args...)...)
}

// press presses a key, as tmux names it.
func (term *screen) press(key string) {
	term.Helper()
	if out, err := term.tmux("send-keys", key).CombinedOutput(); err != nil {
		term.Fatalf("tmux: %v\n%s", err, out)
	}
}

// screen returns the terminal's text, its lines unwrapped; flags are capture-pane's.
func (term *screen) screen(flags ...string) string {
	term.Helper()
	out, err := term.tmux(append([]string{"capture-pane", "-p", "-J"}, flags...)...).Output()
	if err != nil {
		term.Fatalf("tmux: %v", err)
	}
	var text strings.Builder
	for line := range strings.Lines(string(out)) {
		text.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return strings.TrimRight(text.String(), "\n") + "\n"
}

// await waits until the terminal shows exactly want; same, if not nil, normalises a
// screen before the comparison.
func (term *screen) await(want string, same func(string) string) {
	term.Helper()
	var got string
	shown := waitFor(func() bool {
		got = term.screen()
		if same != nil {
			got = same(got)
		}
		return got == want
	})
	if !shown {
		term.Fatalf("the terminal shows\n%s\nwant\n%s", got, want)
	}
}

// sent returns all bytes that a command sends to a terminal, as of newTerminal; cat in
// it is the program of that name. It calls meanwhile after the start.
func (b *fixture) sent(dir, command string, meanwhile func()) string {
	b.Helper()
	cat := packtest.NeedProgram(b, "cat")
	term := b.newTerminal(80, dir, "read go; "+strings.ReplaceAll(command, "cat ", cat+" "))
	log := filepath.Join(b.TempDir(), "log")
	if out, err := term.tmux("pipe-pane", cat+" >'"+log+"'").CombinedOutput(); err != nil {
		b.Fatalf("tmux: %v\n%s", err, out)
	}
	term.press("Enter")
	meanwhile()
	var text string
	if !waitFor(func() bool {
		data, _ := os.ReadFile(log)
		text = string(data)
		return strings.Contains(text, "exit ") && strings.HasSuffix(text, "\n")
	}) {
		b.Fatalf("%s did not end:\n%s", command, text)
	}
	return strings.TrimPrefix(text, "\r\n") // the Enter
}
