package trust

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/lazyregexp"
	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/publickey"
)

// A Signer is one of [trust.signers]. Exactly one of Key, Workflow and Account says who it
// is; the last two sign without a key of their own.
type Signer struct {
	Name     string
	Key      *publickey.Key
	Workflow *Workflow
	Account  *Account
	// Unread says that the signer has a key, in a file that nobody has read. Only Check
	// takes such a signer.
	Unread bool

	// Only retires the signer: it is good for these layers alone. nil does not; an empty
	// list is a problem.
	Only []string
	// Names are the repositories, HOST/REPOSITORY or PREFIX/**, that its statements may
	// name besides a pack's own: for packs that were copied after they were signed.
	Names []string

	elsewhere []scope // of Names
}

// A Workflow is one of GitHub Actions that signs by its own identity.
type Workflow struct {
	Repository   string // "github.com/OWNER/NAME"
	RepositoryID int64  // GitHub's number, which a later owner of the name does not have
	File         string // ".github/workflows/NAME.yml"
	Refs         []string
	SelfHosted   bool // runs on self-hosted runners count
}

// An Account is who an OpenID Connect provider says that signed.
type Account struct {
	Issuer   string // a URL
	Identity string // compared exactly
}

// GitHubIssuer is the provider of the identities of [Workflow].
const GitHubIssuer = "https://token.actions.githubusercontent.com"

// ID returns what packs.lock calls the signer.
func (s *Signer) ID() string {
	switch {
	case s.Key != nil:
		return s.Key.Identity()
	case s.Workflow != nil:
		return fmt.Sprintf("%s/%s#%d", s.Workflow.Repository, s.Workflow.File, s.Workflow.RepositoryID)
	case s.Account != nil:
		return s.Account.Issuer + "#" + s.Account.Identity
	}
	return ""
}

var workflowID = lazyregexp.MustCompile(`^github\.com/[A-Za-z0-9-]+/[A-Za-z0-9._-]+/\.github/workflows/[A-Za-z0-9._-]+\.ya?ml#[1-9][0-9]{0,18}$`)

// CheckID reports why a text is not what [Signer.ID] returns. The error reads on from the
// text.
func CheckID(id string) error {
	if digest, ok := strings.CutPrefix(id, "key:"); ok {
		if _, err := ociref.ParseDigest(digest); err == nil {
			return nil
		}
	}
	if workflowID().MatchString(id) {
		return nil
	}
	issuer, identity, _ := strings.Cut(id, "#")
	c := &checker{}
	c.account(func(string) []string { return nil }, &Account{Issuer: issuer, Identity: identity})
	if len(c.found) > 0 {
		return errors.New("is none of key:sha256:HEX, github.com/OWNER/NAME/.github/workflows/FILE#ID and ISSUER#IDENTITY")
	}
	return nil
}

// IsRetired tells whether the signer is good for some layers alone.
func (s *Signer) IsRetired() bool { return s.Only != nil }

// Allows tells whether the signer may have signed a layer.
func (s *Signer) Allows(layer ociref.Digest) bool {
	return !s.IsRetired() || slices.Contains(s.Only, layer.String())
}

// MayName tells whether a statement of the signer about a pack of the repository ours may
// name the repository named. Tags and digests do not count.
func (s *Signer) MayName(ours, named ociref.Reference) bool {
	name := named.CanonicalName()
	return name == ours.CanonicalName() || slices.ContainsFunc(s.elsewhere, func(e scope) bool { return e.covers(name, nil) })
}

// signers checks the signers of a table.
func (c *checker) signers(config Config) []*Signer {
	var signers []*Signer
	byName, byID := map[string]bool{}, map[string]string{}
	for _, s := range config.Signers {
		path := []string{"signers", s.Name}
		if err := names.CheckPack(s.Name); err != nil {
			c.report(path, "the name %v", err)
		}
		if byName[s.Name] {
			c.report(path, "the name is there twice")
		}
		byName[s.Name] = true
		if c.identity(path, &s, config.Root != "") && !s.Unread {
			if twin, ok := byID[s.ID()]; ok {
				c.report(path, "the same signer as %s", printable.Word(twin, maxQuoted))
			}
			byID[s.ID()] = s.Name
		}
		c.only(append(slices.Clone(path), "only"), s.Only)
		s.elsewhere = c.elsewhere(append(slices.Clone(path), "names"), s.Names)
		signers = append(signers, &s)
	}
	return signers
}

// identity checks who a signer is. It tells whether that is clear.
func (c *checker) identity(path []string, s *Signer, hasRoot bool) bool {
	kinds := 0
	for _, is := range []bool{s.Key != nil || s.Unread && c.unread, s.Workflow != nil, s.Account != nil} {
		if is {
			kinds++
		}
	}
	switch {
	case kinds == 0:
		c.report(path, "no key, repository or issuer")
		return false
	case kinds > 1:
		c.report(path, "a signer has one of key, repository and issuer")
		return false
	case s.Key == nil && !s.Unread && !hasRoot:
		c.report(path, "signs without a key, and trust.root is missing")
	}
	before := len(c.found)
	at := func(key string) []string { return append(slices.Clone(path), key) }
	if s.Workflow != nil {
		c.workflow(at, s.Workflow)
	}
	if s.Account != nil {
		c.account(at, s.Account)
	}
	return len(c.found) == before
}

