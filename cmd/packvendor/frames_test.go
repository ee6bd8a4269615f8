package main

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/frames"
)

// What net/http logs about a server's frames does not reach the user.
func TestFault72_NothingIsLogged(t *testing.T) {
	t.Parallel()
	ca, err := packtest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.Issue(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	server, err := frames.Serve(certificate, nil, func(c frames.Conn, stream uint32) {
		c.Frame(77, 0, 0, nil)                                   // is logged as unknown
		c.Frame(frames.Data, frames.EndStream, stream, nil)      // is logged as out of order
		c.Headers(stream, frames.EndStream, ":status", "s3cret") // is too late
	})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	trusted, err := ca.WriteFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("packvendor", "versions", server.Host+"/slack")
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+trusted, "XDG_CACHE_HOME="+t.TempDir())
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	want := "packvendor: error: cannot list the tags of " + server.Host + "/slack: GET https://" + server.Host + "/v2/: the response is not valid HTTP/2\n"
	if cmd.ProcessState.ExitCode() != 3 || stdout.String() != "" || stderr.String() != want {
		t.Errorf("%v\nstdout %q\nstderr %q\nwant   %q", err, stdout.String(), stderr.String(), want)
	}
}
