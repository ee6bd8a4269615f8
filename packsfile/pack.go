package packsfile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/tomltext"
	"github.com/greenticai/packvendor/internal/versions"
)

// packs checks the table n. allowTags is the value for packs that have none.
func (c *checker) packs(n *node, allowTags bool) []Pack {
	if !c.table(n, "packs") {
		return nil
	}
	packs := make([]Pack, 0, len(n.children))
	goNames := make(map[string]string)
	for _, child := range n.children {
		p := c.pack(child, allowTags)
		c.claimGoName(child, p, goNames)
		packs = append(packs, *p)
	}
	slices.SortFunc(packs, func(a, b Pack) int { return cmp.Compare(a.Name, b.Name) })
	return packs
}

// pack checks one entry of the packs table, all but its Go name.
func (c *checker) pack(n *node, allowTags bool) *Pack {
	key := packKey(n.key)
	p := &Pack{Name: n.key, AllowTags: allowTags, Line: n.line}
	if err := checkName(n.key); err != nil {
		c.report(n, key, "%v", err)
	}
	ref := n
	if n.isTable() {
		c.knownKeys(n, key, "ref", "version", "layer", "path", "go_name", "allow_tags")
		if own := n.child("allow_tags"); own != nil {
			p.AllowTags = c.boolean(own, key, "allow_tags ")
		}
		p.Layer = c.layer(n.child("layer"), key)
		p.Path = c.path(n.child("path"), key)
		switch ref = n.child("ref"); {
		case ref != nil:
		case n.child("path") == nil:
			c.report(n, key, "has neither ref nor path")
		default:
			c.withoutRef(n, key)
			return p
		}
	} else if _, ok := n.decoded.(string); !ok {
		c.noPack(n, key)
		return p
	}
	parsed := c.reference(ref, p)
	if version := n.child("version"); version != nil {
		c.version(version, p)
	} else if parsed {
		c.pin(ref, p)
	}
	return p
}

// noPack reports a value that is no pack. It may be a key of the file below the wrong table.
func (c *checker) noPack(n *node, key string) {
	if slices.Contains(topKeys, n.key) {
		c.report(n, key, "belongs above the first table, not into [packs]")
		return
	}
	c.report(n, key, "must be a reference, or a table with ref or path")
}

// path returns the path of the pack's file at n.
func (c *checker) path(n *node, key string) string {
	path, ok := c.text(n, key, "path ")
	if !ok {
		return ""
	}
	if err := names.CheckLocalFile(path); err != nil {
		c.report(n, key, "path %s %v", printable.Quote(path, maxQuoted), err)
	}
	return path
}

// withoutRef reports the keys of a pack that mean nothing without a ref.
func (c *checker) withoutRef(n *node, key string) {
	for _, name := range []string{"version", "layer", "allow_tags"} {
		if child := n.child(name); child != nil {
			c.report(child, key, "%s is about a ref, and there is none", name)
		}
	}
}

// reference reads the reference at n into p and reports whether it is well-formed.
func (c *checker) reference(n *node, p *Pack) bool {
	text, ok := c.text(n, packKey(p.Name), "ref ")
	if !ok {
		return false
	}
	ref, err := ociref.Parse(text)
	if err != nil {
		c.report(n, packKey(p.Name), "%s", badReference(err))
		return false
	}
	p.Ref, p.Reference = text, ref
	return true
}

// pin demands a digest, or a tag if tags are allowed.
func (c *checker) pin(n *node, p *Pack) {
	ref := p.Reference
	switch {
	case ref.Tag == "" && ref.Digest == "":
		c.report(n, packKey(p.Name), "%s has neither tag nor digest: add one, or a version", printable.Quote(p.Ref, maxQuoted))
	case !p.Pinned():
		e := c.report(n, packKey(p.Name), "%s is a tag, not a pin: tags can move", printable.Quote(p.Ref, maxQuoted))
		if checkName(p.Name) == nil { // otherwise a pin would not help
			e.Unpinned, e.Ref = p.Name, p.Ref
		}
	}
}

// version reads the range at n into p. The reference must have neither tag nor digest.
func (c *checker) version(n *node, p *Pack) {
	key := packKey(p.Name)
	text, ok := c.text(n, key, "version ")
	if !ok {
		return
	}
	if p.Reference.Tag != "" || p.Reference.Digest != "" {
		c.report(n, key, "version excludes a tag or digest in ref")
	}
	r, err := versions.ParseRange(text)
	if err != nil {
		c.report(n, key, "version %s %v", printable.Quote(text, maxQuoted), err)
		return
	}
	p.Version, p.Range = text, r
}

func (c *checker) layer(n *node, key string) string {
	layer, ok := c.text(n, key, "layer ")
	if !ok || ociref.IsMediaType(layer) {
		return layer
	}
	if strings.HasPrefix(layer, "sha256:") {
		if _, err := ociref.ParseDigest(layer); err != nil {
			c.report(n, key, "layer: %s", printable.Line(err.Error(), maxMessage))
		}
		return layer
	}
	c.report(n, key, "layer %s is neither a media type nor a sha256 digest", printable.Quote(layer, maxQuoted))
	return layer
}

// claimGoName gives the pack its Go name and reports a name that is taken.
func (c *checker) claimGoName(n *node, p *Pack, taken map[string]string) {
	key, at := packKey(n.key), n
	p.GoName = deriveGoName(n.key)
	if own := n.child("go_name"); own != nil {
		name, ok := c.text(own, key, "go_name ")
		if ok && !names.IsExported(name) {
			c.report(own, key, "go_name %s is not an exported ASCII Go identifier", printable.Quote(name, maxQuoted))
			ok = false
		}
		if !ok {
			return
		}
		p.GoName, at = name, own
	} else if checkName(n.key) != nil {
		return // already reported, and a name derived from it means nothing
	}
	other, clash := taken[p.GoName]
	switch {
	case slices.Contains(names.Taken, p.GoName):
		e := c.report(at, key, "Go name %s is taken by the generated code: set another go_name", p.GoName)
		e.GoName = p.GoName
	case clash:
		e := c.report(at, key, "Go name %s is that of %s already: set another go_name", p.GoName, packKey(other))
		e.GoName = p.GoName
	default:
		taken[p.GoName] = n.key
	}
}

func packKey(name string) string { return "packs." + keyName(name) }

// badReference returns the complaint of ociref in bounded ASCII.
func badReference(err error) string {
	var syntax *ociref.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("invalid reference %s: %s", printable.Quote(syntax.Reference, maxQuoted), printable.Line(syntax.Reason, maxMessage))
	}
	return printable.Line(err.Error(), maxMessage)
}

// checkName checks the name of a pack: it becomes a file name and a Go name.
func checkName(name string) error {
	if err := names.CheckPack(name); err != nil {
		return fmt.Errorf("name %s %w", printable.Quote(name, maxQuoted), err)
	}
	return nil
}

// deriveGoName derives an exported Go name from a pack's name: messaging-slack becomes
// MessagingSlack.
func deriveGoName(name string) string {
	var b strings.Builder
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '-' || r == '_' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// keyName returns a key as TOML would have it: bare if possible.
func keyName(key string) string {
	if key == "" || len(key) > maxQuoted {
		return printable.Quote(key, maxQuoted)
	}
	for _, c := range []byte(key) {
		if !tomltext.IsBare(c) {
			return printable.Quote(key, maxQuoted)
		}
	}
	return key
}
