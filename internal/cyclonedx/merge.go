package cyclonedx

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/strictjson"
)

// MaxSize bounds a document to merge into, in bytes.
const MaxSize = 64 << 20

// limits bound its values. A component has some thirty.
var limits = strictjson.Limits{Depth: 128, Values: 1_000_000}

const format = "CycloneDX"

// versions are those of the documents that Merge knows.
var versions = []string{"1.4", "1.5", "1.6", "1.7"}

// A Merged is a document with packs.
type Merged struct {
	Text  []byte
	Packs []Component // those that it has to have, once each, with the bom-refs that they have in it
	// Added is how many of them it did not have.
	Added int
	// Orphaned tells that it has no main component with a bom-ref, so that nothing depends on
	// the packs.
	Orphaned bool
}

// A FormatError says why packs cannot be added to a document. It continues a sentence that
// begins with the file.
type FormatError struct{ Reason string }

func (e *FormatError) Error() string { return e.Reason }

// Merge adds packs to a document: to its components, and to what its main component depends
// on. All other bytes stay as they are. A pack that the document has stays, too: a component with
// its bom-ref. If something else in the document has this bom-ref, the pack gets another. The
// error is a *FormatError.
func Merge(data []byte, packs []Component) (*Merged, error) {
	const mark = "\ufeff" // at the beginning of files from Windows
	text := bytes.TrimPrefix(data, []byte(mark))
	if bytes.HasPrefix(bytes.TrimLeft(text, space), []byte("<")) {
		return nil, &FormatError{"it is XML, not JSON"}
	}
	merged := &Merged{Packs: Distinct(packs)}
	edits := &edits{text: text}
	err := strictjson.ReadWithin(limits, text, func(root strictjson.Object) {
		checkDocument(root)
		edits.learn(root.Span())
		merged.Added = addComponents(edits, root, merged.Packs)
		main := mainRef(root)
		if merged.Orphaned = main == ""; !merged.Orphaned && len(packs) > 0 {
			addDependencies(edits, root, main, refsOf(merged.Packs))
		}
	})
	if err != nil {
		return nil, &FormatError{err.Error()}
	}
	merged.Text = slices.Concat(data[:len(data)-len(text)], edits.apply())
	return merged, nil
}

// checkDocument checks that packs can be added to a document.
func checkDocument(root strictjson.Object) {
	if !root.Has("bomFormat") || root.String("bomFormat") != format {
		root.Fail("", "not a CycloneDX document")
		return
	}
	if version := root.String("specVersion"); !slices.Contains(versions, version) {
		root.Fail("specVersion", "CycloneDX %s is not supported: 1.4 to 1.7 are", printable.Word(version, 20))
	}
	if root.Has("signature") {
		root.Fail("signature", "it would no longer be valid: add the packs first, then sign")
	}
}

// mainComponent returns the main component; an object without keys if there is none.
func mainComponent(root strictjson.Object) strictjson.Object {
	at := root
	for _, key := range []string{"metadata", "component"} {
		if !at.Has(key) {
			return strictjson.Object{}
		}
		at = at.Object(key)
	}
	return at
}

// mainRef returns the bom-ref of the main component; "" if there is none.
func mainRef(root strictjson.Object) string {
	main := mainComponent(root)
	if !main.Has("bom-ref") {
		return ""
	}
	return main.String("bom-ref")
}

// addComponents adds the packs that the document lacks, and returns their number. It gives each
// pack the bom-ref that it has in the document.
func addComponents(e *edits, root strictjson.Object, packs []Component) int {
	components, taken := map[string]bool{}, map[string]bool{}
	componentRefs(root, components)
	componentRefs(mainComponent(root), components)
	for ref := range root.Texts("bom-ref") {
		taken[ref] = true
	}
	var added []any
	for i, pack := range packs {
		ref := pack.Ref
		for n := 2; taken[ref] && !components[ref]; n++ {
			ref = pack.Ref + "-" + strconv.Itoa(n)
		}
		packs[i].Ref = ref
		if !components[ref] {
			added = append(added, packs[i])
		}
		taken[ref], components[ref] = true, false // it is no other pack's
	}
	addToList(e, root, "components", added)
	return len(added)
}

// componentRefs collects the bom-refs of the components in an object, and in these.
func componentRefs(o strictjson.Object, refs map[string]bool) {
	if !o.Has("components") {
		return
	}
	for _, c := range o.Objects("components") {
		if c.Has("bom-ref") {
			refs[c.String("bom-ref")] = true
		}
		componentRefs(c, refs)
	}
}

// addDependencies makes the main component depend on the packs, which depend on nothing.
func addDependencies(e *edits, root strictjson.Object, main string, packs []string) {
	known := map[string]bool{}
	var mains []strictjson.Object
	if root.Has("dependencies") {
		for _, d := range root.Objects("dependencies") {
			ref := d.String("ref")
			known[ref] = true
			if ref == main {
				mains = append(mains, d)
			}
		}
	}
	var added []any
	if len(mains) == 0 {
		added = append(added, Dependency{main, packs})
	} else {
		addNeeds(e, mains, packs)
	}
	for _, ref := range packs {
		if !known[ref] {
			added = append(added, Dependency{Ref: ref})
		}
	}
	addToList(e, root, "dependencies", added)
}

// addNeeds adds packs to the dependsOn of the main component. A document may wrongly list that
// component several times; the first list that exists gets the packs.
func addNeeds(e *edits, mains []strictjson.Object, packs []string) {
	known := map[string]bool{}
	first := mains[0]
	for _, d := range slices.Backward(mains) {
		if d.Has("dependsOn") {
			first = d
			for _, ref := range d.Strings("dependsOn") {
				known[ref] = true
			}
		}
	}
	var added []any
	for _, ref := range packs {
		if !known[ref] {
			added = append(added, ref)
		}
	}
	addToList(e, first, "dependsOn", added)
}

// addToList adds values to the list under a key of an object, which may lack it.
func addToList(e *edits, o strictjson.Object, key string, values []any) {
	switch {
	case len(values) == 0:
	case o.Has(key):
		e.addTo(o.ListSpan(key), values)
	default:
		e.addMember(o.Span(), key, values)
	}
}
