package vendorer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/nearest"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/packsfile"
)

// A RetiredSigner is what RetireSigner did.
type RetiredSigner struct {
	Name    string
	Layers  []RetiredLayer // for which the signer is good from now on, by digest
	Written []string       // files, as the user would name them; none if it was so already
}

// A RetiredLayer is a layer that a retired signer has signed.
type RetiredLayer struct {
	Digest ociref.Digest
	Packs  []string // names
}

// RetireSigner makes a signer good for nothing but the layers that are locked as signed by it.
// It uses no network.
func RetireSigner(ctx context.Context, o Options, name string) (*RetiredSigner, error) {
	s, err := openToWrite(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer s.close()
	policy, err := s.table.Keys()
	if err != nil {
		return nil, err
	}
	signer, err := s.signerNamed(policy, name)
	if err != nil {
		return nil, err
	}
	retired := &RetiredSigner{Name: name, Layers: s.layersOf(signer.ID())}
	edited, _, err := s.tryEdit(retired.edit(signer), true)
	if err != nil {
		return nil, err
	}
	change := s.p.NewChange()
	defer change.Discard()
	if err := change.StageTOML(edited); err != nil {
		return nil, err
	}
	if err := change.Commit(ctx); err != nil {
		return nil, err
	}
	retired.Written = change.Written
	return retired, nil
}

// edit returns the editor of packs.toml. A list that is right already stays as it is written.
func (r *RetiredSigner) edit(signer *trust.Signer) editor {
	var layers []ociref.Digest
	for _, layer := range r.Layers {
		layers = append(layers, layer.Digest)
	}
	return func(data []byte) ([]byte, error) {
		if len(layers) > 0 && slices.Equal(onlyOf(signer), layers) {
			return data, nil
		}
		return packsfile.RetireSigner(data, r.Name, layers)
	}
}

// signerNamed returns the signer with a name.
func (s *session) signerNamed(policy *packsfile.Policy, name string) (*trust.Signer, error) {
	var known []string
	for _, signer := range policy.Signers() {
		if signer.Name == name {
			return signer, nil
		}
		known = append(known, signer.Name)
	}
	return nil, &UnknownSignerError{File: s.p.Show(s.p.TOMLFile), Name: name, Near: nearest.Of(name, known)}
}

// An UnknownSignerError reports a name that [trust.signers] does not have.
type UnknownSignerError struct {
	File, Name, Near string // Near is a similar name, "" if none
}

func (e *UnknownSignerError) Error() string {
	text := fmt.Sprintf("%s has no signer %+q", e.File, e.Name)
	if e.Near != "" {
		text += fmt.Sprintf(", did you mean %q?", e.Near)
	}
	return text
}

// layersOf returns the layers that are locked with a signer.
func (s *session) layersOf(id string) []RetiredLayer {
	var layers []RetiredLayer
	for _, entry := range s.p.Lock.Entries {
		if entry.Signer != id {
			continue
		}
		n := slices.IndexFunc(layers, func(l RetiredLayer) bool { return l.Digest == entry.LayerDigest })
		if n < 0 {
			n = len(layers)
			layers = append(layers, RetiredLayer{Digest: entry.LayerDigest})
		}
		layers[n].Packs = append(layers[n].Packs, entry.Name)
	}
	slices.SortFunc(layers, func(a, b RetiredLayer) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
	return layers
}
