// Package ociref owns the strict syntax of OCI references and digests.
package ociref

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Limits of the grammar. The tag's is the distribution specification's
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests);
// 255 is what the reference registry allows for host and repository together.
const (
	maxName = 255
	maxTag  = 128
)

const scheme = "oci://"

// A Reference names a manifest in a registry:
//
//	[oci://]host[:port]/repository[:tag][@sha256:hex]
//
// Registry is always explicit. Tag and Digest may each be empty. If both are given, the
// digest counts.
type Reference struct {
	Scheme     string // "oci://" if the reference is written with it; else ""
	Registry   string // host[:port]
	Repository string
	Tag        string
	Digest     Digest
}

// A SyntaxError reports a string that is no reference.
type SyntaxError struct {
	Reference string // the string as given
	Reason    string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid reference %+q: %s", e.Reference, e.Reason)
}

// Parse reads a reference. Its errors are *SyntaxError. It guesses nothing: there is no
// default registry, no default tag and no default namespace.
func Parse(s string) (Reference, error) {
	if at := strings.LastIndexByte(s[:strings.LastIndexByte(s, '/')+1], '@'); at >= 0 {
		// The part before may be a password.
		return Reference{}, &SyntaxError{Reference: "***" + s[at:], Reason: "a reference holds no user and password"}
	}
	rest, hasScheme := strings.CutPrefix(s, scheme)
	ref, err := parse(rest)
	if err != nil {
		return Reference{}, &SyntaxError{Reference: s, Reason: err.Error()}
	}
	if hasScheme {
		ref.Scheme = scheme
	}
	return ref, nil
}

func parse(s string) (Reference, error) {
	var ref Reference
	if other, _, ok := strings.Cut(s, "://"); ok {
		return ref, fmt.Errorf("scheme %q is not accepted: write host/repository, or oci://host/repository", other)
	}
	rest, digest, hasDigest := strings.Cut(s, "@")
	if hasDigest {
		d, err := ParseDigest(digest)
		if err != nil {
			return ref, err
		}
		ref.Digest = d
	}
	host, path, ok := strings.Cut(rest, "/")
	if !ok || !looksLikeHost(host) {
		return ref, fmt.Errorf("no registry host: write host/repository, like ghcr.io/owner/name")
	}
	if err := checkHost(host); err != nil {
		return ref, err
	}
	repository, tag, hasTag := strings.Cut(path, ":")
	if hasTag {
		if tag == "" {
			return ref, fmt.Errorf("the tag after ':' is empty")
		}
		if len(tag) > maxTag {
			return ref, fmt.Errorf("the tag is longer than %d characters", maxTag)
		}
		if err := CheckTag(tag); err != nil {
			return ref, fmt.Errorf("tag %q %w", tag, err)
		}
	}
	if err := checkRepository(repository); err != nil {
		return ref, err
	}
	if len(host)+1+len(repository) > maxName {
		return ref, fmt.Errorf("host and repository are longer than %d characters", maxName)
	}
	ref.Registry, ref.Repository, ref.Tag = host, repository, tag
	return ref, nil
}

// String returns the reference in its canonical form, without "oci://".
func (r Reference) String() string {
	s := r.Name()
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + string(r.Digest)
	}
	return s
}

// Text returns the reference as written: String with the scheme.
func (r Reference) Text() string { return r.Scheme + r.String() }

// WithTag returns a reference to a tag of r's repository.
func (r Reference) WithTag(tag string) Reference {
	return Reference{Registry: r.Registry, Repository: r.Repository, Tag: tag}
}

// WithDigest returns a reference to a manifest of r's repository.
func (r Reference) WithDigest(digest Digest) Reference {
	return Reference{Registry: r.Registry, Repository: r.Repository, Digest: digest}
}

// Name returns host[:port]/repository.
func (r Reference) Name() string { return r.Registry + "/" + r.Repository }

// ParseHost checks s as the host[:port] of a registry.
func ParseHost(s string) error {
	if s == "" {
		return fmt.Errorf("registry host is empty")
	}
	return checkHost(s)
}

// looksLikeHost tells a registry host from the first part of a repository,
// by the rule docker and oras share: it has a dot, a port, or is localhost.
func looksLikeHost(s string) bool {
	return strings.ContainsAny(s, ".:") || s == "localhost"
}

func checkHost(s string) error {
	if strings.Contains(s, "@") {
		return fmt.Errorf("a registry host holds no user and password") // do not show them
	}
	host, port, hasPort := splitPort(s)
	if !isHostName(host) && !isIPv6Literal(host) {
		return fmt.Errorf("%q is not a registry host", s)
	}
	if n, err := strconv.ParseUint(port, 10, 16); hasPort && (err != nil || n == 0 || !isDigit(port[0])) {
		return fmt.Errorf("%q does not end in a port number", s)
	}
	return nil
}

// splitPort splits host[:port]; the host may be an IPv6 literal in brackets.
func splitPort(s string) (host, port string, hasPort bool) {
	if end := strings.IndexByte(s, ']'); end >= 0 {
		if port, ok := strings.CutPrefix(s[end+1:], ":"); ok {
			return s[:end+1], port, true
		}
		return s, "", false
	}
	if strings.ContainsAny(s, "/") {
		return s, "", false
	}
	return strings.Cut(s, ":")
}

func isIPv6Literal(s string) bool {
	inner, ok := strings.CutPrefix(s, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	addr, err := netip.ParseAddr(inner)
	return ok && closed && err == nil && addr.Is6() && addr.Zone() == ""
}

func isHostName(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if !isHostLabel(label) {
			return false
		}
	}
	return true
}

func isHostLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if !isLower(c) && !isUpper(c) && !isDigit(c) && c != '-' {
			return false
		}
	}
	return true
}

// checkRepository follows the distribution specification's <name>:
// path parts of [a-z0-9]+ joined by one ".", "_", "__" or any number of "-".
func checkRepository(s string) error {
	if s == "" {
		return fmt.Errorf("no repository after the registry host")
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "" {
			return fmt.Errorf("repository %q has an empty path part", s)
		}
		if !isPathPart(part) {
			return fmt.Errorf("repository %q: path part %q is not lower-case letters and digits joined by '.', '_', '__' or '-'", s, part)
		}
	}
	return nil
}

func isPathPart(s string) bool {
	for i := 0; i < len(s); {
		n := 0
		for i+n < len(s) && (isLower(s[i+n]) || isDigit(s[i+n])) {
			n++
		}
		if n == 0 {
			return false
		}
		if i += n; i == len(s) {
			return true
		}
		sep := 0
		for i+sep < len(s) && strings.IndexByte("._-", s[i+sep]) >= 0 {
			sep++
		}
		switch joint := s[i : i+sep]; {
		case joint == ".", joint == "_", joint == "__", joint != "" && strings.Trim(joint, "-") == "":
			i += sep
		default:
			return false
		}
	}
	return false // empty, or it ends in a joint
}

// CheckTag reports why s is no tag; its error continues a sentence that begins with s.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
func CheckTag(s string) error {
	if len(s) > maxTag {
		return fmt.Errorf("is longer than %d characters", maxTag)
	}
	for i, c := range []byte(s) {
		word := isLower(c) || isUpper(c) || isDigit(c) || c == '_'
		if !word && (i == 0 || c != '.' && c != '-') {
			return fmt.Errorf("is not letters, digits, '_', '.' and '-'")
		}
	}
	if s == "" {
		return fmt.Errorf("is empty")
	}
	return nil
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
