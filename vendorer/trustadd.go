package vendorer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/policies"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// stdinName is the file name that stands for standard input.
const stdinName = "-"

// AddSignerOptions name a signer, and choose its key.
type AddSignerOptions struct {
	Name        string
	File        string    // with the key, as the publisher gives it out; "-" is Stdin
	Stdin       io.Reader // nil is empty
	KeyID       string    // of the key in a file with several; "" if it has one
	Fingerprint string    // that the key must have, in hexadecimal digits; "" for any
}

// An AddedSigner is what AddSigner did.
type AddedSigner struct {
	SignerKey
	Name     string
	KeyFile  string   // as packs.toml names it
	Written  []string // files, as the user would name them; none if all was there
	Compared bool     // the key has the fingerprint that was asked for
	IsRuled  bool     // a rule names the signer
	// Rules are lines for the end of packs.toml which demand the signer's signatures; none if
	// packs.toml has rules. IsExample tells that they name no pack: there is none from a registry.
	Rules     []string
	IsExample bool
}

// A SignerKey describes a public key.
type SignerKey struct {
	Fingerprint string // the SHA-256 of its SubjectPublicKeyInfo, in hexadecimal digits
	Algorithm   string
	KeyID       string // what its file or Greentic's programs call it; "" if neither does
}

func newSignerKey(key *publickey.Key, id string) SignerKey {
	return SignerKey{Fingerprint: key.Fingerprint(), Algorithm: key.Algorithm(), KeyID: cmp.Or(id, key.GreenticID())}
}

// AddSigner writes the key of a signer beside packs.toml, and the signer's line into it. It
// writes no rule, and uses no network.
func AddSigner(ctx context.Context, o Options, so AddSignerOptions) (*AddedSigner, error) {
	chosen, err := so.key(ctx)
	if err != nil {
		return nil, err
	}
	s, err := openToWrite(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer s.close()
	key := chosen.Key
	added := &AddedSigner{Name: so.Name, SignerKey: newSignerKey(key, chosen.ID), KeyFile: project.KeyName(so.Name), Compared: so.Fingerprint != ""}
	edited, _, err := s.tryEdit(func(data []byte) ([]byte, error) {
		return packsfile.AddSigner(data, so.Name, added.KeyFile)
	}, true)
	if err != nil {
		return nil, err
	}
	isThere, err := s.hasKeyFile(so.Name, key)
	if err != nil {
		return nil, err
	}
	if err := s.suggest(added, key); err != nil {
		return nil, err
	}
	change := s.p.NewChange()
	defer change.Discard()
	if !isThere {
		if err := change.StageKey(so.Name, key.PEM()); err != nil {
			return nil, err
		}
	}
	if err := change.StageTOML(edited); err != nil {
		return nil, err
	}
	if err := change.Commit(ctx); err != nil {
		return nil, err
	}
	added.Written = change.Written
	return added, nil
}

// key reads the file, and chooses one of its keys.
func (so AddSignerOptions) key(ctx context.Context) (publickey.Published, error) {
	want, err := so.wanted()
	if err != nil {
		return publickey.Published{}, err
	}
	data, err := so.read(ctx)
	if err != nil {
		return publickey.Published{}, err
	}
	keys, err := publickey.ParsePublished(data)
	if err != nil {
		return publickey.Published{}, &KeyFileError{File: so.shown(), Err: err}
	}
	n := 0
	if so.KeyID != "" {
		n = slices.IndexFunc(keys, func(p publickey.Published) bool { return isKeyID(p, so.KeyID) })
	}
	if n < 0 || so.KeyID == "" && len(keys) > 1 {
		e := &KeyChoiceError{File: so.shown(), KeyID: so.KeyID}
		for _, p := range keys {
			e.Keys = append(e.Keys, newSignerKey(p.Key, p.ID))
		}
		return publickey.Published{}, e
	}
	if got := keys[n].Key.Fingerprint(); want != "" && got != want {
		return publickey.Published{}, &FingerprintError{File: so.shown(), Got: got, Want: want}
	}
	return keys[n], nil
}

// isKeyID tells whether a user may call a key by that id: a publisher writes the id in a DID
// document in full or from its #.
func isKeyID(p publickey.Published, id string) bool {
	_, fragment, _ := strings.Cut(p.ID, "#")
	return strings.EqualFold(p.ID, id) || fragment != "" && strings.TrimPrefix(id, "#") == fragment || strings.EqualFold(p.Key.Fingerprint(), id)
}

// wanted returns the fingerprint that the key must have.
func (so AddSignerOptions) wanted() (string, error) {
	text := strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(so.Fingerprint), "key:"), "sha256:")
	text = strings.ReplaceAll(text, ":", "")
	if so.Fingerprint != "" && (len(text) != 64 || strings.Trim(text, "0123456789abcdef") != "") {
		return "", &UsageError{Subject: fmt.Sprintf("%+q", so.Fingerprint), Reason: "is no fingerprint: it has 64 hexadecimal digits"}
	}
	return text, nil
}

func (so AddSignerOptions) shown() string {
	if so.File == stdinName {
		return "standard input"
	}
	return printable.Text(so.File)
}

