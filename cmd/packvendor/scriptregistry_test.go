package main

import (
	"crypto/tls"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/internal/packtest"
)

// otherRegistry makes another registry the script's, with a CA that joins the
// trusted ones unless the kind is about trust.
func otherRegistry(ts *testscript.TestScript, name, kind string) {
	ca, err := packtest.NewAuthority()
	ts.Check(err)
	opts := packtest.Options{CA: ca}
	switch kind {
	case "plain":
		opts = packtest.Options{Plain: true}
	case "token":
		opts.Token = true
	case "access-token":
		opts.Token, opts.AccessTokenOnly = true, true
	case "untrusted":
	case "expired":
		opts.Certificate = issue(ts, ca, time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), "127.0.0.1")
	case "wrong-name":
		opts.Certificate = issue(ts, ca, time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), "elsewhere.example")
	default:
		ts.Fatalf("no kind of registry is named %s", kind)
	}
	reg, err := packtest.NewRegistry(opts)
	ts.Check(err)
	ts.Defer(func() { reg.Close() })
	if kind != "untrusted" {
		file, err := os.OpenFile(ts.Getenv("SSL_CERT_FILE"), os.O_APPEND|os.O_WRONLY, 0)
		ts.Check(err)
		_, err = file.Write(ca.PEM())
		ts.Check(err)
		ts.Check(file.Close())
	}
	ts.Value(registryKey{}).(*current).Registry = reg
	ts.Setenv(name, reg.Host())
}

func issue(ts *testscript.TestScript, ca *packtest.Authority, notAfter time.Time, names ...string) *tls.Certificate {
	certificate, err := ca.Issue(notAfter, names...)
	ts.Check(err)
	return &certificate
}
