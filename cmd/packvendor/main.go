// Packvendor puts Greentic packs into Go programs.
//
// Beside a Go package stands packs.toml. A line in one of its Go files,
//
//	//go:generate go tool packvendor
//
// has packvendor pin every reference by digest in packs.lock, write each pack
// into the package as packs/NAME.gtpack, and generate packs_gen.go, which
// embeds them. See docs/cli.md for all commands, flags and exit codes.
package main

//go:generate go test . -run ^(TestDocs|TestDocsTopics|TestErrors|TestSchemas|TestScriptsREADME)$ -update

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/invocation"
	"github.com/greenticai/packvendor/vendorer"
)

func main() {
	delayGarbageCollection()
	os.Exit(invoke(waits{}, os.Stderr))
}

// invoke runs the command line of this process and returns its exit code.
func invoke(w waits, stderr io.Writer) int {
	log.SetOutput(io.Discard) // net/http logs what a server should not send, as often as it does
	ctx, stop := signal.NotifyContext(context.Background(), exitSignals()...)
	context.AfterFunc(ctx, stop) // a second signal ends the process as ever
	executable, _ := os.Executable()
	return run(ctx, process{
		form: sync.OnceValue(func() invocation.Form {
			return invocation.Find(invocation.Current(os.Getenv, vendorer.HasTool))
		}),
		args: os.Args[1:], getenv: os.Getenv, executable: executable, lookupEnv: os.LookupEnv, stdin: os.Stdin, stdout: os.Stdout, stderr: stderr, waits: w,
	})
}

// exitSignals are the signals that end a command as Ctrl-C does. SIGHUP is not one under
// nohup: the command is to outlive the terminal.
func exitSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// A process is the input and output that the operating system gives to a command.
type process struct {
	args           []string
	getenv         func(string) string
	executable     string                      // its own file; "" if it is not known
	stdin          io.Reader                   // nil is empty
	lookupEnv      func(string) (string, bool) // nil: no variable is set
	stdout, stderr io.Writer
	form           func() invocation.Form // in which it was started; nil: by its name
	waits          waits
}

// waits are durations and clocks of all waiting; the zero value is for users, others are
// for tests.
type waits struct {
	stall  time.Duration                              // for a registry that sends nothing
	lock   time.Duration                              // for other processes
	helper time.Duration                              // for credential helpers
	sleep  func(context.Context, time.Duration) error // before a request is made again
	now    func() time.Time                           // what a summary measures by
	after  func(time.Duration, func()) (stop func())  // until something is said of a wait
}

// run executes a command line and returns the exit code.
func run(ctx context.Context, p process) int {
	out := &output{w: p.stdout}
	p.stdout = out
	c := newCLI(p)
	err := c.execute(ctx)
	c.progress.Stop()
	c.waiting.End()
	if err == nil {
		err = out.err // nobody looks where help and completions go
	}
	return c.fail(err).ExitCode()
}
