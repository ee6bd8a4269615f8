package mirrors

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/tomltext"
)

// MaxSize bounds a file, in bytes: room for some thousands of rules.
const MaxSize = 1 << 20

// Parse reads a file. Only positions and messages use its name. Its errors are *Error, and
// the first problem of the file.
func Parse(filename string, data []byte) (*File, error) {
	root, err := decode(filename, data)
	if err == nil {
		return parse(root)
	}
	var broken *tomltext.Error
	if errors.As(err, &broken) {
		return nil, &Error{Position: Position{File: filename, Line: broken.Line}, Msg: broken.Msg}
	}
	return nil, err
}

// decode reads a file as TOML.
func decode(filename string, data []byte) (table, error) {
	lines, err := scan(data)
	if err != nil {
		return table{}, err
	}
	tree, err := tomltext.Decode(data)
	return table{file: filename, values: tree, at: lines}, err
}

func parse(root table) (*File, error) {
	f := &File{Name: root.file}
	registries, err := root.tables("registry")
	if err != nil {
		return nil, err
	}
	if line := root.version1(); line > 0 {
		if len(registries) > 0 {
			return nil, root.errorf(line, "[registries.*] is version 1 of the format, and [[registry]] version 2: a file has one of them")
		}
		f.Version1 = true
		return f, nil
	}
	for _, t := range registries {
		r, err := t.rule()
		if err != nil {
			return nil, err
		}
		f.Rules = append(f.Rules, r)
	}
	if err := checkConflicts(f.Rules); err != nil {
		return nil, err
	}
	slices.SortStableFunc(f.Rules, func(a, b Rule) int { return strings.Compare(a.Prefix, b.Prefix) })
	f.Rules = slices.CompactFunc(f.Rules, func(a, b Rule) bool { return a.Prefix == b.Prefix }) // the first one counts
	return f, nil
}

// version1 returns the line of a setting in the format of version 1, 0 if there is none.
func (t table) version1() int {
	registries, ok := t.inner("registries")
	if !ok {
		return 0
	}
	for _, name := range []string{"search", "insecure", "block"} {
		if list, ok := registries.inner(name); ok && len(list.spellings("registries")) > 0 {
			return list.line()
		}
	}
	return 0
}

func (t table) rule() (r Rule, err error) {
	if r.Endpoint, err = t.endpoint(); err != nil {
		return r, err
	}
	if r.Prefix, err = t.location("prefix"); err != nil {
		return r, err
	}
	written, err := t.text("prefix")
	if err != nil {
		return r, err
	}
	isWildcard := strings.HasPrefix(r.Prefix, "*.")
	switch {
	case written == "" && r.Location == "":
		return r, t.errorf(t.line(), "[[registry]] has neither prefix nor location")
	case written == "":
		r.Prefix, isWildcard = r.Location, strings.HasPrefix(r.Location, "*.")
	case r.Location == "" && !isWildcard:
		return r, t.errorf(t.lineOf("prefix"), "prefix %s without a location: only a prefix like *.example.com can stand alone", quoteLocation(written))
	}
	if isWildcard && strings.ContainsAny(r.Prefix, "/@:") {
		return r, t.errorf(t.line(), "prefix %s: after *. stands a host without a port and without a path", quoteLocation(r.Prefix))
	}
	if r.Blocked, err = t.flag("blocked"); err != nil {
		return r, err
	}
	if r.ByDigestOnly, err = t.flag("mirror-by-digest-only"); err != nil {
		return r, err
	}
	if pull, err := t.text("pull-from-mirror"); err != nil {
		return r, err
	} else if pull != "" {
		return r, t.errorf(t.lineOf("pull-from-mirror"), "pull-from-mirror belongs to [[registry.mirror]], not to [[registry]]")
	}
	r.Mirrors, err = t.mirrors(r.ByDigestOnly)
	return r, err
}

func (t table) mirrors(byDigestOnly bool) ([]Mirror, error) {
	tables, err := t.tables("mirror")
	if err != nil {
		return nil, err
	}
	var all []Mirror
	for _, t := range tables {
		m, err := t.mirror()
		if err != nil {
			return nil, err
		}
		if byDigestOnly && m.Pull != PullDefault {
			return nil, t.errorf(t.lineOf("pull-from-mirror"), "pull-from-mirror contradicts mirror-by-digest-only = true of the registry")
		}
		all = append(all, m)
	}
	return all, nil
}

func (t table) mirror() (m Mirror, err error) {
	if m.Endpoint, err = t.endpoint(); err != nil {
		return m, err
	}
	if m.Location == "" {
		return m, t.errorf(t.line(), "[[registry.mirror]] has no location")
	}
	pull, err := t.text("pull-from-mirror")
	if err != nil {
		return m, err
	}
	m.Pull = Pull(pull)
	if !slices.Contains([]Pull{PullDefault, PullAll, PullDigestOnly, PullTagOnly}, m.Pull) {
		return m, t.errorf(t.lineOf("pull-from-mirror"), "pull-from-mirror = %s: want \"all\", \"digest-only\" or \"tag-only\"", quote(pull))
	}
	return m, nil
}

func (t table) endpoint() (e Endpoint, err error) {
	e.Position = Position{File: t.file, Line: t.line()}
	if e.Location, err = t.location("location"); err != nil {
		return e, err
	}
	if e.Insecure, err = t.flag("insecure"); err != nil {
		return e, err
	}
	e.Namespace, err = t.text("namespace-proxy")
	return e, err
}

// location returns a key's location or prefix, without slashes at its end.
func (t table) location(key string) (string, error) {
	s, err := t.text(key)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") {
		return "", t.errorf(t.lineOf(key), "%s %s: write it without a scheme", key, quoteLocation(s))
	}
	return strings.TrimRight(s, "/"), nil
}

// checkConflicts refuses two rules for one location that disagree.
func checkConflicts(rules []Rule) error {
	first := map[string]Rule{}
	for _, r := range rules {
		place := r.Location
		if place == "" {
			place = r.Prefix
		}
		other, known := first[place]
		switch {
		case !known:
			first[place] = r
		case other.Insecure != r.Insecure:
			return conflict(place, "insecure", r, other)
		case other.Blocked != r.Blocked:
			return conflict(place, "blocked", r, other)
		}
	}
	return nil
}

func conflict(place, key string, r, other Rule) error {
	return &Error{Position: r.Position, Msg: fmt.Sprintf("%s has another value of %s in line %d", quoteLocation(place), key, other.Line)}
}
