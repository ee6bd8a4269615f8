package problem

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"slices"
)

// maxCertificates bounds the size of the file that SSL_CERT_FILE names, in bytes.
const maxCertificates = 16 << 20

// certificateAdvice says, on a line of its own, how to make this system trust an
// authority.
func certificateAdvice(file string) string { return "\n\t" + trustAdvice(runtime.GOOS, file) }

// trustAdvice says where a certificate of one's own authority belongs. Go reads
// SSL_CERT_FILE where the system has no store of its own, and passes over a file that
// it cannot use: https://pkg.go.dev/crypto/x509#SystemCertPool
func trustAdvice(goos, file string) string {
	if HasStore(goos) {
		return "add the authority's certificate to those that this system trusts"
	}
	if file == "" {
		return "set SSL_CERT_FILE to a PEM file that has the authority's certificate"
	}
	reason := "does not have the authority's certificate"
	if err := CheckCertificates(file); err != nil {
		reason = "cannot be used: " + err.Error()
	}
	return "SSL_CERT_FILE is " + file + ", which " + reason
}

// HasStore reports whether a system keeps the certificates that it trusts in a store of
// its own, so that Go reads no files.
func HasStore(goos string) bool { return slices.Contains([]string{"windows", "darwin", "ios"}, goos) }

// CheckCertificates returns the reason why no certificates can be read from file.
func CheckCertificates(file string) error {
	info, err := os.Stat(file)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxCertificates) {
		return errors.New("it is not a PEM file")
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(file)
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(data) {
		return errors.New("it holds no certificate in PEM form")
	}
	return err
}
