// Quickstart shows packvendor at work on one machine:
//
//	go run ./examples/quickstart [-keep]
//
// It builds packvendor, for which the go command may need a module proxy. In a
// temporary directory it makes a program with packvendor as its tool, has "go
// generate" vendor two packs from a registry in this process, and runs the program.
// From there on no network is used. Commands and what they print go to standard
// output.
//
// The program's own files are those in _app. The registry speaks plain HTTP, so
// that no system needs to be told of a certificate; packs.toml allows that for
// this one registry.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// SIGPIPE is caught like the others, so that "| head" leaves nothing behind.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run does what args say and returns the exit code: 0 if the story went as
// told, 1 if not, 2 for args that make no sense, 130 if ctx ended first.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: go run ./examples/quickstart [-keep]")
		flags.PrintDefaults()
	}
	keep := flags.Bool("keep", false, "keep the program that is made, and say where")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "quickstart: error: no arguments are taken, not %+q\n", flags.Arg(0))
		return 2
	}
	err = quickstart(ctx, stdout, stderr, *keep)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "quickstart: error: interrupted")
		return 130
	default:
		fmt.Fprintf(stderr, "quickstart: error: %v\n", err)
		return 1
	}
}
