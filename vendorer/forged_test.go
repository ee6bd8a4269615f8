package vendorer_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/vendorer"
)

var (
	acme = signing.Ed25519(1)
	eve  = signing.P256(2)
)

// trusting are the lines of packs.toml by which packs of REG/acme need acme's signature. Eve
// may sign other packs.
const trusting = `[trust.signers]
acme = { key = "$ACME" }
eve = { key = "$EVE" }

[trust.rules]
"$REG/acme/**" = ["acme"]
"$REG/eve/**" = ["eve"]

`

// trusted returns a project with these packs and the rules of trusting.
func trusted(t testing.TB) *project {
	p := newProject(t)
	p.names["ACME"], p.names["EVE"] = acme.Inline(), eve.Inline()
	p.names["ACME_ID"], p.names["EVE_ID"] = acme.Identity(), eve.Identity()
	return p
}

func (p *project) trustedPacks(lines ...string) {
	p.t.Helper()
	p.write("app/packs.toml", trusting+"[packs]\n"+strings.Join(lines, "\n")+"\n")
}

// pushSigned is push of a pack with an annotation in which keys sign its layer.
func (p *project) pushSigned(name, at string, keys ...*signing.Key) packtest.Pushed {
	p.t.Helper()
	data := packtest.Zip("pack", name, 300)
	a := packtest.Pack(data, "")
	a.Annotations = map[string]string{
		signing.DSSEAnnotation: signing.Sign(signing.GreenticStatement("pack.gtpack", digestOf(string(data))).JSON(), keys...).Annotation(),
	}
	return p.pushArtifact(name, at, a)
}

// sign attaches a bundle about a manifest or an index.
func (p *project) sign(repository, digest string, key *signing.Key) {
	p.t.Helper()
	pushed, err := p.reg.Push(repository, "", packtest.Artifact{
		ArtifactType: signing.BundleMediaType, Subject: &packtest.Child{Digest: ociref.Digest(digest), MediaType: packtest.ManifestMediaType},
		Layers: []packtest.Layer{{MediaType: signing.BundleMediaType, Data: signing.SignBundle(signing.CosignStatement(digest).JSON(), key).JSON()}},
	})
	p.must(err)
	_, err = p.reg.PushIndex(repository, packtest.FallbackTag(ociref.Digest(digest)), []packtest.Child{pushed.Child()})
	p.must(err)
}

// signSimple signs a manifest as cosign 2 does.
func (p *project) signSimple(repository, digest string, key *signing.Key) {
	p.t.Helper()
	payload := signing.NewSimple("", digest).JSON()
	_, err := p.reg.Push(repository, packtest.FallbackTag(ociref.Digest(digest))+".sig", packtest.Artifact{
		ConfigMediaType: "application/vnd.oci.image.config.v1+json",
		Layers: []packtest.Layer{{
			MediaType: "application/vnd.dev.cosign.simplesigning.v1+json", Data: payload,
			Annotations: map[string]string{"dev.cosignproject.cosign/signature": signing.Base64(key.Sign(payload))},
		}},
	})
	p.must(err)
}

// A clone is a fresh one of a signed project, on a machine without network and cache.
type clone struct{ *project }

// freshClone copies a project to where there is neither a registry nor a cache.
func freshClone(t *testing.T, of *project) *clone {
	t.Helper()
	p := &project{t: t, reg: of.reg, mod: t.TempDir(), names: map[string]string{}}
	for name, value := range of.names {
		p.names[name] = value
	}
	p.dir = filepath.Join(p.mod, "app")
	p.names["MOD"], p.names["DIR"] = p.mod, p.dir
	p.options = vendorer.Options{File: filepath.Join(p.dir, "packs.toml"), CacheDir: filepath.Join(t.TempDir(), "cache"), Offline: true, Locked: true}
	p.must(os.CopyFS(p.mod, os.DirFS(of.mod)))
	return &clone{p}
}

