package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be what measure runs.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == measureWord {
		os.Exit(measured(os.Args[2:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// What is measured is the command, its children included, and not who started it.
func TestMeasure(t *testing.T) {
	kept := make([]byte, 256<<20)
	for at := 0; at < len(kept); at += 4096 {
		kept[at] = 1
	}
	s, err := measure(context.Background(), t.TempDir(), os.Environ(), []string{"sh", "-c", "head -c 20000000 /dev/zero | sha256sum"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Wall <= 0 || s.Wall > time.Minute || s.CPU <= 0 || s.Memory < 1<<20 || s.Memory > 128<<20 {
		t.Errorf("got %+v", s)
	}
	_, err = measure(context.Background(), t.TempDir(), os.Environ(), []string{"sh", "-c", "echo what went wrong; exit 3"})
	if err == nil || !strings.HasPrefix(err.Error(), "sh: exit status 1: what went wrong\nexit status 3") {
		t.Errorf("got error %v", err)
	}
	if kept[4096] != 1 {
		t.Error("the memory is gone")
	}
}
