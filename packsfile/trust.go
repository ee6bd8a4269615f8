package packsfile

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/trust"
)

// A Trust is the table [trust]: who has to sign which pack. Parse has checked all of it but
// the keys in files: Policy does.
type Trust struct {
	Line    int           // 1-based, of the table's first mention
	Root    string        // the file for keyless signers, as KeyFile; "" if there is none
	Signers []TrustSigner // in the order of the file
	Rules   []TrustRule   // in the order of the file

	filename string
	places   places
}

// A TrustSigner is an entry of [trust.signers].
type TrustSigner struct {
	Name string
	// KeyFile is the file with the signer's key, relative to the folder of the file that
	// names it, slash-separated and clean; "" if the key is inline, or there is none.
	KeyFile string
	Line    int // 1-based

	written trust.Signer // all but the key in a file
}

// A TrustRule is an entry of [trust.rules].
type TrustRule struct {
	Key     string   // as written
	Signers []string // by name; none for an exception
	Line    int      // 1-based
}

// ParseTrust reads a file that holds a table [trust] alone, with at least one rule: that of an
// organisation. Only messages use the file name. Its errors are those of Parse.
func ParseTrust(filename string, data []byte) (*Trust, error) {
	doc, err := parseDocument(filename, data)
	if err != nil {
		return nil, err
	}
	c := &checker{filename: filename}
	for _, child := range doc.root.children {
		if child.key != "trust" {
			c.report(child, "", "%s: this file holds the table [trust] alone", unknownKey(child.key, []string{"trust"}))
		}
	}
	t := c.trust(doc.root.child("trust"))
	if t == nil || len(t.Rules) == 0 {
		n := doc.root.child("trust")
		if n == nil {
			n = &node{line: 1}
		}
		c.report(n, "trust", "has no rules: without [trust.rules] the file asks for nothing")
	}
	if errs := c.errors(); len(errs) > 0 {
		return nil, errs
	}
	return t, nil
}

// trust checks the table n, which may be missing.
func (c *checker) trust(n *node) *Trust {
	if !c.table(n, "trust") {
		return nil
	}
	c.knownKeys(n, "trust", "root", "signers", "rules")
	t := &Trust{Line: n.line, filename: c.filename, places: places{}}
	t.places.add(n, nil)
	root, signers, rules := n.child("root"), n.child("signers"), n.child("rules")
	if root != nil {
		t.Root = root.key // whatever is there, it is not missing
		c.place(root, "trust.root", checkKeyPath, &t.Root)
		t.Root = path.Clean(t.Root)
	}
	if c.table(signers, "trust.signers") {
		for _, child := range signers.children {
			t.Signers = append(t.Signers, c.trustSigner(child))
		}
	}
	config := t.config()
	if c.table(rules, "trust.rules") {
		for _, child := range rules.children {
			before := len(c.found)
			r := c.trustRule(child)
			t.Rules = append(t.Rules, r)
			if len(c.found) == before {
				config.Rules = append(config.Rules, trust.Rule{Key: r.Key, Signers: r.Signers})
			}
		}
	}
	if signers != nil && !signers.isTable() { // then no rule can name one
		for i := range config.Rules {
			config.Rules[i].Signers = nil
		}
	}
	c.trustErrors(t.places, trust.Check(config))
	return t
}

// trustErrors reports the problems that package trust found.
func (c *checker) trustErrors(at places, err error) {
	var errs trust.Errors
	errors.As(err, &errs)
	for _, e := range errs {
		c.reportTrust(at, e.Path, "%s", printable.Line(e.Msg, maxMessage)).Newer = e.Unsupported
	}
}

// reportTrust is report for a path below the table trust.
func (c *checker) reportTrust(at places, path []string, format string, args ...any) *Error {
	return c.report(at.of(path), trustKey(path...), format, args...)
}

// trustKey returns a path below the table trust as TOML has it.
func trustKey(path ...string) string {
	key := "trust"
	for _, part := range path {
		key += "." + keyName(part)
	}
	return key
}

// places are the lines and offsets of the keys in the table trust, by their path.
type places map[string]node

func (p places) add(n *node, path []string) {
	p[strings.Join(path, "\x00")] = node{line: n.line, offset: n.offset}
	for _, child := range n.children {
		p.add(child, append(slices.Clone(path), child.key))
	}
}

// of returns the place of a key, or else of the nearest one around it.
func (p places) of(path []string) *node {
	for {
		if n, ok := p[strings.Join(path, "\x00")]; ok || len(path) == 0 {
			return &n
		}
		path = path[:len(path)-1]
	}
}

var (
	keyKeys      = []string{"key"}
	workflowKeys = []string{"repository", "repository_id", "workflow", "refs", "self_hosted"}
	accountKeys  = []string{"issuer", "identity"}
)

