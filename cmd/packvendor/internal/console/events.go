package console

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/terminal"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// Event reports an event of a run.
func (p *Printer) Event(e vendorer.Event) {
	switch e := e.(type) {
	case vendorer.Planned:
		for line := range strings.Lines(e.Plan.String()) {
			p.Detail("%splan: %s", p.About, strings.TrimSuffix(line, "\n"))
		}
	case vendorer.StaleEntry:
		p.Notice("%s%s: packs.lock is stale, resolving again (was %s)", p.About, e.Name, e.Locked)
	case vendorer.FileChanged:
		p.Notice("%s%s: the file %s has changed, and is taken", p.About, e.Name, e.Path)
	case vendorer.FileNotZip:
		p.Warning("%s%s: the file %s is not a zip file", p.About, e.Name, e.Path)
	case vendorer.FileStays:
		p.Notice("%s%s is from a file, which update leaves alone: %s", p.About, e.Name, e.Path)
	case vendorer.LeftOut:
		p.Warning("%s%s has no pin yet and is left out", p.About, e.Name)
		p.Hint(p.Hints.Edit("add", e.Name, e.Ref))
	case vendorer.TagMoved:
		p.Warning("%s%s: the tag of %s no longer names its digest\n\tpinned: %s\n\ttag:    %s", p.About, e.Name, e.Ref, e.Pinned, e.Now)
	case vendorer.Republished:
		p.Notice("%s%s: version tag %s was pushed again with the same bytes\n\tlocked: %s\n\tnow:    %s", p.About, e.Name, e.Tag, e.Locked, e.Now)
	case vendorer.TagUnchecked:
		p.Warning("%s%s: cannot check whether its tag still names its digest: %v", p.About, e.Name, e.Err)
	case vendorer.SuspectLayer:
		p.suspectLayer(e.Name, e.SuspectLayer)
	case vendorer.Restored:
		p.restored(e)
	case vendorer.EvidenceRebuilt:
		switch {
		case e.Same && e.Changed:
			p.Warning("%s was not the evidence that is locked; restored it", e.Path)
		case e.Same:
			p.Notice("%s was missing; it is the same again", e.Path)
		case e.Changed:
			p.Warning("%s was not the evidence that is locked; the registry has other evidence now, which is locked", e.Path)
		default:
			p.Warning("%s was missing; the registry has other evidence now, which is locked", e.Path)
		}
	case vendorer.UnaskedSigner:
		p.Warning("%s%s is signed, but no rule asks for it", p.About, e.Name)
	case vendorer.Unverified:
		p.Warning("%s%s not verified here: %v", p.About, phrase.Count(e.Signatures, "keyless signature"), e.Err)
	case vendorer.SignerChanged:
		if e.Now == "" {
			p.Notice("%s%s: no signer is locked any more; it was %s", p.About, e.Name, e.Was)
		} else {
			p.Notice("%s%s: another signer is locked\n\tbefore: %s\n\tnow:    %s", p.About, e.Name, e.Was, e.Now)
		}
	case vendorer.SignerRemoved:
		p.Notice("%s%s was signed by %s", p.About, e.Name, e.Signer)
	case vendorer.FirstSigned:
		p.Notice("%s%s: pack %s, version %s, is signed by %s", p.About, e.Name, printable.Word(e.ID, maxID), printable.Word(e.Version, maxID), e.Signer)
	case vendorer.UnreadSigned:
		which := "what was locked"
		if e.Signer != "" {
			which = "it is signed by " + e.Signer + ", and"
		}
		p.Warning("%s%s: %s cannot be read as a pack, so its ID and version are not compared: %v", p.About, e.Name, which, e.Err)
	case vendorer.NotCompared:
		p.Notice("%s%s: its ID and version are not compared: a dry run downloads no packs", p.About, e.Name)
	case vendorer.TrustInTree:
		if !p.trustInTree {
			p.Warning("PACKVENDOR_TRUST names %s, which is in the work tree: who changes the project can change it", e.File)
		}
		p.trustInTree = true
	case vendorer.Kept:
		p.Warning("%s is not what was locked, so it is kept although packs.toml no longer has %s", e.Path, e.Name)
	case vendorer.NotExported:
		p.Warning("%s is not the pack that is locked; the bundle has the pack from elsewhere", e.Path)
	case vendorer.NotImported:
		p.Warning("%s%s is not imported: packs.toml chooses its layer, and the cache keeps another one", p.About, e.Name)
	case vendorer.UnreadComponents:
		p.Warning("%s%s cannot be read as a pack, so the SBOM lacks its components: %v", p.About, e.Name, e.Err)
	case vendorer.LeftOutOfSBOM:
		p.Warning("%s names %s, but does not have its bytes, so it is not in the SBOM", e.Program, e.Name)
	case vendorer.NothingDepends:
		p.Warning("%s has no main component with a bom-ref, so nothing in it depends on the packs", e.File)
	case vendorer.SignatureLeftOut:
		p.Warning("greentic-dist would refuse the signatures of %s, so they are left out", strings.Join(e.Names, ", "))
	case vendorer.LayerNotKnown:
		p.Warning("greentic-dist may take another layer of %s: it does not know layer in packs.toml", strings.Join(e.Names, ", "))
	case vendorer.Large:
		p.Warning("%s%s has %d bytes: many code hosts refuse files over 100 MB", p.About, e.Name, e.Size)
	case vendorer.LargeTotal:
		p.Warning("%sall packs together have %d bytes: the go command refuses modules over 500 MiB", p.About, e.Size)
	case vendorer.WaitingForProject:
		p.Notice("%s: waiting for another packvendor to finish", e.File)
	case vendorer.Fetching:
		p.fetching(e.Event)
	}
}

