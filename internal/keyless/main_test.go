package keyless

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
)

// The program of these tests is their own executable under another name. It does what the
// file beside it says, so that it needs no environment.
func TestMain(m *testing.M) {
	if name := filepath.Base(os.Args[0]); strings.TrimSuffix(name, ".exe") == Program {
		act(os.Args[0] + ".mode")
		return
	}
	os.Exit(m.Run())
}

// A mode is what the program does.
type mode struct {
	Reply  string // on standard output, after the request is read
	Unread bool   // the request is left unread
	Errors string // on standard error
	Exit   int
	Flood  bool   // endless output
	Hang   string // an address that a child connects to; both stay
	Detach string // the same, but the program itself ends
	Panic  bool
	Report string // a file that gets what the program sees
}

// act is the program's main.
func act(file string) {
	var m mode
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
	if len(os.Args) > 1 { // the child
		conn, err := net.Dial("tcp", os.Args[1])
		if err != nil {
			os.Exit(98)
		}
		fmt.Fprintln(conn, "here")
		io.Copy(io.Discard, conn) // until it is ended, or the test
		return
	}
	var request []byte
	if !m.Unread {
		request, _ = io.ReadAll(os.Stdin)
	}
	if m.Report != "" {
		report(m.Report, request)
	}
	if address := m.Hang + m.Detach; address != "" {
		child := exec.Command(os.Args[0], address)
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			os.Exit(97)
		}
		if m.Hang != "" {
			time.Sleep(time.Hour) // not select: without goroutines that is a deadlock
		}
	}
	fmt.Fprint(os.Stderr, m.Errors)
	if m.Panic {
		panic("a bundle like no other")
	}
	fmt.Print(m.Reply)
	for m.Flood {
		if _, err := os.Stdout.WriteString(strings.Repeat("x", 1<<16)); err != nil {
			break
		}
	}
	os.Exit(m.Exit)
}

// A sight is what the program sees of the world.
type sight struct {
	Args, Environment, Folder []string
	Dir, Request              string
}

func report(file string, request []byte) {
	dir, _ := os.Getwd()
	entries, _ := os.ReadDir(".")
	s := sight{Args: os.Args[1:], Environment: os.Environ(), Dir: dir, Request: string(request)}
	for _, e := range entries {
		s.Folder = append(s.Folder, e.Name())
	}
	data, _ := json.Marshal(s)
	os.WriteFile(file, data, 0o644)
}

// install puts a program into a folder, and returns its file.
func install(t *testing.T, dir string, m mode) string {
	t.Helper()
	path, err := packtest.InstallProgram(dir, Program)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".mode", data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// A child is the program's child, at the other end of a connection.
type child struct {
	t        *testing.T
	listener net.Listener
}

func listen(t *testing.T) *child {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return &child{t, l}
}

func (c *child) address() string { return c.listener.Addr().String() }

// meet waits until the child is there. The function that it returns waits until it was ended.
func (c *child) meet() (end func()) {
	conn, err := c.listener.Accept()
	if err != nil {
		c.t.Error(err)
		return func() {}
	}
	r := bufio.NewReader(conn)
	if line, err := r.ReadString('\n'); err != nil || line != "here\n" {
		c.t.Errorf("%q, %v", line, err)
	}
	c.t.Cleanup(func() { conn.Close() })
	return func() {
		conn.SetReadDeadline(time.Now().Add(time.Minute))
		if data, err := io.ReadAll(r); len(data) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			c.t.Errorf("%q, %v", data, err)
		}
	}
}
