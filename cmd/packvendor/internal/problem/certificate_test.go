package problem

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
)

// What helps is not the same everywhere: SSL_CERT_FILE is only spoken of where Go
// reads it.
func TestTrustAdvice(t *testing.T) {
	ca, err := packtest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, empty, missing := file("good.pem", ca.PEM()), file("empty.pem", nil), filepath.Join(dir, "missing.pem")
	_, err = os.Stat(missing)
	gone := errors.Unwrap(err) // the system's own words
	const store = "add the authority's certificate to those that this system trusts"
	for _, test := range []struct{ goos, file, want string }{
		{"linux", "", "set SSL_CERT_FILE to a PEM file that has the authority's certificate"},
		{"freebsd", "", "set SSL_CERT_FILE to a PEM file that has the authority's certificate"},
		{"linux", good, "SSL_CERT_FILE is " + good + ", which does not have the authority's certificate"},
		{"linux", missing, "SSL_CERT_FILE is " + missing + ", which cannot be used: " + gone.Error()},
		{"linux", empty, "SSL_CERT_FILE is " + empty + ", which cannot be used: it holds no certificate in PEM form"},
		{"linux", dir, "SSL_CERT_FILE is " + dir + ", which cannot be used: it is not a PEM file"},
		{"darwin", good, store},
		{"windows", "", store},
	} {
		if got := trustAdvice(test.goos, test.file); got != test.want {
			t.Errorf("%s, %s: got %q, want %q", test.goos, test.file, got, test.want)
		}
	}
}
