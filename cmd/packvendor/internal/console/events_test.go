package console

import (
	"errors"
	"fmt"
	"go/types"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/go/packages"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer"
)

// How loud an event is told.
const (
	detail  = "detail"  // with --verbose only
	notice  = "notice"  // not with --quiet
	warning = "warning" // always
)

var (
	packLayer = packfetch.Layer{MediaType: "application/vnd.greentic.gtpack.v1+zip", Digest: "sha256:aa"}
	textLayer = packfetch.Layer{MediaType: "text/markdown", Digest: "sha256:bb"}
	tarLayer  = packfetch.Layer{MediaType: "application/vnd.oci.image.layer.v1.tar", Digest: "sha256:cc"}
	tarLayer2 = packfetch.Layer{MediaType: "application/vnd.oci.image.layer.v1.tar", Digest: "sha256:dd"}
	jsonLayer = packfetch.Layer{MediaType: "application/json", Digest: "sha256:ee"}
)

// eventWords has every event with all that is said of it.
var eventWords = []struct {
	event vendorer.Event
	level string
	want  string
}{
	{vendorer.Planned{Plan: vendorer.Plan{
		Steps: []vendorer.Step{
			{Pack: packsfile.Pack{Name: "a"}, Action: vendorer.Keep},
			{Pack: packsfile.Pack{Name: "b"}, Action: vendorer.Restore, Reason: vendorer.Missing},
		},
		Surplus: []lockfile.Entry{{Name: "c"}},
	}}, detail, "packvendor: plan: a: keep\npackvendor: plan: b: restore (not vendored)\npackvendor: plan: c: drop (not in packs.toml)\n"},
	{vendorer.Planned{}, detail, ""},
	{vendorer.StaleEntry{Name: "a", Locked: "r.io/a:1", Configured: "r.io/a:2"}, notice,
		"packvendor: a: packs.lock is stale, resolving again (was r.io/a:1)\n"},
	{vendorer.FileChanged{Name: "a", Path: "../a.gtpack"}, notice,
		"packvendor: a: the file ../a.gtpack has changed, and is taken\n"},
	{vendorer.FileNotZip{Name: "a", Path: "../a.gtpack"}, warning,
		"packvendor: warning: a: the file ../a.gtpack is not a zip file\n"},
	{vendorer.FileStays{Name: "a", Path: "../a.gtpack"}, notice,
		"packvendor: a is from a file, which update leaves alone: ../a.gtpack\n"},
	{vendorer.LeftOut{Name: "a", Ref: "r.io/a:1"}, warning,
		"packvendor: warning: a has no pin yet and is left out\npackvendor: hint: packvendor add a r.io/a:1\n"},
	{vendorer.TagMoved{Name: "a", Ref: "r.io/a:1@sha256:aa", Pinned: "sha256:aa", Now: "sha256:bb"}, warning,
		"packvendor: warning: a: the tag of r.io/a:1@sha256:aa no longer names its digest\n\tpinned: sha256:aa\n\ttag:    sha256:bb\n"},
	{vendorer.Republished{Name: "a", Tag: "1.0.0", Locked: "sha256:aa", Now: "sha256:bb"}, notice,
		"packvendor: a: version tag 1.0.0 was pushed again with the same bytes\n\tlocked: sha256:aa\n\tnow:    sha256:bb\n"},
	{vendorer.TagUnchecked{Name: "a", Ref: "r.io/a:1@sha256:aa", Err: errors.New("cause")}, warning,
		"packvendor: warning: a: cannot check whether its tag still names its digest: cause\n"},
	{vendorer.SuspectLayer{Name: "a", SuspectLayer: packfetch.SuspectLayer{Layer: packLayer, NotZip: true}}, warning,
		"packvendor: warning: a: the selected layer is application/vnd.greentic.gtpack.v1+zip sha256:aa, which is not a zip file\n"},
	{vendorer.SuspectLayer{Name: "a", SuspectLayer: packfetch.SuspectLayer{Layer: textLayer, Others: []packfetch.Layer{tarLayer}}}, warning,
		"packvendor: warning: a: the selected layer is text/markdown sha256:bb\n\talso there: application/vnd.oci.image.layer.v1.tar sha256:cc\n" +
			"packvendor: hint: in packs.toml, packs.a: layer = \"application/vnd.oci.image.layer.v1.tar\"\n"},
	{vendorer.SuspectLayer{Name: "a", SuspectLayer: packfetch.SuspectLayer{Layer: textLayer, NotZip: true, Others: []packfetch.Layer{tarLayer, tarLayer2}}}, warning,
		"packvendor: warning: a: the selected layer is text/markdown sha256:bb, which is not a zip file\n" +
			"\talso there: application/vnd.oci.image.layer.v1.tar sha256:cc\n\talso there: application/vnd.oci.image.layer.v1.tar sha256:dd\n" +
			"packvendor: hint: in packs.toml, packs.a: layer = \"sha256:cc\"\n"},
	{vendorer.SuspectLayer{Name: "a", SuspectLayer: packfetch.SuspectLayer{Layer: tarLayer, Others: []packfetch.Layer{jsonLayer}, FirstOfSeveral: true}}, warning,
		"packvendor: warning: a: the selected layer is application/vnd.oci.image.layer.v1.tar sha256:cc, the first of several: other clients may select another\n" +
			"\talso there: application/json sha256:ee\n" +
			"packvendor: hint: in packs.toml, packs.a: layer = \"application/vnd.oci.image.layer.v1.tar\"\n"},
	{vendorer.SuspectLayer{Name: "a", SuspectLayer: packfetch.SuspectLayer{Layer: tarLayer, Others: []packfetch.Layer{tarLayer2}, FirstOfSeveral: true}}, warning,
		"packvendor: warning: a: the selected layer is application/vnd.oci.image.layer.v1.tar sha256:cc, the first of several: other clients may select another\n" +
			"\talso there: application/vnd.oci.image.layer.v1.tar sha256:dd\n" +
			"packvendor: hint: in packs.toml, packs.a: layer = \"sha256:cc\"\n"},
	{vendorer.SuspectLayer{Name: "a", SuspectLayer: packfetch.SuspectLayer{Layer: tarLayer, Others: []packfetch.Layer{jsonLayer}, FirstOfSeveral: true, NotZip: true}}, warning,
		"packvendor: warning: a: the selected layer is application/vnd.oci.image.layer.v1.tar sha256:cc, which is not a zip file, the first of several: other clients may select another\n" +
			"\talso there: application/json sha256:ee\n" +
			"packvendor: hint: in packs.toml, packs.a: layer = \"application/json\"\n"},
	{vendorer.SuspectLayer{Name: "a", SuspectLayer: packfetch.SuspectLayer{Layer: packLayer, Others: []packfetch.Layer{tarLayer}, Unknown: []string{"image/png", "x/y"}}}, warning,
		"packvendor: warning: a: other clients refuse this artifact: beside the pack it has a layer of type image/png, x/y\n"},
	{vendorer.Fetching{Event: packfetch.SuspectLayer{Reference: "r.io/a:1", Layer: textLayer, Others: []packfetch.Layer{tarLayer}}}, warning,
		"packvendor: warning: r.io/a:1: the selected layer is text/markdown sha256:bb\n\talso there: application/vnd.oci.image.layer.v1.tar sha256:cc\n"},
	{vendorer.Fetching{Event: packfetch.MirrorFilesRead{Files: []string{"a.conf", "b.conf"}}}, detail,
		"packvendor: mirrors: read a.conf\npackvendor: mirrors: read b.conf\n"},
	{vendorer.Fetching{Event: packfetch.MirrorFileIgnored{File: "a.conf"}}, warning,
		"packvendor: warning: a.conf is ignored: it is in the format of version 1\n"},
	{vendorer.Fetching{Event: packfetch.Served{Reference: "r.io/a:1", What: "tags", Source: packfetch.Source{Role: "mirror", Place: "m.io/a"}}}, detail,
		"packvendor: r.io/a:1: the tags came from m.io/a\n"},
	{vendorer.Fetching{Event: packfetch.SourceFailed{Reference: "r.io/a:1", Source: packfetch.Source{Role: "mirror", Place: "m.io/a"}, Err: errors.New("cause")}}, detail,
		"packvendor: mirror m.io/a is passed over: cause\n"},
	{vendorer.Fetching{Event: packfetch.SourceFailed{Reference: "r.io/a:1", Source: packfetch.Source{Role: "mirror", Place: "m.io/a"}, Err: errors.New("cause"), Suspect: true}}, warning,
		"packvendor: warning: mirror m.io/a is passed over: cause\n"},
	{vendorer.Fetching{Event: packfetch.TagsFromMirror{Reference: "r.io/a:1", Mirror: "m.io/a", Err: errors.New("cause")}}, warning,
		"packvendor: warning: r.io/a:1: the registry does not give it, so mirror m.io/a does, which may be out of date: cause\n"},
	{vendorer.Fetching{Event: packfetch.InsecureMirror{Host: "m.io", File: "a.conf", Line: 3, Insecure: []string{"x.io"}}}, warning,
		"packvendor: warning: a.conf:3: mirror m.io is passed over: insecure_registries does not have it\n" +
			"packvendor: hint: in packs.toml, above the first table: insecure_registries = [\"x.io\", \"m.io\"]\n"},
	{vendorer.Fetching{Event: packfetch.LocationIgnored{Location: "m.io/a", Origin: "r.io/a", File: "a.conf", Line: 3}}, warning,
		"packvendor: warning: a.conf:3: m.io/a is not asked for tags of r.io/a: the file is in the work tree, and no rule asks for a signature\n"},
	{vendorer.Fetching{Event: packfetch.LocationIgnored{Location: "m.io/b", Origin: "r.io/b", File: "a.conf", Line: 3, Digests: true}}, warning,
		"packvendor: warning: a.conf:3: m.io/b is not asked about r.io/b: the file is in the work tree, and no rule asks for a signature\n"},
	{vendorer.Fetching{Event: packfetch.LocationSpoke{Location: "m.io/a", Origin: "r.io/a", File: "a.conf", Line: 3}}, notice,
		"packvendor: a.conf:3: the tags of r.io/a are what m.io/a says, which has its place\n"},
	{vendorer.Restored{Name: "a", Path: "packs/a.gtpack", Got: verified.Content{Digest: "sha256:aa"}, Want: verified.Content{Digest: "sha256:bb"}}, warning,
		"packvendor: warning: packs/a.gtpack differed from packs.lock; restored it\n\tgot:  sha256:aa\n\twant: sha256:bb\n"},
	{vendorer.Restored{Name: "a", Path: "packs/a.gtpack", Got: verified.Content{Digest: "sha256:aa"}, Want: verified.Content{Digest: "sha256:bb"}, LFS: true}, warning,
		"packvendor: warning: packs/a.gtpack was a Git LFS pointer, not the pack; restored the pack\n"},
	{vendorer.EvidenceRebuilt{Name: "a", Path: "packs/a.evidence", Same: true}, notice,
		"packvendor: packs/a.evidence was missing; it is the same again\n"},
	{vendorer.EvidenceRebuilt{Name: "a", Path: "packs/a.evidence"}, warning,
		"packvendor: warning: packs/a.evidence was missing; the registry has other evidence now, which is locked\n"},
	{vendorer.EvidenceRebuilt{Name: "a", Path: "packs/a.evidence", Changed: true, Same: true}, warning,
		"packvendor: warning: packs/a.evidence was not the evidence that is locked; restored it\n"},
	{vendorer.EvidenceRebuilt{Name: "a", Path: "packs/a.evidence", Changed: true}, warning,
		"packvendor: warning: packs/a.evidence was not the evidence that is locked; the registry has other evidence now, which is locked\n"},
	{vendorer.Unverified{Signatures: 2, Err: errors.New("cause")}, warning,
		"packvendor: warning: 2 keyless signatures not verified here: cause\n"},
	{vendorer.SignerChanged{SignerChange: vendorer.SignerChange{Name: "a", Was: "x", Now: "y"}}, notice,
		"packvendor: a: another signer is locked\n\tbefore: x\n\tnow:    y\n"},
	{vendorer.SignerChanged{SignerChange: vendorer.SignerChange{Name: "a", Was: "x"}}, notice,
		"packvendor: a: no signer is locked any more; it was x\n"},
	{vendorer.SignerRemoved{Name: "a", Signer: "x"}, notice,
		"packvendor: a was signed by x\n"},
	{vendorer.FirstSigned{Name: "a", ID: "acme.a\n", Version: "1.0.0", Signer: "x"}, notice,
		"packvendor: a: pack \"acme.a\\n\", version 1.0.0, is signed by x\n"},
	{vendorer.UnreadSigned{Name: "a", Signer: "b (c)", Err: errors.New("cause")}, warning,
		"packvendor: warning: a: it is signed by b (c), and cannot be read as a pack, so its ID and version are not compared: cause\n"},
	{vendorer.UnreadSigned{Name: "a", Err: errors.New("cause")}, warning,
		"packvendor: warning: a: what was locked cannot be read as a pack, so its ID and version are not compared: cause\n"},
	{vendorer.NotCompared{Name: "a"}, notice,
		"packvendor: a: its ID and version are not compared: a dry run downloads no packs\n"},
	{vendorer.TrustInTree{File: "/app/trust.toml"}, warning,
		"packvendor: warning: PACKVENDOR_TRUST names /app/trust.toml, which is in the work tree: who changes the project can change it\n"},
	{vendorer.UnaskedSigner{Name: "a"}, warning,
		"packvendor: warning: a is signed, but no rule asks for it\n"},
	{vendorer.Kept{Name: "a", Path: "packs/a.gtpack"}, warning,
		"packvendor: warning: packs/a.gtpack is not what was locked, so it is kept although packs.toml no longer has a\n"},
	{vendorer.NotExported{Name: "a", Path: "packs/a.gtpack"}, warning,
		"packvendor: warning: packs/a.gtpack is not the pack that is locked; the bundle has the pack from elsewhere\n"},
	{vendorer.NotImported{Name: "a"}, warning,
		"packvendor: warning: a is not imported: packs.toml chooses its layer, and the cache keeps another one\n"},
	{vendorer.UnreadComponents{Name: "a", Err: errors.New("cause")}, warning,
		"packvendor: warning: a cannot be read as a pack, so the SBOM lacks its components: cause\n"},
	{vendorer.LeftOutOfSBOM{Program: "app", Name: "a"}, warning,
		"packvendor: warning: app names a, but does not have its bytes, so it is not in the SBOM\n"},
	{vendorer.NothingDepends{File: "bom.json"}, warning,
		"packvendor: warning: bom.json has no main component with a bom-ref, so nothing in it depends on the packs\n"},
	{vendorer.SignatureLeftOut{Names: []string{"a", "b"}}, warning,
		"packvendor: warning: greentic-dist would refuse the signatures of a, b, so they are left out\n"},
	{vendorer.LayerNotKnown{Names: []string{"a", "b"}}, warning,
		"packvendor: warning: greentic-dist may take another layer of a, b: it does not know layer in packs.toml\n"},
	{vendorer.Large{Name: "a", Size: 100_000_001}, warning,
		"packvendor: warning: a has 100000001 bytes: many code hosts refuse files over 100 MB\n"},
	{vendorer.LargeTotal{Size: 524_288_001}, warning,
		"packvendor: warning: all packs together have 524288001 bytes: the go command refuses modules over 500 MiB\n"},
	{vendorer.WaitingForProject{File: "packs.toml"}, notice,
		"packvendor: packs.toml: waiting for another packvendor to finish\n"},
	{vendorer.Fetching{Event: packfetch.CorruptEntry{Reference: "r.io/a:1", Err: &packfetch.CorruptCacheError{Path: "/c/pack.gtpack", Err: errors.New("not a regular file")}}}, warning,
		"packvendor: warning: the cache is corrupt: /c/pack.gtpack: not a regular file\n"},
	{vendorer.Fetching{Event: packfetch.CorruptEntry{Reference: "r.io/a:1", Err: &packfetch.CorruptCacheError{Path: "/c/pack.gtpack", Err: errors.New("cause")}, Mended: true}}, warning,
		"packvendor: warning: the cache was corrupt and is mended: /c/pack.gtpack: cause\n"},
	{vendorer.Fetching{Event: packfetch.CorruptEntry{Reference: "r.io/a:1", Err: &packfetch.CorruptCacheError{Path: "/c/pack.gtpack", Err: errors.New("cause"), Short: true}}}, warning,
		"packvendor: warning: the cache is incomplete: /c/pack.gtpack: cause\n"},
	{vendorer.Fetching{Event: packfetch.CorruptEntry{Reference: "r.io/a:1", Err: &packfetch.CorruptCacheError{Path: "/c/pack.gtpack", Err: errors.New("cause"), Short: true}, Mended: true}}, warning,
		"packvendor: warning: the cache was incomplete and is mended: /c/pack.gtpack: cause\n"},
	{vendorer.Fetching{Event: packfetch.CacheUnusable{Reference: "r.io/a:1", Err: errors.New("cause")}}, warning,
		"packvendor: warning: going on without the cache: cause\n"},
	{vendorer.Fetching{Event: packfetch.Resumed{Reference: "r.io/a:1", Kept: 1_000_000, Size: 3_000_000}}, detail,
		"packvendor: r.io/a:1: going on with an interrupted download: 1.0 MB of 3.0 MB are there\n"},
	{vendorer.Fetching{Event: packfetch.Waiting{Reference: "r.io/a:1"}}, notice,
		"packvendor: r.io/a:1: waiting for another process that is fetching it\n"},
	{vendorer.Fetching{Event: packfetch.Retrying{Err: errors.New("cause"), Wait: time.Second, Try: 2, Of: 5}}, detail,
		"packvendor: cause: trying again (2 of 5)\n"},
	{vendorer.Fetching{Event: packfetch.Retrying{Err: errors.New("cause"), Wait: time.Second, Told: true, Try: 2, Of: 5}}, detail,
		"packvendor: cause: trying again in 1s, as the registry asks (2 of 5)\n"},
	{vendorer.Fetching{Event: packfetch.Retrying{Err: errors.New("cause"), Wait: 45 * time.Second, Told: true, Try: 3, Of: 5}}, notice,
		"packvendor: cause: trying again in 45s, as the registry asks (3 of 5)\n"},
}