// everywhere replaces a text in packs.toml, packs.lock and the generated file: somebody
// forged them so that they agree.
func (c *clone) everywhere(old, with string) {
	c.t.Helper()
	old, with = c.expand(old), c.expand(with)
	found := false
	for _, name := range []string{"app/packs.toml", "app/packs.lock", "app/packs_gen.go"} {
		text := c.read(name)
		found = found || strings.Contains(text, old)
		c.must(os.WriteFile(filepath.Join(c.mod, name), []byte(strings.ReplaceAll(text, old, with)), 0o666))
	}
	if !found {
		c.t.Fatalf("%q is nowhere", old)
	}
}

// evidence changes fields of a pack's evidence, and makes packs.lock agree. A nil value
// deletes a field.
func (c *clone) evidence(name string, fields map[string]any) {
	c.t.Helper()
	file := "app/packs/" + name + ".evidence"
	text := c.read(file)
	doc := map[string]any{}
	c.must(json.Unmarshal([]byte(text), &doc))
	for key, value := range fields {
		doc[key] = value
	}
	line := ""
	for _, key := range []string{"version", "format", "key", "manifest", "index", "bundle", "signature", "payload"} {
		if doc[key] == nil {
			continue
		}
		value, err := json.Marshal(doc[key])
		c.must(err)
		line += fmt.Sprintf(",%q:%s", key, value)
	}
	forged := "{" + strings.TrimPrefix(line, ",") + "}\n"
	c.must(os.WriteFile(filepath.Join(c.mod, file), []byte(forged), 0o666))
	c.everywhere(string(evidence.Digest([]byte(text))), string(evidence.Digest([]byte(forged))))
}

// pack replaces a vendored pack.
func (c *clone) pack(name string, data []byte) {
	c.t.Helper()
	c.must(os.WriteFile(filepath.Join(c.mod, "app", "packs", name+".gtpack"), data, 0o666))
}

