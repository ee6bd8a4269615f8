package keyless

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/trust"
)

// A Question is whether a bundle is a valid signature about a digest.
type Question struct {
	Bundle []byte        // at most signature.MaxSize bytes
	Digest ociref.Digest // of a manifest or an image index
	Root   []byte        // the documents of those that are trusted to know who signed; at most MaxRoot bytes
}

// MaxRoot bounds the bytes of a root.
const MaxRoot = 1 << 20

// An Answer says who made a valid signature.
type Answer struct {
	Payload  []byte // the signed bytes
	Identity trust.Identity
}

// An InvalidError says that a signature is not valid about the digest.
type InvalidError struct {
	Reason string // the program's words
}

func (e *InvalidError) Error() string {
	return "not a valid signature: " + printable.Line(e.Reason, maxReason)
}

// maxReason bounds the program's words in a message, in bytes.
const maxReason = 600

// An Error says why the program gave no answer.
type Error struct {
	Program string // its file
	Reason  string
	Said    string // the beginning of its standard error
}

func (e *Error) Error() string {
	text := printable.Word(e.Program, maxQuoted) + ": " + e.Reason
	if said := strings.TrimSpace(e.Said); said != "" {
		text += ", and said " + printable.Quote(said, maxReason)
	}
	return text
}

func (h *Helper) errorf(said, format string, args ...any) *Error {
	return &Error{Program: h.path, Reason: fmt.Sprintf(format, args...), Said: said}
}

// A key identifies a question.
type key struct{ bundle, digest, root ociref.Digest }

// Ask asks the program, the same question only once. Its errors are *InvalidError, *Error
// and the cause of ctx's end.
func (h *Helper) Ask(ctx context.Context, q Question) (*Answer, error) {
	k := key{ociref.DigestOf(q.Bundle), q.Digest, ociref.DigestOf(q.Root)}
	return h.answers.Do(ctx, k, func(ctx context.Context) (*Answer, error) {
		select {
		case h.turns <- struct{}{}:
			defer func() { <-h.turns }()
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if n := h.hangs.Load(); n >= maxHangs {
			return nil, h.errorf("", "not asked again: %d times there was no reply within %v", n, h.timeout)
		}
		output, err := h.run(ctx, q.request())
		if err != nil {
			return nil, err
		}
		answer, reason, err := readReply(output, k)
		switch {
		case err != nil:
			return nil, h.errorf("", "its reply is not as the protocol demands: %v", err)
		case answer == nil:
			return nil, &InvalidError{reason}
		}
		return answer, nil
	})
}

// request returns the document on the program's standard input.
func (q Question) request() []byte {
	document, err := json.Marshal(struct {
		Version int    `json:"version"`
		Bundle  []byte `json:"bundle"`
		Digest  string `json:"digest"`
		Root    []byte `json:"root"`
	}{protocol, q.Bundle, q.Digest.String(), q.Root})
	if err != nil {
		panic(err) // numbers and texts
	}
	return append(document, '\n')
}

const (
	// maxReply bounds the program's output, in bytes.
	maxReply = 1 << 20
	// maxSaid bounds what is kept of its standard error, in bytes.
	maxSaid = 4 << 10
	// maxPipeWait bounds how long its output stays open after its end.
	maxPipeWait = time.Second
)

// run runs the program in an empty folder, without an environment, and returns its output.
func (h *Helper) run(ctx context.Context, request []byte) ([]byte, error) {
	dir, err := os.MkdirTemp("", "packvendor-keyless-")
	if err != nil {
		return nil, h.errorf("", "cannot be started without a temporary folder: %v", err)
	}
	defer os.RemoveAll(dir)
	timed, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	out, said := &capped{most: maxReply, full: cancel}, &capped{most: maxSaid}
	cmd := exec.CommandContext(timed, h.path)
	cmd.Dir, cmd.Env = dir, []string{} // nil would be ours
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(request), out, said
	cmd.WaitDelay = maxPipeWait
	isolate(cmd)
	err = cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		cmd.Cancel() // a child of it keeps its output open
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case out.exceeded:
		return nil, h.errorf(said.String(), "its reply is larger than %d bytes", maxReply)
	case timed.Err() != nil:
		h.hangs.Add(1)
		return nil, h.errorf(said.String(), "no reply within %v", h.timeout)
	case errors.Is(err, exec.ErrWaitDelay):
		return nil, h.errorf(said.String(), "its output stays open after its end")
	case errors.As(err, &exit):
		return nil, h.errorf(said.String(), "%v", exit.ProcessState)
	case err != nil:
		return nil, h.errorf("", "cannot be started: %s", reasonOf(err))
	}
	return out.buffer.Bytes(), nil
}

// A capped keeps the first bytes that are written to it.
type capped struct {
	most     int
	full     func() // called when there are more; nil drops them
	buffer   bytes.Buffer
	exceeded bool
}

func (c *capped) Write(p []byte) (int, error) {
	room := c.most - c.buffer.Len()
	if len(p) <= room {
		return c.buffer.Write(p)
	}
	c.exceeded = true
	c.buffer.Write(p[:room])
	if c.full != nil {
		c.full()
		return room, errors.New("too much")
	}
	return len(p), nil
}

func (c *capped) String() string { return c.buffer.String() }