func TestEventWords(t *testing.T) {
	for _, test := range eventWords {
		for _, verbosity := range []struct{ quiet, verbose bool }{{false, false}, {true, false}, {false, true}} {
			var stderr strings.Builder
			p := &Printer{Stderr: &stderr, Quiet: verbosity.quiet, Verbose: verbosity.verbose, Hints: hint.Context{File: "packs.toml"}}
			p.Event(test.event)
			want := test.want
			if test.level == notice && verbosity.quiet || test.level == detail && !verbosity.verbose {
				want = ""
			}
			if got := stderr.String(); got != want {
				t.Errorf("%T %+v:\n%q\nwant:\n%q", test.event, verbosity, got, want)
			}
		}
	}
}

// A new event must be given words here.
func TestEveryEventHasWords(t *testing.T) {
	var said []string
	for _, test := range eventWords {
		said = append(said, fmt.Sprintf("%T", test.event))
		if f, ok := test.event.(vendorer.Fetching); ok {
			said = append(said, fmt.Sprintf("%T", f.Event))
		}
	}
	for _, pkg := range load(t, "vendorer", "internal/fetch", "internal/sources") {
		event := pkg.Scope().Lookup("Event").Type().Underlying().(*types.Interface)
		for _, name := range exported(pkg, event) {
			if !slices.Contains(said, name) {
				t.Errorf("nothing is said of %s in this test", name)
			}
		}
	}
}

