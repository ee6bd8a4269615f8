package main

import (
	"crypto/tls"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/internal/packtest"
)

// privateKinds are registries whose repositories "private/NAME" need packtest.User and
// packtest.Password ("somebody", "open-sesame"); the others are public. In kinds with
// basic in their name, all are private.
var privateKinds = map[string]packtest.Options{
	"basic":         {},
	"denied":        {Token: true, Private: privateOnes, Refusal: packtest.RefuseDenied},
	"expiring":      {Token: true, Private: privateOnes, TokenUses: 1},
	"hidden":        {Token: true, Private: privateOnes, Refusal: packtest.RefuseHidden},
	"identity":      {Token: true, Private: privateOnes, IdentityToken: "identity-open-sesame"},
	"limited":       {Token: true, Private: privateOnes, Refusal: packtest.RefuseLimited},
	"open-ping":     {Token: true, Private: privateOnes, OpenPing: true},
	"plain-basic":   {Plain: true},
	"plain-private": {Plain: true, Token: true, Private: privateOnes},
	"private":       {Token: true, Private: privateOnes},
	"scope":         {Token: true, Private: privateOnes, Refusal: packtest.RefuseScope},
}

var privateOnes = []string{"private/*"}

// otherRegistry starts another registry for the script; unless the kind is about trust,
// the trusted CAs include its CA.
func otherRegistry(ts *testscript.TestScript, name, kind string) {
	ca, err := packtest.NewAuthority()
	ts.Check(err)
	reg, err := packtest.NewRegistry(registryOptions(ts, kind, ca))
	ts.Check(err)
	ts.Defer(func() { reg.Close() })
	if kind != "untrusted" {
		file, err := os.OpenFile(ts.Getenv("SSL_CERT_FILE"), os.O_APPEND|os.O_WRONLY, 0)
		ts.Check(err)
		_, err = file.Write(ca.PEM())
		ts.Check(err)
		ts.Check(file.Close())
	}
	ts.Value(registryKey{}).(*current).change(reg)
	ts.Setenv(name, reg.Host())
}

// A registry without a kind serves HTTP/1.1 and TLS, and asks for nothing. http2 offers
// HTTP/2, which in TestScriptsHTTP2 all do that have TLS; plain has none. token and
// access-token ask for a token that everybody gets, in both of its spellings or in one;
// referrers has the referrers API; single allows one connection, and resets others; the certificate of untrusted, expired and wrong-name is
// not trusted, has expired, or is for another host. In those that follow, the repositories
// private/NAME are for somebody with the password open-sesame:
func registryOptions(ts *testscript.TestScript, kind string, ca *packtest.Authority) packtest.Options {
	opts, private := privateKinds[kind]
	opts.CA, opts.HTTP2 = ca, ts.Value(registryKey{}).(*current).http2 && !opts.Plain
	if private {
		opts.User, opts.Password = packtest.User, packtest.Password
		return opts
	}
	switch kind {
	case "http2":
		opts.HTTP2 = true
	case "plain":
		return packtest.Options{Plain: true}
	case "token":
		opts.Token = true
	case "access-token":
		opts.Token, opts.AccessTokenOnly = true, true
	case "referrers":
		opts.Referrers = true
	case "single":
		opts.Single = packtest.ResetOthers
	case "untrusted":
	case "expired":
		opts.Certificate = issue(ts, ca, time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), "127.0.0.1")
	case "wrong-name":
		opts.Certificate = issue(ts, ca, time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), "elsewhere.example")
	default:
		ts.Fatalf("no kind of registry is named %s", kind)
	}
	return opts
}

// carries SECRET N fails unless exactly N of the requests that "requests" would
// be about hold the secret, plain or encoded.
func cmdCarries(ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: carries SECRET N")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	var carried []string
	for _, r := range registryOf(ts).Requests() {
		if r.Carries(args[0]) {
			carried = append(carried, r.String())
		}
	}
	if len(carried) != want {
		ts.Fatalf("%d requests carry the secret, want %d:\n%s", len(carried), want, strings.Join(carried, "\n"))
	}
}

// load REQUESTS CONNECTIONS fails if so many requests, or connections, and one more were at the
// registry at once since requests was last called.
func cmdLoad(ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: load REQUESTS CONNECTIONS")
	}
	requests, err := strconv.Atoi(args[0])
	ts.Check(err)
	connections, err := strconv.Atoi(args[1])
	ts.Check(err)
	if load := registryOf(ts).Load(); load.Requests > requests || load.Connections > connections {
		ts.Fatalf("%d requests and %d connections at once, want at most %d and %d", load.Requests, load.Connections, requests, connections)
	}
}

func issue(ts *testscript.TestScript, ca *packtest.Authority, notAfter time.Time, names ...string) *tls.Certificate {
	certificate, err := ca.Issue(notAfter, names...)
	ts.Check(err)
	return &certificate
}