var (
	gitHubRepository = lazyregexp.MustCompile(`^github\.com/[A-Za-z0-9-]+/[A-Za-z0-9._-]+$`)
	workflowFile     = lazyregexp.MustCompile(`^\.github/workflows/[A-Za-z0-9._-]+\.ya?ml$`)
)

func (c *checker) workflow(at func(string) []string, w *Workflow) {
	host, _, _ := strings.Cut(w.Repository, "/")
	switch {
	case !strings.EqualFold(host, "github.com") && strings.Contains(host, "."):
		c.report(at("repository"), "the host %s is not supported yet: only github.com", printable.Word(host, maxQuoted)).Unsupported = true
	case !gitHubRepository().MatchString(w.Repository):
		c.report(at("repository"), "%s is not github.com/OWNER/NAME", printable.Quote(w.Repository, maxQuoted))
	}
	if w.RepositoryID <= 0 {
		c.report(at("repository_id"), "missing: GitHub's number of the repository, which a later owner of its name does not have")
	}
	if !workflowFile().MatchString(w.File) {
		c.report(at("workflow"), "%s is not .github/workflows/NAME.yml", printable.Quote(w.File, maxQuoted))
	}
	if len(w.Refs) == 0 {
		c.report(at("refs"), `missing: name the branches and tags that sign, like "refs/tags/**"`)
	}
	for _, ref := range w.Refs {
		c.gitRef(at("refs"), ref)
	}
}

// gitRef checks a git reference, or a prefix of them. Anybody can open a pull request: what
// runs for it must not sign.
func (c *checker) gitRef(at []string, ref string) {
	name, quoted := strings.TrimSuffix(ref, below), printable.Quote(ref, maxQuoted)
	switch {
	case strings.HasPrefix(ref, "refs/pull/"):
		c.report(at, "%s: signatures of pull requests never count", quoted)
	case !strings.HasPrefix(ref, "refs/heads/") && !strings.HasPrefix(ref, "refs/tags/"):
		c.report(at, "%s does not begin with refs/heads/ or refs/tags/", quoted)
	case strings.Contains(name, "*"):
		c.report(at, "%s: a * stands only in /** at the end", quoted)
	case name != path.Clean(name), printable.Phrase(name, len(name)) != name:
		c.report(at, "%s is not the name of a branch or tag", quoted)
	}
}

func (c *checker) account(at func(string) []string, a *Account) {
	issuer, err := url.Parse(a.Issuer)
	quoted := printable.Quote(a.Issuer, maxQuoted)
	switch {
	case err == nil && strings.EqualFold(issuer.Hostname(), strings.TrimPrefix(GitHubIssuer, "https://")):
		c.report(at("issuer"), "GitHub's: name the workflow with repository, repository_id, workflow and refs instead")
	case err != nil || issuer.Scheme != "https" || issuer.Host == "" || printable.Word(a.Issuer, len(a.Issuer)) != a.Issuer:
		c.report(at("issuer"), "%s is not a URL with https", quoted)
	case issuer.User != nil || strings.ContainsAny(a.Issuer, "?#"):
		c.report(at("issuer"), "%s has a user, a query or a fragment", quoted)
	}
	switch {
	case a.Identity == "":
		c.report(at("identity"), "missing")
	case strings.Contains(a.Identity, "*"):
		c.report(at("identity"), "%s: it is compared exactly, so it has no *", printable.Quote(a.Identity, maxQuoted))
	case printable.Phrase(a.Identity, len(a.Identity)) != a.Identity:
		c.report(at("identity"), "%s is not printable ASCII", printable.Quote(a.Identity, maxQuoted))
	}
}

func (c *checker) only(path, layers []string) {
	if layers != nil && len(layers) == 0 {
		c.report(path, "empty: delete the signer, or the list")
	}
	seen := map[string]bool{}
	for _, layer := range layers {
		if _, err := ociref.ParseDigest(layer); err != nil {
			c.report(path, "%v", err)
		}
		if seen[layer] {
			c.report(path, "%s is there twice", printable.Word(layer, maxQuoted))
		}
		seen[layer] = true
	}
}

func (c *checker) elsewhere(path, names []string) []scope {
	var scopes []scope
	seen := map[scope]bool{}
	for _, name := range names {
		s, err := parseScope(name)
		quoted := printable.Quote(name, maxQuoted)
		switch {
		case err != nil:
			c.report(path, "%s: %v", quoted, err)
		case s.kind != exact && s.kind != prefix:
			c.report(path, "%s is not HOST/REPOSITORY or PREFIX/**", quoted)
		case seen[s]:
			c.report(path, "%s is there twice", quoted)
		}
		scopes, seen[s] = append(scopes, s), true
	}
	return scopes
}
