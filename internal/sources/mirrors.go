package sources

import (
	"errors"
	"slices"
	"sync"

	"github.com/greenticai/packvendor/internal/mirrors"
	"github.com/greenticai/packvendor/internal/ociref"
)

// Mirrors are the rules of a user's registries.conf. The files are read once, before the
// first request of any Client that has the Mirrors.
type Mirrors struct {
	load func() (*mirrors.Config, error)
}

// UserMirrors returns the mirrors of the user whose environment getenv looks up.
func UserMirrors(getenv func(string) string) *Mirrors {
	return &Mirrors{sync.OnceValues(func() (*mirrors.Config, error) { return mirrors.Load(getenv) })}
}

// A Distrust says which files are a stranger's word: of a pull request, for example. A
// source that such a file names answers no tags, unless a signature is asked for, which
// proves the bytes. nil functions return false.
type Distrust struct {
	IsForeign  func(file string) bool
	AsksSigner func(ociref.Reference) bool
}

func (d Distrust) covers(ref ociref.Reference, file string) bool {
	return d.IsForeign != nil && d.IsForeign(file) && (d.AsksSigner == nil || !d.AsksSigner(ref))
}

// config returns the rules, and tells the files when they are first read.
func (c *Client) config() (*mirrors.Config, error) {
	if c.mirrors == nil {
		return &mirrors.Config{}, nil
	}
	config, err := c.mirrors.load()
	c.read.Do(func() {
		if err == nil && len(config.Files) > 0 {
			c.events(FilesRead{Files: config.Files})
		}
		if err == nil {
			for _, file := range config.Version1 {
				c.events(FileIgnored{File: file})
			}
		}
	})
	return config, err
}

// A Reason says why a source is passed over.
type Reason string

const (
	// Insecure: the file allows plain HTTP, but insecure_registries does not have the host.
	Insecure Reason = "insecure"
	// Blocked: a rule blocks it.
	Blocked Reason = "blocked"
	// Foreign: the file is a stranger's word, and the reference is a tag, or Prove was called.
	Foreign Reason = "foreign"
	// NoTags: tags are asked of the origin alone.
	NoTags Reason = "no-tags"
)

// A place is a source of one reference.
type place struct {
	Source
	ref         ociref.Reference // there
	afterOrigin bool             // it is asked for a tag because the origin failed
	namespace   string
	at          mirrors.Position // of the table that names it; zero for none
	passed      Reason           // why it is not asked; "" if it is
}

func newPlace(s mirrors.Source) place {
	p := place{Source: Source{Role: Role(s.Role), Place: s.Reference.Name()}, ref: s.Reference, afterOrigin: s.AfterOrigin, namespace: s.Namespace, at: s.Position}
	if p.Role == Origin {
		p.namespace, p.at = "", mirrors.Position{} // it is nobody's proxy, and its name is the reference's
	}
	return p
}

// A plan is the places of a reference in order, those included that are not asked.
type plan struct {
	rule   *mirrors.Rule // nil for none
	places []place
}

// asked returns the places that are asked; at least one.
func (p *plan) asked() []place {
	var list []place
	for _, place := range p.places {
		if place.passed == "" {
			list = append(list, place)
		}
	}
	return list
}

// plan returns the places of a reference, of the list of tags if it has neither tag nor
// digest. Errors: *BlockedError, *mirrors.Error, those of mirrors.Load.
func (c *Client) plan(ref ociref.Reference) (*plan, error) {
	config, err := c.config()
	if err != nil {
		return nil, err
	}
	found, err := config.Plan(ref)
	var blocked *mirrors.BlockedError
	if errors.As(err, &blocked) {
		return nil, newBlockedError(ref, &blocked.Rule)
	}
	if err != nil {
		return nil, err
	}
	p := &plan{rule: found.Rule}
	if found.Rule == nil {
		p.places = []place{originOf(ref)}
		return p, nil
	}
	if found.Rule.Blocked {
		return nil, newBlockedError(ref, found.Rule)
	}
	for _, s := range found.Sources {
		place := newPlace(s)
		place.passed = c.passedOver(s, ref)
		p.places = append(p.places, place)
	}
	for _, s := range found.Blocked {
		place := newPlace(s)
		place.passed = Blocked
		p.places = append(p.places, place)
	}
	if slices.ContainsFunc(p.places, func(p place) bool { return p.Role == Location && p.passed == Foreign }) {
		p.places = append(p.places, originOf(ref))
		c.spoke.Store(ref.Name(), true)
	} else if _, spoke := c.spoke.Load(ref.Name()); spoke && ref.Digest != "" {
		// Its tags were asked of the origin, which has what they lead to.
		p.places = append(p.places, originOf(ref))
	}
	if len(p.asked()) > 0 {
		return p, nil
	}
	last := p.places[len(p.places)-1]
	return nil, newBlockedError(ref, config.Rule(last.ref))
}

// originOf returns the registry that a reference names as a place.
func originOf(ref ociref.Reference) place {
	return place{Source: Source{Role: Origin, Place: ref.Name()}, ref: ref}
}

// passedOver returns the reason to pass over a source.
func (c *Client) passedOver(s mirrors.Source, ref ociref.Reference) Reason {
	switch {
	case s.Role == mirrors.RoleOrigin:
		return ""
	case (ref.Digest == "" || c.proving) && c.distrust.covers(ref, s.File):
		return Foreign
	case s.Role == mirrors.RoleMirror && s.Insecure && !c.registry.IsInsecure(s.Reference.Registry):
		return Insecure
	case ref.Digest == "" && c.proving && s.Role == mirrors.RoleMirror:
		return NoTags
	}
	return ""
}
