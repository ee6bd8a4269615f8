package checkup

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
)

// certificates looks at the files of certificates that Go trusts, where the system has no
// store: https://pkg.go.dev/crypto/x509#SystemCertPool
func (c *checkup) certificates() {
	const subject = "certificates"
	file, dirs := c.Getenv("SSL_CERT_FILE"), c.Getenv("SSL_CERT_DIR")
	if problem.HasStore(runtime.GOOS) || file == "" && dirs == "" {
		c.trusted(subject, "those of this system")
		return
	}
	var good, bad []string
	if file != "" {
		good, bad = sorted(good, bad, "SSL_CERT_FILE is "+file, problem.CheckCertificates(file))
	}
	if dirs != "" {
		for _, dir := range strings.Split(dirs, ":") {
			good, bad = sorted(good, bad, "SSL_CERT_DIR is "+dir, checkDir(dir))
		}
	}
	if len(bad) > 0 && !trustsNone() {
		c.warn(subject, strings.Join(bad, "; "), hint.Hint{})
		return
	}
	c.trusted(subject, strings.Join(append(bad, good...), "; "))
}

// sorted adds a text to the good ones or, with the reason, to the bad ones.
func sorted(good, bad []string, text string, err error) (g, b []string) {
	if err != nil {
		return good, append(bad, text+", which cannot be used: "+err.Error())
	}
	return append(good, text), bad
}

// trusted adds the result of a look at all certificates.
func (c *checkup) trusted(subject, text string) {
	if trustsNone() {
		c.checks = append(c.checks, Check{Level: Error, Subject: subject, Text: "none is trusted, so no registry is: " + text, Kind: problem.Network})
		return
	}
	c.ok(subject, text)
}

// trustsNone reports whether Go finds no certificate to trust.
func trustsNone() bool {
	pool, err := x509.SystemCertPool()
	return err != nil || pool.Equal(x509.NewCertPool())
}

// checkDir returns the reason why no certificates can be read from a directory.
func checkDir(dir string) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return errors.Unwrap(err)
	}
	for _, name := range names {
		if problem.CheckCertificates(filepath.Join(dir, name.Name())) == nil {
			return nil
		}
	}
	return errors.New("it holds no certificate in PEM form")
}
