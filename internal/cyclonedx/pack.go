package cyclonedx

import (
	"slices"
	"strconv"

	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/internal/ociref"
)

// A Pack is a pack to write into a document.
type Pack struct {
	Name      string           // in packs.toml
	Reference ociref.Reference // its repository; the zero value if the pack is a file
	Tag       string           // "" if it is not known
	Path      string           // of the file that the pack is; "" if it is from a registry

	ManifestDigest ociref.Digest // "" if the pack is a file
	LayerDigest    ociref.Digest
	Size           int64  // bytes
	Signer         string // who signed it; "" if nobody, or it is not known

	// Contents are the components that the pack's own manifest names. Unread tells that the
	// manifest could not be read.
	Contents []gtpack.Component
	Unread   bool
}

// Names of properties.
const (
	sizeProperty    = "packvendor:size"       // bytes; of a component in a pack, unpacked
	pathProperty    = "packvendor:path"       // of the file that the pack is; of a component, in the pack
	signerProperty  = "packvendor:signer"     // as packs.lock has it
	claimedProperty = "packvendor:claimed-by" // whose word a component is
	unreadProperty  = "packvendor:components" // unknown, if the pack could not be read
)

// Component returns the component of a pack. Its bom-ref is the name and the digest of the
// bytes: two packs of one manifest are two components.
func (p Pack) Component() Component {
	c := Component{
		Ref: packPrefix + p.Name + "@" + string(p.LayerDigest), Type: "application", Name: p.Name,
		Hashes:     []Hash{{"SHA-256", p.LayerDigest.Hex()}},
		Properties: properties(sizeProperty, strconv.FormatInt(p.Size, 10), pathProperty, p.Path, signerProperty, p.Signer),
		Components: contents(p.Contents),
	}
	if p.Unread {
		c.Properties = append(c.Properties, Property{unreadProperty, "unknown"})
	}
	if p.Path != "" {
		c.PURL = filePURL(p.Name, p.LayerDigest)
		return c
	}
	c.PURL = ociPURL(p.Reference, p.ManifestDigest, p.Tag)
	if c.Version = p.Tag; c.Version == "" {
		c.Version = string(p.ManifestDigest)
	}
	return c
}

// contents are the components in a pack, as its manifest says.
func contents(said []gtpack.Component) []Component {
	var all []Component
	seen := map[gtpack.Component]bool{} // a list has no equal items
	for _, c := range said {
		if seen[c] {
			continue
		}
		seen[c] = true
		claimed := properties(claimedProperty, "the pack's own manifest", pathProperty, c.Path)
		if c.Path != "" {
			claimed = append(claimed, Property{sizeProperty, strconv.FormatInt(c.Size, 10)})
		}
		all = append(all, Component{Type: "library", Name: c.ID, Version: c.Version, Properties: claimed})
	}
	return all
}

// properties returns a property for each name and value; none for an empty value.
func properties(words ...string) []Property {
	var all []Property
	for pair := range slices.Chunk(words, 2) {
		if pair[1] != "" {
			all = append(all, Property{pair[0], pair[1]})
		}
	}
	return all
}

// Prefixes of bom-refs. That of what has the packs is another, since its name may be any.
const (
	packPrefix = "packvendor:"
	mainPrefix = "packvendor-main:"
)

// Owner returns the component of what has the packs: a Go package with that import path.
func Owner(importPath string) *Component {
	return &Component{Ref: mainPrefix + importPath, Type: "library", Name: importPath}
}

// Program returns the component of a program that has the packs. version may be "".
func Program(name, version string) *Component {
	return &Component{Ref: mainPrefix + name, Type: "application", Name: name, Version: version}
}

// Distinct drops all but the first of those packs that are one component: the same bytes by the
// same name. Their references may differ.
func Distinct(packs []Component) []Component {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(packs), func(c Component) bool {
		twice := seen[c.Ref]
		seen[c.Ref] = true
		return twice
	})
}

func refsOf(packs []Component) []string {
	var refs []string
	for _, pack := range packs {
		refs = append(refs, pack.Ref)
	}
	return refs
}
