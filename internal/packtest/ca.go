package packtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// An Authority is a certificate authority for tests, new in each process. One
// SSL_CERT_FILE is enough for all servers with the same one. Several goroutines may use
// it at once.
type Authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

// NewAuthority makes a certificate authority.
func NewAuthority() (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("test CA: %w", err)
	}
	template := template("packtest CA", farFuture())
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("test CA: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("test CA: %w", err)
	}
	return &Authority{key: key, cert: cert}, nil
}

// template is valid since 1970, so that tests may turn the clock back. A client in Rust refuses
// earlier times: rustls.
func template(name string, notAfter time.Time) *x509.Certificate {
	serial := make([]byte, 16)
	rand.Read(serial)
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Date(1970, time.January, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     notAfter,
	}
}

func farFuture() time.Time { return time.Date(2200, time.January, 1, 0, 0, 0, 0, time.UTC) }

// Issue returns a server certificate for names, which are host names or IP addresses.
// None means localhost, 127.0.0.1 and ::1; the zero notAfter means no expiry.
func (a *Authority) Issue(notAfter time.Time, names ...string) (tls.Certificate, error) {
	if len(names) == 0 {
		names = []string{"localhost", "127.0.0.1", "::1"}
	}
	if notAfter.IsZero() {
		notAfter = farFuture()
	}
	leaf := template(names[0], notAfter)
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, name)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("test certificate: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("test certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// Pool returns a pool of the authority alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// PEM returns the authority's certificate, in the form of SSL_CERT_FILE.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// WriteFile writes the authority's certificate into dir and returns the
// file's path. It leaves a file alone that has it: somebody may be reading it.
func (a *Authority) WriteFile(dir string) (string, error) {
	path := filepath.Join(dir, "ca.pem")
	if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, a.PEM()) {
		return path, nil
	}
	return path, os.WriteFile(path, a.PEM(), 0o666)
}

// Transport returns a new transport that trusts the authority and uses no proxy. A nil
// a gives one for plain HTTP.
func (a *Authority) Transport(http2 bool) *http.Transport {
	t := &http.Transport{Protocols: protocols(http2)}
	if a != nil {
		t.TLSClientConfig = &tls.Config{RootCAs: a.Pool()}
	}
	return t
}
