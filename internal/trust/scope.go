package trust

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
)

// A scope is what the key of a rule covers.
type scope struct {
	kind   kind
	name   string // of a repository, or a prefix of names
	digest ociref.Digest
}

// A kind of scope. A later one is more specific.
type kind int

const (
	all    kind = iota // **
	prefix             // PREFIX/**
	exact              // HOST/REPOSITORY
	pinned             // HOST/REPOSITORY@DIGEST
	files              // path:**
	file               // path:NAME
)

const (
	anything = "**"
	below    = "/**"
	filePath = "path:"
)

// rank orders scopes by how specific they are.
func (s scope) rank() int {
	parts := strings.Count(s.name, "/") // at most 127 in 255 characters
	return int(s.kind)<<8 | parts
}

// covers tells whether the scope covers a pack of a repository that has these digests.
func (s scope) covers(name string, digests []ociref.Digest) bool {
	switch s.kind {
	case all:
		return true
	case prefix:
		return strings.HasPrefix(name, s.name+"/")
	case exact:
		return name == s.name
	case files, file:
		return false
	}
	return name == s.name && slices.Contains(digests, s.digest)
}

// coversFile tells whether the scope covers the pack of that name, which is a file.
func (s scope) coversFile(name string) bool {
	return s.kind == all || s.kind == files || s.kind == file && s.name == name
}

// parseScope reads the key of a rule. Its error is about the key.
func parseScope(key string) (scope, error) {
	if key == anything {
		return scope{kind: all}, nil
	}
	if name, ok := strings.CutPrefix(key, filePath); ok && !strings.Contains(name, "/") {
		return parseFile(name) // a registry at the host "path" has a repository behind its port
	}
	if start, ok := strings.CutSuffix(key, below); ok {
		return parsePrefix(start)
	}
	if strings.Contains(key, "*") {
		return scope{}, errors.New("a * stands only in ** and in /** at the end")
	}
	ref, err := ociref.Parse(key)
	var syntax *ociref.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return scope{}, errors.New(syntax.Reason)
	case ref.Tag != "":
		return scope{}, fmt.Errorf("a rule is for a repository or a digest, not for the tag %q", ref.Tag)
	case ref.Digest != "":
		return scope{kind: pinned, name: ref.CanonicalName(), digest: ref.Digest}, nil
	}
	return scope{kind: exact, name: ref.CanonicalName()}, nil
}

// parseFile reads what stands behind "path:".
func parseFile(name string) (scope, error) {
	if name == anything {
		return scope{kind: files}, nil
	}
	if err := names.CheckPack(name); err != nil {
		return scope{}, fmt.Errorf("behind %s stands ** or the name of a pack, and %s %w", filePath, printable.Quote(name, maxQuoted), err)
	}
	return scope{kind: file, name: name}, nil
}

// parsePrefix reads what stands before "/**".
func parsePrefix(start string) (scope, error) {
	if strings.Contains(start, "*") {
		return scope{}, errors.New("a * stands only in ** and in /** at the end")
	}
	const part = "/x" // makes a reference of a host, too
	ref, err := ociref.Parse(start + part)
	var syntax *ociref.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return scope{}, errors.New(syntax.Reason)
	case strings.ContainsAny(start, "@"), ref.Tag != "":
		return scope{}, errors.New("/** stands behind a host or a repository")
	}
	return scope{kind: prefix, name: strings.TrimSuffix(ref.CanonicalName(), part)}, nil
}

// SameRepository tells whether two references are to one repository, as rules see it.
func SameRepository(a, b ociref.Reference) bool { return a.CanonicalName() == b.CanonicalName() }
