package distribution

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
)

const issuerName = "packtest issuer"

// A signer makes tokens of the form of
// https://distribution.github.io/distribution/spec/auth/jwt/ for one server,
// signed with a key for which a certificate in the token vouches.
type signer struct {
	root    *packtest.Authority // whom the server trusts
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

// sign returns a token that is good for scopes, for five minutes.
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
		panic(fmt.Sprintf("packtest: %v", err)) // of no good key
	}
	// https://www.rfc-editor.org/rfc/rfc7518#section-3.4
	signature := append(x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))...)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// tokenPart turns certificates, which are bytes, into base64 as x5c wants them.
func tokenPart(part any) string {
	body, err := json.Marshal(part)
	if err != nil {
		panic("packtest: " + err.Error()) // of nothing but strings and numbers
	}
	return base64.RawURLEncoding.EncodeToString(body)
}
