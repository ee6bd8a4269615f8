package distribution

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
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
		return section, os.WriteFile(file, signer.root.PEM(), 0o666)
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
// https://distribution.github.io/distribution/spec/auth/jwt/, signed with a key whose
// certificate is in the token.
type signer struct {
	root    *packtest.Authority // the server trusts it
	cert    tls.Certificate
	service string
}

func newSigner(service string) (*signer, error) {
	root, err := packtest.NewAuthority()
	if err != nil {
		return nil, err
	}
	cert, err := root.Issue(time.Time{}, "issuer.example")
	return &signer{root, cert, service}, err
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
	signed := tokenPart(map[string]any{"typ": "JWT", "alg": "ES256", "x5c": s.cert.Certificate}) + "." + tokenPart(map[string]any{
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

// tokenPart encodes certificates, which are bytes, as base64 for x5c.
func tokenPart(part any) string {
	body, err := json.Marshal(part)
	if err != nil {
		panic("packtest: " + err.Error()) // strings and numbers always encode
	}
	return base64.RawURLEncoding.EncodeToString(body)
}
