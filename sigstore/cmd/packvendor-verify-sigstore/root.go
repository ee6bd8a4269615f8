package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// maxRoots bounds the documents of a root.
const maxRoots = 16

// readRoots reads the documents of a root, one behind the other: what `gh attestation
// trusted-root` prints, or cosign's trusted_root.json. All of them have to be readable: a
// document that is passed over in silence would look like one that nothing satisfies.
func readRoots(data []byte) ([]*root.TrustedRoot, error) {
	var roots []*root.TrustedRoot
	decoder := json.NewDecoder(bytes.NewReader(data))
	for {
		var document json.RawMessage
		err := decoder.Decode(&document)
		switch {
		case errors.Is(err, io.EOF) && len(roots) == 0:
			return nil, errors.New("root: empty")
		case errors.Is(err, io.EOF):
			return roots, nil
		case err != nil:
			return nil, fmt.Errorf("root: %w", err)
		case len(roots) == maxRoots:
			return nil, fmt.Errorf("root: more than %d documents", maxRoots)
		}
		r, err := root.NewTrustedRootFromJSON(document)
		if err != nil {
			return nil, fmt.Errorf("root: document %d: %w", len(roots)+1, err)
		}
		roots = append(roots, r)
	}
}