// trustSigner checks one entry of the table signers, as far as package trust does not. One
// with problems stands for its name alone: its keys may be missing only because they are
// misspelt.
func (c *checker) trustSigner(n *node) TrustSigner {
	before := len(c.found)
	s := c.trustSignerKeys(n)
	if len(c.found) > before {
		s.written = trust.Signer{Name: n.key, Unread: true}
	}
	return s
}

func (c *checker) trustSignerKeys(n *node) TrustSigner {
	key := func(name string) string { return trustKey("signers", n.key, name) }
	s := TrustSigner{Name: n.key, Line: n.line, written: trust.Signer{Name: n.key}}
	if !n.isTable() {
		c.report(n, trustKey("signers", n.key), "must be a table such as { key = \"keys/%s.pub\" }", cmp.Or(printable.Phrase(n.key, maxQuoted), "name"))
		return s
	}
	c.knownKeys(n, trustKey("signers", n.key), slices.Concat(keyKeys, workflowKeys, accountKeys, []string{"only", "names"})...)
	c.signerKinds(n)
	if text, ok := c.text(n.child("key"), key("key"), ""); ok {
		c.signerKey(n.child("key"), key("key"), text, &s)
	}
	if repository, ok := c.text(n.child("repository"), key("repository"), ""); ok {
		w := &trust.Workflow{Repository: repository}
		w.RepositoryID = c.number(n.child("repository_id"), key("repository_id"))
		w.File, _ = c.text(n.child("workflow"), key("workflow"), "")
		w.Refs = c.texts(n.child("refs"), key("refs"))
		w.SelfHosted = c.boolean(n.child("self_hosted"), key("self_hosted"), "")
		s.written.Workflow = w
	}
	if issuer, ok := c.text(n.child("issuer"), key("issuer"), ""); ok {
		identity, _ := c.text(n.child("identity"), key("identity"), "")
		s.written.Account = &trust.Account{Issuer: issuer, Identity: identity}
	}
	s.written.Only = c.texts(n.child("only"), key("only"))
	s.written.Names = c.texts(n.child("names"), key("names"))
	return s
}

// signerKinds reports keys that belong to another kind of signer. That a signer is of no
// kind, or of two, package trust reports.
func (c *checker) signerKinds(n *node) {
	var is []string
	for _, kind := range [][]string{keyKeys, workflowKeys, accountKeys} {
		if n.child(kind[0]) != nil {
			is = append(is, kind...)
		}
	}
	if len(is) == 0 {
		return
	}
	for _, kind := range [][]string{workflowKeys, accountKeys} {
		for _, name := range kind[1:] {
			if child := n.child(name); child != nil && !slices.Contains(is, name) {
				c.report(child, trustKey("signers", n.key, name), "stands only beside %s", kind[0])
			}
		}
	}
}

// isKeyFile tells whether a signer's key is a file. If not, it is a key in base64, which has
// no dot.
func isKeyFile(key string) bool { return strings.Contains(key, ".") }

// signerKey reads the value of a signer's key.
func (c *checker) signerKey(n *node, key, text string, s *TrustSigner) {
	if isKeyFile(text) {
		s.written.Unread = true
		c.place(n, key, checkKeyPath, &s.KeyFile)
		s.KeyFile = path.Clean(s.KeyFile)
		return
	}
	inline, err := parseInline(text)
	if err != nil {
		c.report(n, key, "%s %v", printable.Quote(text, maxQuoted), err).Newer = isUnsupported(err)
		return
	}
	s.written.Key = inline
}

// parseInline reads a key in base64. The error reads on from the text.
func parseInline(text string) (*publickey.Key, error) {
	key, err := publickey.ParseInline(text)
	switch {
	case text == "":
		return nil, errors.New("is empty: name a file, or write the key in base64")
	case err != nil:
		return nil, fmt.Errorf("has no dot, so it is not a file but a key in base64: %w", err)
	}
	return key, nil
}

// checkKeyPath checks the path of a file with a key, or of the trusted root. The error reads
// on from the path.
func checkKeyPath(file string) error {
	base := path.Base(file)
	switch {
	case file == "":
		return errors.New("is empty: name a file")
	case strings.HasSuffix(file, "/") || base == "." || base == "..":
		return errors.New("is a folder, not a file")
	}
	return checkDir(file)
}

// number returns the whole number at n, 0 if there is none.
func (c *checker) number(n *node, key string) int64 {
	if n == nil {
		return 0
	}
	number, ok := n.decoded.(int64)
	if !ok {
		c.report(n, key, "must be a whole number")
	}
	return number
}

// trustRule checks one entry of the table rules, as far as package trust does not.
func (c *checker) trustRule(n *node) TrustRule {
	r := TrustRule{Key: n.key, Line: n.line}
	if n.isAnyTable() {
		c.report(n, trustKey("rules", n.key), "must be a list of signers: a table is not supported yet").Newer = true
		return r
	}
	r.Signers = c.texts(n, trustKey("rules", n.key))
	return r
}
