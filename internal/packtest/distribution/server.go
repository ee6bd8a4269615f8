// Package distribution runs the real registry server of the CNCF as a child process.
package distribution

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
)

// Program is the name of the registry server.
const Program = "docker-registry"

// Bounds on the child process.
const (
	startTimeout = 20 * time.Second
	stopTimeout  = 5 * time.Second
	pollInterval = 10 * time.Millisecond
	startTries   = 5
)

// Options set up a [Server].
type Options struct {
	Dir   string              // an existing folder for configuration, log and content alone
	CA    *packtest.Authority // signs its certificate; nil means a new CA
	Plain bool                // HTTP without TLS

	// Origin makes the server a pull-through cache of another registry, or of what stands
	// before one; nil means none. A nil CA becomes the other's.
	Origin Origin

	// Basic makes everything private for [User] and [Password], by an htpasswd file.
	Basic bool
	// Issuer gives the tokens that the server demands; nil means none. It is a registry
	// with Options.Token, and its rules (User, Private, Refusal) hold here. From then
	// on it gives tokens for this server alone. A nil CA becomes the issuer's.
	Issuer *packtest.Registry
	// TokenURL is the root of where clients get the tokens, without a trailing slash; ""
	// means the issuer. What is there must lead to the issuer.
	TokenURL string

	// Redirect is the root of a server of the files in the folder that [Server.Content]
	// names, without a trailing slash: requests for blobs are redirected to it, as they are
	// to the CDN of a large registry. "" means that the server sends blobs itself.
	Redirect string
}

// An Origin is a registry that others may be a cache of: a [Server], or a
// [packtest.Registry].
type Origin interface {
	URL() string             // its root without a trailing slash
	CA() *packtest.Authority // signs its certificate; nil for plain HTTP
}

// A Server is the registry server, as a child process on a free port of 127.0.0.1.
type Server struct {
	opts   Options
	binary string
	config string
	host   string
	cmd    *exec.Cmd
	exited chan struct{} // closed once the process has ended
}

// Start starts the server and waits until it answers. The caller must Stop it.
func Start(opts Options) (*Server, error) {
	binary, err := packtest.LookPath(Program)
	if err != nil {
		return nil, err
	}
	if err := opts.setCA(); err != nil {
		return nil, err
	}
	d := &Server{opts: opts, binary: binary, config: filepath.Join(opts.Dir, "config.yml")}
	for range startTries { // another process may take the free port first
		d.host = ""
		if err = d.start(); err == nil {
			return d, nil
		}
	}
	return nil, fmt.Errorf("%s does not start: %w", binary, err)
}

func (o *Options) setCA() (err error) {
	switch {
	case o.Plain:
		o.CA = nil
	case o.CA == nil && o.Origin != nil && o.Origin.CA() != nil:
		o.CA = o.Origin.CA()
	case o.CA == nil && o.Issuer != nil && o.Issuer.CA() != nil:
		o.CA = o.Issuer.CA()
	case o.CA == nil:
		o.CA, err = packtest.NewAuthority()
	}
	return err
}

func (d *Server) start() error {
	if err := d.configure(); err != nil {
		return err
	}
	log, err := os.Create(d.LogFile())
	if err != nil {
		return err
	}
	defer log.Close()
	d.cmd = exec.Command(d.binary, "serve", d.config)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if d.opts.Origin != nil && d.opts.Origin.CA() != nil {
		ca, err := d.opts.Origin.CA().WriteFile(d.opts.Dir)
		if err != nil {
			return err
		}
		d.cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+ca)
	}
	if err := d.cmd.Start(); err != nil {
		return err
	}
	d.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan<- struct{}) {
		cmd.Wait()
		close(exited)
	}(d.cmd, d.exited)
	if err := d.wait(); err != nil {
		return errors.Join(err, d.Stop())
	}
	return nil
}