func (p *Printer) fetching(e packfetch.Event) {
	switch e := e.(type) {
	case packfetch.CorruptEntry:
		p.corruptEntry(e)
	case packfetch.CacheUnusable:
		if !p.cacheUnusable || p.Verbose {
			p.Warning("going on without the cache: %v", e.Err)
		}
		p.cacheUnusable = true
	case packfetch.SuspectLayer:
		p.suspectLayer("", e)
	case packfetch.Retrying:
		p.retrying(e)
	case packfetch.Resumed:
		p.Detail("%s: going on with an interrupted download: %s of %s are there", e.Reference, phrase.Bytes(e.Kept), phrase.Bytes(e.Size))
	case packfetch.MirrorFilesRead:
		for _, file := range e.Files {
			p.once(func(text string) { p.Detail("%s", text) }, "", "mirrors: read "+file)
		}
	case packfetch.MirrorFileIgnored:
		p.once(func(text string) { p.Warning("%s", text) }, "", e.File+" is ignored: it is in the format of version 1")
	case packfetch.Served:
		p.Detail("%s: the %s came from %s", e.Reference, servedWords[e.What], e.Source.Place)
	case packfetch.SourceFailed:
		if e.Suspect {
			p.Warning("%s %s is passed over: %v", e.Source.Role, e.Source.Place, e.Err)
		} else {
			p.Detail("%s %s is passed over: %v", e.Source.Role, e.Source.Place, e.Err)
		}
	case packfetch.TagsFromMirror:
		p.Warning("%s: the registry does not give it, so mirror %s does, which may be out of date: %v", e.Reference, e.Mirror, e.Err)
	case packfetch.InsecureMirror:
		p.insecureMirror(e)
	case packfetch.LocationIgnored:
		p.once(func(text string) { p.Warning("%s", text) }, "", ignoredText(e))
	case packfetch.LocationSpoke:
		p.Notice("%s:%d: the tags of %s are what %s says, which has its place", e.File, e.Line, e.Origin, e.Location)
	case packfetch.Waiting:
		p.Notice("%s: waiting for another process that is fetching it", e.Reference)
	}
}

// corruptEntry reports a corrupt entry, and that it is mended only if it is.
func (p *Printer) corruptEntry(e packfetch.CorruptEntry) {
	how := "corrupt"
	if e.Err.Short {
		how = "incomplete"
	}
	if e.Mended {
		p.Warning("the cache was %s and is mended: %v", how, e.Err)
	} else {
		p.Warning("the cache is %s: %v", how, e.Err)
	}
}

// insecureMirror reports a mirror over plain HTTP, and what would have it asked.
func (p *Printer) insecureMirror(e packfetch.InsecureMirror) {
	p.once(func(text string) {
		p.Warning("%s", text)
		if p.Hints.File == "" || p.Hints.HasFlag("insecure-registry") {
			p.Hint(p.Hints.Again("--insecure-registry=" + e.Host))
		} else {
			p.Hint(hint.Insecure(p.Hints.File, append(slices.Clone(e.Insecure), e.Host)...))
		}
	}, "", fmt.Sprintf("%s:%d: mirror %s is passed over: insecure_registries does not have it", e.File, e.Line, e.Host))
}

