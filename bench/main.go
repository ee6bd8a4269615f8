// Command bench measures packvendor side by side with what a user would pick
// instead, against the real registry server on this machine, and writes
// docs/performance.md with its charts:
//
//	go run -C bench .
//
// Every figure of time is a ratio of two commands that ran one right after the
// other. It runs on Linux.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == measureWord {
		os.Exit(measured(os.Args[2:], os.Stdout, os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parseOptions(os.Args[1:], os.Stderr)
	if err == nil {
		err = run(ctx, o, os.Stdout, os.Stderr)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// Options are the command line.
type options struct {
	rounds int            // how often each command is measured
	only   *regexp.Regexp // names of the parts that are run; nil is all
	quick  bool           // small packs, few of them: shows that the harness works
	plain  bool           // HTTP without TLS
	work   string         // where to work; "" is a folder in the checkout
	docs   string         // where to write; "" is nowhere
	trace  string         // the part whose first tool is traced; "" is none
	list   bool
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	var only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.rounds, "n", 0, "measure each command `N` times (default 5, with -quick 1)")
	flags.StringVar(&only, "run", "", "run only the parts whose names match this `regexp`, and write nothing")
	flags.BoolVar(&o.quick, "quick", false, "small and few packs, each command once, and write nothing: shows that the harness works")
	flags.BoolVar(&o.plain, "plain", false, "HTTP without TLS for all")
	flags.StringVar(&o.work, "work", "", "work in a new folder in `DIR`, on the disk that is to be measured (default the checkout)")
	flags.StringVar(&o.docs, "docs", "", "write performance.md and its charts to `DIR` (default docs of the checkout, if all is measured)")
	flags.StringVar(&o.trace, "trace", "", "print the connections and requests of packvendor in the `PART`, one at a distance, and write nothing")
	flags.BoolVar(&o.list, "list", false, "list the parts")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if o.trace != "" {
		only = "^" + regexp.QuoteMeta(o.trace) + "$"
	}
	if only != "" {
		var err error
		if o.only, err = regexp.Compile(only); err != nil {
			return o, err
		}
	}
	if o.rounds <= 0 {
		o.rounds = map[bool]int{false: 5, true: 1}[o.quick]
	}
	return o, nil
}

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	checkout, err := findCheckout()
	if err != nil {
		return err
	}
	if o.list {
		return listSuites(stdout, o)
	}
	b, err := newBench(ctx, o, checkout, stderr)
	if err != nil {
		return err
	}
	defer b.close()
	r, err := b.report(ctx)
	if err != nil {
		return err
	}
	if o.trace != "" {
		return r.writeTrace(stdout, o.trace)
	}
	if _, err := io.WriteString(stdout, r.markdown()); err != nil || o.docsDir(checkout) == "" {
		return err
	}
	return r.write(o.docsDir(checkout))
}
