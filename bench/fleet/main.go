package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// maxTrial bounds a trial.
const maxTrial = 20 * time.Minute

func main() {
	run := flag.Bool("run", false, "run a fleet first, and count what it asks: some minutes")
	flag.Parse()
	if err := fleetPage(*run); err != nil {
		fmt.Fprintf(os.Stderr, "fleet: %v\n", err)
		os.Exit(1)
	}
}

// measuredFile has what the last trial counted.
var measuredFile = filepath.Join("fleet", "measured.json")

func fleetPage(run bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, maxTrial)
	defer cancel()
	if run {
		if err := measure(ctx, measuredFile); err != nil {
			return err
		}
	}
	m, err := readMeasurement(measuredFile)
	if err != nil {
		return err
	}
	return writeScale(filepath.Join("..", "docs", "scale.md"), m)
}
