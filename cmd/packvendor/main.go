// Packvendor puts Greentic packs into Go programs.
//
// Beside a Go package stands packs.toml. A line in one of its Go files,
//
//	//go:generate go tool packvendor
//
// has packvendor pin every reference by digest in packs.lock, write each pack
// into the package as packs/NAME.gtpack, and generate packs_gen.go, which
// embeds them. See the README for all commands, flags and exit codes.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process as ever
	os.Exit(run(ctx, process{
		args: os.Args[1:], getenv: os.Getenv, stdout: os.Stdout, stderr: os.Stderr,
	}))
}

// A process is what the operating system hands to a command.
type process struct {
	args           []string
	getenv         func(string) string
	stdout, stderr io.Writer
}

// run does what p.args say and returns the exit code.
func run(ctx context.Context, p process) int {
	c := newCLI(p)
	err := c.execute(ctx)
	if err == nil {
		return 0
	}
	return c.fail(err)
}