// longWait is one after which people think that nothing happens any more.
const longWait = 10 * time.Second

// retrying reports that a request is made again.
func (p *Printer) retrying(e packfetch.Retrying) {
	tell := p.Detail
	if e.Told && e.Wait >= longWait {
		tell = p.Notice
	}
	tell("%s", terminal.TriedAgain(e))
}

// servedWords name what a source served.
var servedWords = map[string]string{"manifest": "manifest", "tags": "tags", "bytes": "pack"}

// maxID bounds the ID and the version of a pack in a message.
const maxID = 128

// maxListed bounds how many layers of a manifest are named.
const maxListed = 16

// suspectLayer reports a layer that may not be the pack, or not to every client, and how
// packs.toml chooses one. name is "" without a packs.toml.
func (p *Printer) suspectLayer(name string, d packfetch.SuspectLayer) {
	who := p.About + name
	if name == "" {
		who = d.Reference
	}
	if len(d.Unknown) > 0 {
		p.Warning("%s: other clients refuse this artifact: beside the pack it has a layer of type %s", who, strings.Join(d.Unknown, ", "))
	}
	if !d.NotZip && !d.FirstOfSeveral && (d.Layer.MediaType != markdown || len(d.Others) == 0) {
		return
	}
	p.Warning("%s: the selected layer is %s", who, selectedText(d))
	if wanted, ok := wantedLayer(d); name != "" && ok {
		all := append([]packfetch.Layer{d.Layer}, d.Others...)
		p.Hint(hint.Line("in %s, packs.%s: layer = %q", p.Hints.File, name, layerName(wanted, all)))
	}
}

// selectedText names the selected layer, its oddities, and the other layers.
func selectedText(d packfetch.SuspectLayer) string {
	text := fmt.Sprintf("%s %s", d.Layer.MediaType, d.Layer.Digest)
	if d.NotZip {
		text += ", which is not a zip file"
	}
	if d.FirstOfSeveral {
		text += ", the first of several: other clients may select another"
	}
	for i, l := range d.Others {
		if i == maxListed {
			return text + fmt.Sprintf("\n\tand %d more", len(d.Others)-i)
		}
		text += fmt.Sprintf("\n\talso there: %s %s", l.MediaType, l.Digest)
	}
	return text
}

const markdown = "text/markdown"

// wantedLayer is the layer that is probably the pack, if it is to be named: the
// selected one where it may well be, else the first other that is no text.
func wantedLayer(d packfetch.SuspectLayer) (packfetch.Layer, bool) {
	if d.FirstOfSeveral && !d.NotZip && d.Layer.MediaType != markdown {
		return d.Layer, true
	}
	i := slices.IndexFunc(d.Others, func(l packfetch.Layer) bool { return l.MediaType != markdown })
	if i < 0 {
		return packfetch.Layer{}, false
	}
	return d.Others[i], true
}

// layerName names a layer as packs.toml's layer does: by media type if that is
// unmistakable among all.
func layerName(wanted packfetch.Layer, all []packfetch.Layer) string {
	for _, l := range all {
		if l.MediaType == wanted.MediaType && l.Digest != wanted.Digest {
			return wanted.Digest
		}
	}
	return wanted.MediaType
}

func (p *Printer) restored(e vendorer.Restored) {
	if e.LFS {
		p.Warning("%s was a Git LFS pointer, not the pack; restored the pack", e.Path)
		return
	}
	p.Warning("%s differed from packs.lock; restored it\n%s", e.Path, verified.Difference(e.Got, e.Want))
}

// Written lists the files that a run wrote.
func (p *Printer) Written(report *vendorer.Report) {
	for _, name := range report.Written {
		p.Detail("wrote %s", name)
	}
	for _, name := range report.Deleted {
		p.Detail("deleted %s", name)
	}
	if len(report.Written)+len(report.Deleted) == 0 {
		p.Detail("%snothing changed", p.About)
	}
}

func ignoredText(e packfetch.LocationIgnored) string {
	if e.Digests {
		return fmt.Sprintf("%s:%d: %s is not asked about %s: the file is in the work tree, and no rule asks for a signature", e.File, e.Line, e.Location, e.Origin)
	}
	return fmt.Sprintf("%s:%d: %s is not asked for tags of %s: the file is in the work tree, and no rule asks for a signature", e.File, e.Line, e.Location, e.Origin)
}
