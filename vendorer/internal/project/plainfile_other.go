//go:build !unix

package project

// openNoWait: here are no FIFOs among files.
const openNoWait = 0
