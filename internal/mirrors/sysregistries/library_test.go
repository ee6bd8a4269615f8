// Package sysregistries_test compares internal/mirrors with the library in which Podman,
// Skopeo, Buildah and CRI-O read registries.conf. It is a module of its own, so that the
// library's requirements stay here.
package sysregistries_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/pkg/sysregistriesv2"
	"go.podman.io/image/v5/types"

	"github.com/greenticai/packvendor/internal/mirrors"
	"github.com/greenticai/packvendor/internal/ociref"
)

// A setting is a main file and its drop-ins.
type setting struct {
	main    string
	dropIns []string // in the order in which they are read
}

func (s setting) String() string {
	return strings.Join(append([]string{s.main}, s.dropIns...), "\n# next file\n")
}

// ours reads a setting as packvendor does.
func (s setting) ours() (*mirrors.Config, error) {
	var files []*mirrors.File
	for i, text := range append([]string{s.main}, s.dropIns...) {
		f, err := mirrors.Parse(fmt.Sprintf("%d.conf", i), []byte(text))
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return mirrors.Merge(files...), nil
}

// A library is a setting as the library reads it.
type library struct{ context *types.SystemContext }

// theirs writes a setting into a folder, and reads it with the library.
func (s setting) theirs(t testing.TB, dir string) (*library, error) {
	t.Helper()
	main, dropIns := filepath.Join(dir, "registries.conf"), filepath.Join(dir, "registries.conf.d")
	if err := os.RemoveAll(dropIns); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dropIns, 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, main, s.main)
	for i, text := range s.dropIns {
		write(t, filepath.Join(dropIns, fmt.Sprintf("%d.conf", i)), text)
	}
	l := &library{&types.SystemContext{SystemRegistriesConfPath: main, SystemRegistriesConfDirPath: dropIns}}
	sysregistriesv2.InvalidateCache()
	_, err := sysregistriesv2.TryUpdatingCache(l.context)
	return l, err
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// rule returns the library's rule for the name of a repository.
func (l *library) rule(t testing.TB, name string) *sysregistriesv2.Registry {
	t.Helper()
	r, err := sysregistriesv2.FindRegistry(l.context, name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sources returns the lines of a plan as the library and its callers make it, in
// packvendor's order for tags.
func (l *library) sources(t testing.TB, r *sysregistriesv2.Registry, ref ociref.Reference, named reference.Named) ([]string, error) {
	t.Helper()
	pulls, err := r.PullSourcesFromReference(named)
	if err != nil {
		return nil, err
	}
	own := len(pulls) - 1
	var before, after []string
	for i, pull := range pulls {
		line, free := l.line(t, r, ref, pull, i < own)
		switch {
		case !free:
		case i < own && ref.Digest == "" && pull.Endpoint.PullFromMirror == "":
			after = append(after, line+" after the origin")
		default:
			before = append(before, line)
		}
	}
	return append(before, after...), nil
}

// line returns the line of one source, and whether no rule blocks it.
func (l *library) line(t testing.TB, r *sysregistriesv2.Registry, ref ociref.Reference, pull sysregistriesv2.PullSource, isMirror bool) (line string, free bool) {
	t.Helper()
	role, to, namespace := "location", pull.Reference.String(), pull.Endpoint.NamespaceProxy
	source, err := ociref.Parse(to)
	switch {
	case isMirror:
		role = "mirror"
		if namespace == "" && !strings.Contains(pull.Endpoint.Location, "/") {
			namespace = ociref.CanonicalHost(ref.Registry)
		}
	case err == nil && source.CanonicalName() == ref.CanonicalName():
		role = "origin"
	}
	rule := l.best(t, pull.Reference.Name())
	return fmt.Sprintf("%s %s insecure=%t ns=%s", role, to, pull.Endpoint.Insecure, namespace), rule == nil || !rule.Blocked
}

// best is rule for a name and for its canonical spelling, the longer prefix of the two.
func (l *library) best(t testing.TB, name string) *sysregistriesv2.Registry {
	t.Helper()
	written := l.rule(t, name)
	host, path, _ := strings.Cut(name, "/")
	other := l.rule(t, ociref.CanonicalHost(host)+"/"+path)
	if written == nil || other != nil && (len(other.Prefix) > len(written.Prefix) || len(other.Prefix) == len(written.Prefix) && other.Prefix < written.Prefix) {
		return other
	}
	return written
}

// ourLines returns the lines of packvendor's plan.
func ourLines(p *mirrors.Plan) []string {
	var all []string
	for _, s := range p.Sources {
		line := fmt.Sprintf("%s %s insecure=%t ns=%s", s.Role, s.Reference, s.Insecure, s.Namespace)
		if s.AfterOrigin {
			line += " after the origin"
		}
		all = append(all, line)
	}
	return all
}

// compare demands one rule and one plan for a reference.
func compare(t testing.TB, s setting, c *mirrors.Config, l *library, ref ociref.Reference) {
	t.Helper()
	ours, theirs := c.Rule(ref), l.best(t, ref.Name())
	if got, want := describeOurs(ours), describeTheirs(theirs); got != want {
		t.Fatalf("%s\n%s\n ours: %s\ntheirs: %s", s, ref, got, want)
	}
	if ours == nil {
		return
	}
	named, err := reference.ParseNamed(spelling(l, t, ref, theirs))
	if err != nil {
		return // as isOnlyOurs
	}
	want, theirErr := l.sources(t, theirs, ref, named)
	plan, ourErr := c.Plan(ref)
	switch {
	case theirErr != nil && ourErr == nil:
		if !slices.ContainsFunc(slices.Concat(plan.Sources, plan.Blocked), isOnlyOurs) {
			t.Fatalf("%s\n%s\n ours: %q\ntheirs: %v", s, ref, ourLines(plan), theirErr)
		}
	case theirErr != nil:
	case ourErr != nil && len(want) > 0:
		if !slices.ContainsFunc(want, isLoose) {
			t.Fatalf("%s\n%s\n ours: %v\ntheirs: %q", s, ref, ourErr, want)
		}
	case len(want) == 0 && !errors.As(ourErr, new(*mirrors.BlockedError)):
		t.Fatalf("%s\n%s\n ours: %v\ntheirs: all is blocked", s, ref, ourErr)
	case ourErr == nil && !slices.Equal(ourLines(plan), want):
		t.Fatalf("%s\n%s\n ours: %q\ntheirs: %q", s, ref, ourLines(plan), want)
	}
}

// spelling returns the reference in the spelling that a rule matches.
func spelling(l *library, t testing.TB, ref ociref.Reference, rule *sysregistriesv2.Registry) string {
	t.Helper()
	if r := l.rule(t, ref.Name()); r != nil && r.Prefix == rule.Prefix {
		return ref.String()
	}
	ref.Registry = ociref.CanonicalHost(ref.Registry)
	return ref.String()
}

// isOnlyOurs reports whether a source has a name that the library does not accept anywhere:
// it has no hosts like [::1], and wants docker.io/library/a for docker.io/a.
func isOnlyOurs(s mirrors.Source) bool {
	_, err := reference.ParseNamed(s.Reference.Name())
	return err != nil
}

// isLoose reports whether a line names a reference that packvendor does not accept anywhere:
// packvendor has no hosts like MIRROR, or of 300 characters.
func isLoose(line string) bool {
	_, err := ociref.Parse(strings.Fields(line)[1])
	return err != nil
}

func describeOurs(r *mirrors.Rule) string {
	if r == nil {
		return "no rule"
	}
	text := fmt.Sprintf("%s at %s insecure=%t ns=%s blocked=%t digests=%t", r.Prefix, r.Location, r.Insecure, r.Namespace, r.Blocked, r.ByDigestOnly)
	for _, m := range r.Mirrors {
		text += fmt.Sprintf("; %s insecure=%t ns=%s pull=%s", m.Location, m.Insecure, m.Namespace, m.Pull)
	}
	return text
}

func describeTheirs(r *sysregistriesv2.Registry) string {
	if r == nil {
		return "no rule"
	}
	text := fmt.Sprintf("%s at %s insecure=%t ns=%s blocked=%t digests=%t", r.Prefix, r.Location, r.Insecure, r.NamespaceProxy, r.Blocked, r.MirrorByDigestOnly)
	for _, m := range r.Mirrors {
		text += fmt.Sprintf("; %s insecure=%t ns=%s pull=%s", m.Location, m.Insecure, m.NamespaceProxy, m.PullFromMirror)
	}
	return text
}
