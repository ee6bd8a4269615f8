package main

import (
	"context"
	"os"
	"time"
)

// mainHurried is packvendor for tests: it skips waits on the clock, and its clock
// stands still unless PACKVENDOR_TEST_CLOCK is set. Its time limits for registries,
// other processes and credential helpers are in PACKVENDOR_TEST_STALL,
// PACKVENDOR_TEST_LOCK_WAIT and PACKVENDOR_TEST_HELPER_TIMEOUT.
func mainHurried() {
	now := func() time.Time { return time.Time{} } // so that no run takes any time
	if os.Getenv("PACKVENDOR_TEST_CLOCK") != "" {
		now = time.Now
	}
	stderr, collect := collecting(os.Stderr)
	code := invoke(waits{
		stall:  durationOf("PACKVENDOR_TEST_STALL"),
		lock:   durationOf("PACKVENDOR_TEST_LOCK_WAIT"),
		helper: durationOf("PACKVENDOR_TEST_HELPER_TIMEOUT"),
		now:    now,
		sleep:  func(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) },
		after:  func(time.Duration, func()) func() { return func() {} }, // no run takes any time
	}, stderr)
	collect()
	os.Exit(code)
}

// durationOf returns the duration in an environment variable, 0 if there is none.
func durationOf(key string) time.Duration {
	value := os.Getenv(key)
	if value == "" {
		return 0
	}
	d, err := time.ParseDuration(value)
	if err != nil {
		panic(err)
	}
	return d
}