// That the cache cannot be used is said once, or each time with --verbose.
func TestCacheUnusableOnce(t *testing.T) {
	for verbose, want := range map[bool]int{false: 1, true: 3} {
		var stderr strings.Builder
		p := &Printer{Stderr: &stderr, Verbose: verbose}
		for range 3 {
			p.Event(vendorer.Fetching{Event: packfetch.CacheUnusable{Err: errors.New("read-only file system")}})
		}
		if got := strings.Count(stderr.String(), "going on without the cache: read-only file system\n"); got != want {
			t.Errorf("verbose %v: said %d times, want %d", verbose, got, want)
		}
	}
}

// Words do not change what they are told.
func TestLayerNameKeepsOthers(t *testing.T) {
	others := []packfetch.Layer{tarLayer, textLayer, tarLayer2}
	before := slices.Clone(others)
	var stderr strings.Builder
	p := &Printer{Stderr: &stderr, Hints: hint.Context{File: "packs.toml"}}
	p.suspectLayer("a", packfetch.SuspectLayer{Layer: packLayer, NotZip: true, Others: others[:2:3]})
	if want := "packs.a: layer = \"" + tarLayer.MediaType + "\"\n"; !strings.HasSuffix(stderr.String(), want) {
		t.Errorf("said %q, want %q at its end", stderr.String(), want)
	}
	if !slices.Equal(others, before) {
		t.Errorf("the layers became %v", others)
	}
	if got := layerName(tarLayer, []packfetch.Layer{tarLayer2, tarLayer}); got != "sha256:cc" {
		t.Errorf("named %s, though the selected layer is of that type too", got)
	}
}

