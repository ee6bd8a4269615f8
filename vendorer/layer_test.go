package vendorer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
)

func TestRunIndex(t *testing.T) {
	p := newProject(t)
	a := p.push("A", "a")
	p.pushIndex("INDEX", "a:stable", a)
	p.packs(`a = "$REG/a@$INDEX"`)
	p.mustRun()
	p.wantFile("app/packs.lock", strings.Replace(lockOf("a"), "a@$A\"\n", "a@$INDEX\"\nindex_digest = \"$INDEX\"\n", 1))
	p.wantFound(true)
	p.coldCache()
	p.wantNothingWritten()
	p.remove("app/packs")
	p.reg.ResetRequests()
	p.mustRun()
	p.wantRequests("GET /v2/a/manifests/$A", "GET /v2/a/blobs/$A_LAYER")
}

func TestRunLayerOverride(t *testing.T) {
	p := newProject(t)
	docs := packtest.Layer{MediaType: "application/json", Data: []byte(`{"not": "a zip"}`)}
	p.pushArtifact("A", "a", packtest.Artifact{Layers: []packtest.Layer{{Data: packtest.Zip("a", "1", 0)}, docs}})
	p.names["JSON"] = digestOf(string(docs.Data))
	p.packs(`a = { ref = "$REG/a@$A", layer = "application/json" }`)
	p.mustRun()
	p.wantPack("a", "$JSON")
	doubtful := `vendorer.SuspectLayer{Name:a SuspectLayer:{Reference:$REG/a@$A Layer:{MediaType:application/json Digest:$JSON Size:16 Title:} NotZip:true Others:[{MediaType:application/vnd.greentic.gtpack.v1+zip Digest:$A_LAYER Size:$A_SIZE Title:}] FirstOfSeveral:false Unknown:[]}}`
	p.wantEvents(doubtful)
	if text := p.read("app/packs.lock"); !strings.Contains(text, "layer = \"application/json\"\n") {
		t.Errorf("packs.lock:\n%s", text)
	}
	if _, err := os.Stat(filepath.Join(p.options.CacheDir, p.names["A"][7:], "pack.gtpack")); err == nil {
		t.Error("a pack chosen by layer was published in the cache")
	}
	p.wantNothingWritten()
	p.wantFound(true)

	p.remove("app/packs")
	p.mustRun()
	p.wantPack("a", "$JSON")
	p.wantEvents() // it is locked: no longer suspect

	p.remove("app/packs")
	p.options.Offline = true
	p.fails(p.runs(), "$DIR/packs.toml:2: packs.a: $REG/a@$A is not cached, and the network is off")
}

func TestRunDoubtful(t *testing.T) {
	zip, text := packtest.Zip("a", "1", 0), []byte("# read me")
	p := newProject(t)
	p.names["ZIP"], p.names["TEXT"] = digestOf(string(zip)), digestOf(string(text))
	tar := packtest.Layer{MediaType: "application/vnd.oci.image.layer.v1.tar", Data: zip}
	for _, test := range []struct {
		name   string
		layers []packtest.Layer
		want   []string
	}{
		{"markdown over another", []packtest.Layer{tar, {MediaType: "text/markdown", Data: zip[:4]}}, []string{
			`vendorer.SuspectLayer{Name:a SuspectLayer:{Reference:$REG/a@$A Layer:{MediaType:text/markdown Digest:` + digestOf(string(zip[:4])) + ` Size:4 Title:} NotZip:false Others:[{MediaType:application/vnd.oci.image.layer.v1.tar Digest:$ZIP Size:` + fmt.Sprint(len(zip)) + ` Title:}] FirstOfSeveral:false Unknown:[]}}`}},
		{"not a zip", []packtest.Layer{{Data: text}}, []string{
			`vendorer.SuspectLayer{Name:a SuspectLayer:{Reference:$REG/a@$A Layer:{MediaType:application/vnd.greentic.gtpack.v1+zip Digest:$TEXT Size:9 Title:} NotZip:true Others:[] FirstOfSeveral:false Unknown:[]}}`}},
		{"empty", []packtest.Layer{{Data: []byte{}}}, []string{
			`vendorer.SuspectLayer{Name:a SuspectLayer:{Reference:$REG/a@$A Layer:{MediaType:application/vnd.greentic.gtpack.v1+zip Digest:` + digestOf("") + ` Size:0 Title:} NotZip:true Others:[] FirstOfSeveral:false Unknown:[]}}`}},
		{"empty zip", []packtest.Layer{{Data: append([]byte("PK\x05\x06"), make([]byte, 18)...)}}, nil},
		{"markdown alone", []packtest.Layer{{MediaType: "text/markdown", Data: zip}}, nil},
		{"the first of several", []packtest.Layer{{MediaType: "application/octet-stream", Data: zip}, {MediaType: "application/json", Data: text}}, []string{
			`vendorer.SuspectLayer{Name:a SuspectLayer:{Reference:$REG/a@$A Layer:{MediaType:application/octet-stream Digest:$ZIP Size:` + fmt.Sprint(len(zip)) + ` Title:} NotZip:false Others:[{MediaType:application/json Digest:$TEXT Size:9 Title:}] FirstOfSeveral:true Unknown:[]}}`}},
		{"beside another type", []packtest.Layer{{Data: zip}, {MediaType: "image/png", Data: text}}, []string{
			`vendorer.SuspectLayer{Name:a SuspectLayer:{Reference:$REG/a@$A Layer:{MediaType:application/vnd.greentic.gtpack.v1+zip Digest:$ZIP Size:` + fmt.Sprint(len(zip)) + ` Title:} NotZip:false Others:[] FirstOfSeveral:false Unknown:[image/png]}}`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p.t = t
			p.pushArtifact("A", "a", packtest.Artifact{Layers: test.layers})
			p.packs(`a = "$REG/a@$A"`)
			p.remove("app/packs.lock")
			p.mustRun()
			p.wantEvents(test.want...)
		})
	}
}

func TestRunAcceptsMediaTypes(t *testing.T) {
	p := newProject(t)
	p.pushArtifact("A", "a", packtest.Artifact{Layers: []packtest.Layer{{MediaType: "application/x-mine", Data: packtest.Zip("a", "1", 0)}}})
	p.packs(`a = "$REG/a@$A"`)
	p.fails(p.runs(), `$DIR/packs.toml:2: packs.a: cannot use $REG/a@$A: no layer has a media type that is accepted for packs ("application/x-mine" $A_LAYER)`)
	p.write("app/packs.toml", "accept_media_types = [\"application/x-mine\"]\n[packs]\na = \"$REG/a@$A\"\n")
	p.mustRun()
	p.wantPack("a", "$A_LAYER")
	p.wantFound(true)
}
