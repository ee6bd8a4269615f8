package credentials

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/docker/docker-credential-helpers/client"
	"github.com/docker/docker-credential-helpers/credentials"
)

const (
	helperPrefix = "docker-credential-"
	// tokenUser is the user name that marks a helper's secret as an identity token.
	// https://docs.docker.com/reference/cli/docker/login/#credential-helper-protocol
	tokenUser = "<token>"
	// maxAnswer bounds a helper's output, in bytes.
	maxAnswer = 64 << 10
	// maxPipeWait bounds the time in which a helper's output stays open after the
	// helper has ended.
	maxPipeWait = time.Second
)

// inherited are the variables by which helpers find their own configuration. A helper
// gets getenv's values of them, even if the process has none.
var inherited = []string{"PATH", "HOME", "USERPROFILE", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"}

// isHelperName reports whether a configuration's word can end the name of a program,
// and cannot be a path.
func isHelperName(name string) bool {
	isWord := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r)
	}
	return name != "" && len(name) <= 64 && strings.TrimFunc(name, isWord) == ""
}

// A helper is a program that keeps credentials, asked once. It gets our environment
// alone: no terminal, no standard input and no standard error, where it could show its
// secrets.
type helper struct {
	program string
	getenv  func(string) string
	wait    time.Duration // see maxPipeWait

	ctx    context.Context
	path   string
	args   []string
	input  io.Reader
	failed error // why it gave no answer
}

// get returns the helper's credentials for a server, nil if it has none. Errors repeat
// nothing that the helper said. The end of ctx ends the helper and its children.
func (h *helper) get(ctx context.Context, server string) (*Credentials, error) {
	path, err := h.lookPath()
	if err != nil {
		return nil, err
	}
	h.ctx, h.path = ctx, path
	answer, err := client.Get(func(args ...string) client.Program { h.args = args; return h }, server)
	switch {
	case err == nil && answer.Username == tokenUser:
		return &Credentials{IdentityToken: answer.Secret}, nil
	case err == nil:
		return &Credentials{Username: answer.Username, Password: answer.Secret}, nil
	case credentials.IsErrCredentialsNotFound(err):
		return nil, nil
	case h.failed != nil:
		return nil, h.failed
	}
	return nil, errors.New("its answer is not the JSON of a credential helper")
}

// lookPath finds the program. It ignores relative folders of PATH, as os/exec does:
// they depend on the working directory.
func (h *helper) lookPath() (string, error) {
	for _, dir := range filepath.SplitList(h.getenv("PATH")) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if path, err := exec.LookPath(filepath.Join(dir, h.program)); err == nil {
			return path, nil
		}
	}
	return "", errors.New("not found in PATH")
}

// Input implements client.Program.
func (h *helper) Input(in io.Reader) { h.input = in }

// Output implements client.Program: it runs the program.
func (h *helper) Output() ([]byte, error) {
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	out := &capped{full: cancel}
	cmd := exec.CommandContext(ctx, h.path, h.args...)
	cmd.Stdin, cmd.Stdout, cmd.Env, cmd.WaitDelay = h.input, out, h.environment(), h.wait
	isolate(cmd)
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it has answered, but a child of it keeps its output open
		cmd.Cancel()
	}
	h.failed = h.failure(err, out.exceeded)
	return out.buffer.Bytes(), h.failed
}

// failure returns the reason why there is no answer.
func (h *helper) failure(err error, exceeded bool) error {
	var exit *exec.ExitError
	switch {
	case exceeded:
		return fmt.Errorf("its answer is larger than %d bytes", maxAnswer)
	case err == nil:
		return nil
	case h.ctx.Err() != nil:
		return context.Cause(h.ctx)
	case errors.As(err, &exit):
		return errors.New(exit.ProcessState.String())
	}
	return fmt.Errorf("cannot be started: %w", err)
}

// environment returns the process's environment with getenv's values.
func (h *helper) environment() []string {
	var vars []string
	for _, name := range inherited {
		if value := h.getenv(name); value != "" {
			vars = append(vars, name+"="+value)
		}
	}
	for _, pair := range os.Environ() {
		name, was, _ := strings.Cut(pair, "=")
		if value := h.getenv(name); value != "" || was == "" {
			vars = append(vars, name+"="+value)
		}
	}
	return vars
}

// A capped keeps at most maxAnswer bytes of what is written to it.
type capped struct {
	buffer   bytes.Buffer // not embedded: its ReadFrom would go past Write
	full     func()
	exceeded bool
}

func (c *capped) Write(p []byte) (int, error) {
	if c.buffer.Len()+len(p) > maxAnswer {
		c.exceeded = true
		c.full()
		return 0, errors.New("too much")
	}
	return c.buffer.Write(p)
}