// read returns the bytes of the file, which may be a pipe.
func (so AddSignerOptions) read(ctx context.Context) ([]byte, error) {
	source := so.Stdin
	if so.File != stdinName {
		file, err := openPatiently(ctx, so.File)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &UsageError{Subject: fmt.Sprintf("%+q", so.File), Reason: "does not exist"}
		}
		if err != nil {
			return nil, err
		}
		defer file.Close()
		if info, err := file.Stat(); err == nil && info.IsDir() {
			return nil, &UsageError{Subject: fmt.Sprintf("%+q", so.File), Reason: "is a directory, not a key"}
		}
		source = file
	}
	if source == nil {
		source = strings.NewReader("")
	}
	return readAll(ctx, source)
}

// readAll reads a little more than a key's file may have, but ctx ends the wait for it.
func readAll(ctx context.Context, source io.Reader) ([]byte, error) {
	type read struct {
		data []byte
		err  error
	}
	done := make(chan read, 1)
	go func() {
		data, err := io.ReadAll(verified.Reader(ctx, io.LimitReader(source, publickey.MaxTrustRoot+1)))
		done <- read{data, err}
	}()
	select {
	case r := <-done:
		return r.data, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// hasKeyFile tells whether the key is in its file already. Another file there is not
// replaced.
func (s *session) hasKeyFile(name string, key *publickey.Key) (bool, error) {
	if err := s.p.CheckDirs(path.Dir(s.p.KeyFile(name))); err != nil {
		return false, err
	}
	data, err := policies.ReadKey(s.p, project.KeyName(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if there, err := publickey.ParsePEM(data); err == nil && there.Identity() == key.Identity() {
		return true, nil
	}
	return false, &KeyTakenError{Path: s.p.Show(s.p.KeyFile(name))}
}

// suggest looks at the signers and rules that are there. The key may be of none of the other
// signers. A key file that the signer lacks so far is the new one.
func (s *session) suggest(added *AddedSigner, key *publickey.Key) error {
	table := s.p.Config.Trust
	policy, err := table.Policy(func(file string) ([]byte, error) {
		if file == added.KeyFile {
			return key.PEM(), nil
		}
		return policies.ReadKey(s.p, file)
	})
	if err != nil {
		return err
	}
	for _, signer := range policy.Signers() {
		if signer.Name != added.Name && signer.ID() == key.Identity() {
			return &SameSignerError{Name: added.Name, Other: signer.Name}
		}
	}
	if policy.HasRules() {
		for _, rule := range table.Rules {
			added.IsRuled = added.IsRuled || slices.Contains(rule.Signers, added.Name)
		}
		return nil
	}
	var prefixes []string
	for _, pack := range s.p.Config.Packs {
		if pack.Ref != "" { // nobody signs a file
			prefixes = append(prefixes, ruleFor(pack.Reference, added.Name))
		}
	}
	if added.IsExample = len(prefixes) == 0; added.IsExample {
		prefixes = []string{ruleFor(ociref.Reference{Registry: "HOST", Repository: "FOLDER/PACK"}, added.Name)}
	}
	slices.Sort(prefixes)
	added.Rules = append([]string{"[trust.rules]"}, slices.Compact(prefixes)...)
	return nil
}

// ruleFor is a line of [trust.rules] for the repositories beside that of a pack.
func ruleFor(ref ociref.Reference, signer string) string {
	key := ref.Name()
	if folder := path.Dir(ref.Repository); folder != "." {
		key = ref.Registry + "/" + folder + "/**"
	}
	return fmt.Sprintf("%q = [%q]", key, signer)
}

// A KeyFileError reports a file without a key that packvendor uses.
type KeyFileError struct {
	File string
	Err  error
}

func (e *KeyFileError) Error() string {
	return e.File + " has no key that can be used: " + e.Err.Error()
}
func (e *KeyFileError) Unwrap() error { return e.Err }

// A KeyChoiceError reports a file with several keys, or without the one that was chosen.
type KeyChoiceError struct {
	File  string
	KeyID string // "" if none was chosen
	Keys  []SignerKey
}

func (e *KeyChoiceError) Error() string {
	text := fmt.Sprintf("%s has %d keys: choose one with --key-id", e.File, len(e.Keys))
	if e.KeyID != "" {
		text = fmt.Sprintf("%s has no key %s", e.File, printable.Quote(e.KeyID, 80))
	}
	for _, key := range e.Keys {
		text += fmt.Sprintf("\n\t%s, %s, fingerprint %s", cmp.Or(printable.Phrase(key.KeyID, 120), "-"), key.Algorithm, key.Fingerprint)
	}
	return text
}

// A FingerprintError reports a key with another fingerprint than it must have.
type FingerprintError struct{ File, Got, Want string }

func (e *FingerprintError) Error() string {
	return fmt.Sprintf("the key in %s is another one\n\tfingerprint: %s\n\tdemanded:    %s", e.File, e.Got, e.Want)
}

// A KeyTakenError reports a file that has the name of a key's file, and does not hold that key.
type KeyTakenError struct{ Path string }

func (e *KeyTakenError) Error() string { return e.Path + " is there already, and holds something else" }

// A SameSignerError reports a key that packs.toml has by another name.
type SameSignerError struct{ Name, Other string }

func (e *SameSignerError) Error() string {
	return fmt.Sprintf("the key is that of the signer %s already", e.Other)
}
