package distribution

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
)

// htpasswd holds User and Password, as a bcrypt hash of the lowest cost.
const htpasswd = packtest.User + ":$2a$04$GVrGsZtp04xHhrmfFI.axeOkfFKc5oFr.JbQanS5/1tyLdnBR8s9K\n"

// auth writes the server's access files, and returns the section of its configuration
// that names them:
// https://distribution.github.io/distribution/about/configuration/#auth.
func (d *Server) auth() (string, error) {
	switch {
	case d.opts.Basic:
		file := filepath.Join(d.opts.Dir, "htpasswd")
		section := fmt.Sprintf("auth:\n  htpasswd:\n    realm: packtest\n    path: %q\n", file)
		return section, os.WriteFile(file, []byte(htpasswd), 0o600)
	case d.opts.Issuer != nil:
		signer, err := newSigner(d.host)
		if err != nil {
			return "", err
		}
		d.opts.Issuer.SignTokens(signer.sign)
		file := filepath.Join(d.opts.Dir, "issuers.pem")
		section := fmt.Sprintf("auth:\n  token:\n    realm: %q\n    service: %q\n    issuer: %q\n    rootcertbundle: %q\n",
			cmp.Or(d.opts.TokenURL, d.opts.Issuer.URL())+"/token", d.host, issuerName, file)
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signer.cert.Certificate[0]})
		return section, os.WriteFile(file, text, 0o666)
	}
	return "", nil
}

// login returns the credentials for a push, or nil.
func (d *Server) login() *url.Userinfo {
	switch {
	case d.opts.Basic:
		return url.UserPassword(packtest.User, packtest.Password)
	case d.opts.Issuer != nil:
		return d.opts.Issuer.Login()
	}
	return nil
}

const issuerName = "packtest issuer"

// A signer makes tokens for one server in the form of
// https://distribution.github.io/distribution/spec/auth/jwt/. They name the key, and do not
// hold its certificate: tokens of registries in use are short.
type signer struct {
	cert    tls.Certificate // the server trusts it
	keyID   string
	service string
}

func newSigner(service string) (*signer, error) {
	root, err := packtest.NewAuthority()
	if err != nil {
		return nil, err
	}
	cert, err := root.Issue(time.Time{}, "issuer.example")
	if err != nil {
		return nil, err
	}
	keyID, err := keyIDOf(cert)
	return &signer{cert, keyID, service}, err
}

// keyIDOf returns the name that the server gives to the key of a certificate: 30 bytes of its
// SHA-256 in base32, in groups of four.
// https://github.com/distribution/distribution/blob/v2.8.2/vendor/github.com/docker/libtrust/util.go
func keyIDOf(cert tls.Certificate) (string, error) {
	key, err := x509.MarshalPKIXPublicKey(cert.PrivateKey.(*ecdsa.PrivateKey).Public())
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(key)
	text := base32.StdEncoding.EncodeToString(sum[:30])
	var groups []string
	for group := range slices.Chunk([]byte(text), 4) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, ":"), nil
}

// A tokenRight is one entry of a token's list.
type tokenRight struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// sign returns a token for scopes, valid for five minutes.
func (s *signer) sign(scopes []packtest.Scope) string {
	rights := []tokenRight{}
	for _, scope := range scopes {
		rights = append(rights, tokenRight{"repository", scope.Name, scope.Actions})
	}
	now := time.Now()
	signed := tokenPart(map[string]any{"typ": "JWT", "alg": "ES256", "kid": s.keyID}) + "." + tokenPart(map[string]any{
		"iss": issuerName, "sub": "", "aud": s.service, "jti": rand.Text(), "access": rights,
		"iat": now.Unix(), "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	})
	digest := sha256.Sum256([]byte(signed))
	x, y, err := ecdsa.Sign(rand.Reader, s.cert.PrivateKey.(*ecdsa.PrivateKey), digest[:])
	if err != nil {
		panic(fmt.Sprintf("packtest: %v", err)) // only an invalid key fails
	}
	// https://www.rfc-editor.org/rfc/rfc7518#section-3.4
	signature := append(x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))...)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func tokenPart(part any) string {
	body, err := json.Marshal(part)
	if err != nil {
		panic("packtest: " + err.Error()) // strings and numbers always encode
	}
	return base64.RawURLEncoding.EncodeToString(body)
}
