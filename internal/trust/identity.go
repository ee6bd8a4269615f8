package trust

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/greenticai/packvendor/internal/printable"
)

// An Identity is what a certificate says of a signature that another program verified. What
// the certificate does not say is empty.
type Identity struct {
	Issuer  string // the provider that vouches for Subject
	Subject string // who signed: an address, or the URL of a workflow with its git reference

	// Of a workflow: its source, and how it ran.
	Repository   string // a URL
	RepositoryID string // in decimal digits, as OwnerID
	OwnerID      string
	Ref          string // a git reference
	Trigger      string // the event that started it
	Runner       string // hosted or selfHosted

	Time time.Time // of the signature
}

// The runners of GitHub Actions.
const (
	hosted     = "github-hosted"
	selfHosted = "self-hosted"
)

// An IdentityError says why an identity is not that of a signer. The text continues
// "PLACE: ".
type IdentityError struct{ Reason string }

func (e *IdentityError) Error() string { return e.Reason }

func errorf(format string, args ...any) *IdentityError {
	return &IdentityError{fmt.Sprintf(format, args...)}
}

// Accepts decides whether an identity is the signer's. Its error is an *IdentityError. It
// knows nothing of the layer: see [Signer.Allows].
func (s *Signer) Accepts(id Identity) error {
	var err *IdentityError
	switch {
	case s.Workflow != nil:
		err = s.Workflow.refuse(id)
	case s.Account != nil:
		err = s.Account.refuse(id)
	default:
		err = errorf("signed with a certificate, which satisfies no key")
	}
	if err != nil {
		return err
	}
	return nil
}

// word returns a value that shows where it is empty.
func word(s string) string {
	if s == "" {
		return `""`
	}
	return printable.Word(s, maxQuoted)
}

// refuse returns why an identity is not the account's.
func (a *Account) refuse(id Identity) *IdentityError {
	switch {
	case id.Issuer != a.Issuer:
		return errorf("the issuer of the signer's identity is %s, not %s", word(id.Issuer), word(a.Issuer))
	case a.Identity == "" || id.Subject != a.Identity:
		return errorf("signed by %s, not by %s", word(id.Subject), word(a.Identity))
	}
	return nil
}

// refuse returns why an identity is not the workflow's. Everything counts: the workflow that
// signed, as of which reference, and the source that it built. If it is called by another
// workflow, these differ.
func (w *Workflow) refuse(id Identity) *IdentityError {
	repository := "https://" + w.Repository
	file := repository + "/" + w.File
	signer, workflowRef, _ := strings.Cut(id.Subject, "@")
	number := strconv.FormatInt(w.RepositoryID, 10)
	switch {
	case id.Issuer != GitHubIssuer:
		return errorf("the issuer of the signer's identity is %s, not %s", word(id.Issuer), GitHubIssuer)
	case signer != file:
		return errorf("signed by %s, not by %s", word(id.Subject), word(file))
	case id.Repository != repository:
		return errorf("signed for the repository %s, not for %s", word(id.Repository), word(repository))
	case id.RepositoryID != number:
		return errorf("the repository %s has the number %s, not %s", word(repository), word(id.RepositoryID), number)
	case !w.hasRef(workflowRef):
		return errorf("signed by the workflow of %s, which is not among the signer's refs", word(workflowRef))
	case !w.hasRef(id.Ref):
		return errorf("signed for %s, which is not among the signer's refs", word(id.Ref))
	case id.Trigger == "":
		return errorf("the certificate does not say what started the workflow")
	case strings.HasPrefix(id.Trigger, "pull_request"):
		return errorf("started by %s: signatures of pull requests never count", word(id.Trigger))
	case id.Runner == selfHosted && !w.SelfHosted:
		return errorf("signed on a self-hosted runner, and the signer has no self_hosted = true")
	case id.Runner != hosted && id.Runner != selfHosted:
		return errorf("signed on %s, which is no runner that packvendor knows", printable.Quote(id.Runner, maxQuoted))
	}
	return nil
}

// hasRef tells whether a git reference is one of the workflow's. Those of pull requests
// never are.
func (w *Workflow) hasRef(ref string) bool {
	if strings.HasPrefix(ref, "refs/pull/") {
		return false
	}
	return slices.ContainsFunc(w.Refs, func(pattern string) bool {
		start, isPrefix := strings.CutSuffix(pattern, below)
		if isPrefix {
			rest, ok := strings.CutPrefix(ref, start+"/")
			return ok && rest != ""
		}
		return ref == pattern
	})
}
