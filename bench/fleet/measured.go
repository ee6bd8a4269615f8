package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/greenticai/packvendor/bench/fleet/trial"
)

// A measurement is what the last trial counted.
type measurement struct {
	Size   trial.Size    `json:"size"`
	Rounds []trial.Round `json:"rounds"`
}

// trialSize is that of the fleet that runs.
var trialSize = trial.Size{
	Projects: 60, Groups: 12, Packs: 20, Catalogue: 120, Releases: 40, Bytes: 64 << 10, Pulls: accountPulls,
}

// measure runs the fleet, and keeps in a file what it counted.
func measure(ctx context.Context, file string) error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "fleet-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	rounds, err := trial.Run(ctx, trial.Options{Size: trialSize, Checkout: filepath.Dir(here), Work: work, Log: os.Stderr})
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(measurement{trialSize, rounds}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o666)
}

// readMeasurement reads what measure has written.
func readMeasurement(file string) (m measurement, err error) {
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	return m, err
}