func TestWritten(t *testing.T) {
	var stderr strings.Builder
	p := &Printer{Stderr: &stderr, Verbose: true}
	p.Written(&vendorer.Report{Written: []string{"packs_gen.go", "packs.lock"}, Deleted: []string{"packs/a.gtpack"}})
	p.Written(&vendorer.Report{})
	want := "packvendor: wrote packs_gen.go\npackvendor: wrote packs.lock\npackvendor: deleted packs/a.gtpack\npackvendor: nothing changed\n"
	if got := stderr.String(); got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// Colours are for the word that says what a line is, and for nothing that a line
// quotes.
func TestColouredWords(t *testing.T) {
	var text strings.Builder
	p := &Printer{Stderr: &text, Colours: true}
	p.Error("a\x1b[2Jb")
	p.Warning("w")
	p.Hint(hint.Line("h"))
	p.Notice("n")
	want := "packvendor: \x1b[1;31merror:\x1b[0m a\\x1b[2Jb\npackvendor: \x1b[1;33mwarning:\x1b[0m w\npackvendor: \x1b[1;36mhint:\x1b[0m h\npackvendor: n\n"
	if text.String() != want {
		t.Errorf("got %q, want %q", &text, want)
	}
}

// Whatever a text quotes, the terminal gets nothing but printable characters.
func TestFault51_ErrorsAreEscaped(t *testing.T) {
	var stderr strings.Builder
	p := &Printer{Stderr: &stderr}
	p.Error("z\x1b[31m\rz.go declares A\n\tand \u202e")
	if got, want := stderr.String(), "packvendor: error: z\\x1b[31m\\rz.go declares A\n\tand \\u202e\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// load returns the types of packages of this module.
func load(t *testing.T, paths ...string) []*types.Package {
	t.Helper()
	for i := range paths {
		paths[i] = "github.com/greenticai/packvendor/" + paths[i]
	}
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	var result []*types.Package
	for _, pkg := range loaded {
		for _, err := range pkg.Errors {
			t.Fatal(err)
		}
		result = append(result, pkg.Types)
	}
	return result
}

// exported returns the package's exported types that implement iface, as such
// or as pointers.
func exported(pkg *types.Package, iface *types.Interface) []string {
	var names []string
	for _, name := range pkg.Scope().Names() {
		object, ok := pkg.Scope().Lookup(name).(*types.TypeName)
		if !ok || !object.Exported() || types.IsInterface(object.Type()) {
			continue
		}
		if types.Implements(object.Type(), iface) || types.Implements(types.NewPointer(object.Type()), iface) {
			names = append(names, pkg.Name()+"."+name)
		}
	}
	return names
}
