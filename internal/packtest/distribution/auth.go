package distribution

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/greenticai/packvendor/internal/packtest"
)

// htpasswd knows User with Password, by a bcrypt hash of the lowest cost.
const htpasswd = packtest.User + ":$2a$04$GVrGsZtp04xHhrmfFI.axeOkfFKc5oFr.JbQanS5/1tyLdnBR8s9K\n"

// auth writes the files that the server needs to know who may do what, and
// returns the section of its configuration that names them:
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
			d.opts.Issuer.URL()+"/token", d.host, issuerName, file)
		return section, os.WriteFile(file, signer.root.PEM(), 0o666)
	}
	return "", nil
}

// login returns the credentials that pushing takes, or nil.
func (d *Server) login() *url.Userinfo {
	switch {
	case d.opts.Basic:
		return url.UserPassword(packtest.User, packtest.Password)
	case d.opts.Issuer != nil:
		return d.opts.Issuer.Login()
	}
	return nil
}
