package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
)

// protocol is the version of requests and replies.
const protocol = 1

const (
	maxRequest = 4 << 20
	maxBundle  = 1 << 20
	maxRoot    = 1 << 20
)

// A request asks whether a bundle is a valid signature about a digest.
type request struct {
	Version int    `json:"version"`
	Bundle  []byte `json:"bundle"`
	Digest  string `json:"digest"`
	Root    []byte `json:"root"`

	sum []byte // of Digest
}

var digestSyntax = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// readRequest reads the one document on standard input.
func readRequest(stdin io.Reader) (*request, error) {
	data, err := io.ReadAll(io.LimitReader(stdin, maxRequest+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxRequest:
		return nil, fmt.Errorf("request: larger than %d bytes", maxRequest)
	}
	var versioned struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &versioned); err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	if versioned.Version != protocol { // first: another version may have other fields
		return nil, fmt.Errorf("request: protocol %d is not supported, only %d", versioned.Version, protocol)
	}
	q := &request{}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(q); err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	return q, q.check()
}

func (q *request) check() error {
	switch {
	case len(q.Bundle) == 0:
		return errors.New("request: no bundle")
	case len(q.Bundle) > maxBundle:
		return fmt.Errorf("request: a bundle larger than %d bytes", maxBundle)
	case len(q.Root) == 0:
		return errors.New("request: no root")
	case len(q.Root) > maxRoot:
		return fmt.Errorf("request: a root larger than %d bytes", maxRoot)
	case !digestSyntax.MatchString(q.Digest):
		return fmt.Errorf("request: digest %.100q is not sha256: and 64 hexadecimal digits in lower case", q.Digest)
	}
	sum, err := hex.DecodeString(q.Digest[len("sha256:"):])
	q.sum = sum
	return err
}

// head returns the part of the reply that repeats the request.
func (q *request) head() replyHead {
	return replyHead{Version: protocol, BundleDigest: digestOf(q.Bundle), RootDigest: digestOf(q.Root), Digest: q.Digest}
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

const (
	verdictVerified = "verified"
	verdictInvalid  = "invalid"
)

// A replyHead is what every reply has.
type replyHead struct {
	Version      int    `json:"version"`
	BundleDigest string `json:"bundle_digest"`
	RootDigest   string `json:"root_digest"`
	Digest       string `json:"digest"`
	Verdict      string `json:"verdict"`
}

// An invalidReply says why the bundle is no valid signature.
type invalidReply struct {
	replyHead
	Reason string `json:"reason"`
}

// A verifiedReply says who signed what.
type verifiedReply struct {
	replyHead
	signed
}

// A signed is what a valid signature says. All fields are in every reply; of what the
// certificate does not say, the text is empty.
type signed struct {
	Payload           []byte `json:"payload"`
	Issuer            string `json:"issuer"`
	Subject           string `json:"subject"`
	Repository        string `json:"repository"`
	RepositoryID      string `json:"repository_id"`
	OwnerID           string `json:"owner_id"`
	Ref               string `json:"ref"`
	Trigger           string `json:"trigger"`
	RunnerEnvironment string `json:"runner_environment"`
	Time              string `json:"time"`
}
