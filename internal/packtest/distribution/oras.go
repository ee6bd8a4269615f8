package distribution

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/packtest"
)

// OrasPush runs "oras push" with args against this server: options, then
// HOST/REPOSITORY:TAG, then FILE:MEDIA-TYPE for each layer. Absolute paths are allowed.
// It ignores the user's own credentials and shows the server's.
func (d *Server) OrasPush(ctx context.Context, args ...string) error {
	return orasPush(ctx, d.opts.CA, d.opts.Dir, d.login(), args)
}

// orasPush always sets the protocol, since oras guesses plain HTTP for loopback
// addresses. A nil ca means plain HTTP.
func orasPush(ctx context.Context, ca *packtest.Authority, dir string, login *url.Userinfo, args []string) error {
	oras, err := packtest.LookPath("oras")
	if err != nil {
		return err
	}
	protocol := []string{"--plain-http"}
	if ca != nil {
		file, err := ca.WriteFile(dir)
		if err != nil {
			return fmt.Errorf("oras push: %w", err)
		}
		protocol = []string{"--plain-http=false", "--ca-file", file}
	}
	options := []string{"push", "--disable-path-validation", "--no-tty"}
	password := ""
	if login != nil {
		options = append(options, "--username", login.Username(), "--password-stdin")
		password, _ = login.Password()
	}
	cmd := exec.CommandContext(ctx, oras, slices.Concat(options, protocol, args)...)
	cmd.Stdin = strings.NewReader(password)
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+filepath.Join(dir, "oras"))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("oras push: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}