// TestForged forges one field of packs.lock or of the evidence after the other, in a fresh
// clone. Somebody who can do that can make all other files agree with it, and does.
func TestForged(t *testing.T) {
	p := trusted(t)
	child := p.push("CHILD", "acme/bundle")
	p.pushIndex("INDEX", "acme/bundle:1.0.0", child)
	p.sign("acme/bundle", p.names["INDEX"], acme)
	p.push("SIMPLE", "acme/simple:1.0.0")
	p.signSimple("acme/simple", p.names["SIMPLE"], acme)
	p.pushSigned("DSSE", "acme/dsse:1.0.0", acme)
	p.push("OTHER", "acme/other:1.0.0")
	p.sign("acme/other", p.names["OTHER"], acme)
	p.push("EVIL", "acme/evil:1.0.0")
	p.sign("acme/evil", p.names["EVIL"], eve)
	p.trustedPacks(
		`bundle = "$REG/acme/bundle:1.0.0@$INDEX"`, `dsse = "$REG/acme/dsse:1.0.0@$DSSE"`,
		`other = "$REG/acme/other:1.0.0@$OTHER"`, `simple = "$REG/acme/simple:1.0.0@$SIMPLE"`,
	)
	p.mustRun()
	base64 := func(data []byte) string { return signing.Base64(data) }
	manifest := func(name, repository string) []byte { return manifestOf(p, repository, name) }
	evil, simple := manifest("EVIL", "acme/evil"), manifest("SIMPLE", "acme/simple")
	evilPack := packtest.Zip("pack", "EVIL", 300)
	// A manifest that selects the evil pack, and has the annotation of a good one.
	var good struct{ Annotations map[string]string }
	p.must(json.Unmarshal(manifest("DSSE", "acme/dsse"), &good))
	wrapped := []byte(strings.Replace(string(evil), `"layers":`, `"annotations":{"`+signing.DSSEAnnotation+`":"`+good.Annotations[signing.DSSEAnnotation]+`"},"layers":`, 1))
	evilIndex := fmt.Appendf(nil, `{"schemaVersion":2,"manifests":[{"mediaType":%q,"digest":%q,"size":%d}]}`, packtest.ManifestMediaType, digestOf(string(evil)), len(evil))
	field := func(c *clone, name, key string) string {
		doc := map[string]any{}
		c.must(json.Unmarshal([]byte(c.read("app/packs/"+name+".evidence")), &doc))
		return doc[key].(string)
	}
	toEvil := func(c *clone, name string) { // the pack itself
		c.everywhere("$"+name+"_LAYER", "$EVIL_LAYER")
		c.everywhere("size = $"+name+"_SIZE", "size = $EVIL_SIZE")
		c.pack(strings.ToLower(name), evilPack)
	}
	for _, test := range []struct {
		name  string
		forge func(*clone)
		pack  string
		want  string // in an error about that pack
	}{
		{"nothing", func(*clone) {}, "", ""},
		// packs.lock
		{"name", func(c *clone) { c.replace("app/packs.lock", `name = "dsse"`, `name = "dssf"`) }, "", "packs.lock would change (missing: dsse; surplus: dssf)"},
		{"ref", func(c *clone) { c.everywhere("/acme/dsse:1.0.0@", "/acme/dsse:2.0.0@") }, "", ""}, // nothing vouches for a tag
		{"ref, another repository", func(c *clone) { c.everywhere("/acme/dsse:1.0.0@", "/eve/dsse:1.0.0@") }, "dsse", "signed by acme ($ACME_ID), which its rule does not have"},
		{"ref, without a rule", func(c *clone) { c.everywhere("/acme/dsse:1.0.0@", "/x/dsse:1.0.0@") }, "dsse", "matches $REG/x/dsse"},
		{"layer", func(c *clone) {
			c.everywhere(`dsse = "$REG/acme/dsse:1.0.0@$DSSE"`, `dsse = { ref = "$REG/acme/dsse:1.0.0@$DSSE", layer = "image/png" }`)
			c.everywhere("ref = \"$REG/acme/dsse:1.0.0@$DSSE\"\nmanifest", "ref = \"$REG/acme/dsse:1.0.0@$DSSE\"\nlayer = \"image/png\"\nmanifest")
		}, "dsse", "media_type is application/vnd.greentic.gtpack.v1+zip, but layer names image/png"},
		{"index_digest", func(c *clone) { c.everywhere("$INDEX", "$CHILD_LAYER") }, "bundle", "its image index is $INDEX, not $CHILD_LAYER"},
		{"index_digest, gone", func(c *clone) {
			c.everywhere("index_digest = \"$INDEX\"\n", "")
			c.everywhere("$INDEX", "$CHILD")
		}, "bundle", "it holds an image index, but the pack was found without one"},
		{"index_digest, new", func(c *clone) {
			c.everywhere("manifest_digest = \"$DSSE\"", "index_digest = \"$INDEX\"\nmanifest_digest = \"$DSSE\"")
			c.everywhere("@$DSSE", "@$INDEX")
		}, "dsse", "it holds no image index, but the pack was found by $INDEX"},
		{"manifest_digest", func(c *clone) { c.everywhere("$DSSE\"", "$EVIL\"") }, "dsse", "its manifest is $DSSE, not $EVIL"},
		{"layer_digest", func(c *clone) { toEvil(c, "DSSE") }, "dsse", "its manifest selects the layer $DSSE_LAYER, not $EVIL_LAYER"},
		{"size", func(c *clone) {
			c.replace("app/packs.lock", "layer_digest = \"$DSSE_LAYER\"\nsize = $DSSE_SIZE", "layer_digest = \"$DSSE_LAYER\"\nsize = 1")
		}, "dsse", "its manifest selects a layer of $DSSE_SIZE bytes, not 1"},
		{"media_type", func(c *clone) {
			c.replace("app/packs.lock", "layer_digest = \"$DSSE_LAYER\"\nsize = $DSSE_SIZE\nmedia_type = \""+packtest.PackMediaType, "layer_digest = \"$DSSE_LAYER\"\nsize = $DSSE_SIZE\nmedia_type = \"application/octet-stream")
		}, "dsse", "its manifest selects a layer of type " + packtest.PackMediaType + ", not application/octet-stream"},
		{"signer", func(c *clone) { c.everywhere("signer = \"$ACME_ID\"", "signer = \"$EVE_ID\"") }, "dsse", "signed by eve ($EVE_ID), which its rule does not have"},
		{"evidence", func(c *clone) { c.everywhere(digestOf(c.read("app/packs/dsse.evidence")), "$DSSE") }, "dsse", "the evidence is sha256:"},
		{"signer and evidence, gone", func(c *clone) {
			c.everywhere("signer = \"$ACME_ID\"\nevidence = \""+digestOf(c.read("app/packs/dsse.evidence"))+"\"\n", "")
		}, "", "packs.lock would change (no signature locked: dsse)"},
		// The file of evidence
		{"no file", func(c *clone) { c.remove("app/packs/dsse.evidence") }, "dsse", ""},
		{"bytes of the file", func(c *clone) { c.flip("app/packs/dsse.evidence") }, "dsse", "the evidence is sha256:"},
		{"CRLF", func(c *clone) {
			c.write("app/packs/dsse.evidence", strings.TrimSuffix(c.read("app/packs/dsse.evidence"), "\n")+"\r\n")
		}, "", ""},
		{"no end of the line", func(c *clone) {
			c.write("app/packs/dsse.evidence", strings.TrimSuffix(c.read("app/packs/dsse.evidence"), "\n"))
		}, "", ""},
		{"indented", func(c *clone) {
			text := c.read("app/packs/dsse.evidence")
			indented := strings.Replace(text, ",", ", ", 1)
			c.write("app/packs/dsse.evidence", indented)
			c.everywhere(digestOf(text), digestOf(indented))
		}, "dsse", "invalid evidence: not as packvendor writes it"},
		{"a link", func(c *clone) {
			c.must(os.Rename(filepath.Join(c.dir, "packs", "dsse.evidence"), filepath.Join(c.dir, "real")))
			c.must(os.Symlink("../real", filepath.Join(c.dir, "packs", "dsse.evidence")))
		}, "dsse", "dsse.evidence is a symbolic link"},
		{"of another pack", func(c *clone) {
			c.everywhere(digestOf(c.read("app/packs/dsse.evidence")), digestOf(c.read("app/packs/other.evidence")))
			c.write("app/packs/dsse.evidence", c.read("app/packs/other.evidence"))
		}, "dsse", "its manifest is $OTHER, not $DSSE"},
		{"version", func(c *clone) { c.evidence("dsse", map[string]any{"version": 2}) }, "dsse", "invalid evidence: version: 2 is not supported"},
		{"format", func(c *clone) { c.evidence("dsse", map[string]any{"format": "x"}) }, "dsse", `invalid evidence: format "x" is not supported`},
		{"format, another one", func(c *clone) { c.evidence("bundle", map[string]any{"format": "greentic-dsse"}) }, "bundle", "invalid evidence: bundle: unknown field of greentic-dsse"},
		{"format, the annotation's", func(c *clone) {
			c.evidence("bundle", map[string]any{"format": "greentic-dsse", "bundle": nil})
		}, "bundle", "its manifest has no annotation dev.greentic.dsse"},
		{"key", func(c *clone) { c.evidence("dsse", map[string]any{"key": base64(eve.SPKI())}) }, "dsse", "it holds $EVE_ID, not $ACME_ID"},
		{"key and signer", func(c *clone) {
			c.everywhere("signer = \"$ACME_ID\"", "signer = \"$EVE_ID\"")
			c.evidence("dsse", map[string]any{"key": base64(eve.SPKI())})
		}, "dsse", "signed by eve ($EVE_ID), which its rule does not have"},
		{"key, gone", func(c *clone) { c.evidence("bundle", map[string]any{"key": nil}) }, "bundle", "it holds no key, not $ACME_ID"},
		{"manifest", func(c *clone) { c.evidence("dsse", map[string]any{"manifest": base64(evil)}) }, "dsse", "its manifest is $EVIL, not $DSSE"},
		{"manifest, with all that it selects", func(c *clone) {
			c.evidence("simple", map[string]any{"manifest": base64(evil)})
			toEvil(c, "SIMPLE")
			c.everywhere("$SIMPLE\"", "$EVIL\"")
		}, "simple", "it is about $SIMPLE, not about the manifest $EVIL"},
		{"manifest, around a signature of another layer", func(c *clone) {
			c.evidence("dsse", map[string]any{"manifest": base64(wrapped)})
			toEvil(c, "DSSE")
			c.everywhere("$DSSE\"", digestOf(string(wrapped))+"\"")
		}, "dsse", "it is about $DSSE_LAYER, not about the layer $EVIL_LAYER"},
		{"index", func(c *clone) { c.evidence("bundle", map[string]any{"index": base64(evilIndex)}) }, "bundle", "its image index is " + digestOf(string(evilIndex)) + ", not $INDEX"},
		{"index, with all that it lists", func(c *clone) {
			c.evidence("bundle", map[string]any{"index": base64(evilIndex), "manifest": base64(evil)})
			toEvil(c, "CHILD")
			c.pack("bundle", evilPack)
			c.everywhere("$CHILD\"", "$EVIL\"")
			c.everywhere("$INDEX", digestOf(string(evilIndex)))
		}, "bundle", "it is about $INDEX, not about the manifest $EVIL or the image index " + digestOf(string(evilIndex))},
		{"index, the signed one, with a manifest that it does not list", func(c *clone) {
			c.evidence("bundle", map[string]any{"manifest": base64(evil)})
			toEvil(c, "CHILD")
			c.pack("bundle", evilPack)
			c.everywhere("$CHILD\"", "$EVIL\"")
		}, "bundle", "lists manifest $EVIL 0 times, not once"},
		{"index, gone", func(c *clone) { c.evidence("bundle", map[string]any{"index": nil}) }, "bundle", "it holds no image index, but the pack was found by $INDEX"},
		{"bundle", func(c *clone) {
			c.evidence("bundle", map[string]any{"bundle": base64(signing.SignBundle(signing.CosignStatement(p.names["INDEX"]).JSON(), eve).JSON())})
		}, "bundle", "no allowed key signed it"},
		{"bundle, of another pack", func(c *clone) { c.evidence("bundle", map[string]any{"bundle": field(c, "other", "bundle")}) }, "bundle", "it is about $OTHER, not about"},
		{"signature", func(c *clone) {
			c.evidence("simple", map[string]any{"signature": base64(eve.Sign(signing.NewSimple("", p.names["SIMPLE"]).JSON()))})
		}, "simple", "no allowed key signed it"},
		{"payload", func(c *clone) {
			c.evidence("simple", map[string]any{"payload": base64(signing.NewSimple("", p.names["EVIL"]).JSON())})
		}, "simple", "no allowed key signed it"},
		{"bundle, of a simple signature", func(c *clone) { c.evidence("simple", map[string]any{"bundle": base64(simple)}) }, "simple", "invalid evidence: bundle: unknown field"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := freshClone(t, p)
			test.forge(c)
			c.reg.ResetRequests()
			found := c.verify(false)
			_, err := c.run()
			if len(c.reg.Requests()) > 0 {
				t.Errorf("requests: %v", c.reg.Requests())
			}
			want := c.expand(test.want)
			if test.want == "" && test.pack == "" {
				if len(found) > 0 || err != nil {
					t.Errorf("got %q and %v, want nothing", found, err)
				}
				return
			}
			says := func(text string) bool {
				return strings.Contains(text, want) && strings.Contains(text, test.pack)
			}
			if !slices.ContainsFunc(found, says) {
				t.Errorf("verify: got %q, want %s", found, want)
			}
			if err == nil || test.want != "" && !says(err.Error()) {
				t.Errorf("run: got %v, want %s", err, want)
			}
		})
	}
}
