// Packvendor-verify-sigstore verifies sigstore bundles that were signed with a certificate,
// for packvendor: who signed, and when.
//
// It reads one JSON document on standard input and writes one on standard output; README.md
// of the module describes both. It asks no network, reads no file and no variable of the
// environment. It does not decide whom to trust: packvendor does.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// The exit codes. With any but exitReplied there is no output.
const (
	exitReplied = 0 // the verdict is in the reply
	exitFailed  = 1 // the request cannot be answered
	exitUsage   = 2 // it was started in another way; Go's own for a crash
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		fmt.Fprintf(stderr, "packvendor-verify-sigstore: no arguments, please: packvendor starts this program and asks it on standard input, protocol %d\n", protocol)
		return exitUsage
	}
	reply, err := answer(stdin)
	if err == nil {
		_, err = stdout.Write(reply)
	}
	if err != nil {
		fmt.Fprintln(stderr, "packvendor-verify-sigstore:", err)
		return exitFailed
	}
	return exitReplied
}

// answer returns the reply to the request.
func answer(stdin io.Reader) ([]byte, error) {
	q, err := readRequest(stdin)
	if err != nil {
		return nil, err
	}
	roots, err := readRoots(q.Root)
	if err != nil {
		return nil, err
	}
	head := q.head()
	var reply any
	s, err := verifyBundle(q.Bundle, q.sum, roots)
	var invalid *invalidError
	switch {
	case errors.As(err, &invalid):
		head.Verdict = verdictInvalid
		reply = invalidReply{head, invalid.text()}
	case err != nil:
		return nil, err
	default:
		head.Verdict = verdictVerified
		reply = verifiedReply{head, *s}
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(reply); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}