// configure picks a port, unless there is one, and writes the configuration file. It quotes
// strings like Go, which YAML can read.
func (d *Server) configure() error {
	if d.host == "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		d.host = l.Addr().String()
		l.Close()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: %q\n", d.Content())
	fmt.Fprintf(&b, "  delete:\n    enabled: true\n%shttp:\n  addr: %s\n  secret: packtest\n", d.redirect(), d.host)
	if !d.opts.Plain {
		cert, err := d.opts.CA.Issue(time.Time{})
		if err != nil {
			return err
		}
		certFile, keyFile, err := writePair(d.opts.Dir, cert)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "  tls:\n    certificate: %q\n    key: %q\n", certFile, keyFile)
	}
	auth, err := d.auth()
	if err != nil {
		return err
	}
	return os.WriteFile(d.config, []byte(b.String()+auth+d.proxy()), 0o666)
}

// proxy returns the section of the configuration that makes the server a cache:
// https://distribution.github.io/distribution/recipes/mirror/.
func (d *Server) proxy() string {
	if d.opts.Origin == nil {
		return ""
	}
	return fmt.Sprintf("proxy:\n  remoteurl: %q\n", d.opts.Origin.URL())
}

// redirect returns the section of the configuration that redirects requests for blobs:
// https://distribution.github.io/distribution/about/configuration/#redirect.
func (d *Server) redirect() string {
	if d.opts.Redirect == "" {
		return ""
	}
	return fmt.Sprintf("middleware:\n  storage:\n    - name: redirect\n      options:\n        baseurl: %q\n", d.opts.Redirect)
}

// wait waits until the server answers its version check, or demands credentials.
func (d *Server) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	client := d.Client()
	defer client.CloseIdleConnections()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		if answers(ctx, client, d.URL()+"/v2/") {
			return nil
		}
		select {
		case <-d.exited:
			return fmt.Errorf("it ended: %s", d.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("no answer from %s: %w", d.host, ctx.Err())
		case <-tick.C:
		}
	}
}

func answers(ctx context.Context, client *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusUnauthorized
}

// lastWords returns the last line of the log.
func (d *Server) lastWords() string {
	b, err := os.ReadFile(d.LogFile())
	if err != nil {
		return err.Error()
	}
	b = bytes.TrimSpace(b)
	return string(b[bytes.LastIndexByte(b, '\n')+1:])
}

// Stop ends the process, by force if necessary. It may be called twice.
func (d *Server) Stop() error {
	if d.cmd.Process.Signal(syscall.SIGTERM) != nil {
		d.cmd.Process.Kill() // no such signal on this system, or no such process
	}
	select {
	case <-d.exited:
		return nil
	case <-time.After(stopTimeout):
	}
	err := d.cmd.Process.Kill()
	<-d.exited
	return err
}

// Kill ends the process at once.
func (d *Server) Kill() {
	d.cmd.Process.Kill()
	<-d.exited
}

// Restart starts the server again, on its port and with its content.
func (d *Server) Restart() error { return d.start() }

// Host returns the server's host and port.
func (d *Server) Host() string { return d.host }

// URL returns the server's root without a trailing slash.
func (d *Server) URL() string {
	if d.opts.Plain {
		return "http://" + d.host
	}
	return "https://" + d.host
}

// Content returns the folder of all that was pushed.
func (d *Server) Content() string { return filepath.Join(d.opts.Dir, "content") }

// LogFile returns the path of the server's log.
func (d *Server) LogFile() string { return filepath.Join(d.opts.Dir, "registry.log") }

// CA returns the authority that signs the server's certificate, nil for plain HTTP.
func (d *Server) CA() *packtest.Authority { return d.opts.CA }

// CAFile writes the CA's certificate into dir and returns the path of the
// file, for SSL_CERT_FILE.
func (d *Server) CAFile(dir string) (string, error) {
	if d.opts.CA == nil {
		return "", errors.New("registry server: plain HTTP has no CA")
	}
	return d.opts.CA.WriteFile(dir)
}

// Client returns a new client that trusts the server.
func (d *Server) Client() *http.Client {
	return &http.Client{Transport: d.opts.CA.Transport(false)}
}

// writePair writes cert and its key into dir, for servers that read files.
func writePair(dir string, cert tls.Certificate) (certFile, keyFile string, err error) {
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return "", "", err
	}
	certFile, keyFile = filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	if err := os.WriteFile(certFile, certPEM, 0o666); err != nil {
		return "", "", err
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	return certFile, keyFile, os.WriteFile(keyFile, keyPEM, 0o600)
}
