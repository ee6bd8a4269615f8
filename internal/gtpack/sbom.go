package gtpack

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/blake3"
)

const (
	sbomFile       = "sbom.cbor"
	legacySBOMFile = "sbom.json"
)

// An SBOM is a pack's bill of materials, held against its files. About half of
// the demo packs do not match: they were packed anew after they had been
// built.
type SBOM struct {
	File     string // sbom.cbor or sbom.json; empty if there is none
	Format   string // as it says, greentic-sbom-v1 so far
	Files    int    // that it lists
	Matching int    // of them, those that are there in the size and with the hash it says

	// Names, in order.
	Missing    []string // listed, but not there
	Mismatched []string // listed and there, but different
	Unlisted   []string // there, but not listed

	// Err says why it cannot be read; nothing was compared then.
	Err error
}

// Present tells whether there is a bill of materials.
func (s SBOM) Present() bool { return s.File != "" }

// OK tells whether there is a bill of materials and all files are as it says.
func (s SBOM) OK() bool {
	return s.Present() && s.Err == nil && s.Matching == s.Files && len(s.Unlisted) == 0
}

// unlisted are the files that no bill of materials lists: itself, and what is
// made after it. The builder's own reader makes the same exceptions.
var unlisted = []string{sbomFile, legacySBOMFile, "signatures/pack.sig", "signatures/chain.pem"}

// A listing is a bill of materials as it stands in the pack.
type listing struct {
	file   string
	err    error
	Format string   `cbor:"format"`
	Files  []listed `cbor:"files"`
}

type listed struct {
	Path string `cbor:"path"`
	Size uint64 `cbor:"size"`
	Hash string `cbor:"hash_blake3"`
}

// listing reads the bill of materials, if there is one. That it cannot be
// understood is a finding.
func (a *archive) listing() (*listing, error) {
	for _, name := range []string{sbomFile, legacySBOMFile} {
		if !a.has(name) {
			continue
		}
		data, err := a.document(name)
		if err != nil {
			return nil, err
		}
		l := &listing{}
		if err := unmarshal(name, data, l); err != nil {
			l = &listing{err: err}
		}
		l.file = name
		return l, nil
	}
	return &listing{}, nil
}

// content is what a file holds; hash is set only if somebody asks for it.
type content struct {
	size int64
	hash string
}

// contents reads all files, and hashes those that are listed.
func (a *archive) contents(l *listing) (map[string]content, error) {
	wanted := map[string]bool{}
	for _, f := range l.Files {
		wanted[f.Path] = true
	}
	all := make(map[string]content, len(a.files))
	buf := make([]byte, 128<<10)
	err := a.each(func(name string, r io.Reader) error {
		c, err := measure(r, buf, wanted[name])
		all[name] = c
		return err
	})
	return all, err
}

func measure(r io.Reader, buf []byte, hashed bool) (content, error) {
	if !hashed {
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, buf)
		return content{size: n}, err
	}
	hash := blake3.New()
	n, err := io.CopyBuffer(hash, r, buf)
	return content{size: n, hash: fmt.Sprintf("%x", hash.Sum(nil))}, err
}

func (l *listing) compare(contents map[string]content) SBOM {
	s := SBOM{File: l.file, Format: l.Format, Files: len(l.Files), Err: l.err}
	if !s.Present() || s.Err != nil {
		return s
	}
	named := map[string]bool{}
	for _, f := range l.Files {
		named[f.Path] = true
		c, there := contents[f.Path]
		switch {
		case !there:
			s.Missing = append(s.Missing, f.Path)
		case uint64(c.size) != f.Size || !strings.EqualFold(c.hash, f.Hash):
			s.Mismatched = append(s.Mismatched, f.Path)
		default:
			s.Matching++
		}
	}
	for name := range contents {
		if !named[name] && !slices.Contains(unlisted, name) {
			s.Unlisted = append(s.Unlisted, name)
		}
	}
	for _, names := range []*[]string{&s.Missing, &s.Mismatched, &s.Unlisted} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	return s
}
