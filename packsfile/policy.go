package packsfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/trust"
)

type (
	// A Policy is a table [trust] whose keys are read.
	Policy = trust.Policy
	// A PolicyMatch is the rule of a Policy that holds for a pack.
	PolicyMatch = trust.Match
	// A Signer is one that a Policy knows.
	Signer = trust.Signer
	// A Workflow is a Signer: a workflow of GitHub Actions.
	Workflow = trust.Workflow
	// An Account is a Signer: who an OpenID Connect provider says that signed.
	Account = trust.Account
	// An Identity is what a certificate says of who signed.
	Identity = trust.Identity
	// A PublicKey is the key of a Signer.
	PublicKey = publickey.Key
)

// MaxKeyFile bounds a file with a key, in bytes.
const MaxKeyFile = publickey.MaxFile

// Policy reads the keys and returns the table as rules that can be asked. readKey returns the
// bytes of a signer's KeyFile. A nil Trust is a Policy that asks for nothing. The error is
// Errors, with all problems.
func (t *Trust) Policy(readKey func(file string) ([]byte, error)) (*Policy, error) {
	if t == nil {
		return new(Policy), nil
	}
	c := &checker{filename: t.filename}
	config := t.config()
	for i, s := range t.Signers {
		if s.KeyFile == "" {
			continue
		}
		key, err := readKeyFile(s.KeyFile, readKey)
		if err != nil {
			c.reportTrust(t.places, []string{"signers", s.Name, "key"}, "%v", err).Newer = isUnsupported(err)
			continue
		}
		config.Signers[i].Key, config.Signers[i].Unread = key, false
	}
	if len(c.found) > 0 {
		c.trustErrors(t.places, trust.Check(config)) // the others may have problems as well
		return nil, c.errors()
	}
	policy, err := trust.New(config)
	if err != nil {
		c.trustErrors(t.places, err)
		return nil, c.errors()
	}
	return policy, nil
}

func (t *Trust) config() trust.Config {
	config := trust.Config{Root: t.Root}
	for _, s := range t.Signers {
		config.Signers = append(config.Signers, s.written)
	}
	for _, r := range t.Rules {
		config.Rules = append(config.Rules, trust.Rule{Key: r.Key, Signers: r.Signers})
	}
	return config
}

// ReadRoot returns the content of Root, which read returns; nil if no signer needs it. The
// content is for the program that verifies signatures without a key. The error is Errors.
func (t *Trust) ReadRoot(read func(file string) ([]byte, error)) ([]byte, error) {
	if t == nil || !slices.ContainsFunc(t.Signers, TrustSigner.isKeyless) {
		return nil, nil
	}
	data, err := readNamed(t.Root, read)
	if err == nil && len(bytes.TrimSpace(data)) == 0 {
		err = fmt.Errorf("the file %s is empty", printable.Quote(t.Root, maxQuoted))
	}
	if err != nil {
		c := &checker{filename: t.filename}
		c.reportTrust(t.places, []string{"root"}, "%v", err)
		return nil, c.errors()
	}
	return data, nil
}

func (s TrustSigner) isKeyless() bool { return s.written.Workflow != nil || s.written.Account != nil }

func readKeyFile(file string, readKey func(string) ([]byte, error)) (*publickey.Key, error) {
	data, err := readNamed(file, readKey)
	if err != nil {
		return nil, err
	}
	key, err := publickey.ParsePEM(data)
	if err != nil {
		return nil, fmt.Errorf("the file %s has no key that can be used: %w", printable.Quote(file, maxQuoted), err)
	}
	return key, nil
}

// readNamed returns what read returns, with an error that names the file.
func readNamed(file string, read func(string) ([]byte, error)) ([]byte, error) {
	data, err := read(file)
	name := printable.Quote(file, maxQuoted)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the file %s does not exist", name)
	case err != nil:
		return nil, fmt.Errorf("the file %s cannot be read: %s", name, printable.Line(err.Error(), maxMessage))
	}
	return data, nil
}

func isUnsupported(err error) bool {
	var bad *publickey.Error
	return errors.As(err, &bad) && bad.Unsupported
}
