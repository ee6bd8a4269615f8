package packtest

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

func TestAuthority(t *testing.T) {
	ca, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	r := StartRegistry(t, Options{CA: ca})
	other := StartRegistry(t, Options{})
	file, err := r.CAFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(file); err != nil || !bytes.Equal(b, ca.PEM()) {
		t.Errorf("CA file = %q, %v", b, err)
	}
	for _, name := range []string{"127.0.0.1", "localhost", "::1"} {
		dial(t, r, ca, name, "")
	}
	dial(t, r, ca, "example.com", "tls: failed to verify certificate: x509: certificate is valid for localhost, not example.com")
	dial(t, r, other.ca, "127.0.0.1", "tls: failed to verify certificate: x509: certificate signed by unknown authority")
	expired, err := ca.Issue(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	old := StartRegistry(t, Options{CA: ca, Certificate: &expired})
	if _, err := reply.Try(t, old, "GET", "/v2/"); err == nil || !strings.Contains(err.Error(), "certificate has expired or is not yet valid") {
		t.Errorf("expired certificate: %v", err)
	}
}

func dial(t *testing.T, r *Registry, ca *Authority, name, want string) {
	t.Helper()
	conn, err := tls.Dial("tcp", r.Host(), &tls.Config{RootCAs: ca.Pool(), ServerName: name})
	if err == nil {
		conn.Close()
	}
	if got := fmt.Sprint(err); got != want && !(err == nil && want == "") && !strings.HasPrefix(got, want+" (") {
		t.Errorf("dial as %s: %v, want %q", name, err, want)
	}
}

// A file that is there already is not written again, unless it is another one.
func TestAuthorityFile(t *testing.T) {
	ca, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path, err := ca.WriteFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Unix(1_000_000_000, 0)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	if _, err := ca.WriteFile(dir); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || !info.ModTime().Equal(old) {
		t.Errorf("it was written again: %v, %v", info.ModTime(), err)
	}
	if err := os.WriteFile(path, []byte("other"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ca.WriteFile(dir); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, ca.PEM()) {
		t.Errorf("CA file = %q, %v", b, err)
	}
}
