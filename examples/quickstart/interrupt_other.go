//go:build !unix

package main

import "os/exec"

// interruptible leaves it at the default, which is to kill the command.
func interruptible(*exec.Cmd) {}
