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

// An SBOM is a pack's bill of materials, compared with its files. About half of the
// demo packs do not match: they were repacked after the build.
type SBOM struct {
	File     string // sbom.cbor or sbom.json; empty if there is none
	Format   string // its own word; so far greentic-sbom-v1
	Files    int    // listed
	Matching int    // listed, with the stated size and hash

	// Names, in order.
	Missing    []string // listed, but missing
	Mismatched []string // listed, but different
	Unlisted   []string // in the pack, but not listed

	// Err is the reason why it cannot be read; nothing was compared then.
	Err error
}

// Present reports whether there is a bill of materials.
func (s SBOM) Present() bool { return s.File != "" }

// OK reports whether there is a bill of materials and all files match it.
func (s SBOM) OK() bool {
	return s.Present() && s.Err == nil && s.Matching == s.Files && len(s.Unlisted) == 0
}

// unlisted are the files that no bill of materials lists: itself, and files made after
// it. The builder's own reader makes the same exceptions.
var unlisted = []string{sbomFile, legacySBOMFile, "signatures/pack.sig", "signatures/chain.pem"}

// A listing is a bill of materials as the pack has it.
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

// listing reads the bill of materials, if there is one. A bill that cannot be
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

// content describes a file's bytes; hash is set only if a bill lists the file.
type content struct {
	size int64
	hash string
}

// contents reads all files, and hashes the listed ones.
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
