package packsfile

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
)

// signersPath leads to the table of signers.
var signersPath = []string{"trust", "signers"}

// AddSigner returns the text of a packs.toml with another signer: key is a TrustSigner's
// KeyFile, or a key in base64. It leaves data alone. It writes no rule.
//
// It adds one line to [trust.signers], in the form that the others have, and the table if
// there is none. A signer that is there with this key stays as it is; one with another key is
// an error, fs.ErrExist. AddSigner keeps the promises of SetRefs.
func AddSigner(data []byte, name, key string) ([]byte, error) {
	t := &text{data: data, path: signersPath}
	if err := t.addSigner(name, key); err != nil {
		return nil, fmt.Errorf("cannot add the signer %s: %w", keyName(name), err)
	}
	return t.data, nil
}

func (t *text) addSigner(name, key string) error {
	if err := names.CheckPack(name); err != nil {
		return fmt.Errorf("the name %w", err)
	}
	if err := checkKey(key); err != nil {
		return fmt.Errorf("%s %w", printable.Quote(key, maxQuoted), err)
	}
	signers, err := t.table()
	if err != nil {
		return err
	}
	if n := signers.child(name); n != nil {
		if old := n.child("key"); old != nil && isSameKey(old.decoded, key) {
			return nil
		}
		return takenSigner{}
	}
	_, err = t.change([]string{name}, func(d *document, signers *node, name string) ([]assignment, []edit, error) {
		keys := []assignment{{"key", key}}
		return keys, d.addEntry(signersPath, name, tableKeys(keys)), nil
	})
	return err
}

// checkKey reports why AddSigner cannot write a key. The error reads on from the key.
func checkKey(key string) error {
	switch {
	case !isKeyFile(key):
		_, err := parseInline(key)
		return err
	case strings.ContainsAny(key, `"'`):
		return errors.New("has a quotation mark")
	}
	return checkKeyPath(key)
}

func isSameKey(old any, key string) bool {
	text, ok := old.(string)
	return ok && (text == key || isKeyFile(key) && isKeyFile(text) && path.Clean(text) == path.Clean(key))
}

// RetireSigner returns the text of a packs.toml in which a signer is good for these layers
// alone: it sets the signer's key only, and keeps all else. It leaves data alone.
//
// If there is no such signer the error is fs.ErrNotExist. A signer that is good for nothing
// can be deleted: without layers it is an error. RetireSigner keeps the promises of SetRefs,
// but comments within an old list go with that.
func RetireSigner(data []byte, name string, layers []Digest) ([]byte, error) {
	t := &text{data: data, path: signersPath}
	if err := t.retireSigner(name, layers); err != nil {
		return nil, fmt.Errorf("cannot retire the signer %s: %w", keyName(name), err)
	}
	return t.data, nil
}

func (t *text) retireSigner(name string, layers []Digest) error {
	if len(layers) == 0 {
		return errors.New("it has signed nothing that is locked: delete its entry instead")
	}
	var only []any
	for _, layer := range slices.Compact(slices.Sorted(slices.Values(layers))) {
		if _, err := ociref.ParseDigest(layer.String()); err != nil {
			return err
		}
		only = append(only, layer.String())
	}
	_, err := t.change([]string{name}, func(d *document, signers *node, name string) ([]assignment, []edit, error) {
		n := signers.child(name)
		switch {
		case n == nil:
			return nil, nil, noSigner{}
		case !n.isTable():
			return nil, nil, errors.New("it is not a table")
		}
		keys := []assignment{{"only", only}}
		edits, err := d.setKeysIn(n, keys)
		return keys, edits, err
	})
	return err
}

// takenSigner is fs.ErrExist in words for a signer.
type takenSigner struct{}

func (takenSigner) Error() string        { return "there is such a signer already, with another key" }
func (takenSigner) Is(target error) bool { return target == fs.ErrExist }

// noSigner is fs.ErrNotExist in words for a signer.
type noSigner struct{}

func (noSigner) Error() string        { return "there is no such signer" }
func (noSigner) Is(target error) bool { return target == fs.ErrNotExist }
