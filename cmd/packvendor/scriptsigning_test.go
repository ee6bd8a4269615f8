package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/signing"
)

type signaturesKey struct{} // *signatures

// signatures are the keys of a script, and what it signed.
type signatures struct {
	keys   map[string]*signing.Key
	listed map[string][]packtest.Child // by repository and tag
	simple map[string][]packtest.Layer // likewise
}

func newSignatures() *signatures {
	return &signatures{keys: map[string]*signing.Key{}, listed: map[string][]packtest.Child{}, simple: map[string][]packtest.Layer{}}
}

// signingCommands are the commands about signatures.
func signingCommands() map[string]func(*testscript.TestScript, []string) {
	return map[string]func(*testscript.TestScript, []string){
		"key": cmdKey, "sign": cmdSign, "evidence": cmdEvidence, "referrers-tag": cmdReferrersTag,
		"forge": cmdForge, "everywhere": cmdEverywhere, "remark": cmdRemark, "manifest": cmdManifest,
		"attach": cmdAttach, "verifier": cmdVerifier, "sigstore": cmdSigstore,
	}
}

// key NAME [-p256|-rsa] [FILE] makes a key, and writes its public half into FILE.
// $NAME_ID is what packs.lock calls it, $NAME_FINGERPRINT the digits of that, $NAME_KEY the
// key as packs.toml can hold it, and $NAME_GREENTIC_ID what Greentic's programs call it.
func cmdKey(ts *testscript.TestScript, args []string) {
	s := ts.Value(signaturesKey{}).(*signatures)
	name, args := args[0], args[1:]
	seed := byte(len(s.keys) + 1)
	key := signing.Ed25519(seed)
	switch {
	case len(args) > 0 && args[0] == "-p256":
		key, args = signing.P256(seed), args[1:]
	case len(args) > 0 && args[0] == "-rsa":
		key, args = signing.RSA(seed, 2048, 65537), args[1:]
	}
	s.keys[name] = key
	ts.Setenv(name+"_ID", key.Identity())
	ts.Setenv(name+"_KEY", key.Inline())
	ts.Setenv(name+"_FINGERPRINT", strings.TrimPrefix(key.Identity(), "key:sha256:"))
	ts.Setenv(name+"_GREENTIC_ID", key.GreenticID())
	if len(args) > 0 {
		file := ts.MkAbs(args[0])
		ts.Check(os.MkdirAll(filepath.Dir(file), 0o777))
		ts.Check(os.WriteFile(file, key.PEM(), 0o666))
	}
}

// signer returns a key that the command key made.
func signer(ts *testscript.TestScript, name string) *signing.Key {
	key := ts.Value(signaturesKey{}).(*signatures).keys[name]
	if key == nil {
		ts.Fatalf("no key is named %s", name)
	}
	return key
}

// A forgery is what a signature has otherwise than a right one.
type forgery struct {
	about       string            // the digest; "" is that of what is signed
	name        string            // of the subject
	kind        string            // the predicate type; "" is the right one
	payload     []string          // OLD=>NEW, in what is signed
	envelope    []string          // OLD=>NEW, in what holds the signature
	layer       string            // the media type of the layer; "" is that of the bundle
	annotations map[string]string // beside a simple signature
}

// take takes an option; it returns false if that is none.
func (f *forgery) take(option string) bool {
	option, value, _ := strings.Cut(option, "=")
	switch option {
	case "-about":
		f.about = value
	case "-name":
		f.name = value
	case "-type":
		f.kind = value
	case "-payload":
		f.payload = append(f.payload, value)
	case "-envelope":
		f.envelope = append(f.envelope, value)
	case "-layer":
		f.layer = value
	case "-annotation":
		if f.annotations == nil {
			return false
		}
		key, value, _ := strings.Cut(value, "=")
		f.annotations[key] = value
	default:
		return false
	}
	return true
}

// edited returns text with all edits.
func edited(ts *testscript.TestScript, text []byte, edits []string) []byte {
	for _, edit := range edits {
		before, after, ok := strings.Cut(edit, "=>")
		if !ok || !strings.Contains(string(text), before) {
			ts.Fatalf("%q is no edit of %s", edit, text)
		}
		text = []byte(strings.Replace(string(text), before, after, 1))
	}
	return text
}

// statement returns the bytes of a statement.
func (f *forgery) statement(ts *testscript.TestScript, s signing.Statement) []byte {
	if f.name != "" {
		s.Subject[0].Name = f.name
	}
	if f.kind != "" {
		s.PredicateType = f.kind
	}
	return edited(ts, s.JSON(), f.payload)
}

// annotation returns the annotation by which keys sign a layer; names are separated by
// commas.
func (f *forgery) annotation(ts *testscript.TestScript, names string, layer []byte) string {
	var keys []*signing.Key
	for name := range strings.SplitSeq(names, ",") {
		keys = append(keys, signer(ts, name))
	}
	about := cmp.Or(f.about, string(ociref.DigestOf(layer)))
	payload := f.statement(ts, signing.GreenticStatement("pack.gtpack", about))
	return signing.Base64(edited(ts, signing.Sign(payload, keys...).JSON(), f.envelope))
}

// sign bundle|simple [-api] [FORGERY...] KEY|- REPOSITORY@DIGEST
// attaches the signature of a manifest or an index, as cosign 3 or 2 writes it. - is a bundle
// with a certificate instead of a key. With -api only the referrers API lists it. $SIGNATURE is
// the digest of the artifact, $SIGNATURE_SIZE its size, $SIGNATURE_LAYER the digest of its
// layer. A FORGERY changes what is signed: -about=DIGEST is
// about another digest, -name=NAME names something, -type=TYPE is a statement of another
// type, -payload=OLD=>NEW any text of it. -envelope=OLD=>NEW changes the bundle afterwards,
// -layer=TYPE is another media type of its layer than its own, and -annotation=KEY=VALUE
// stands beside a simple signature.
func cmdSign(ts *testscript.TestScript, args []string) {
	format, args := args[0], args[1:]
	f := forgery{annotations: map[string]string{}}
	api := false
	for ; strings.HasPrefix(args[0], "-") && args[0] != "-"; args = args[1:] {
		if api = api || args[0] == "-api"; args[0] != "-api" && !f.take(args[0]) {
			ts.Fatalf("sign: unknown option %s", args[0])
		}
	}
	repository, digest, _ := strings.Cut(args[1], "@")
	f.about = cmp.Or(f.about, digest)
	if format == "simple" {
		f.signSimple(ts, signer(ts, args[0]), repository, digest)
		return
	}
	statement := f.statement(ts, signing.CosignStatement(f.about))
	bundle := certified(statement)
	if args[0] != "-" {
		bundle = signing.SignBundle(statement, signer(ts, args[0]))
	}
	pushed := f.attach(ts, repository, digest, edited(ts, bundle.JSON(), f.envelope))
	if !api {
		listReferrer(ts, repository, digest, pushed.Child())
	}
}

// attach stores a bundle about a manifest or an index.
func (f *forgery) attach(ts *testscript.TestScript, repository, digest string, bundle []byte) packtest.Pushed {
	mediaType := f.layer
	if found := regexp.MustCompile(`"mediaType":"(.*?)"`).FindSubmatch(bundle); mediaType == "" && found != nil {
		mediaType = string(found[1])
	}
	pushed, err := registryOf(ts).Push(repository, "", packtest.Artifact{
		ArtifactType: mediaType,
		Subject:      &packtest.Child{MediaType: packtest.ManifestMediaType, Digest: ociref.Digest(digest)},
		Layers:       []packtest.Layer{{MediaType: mediaType, Data: bundle}},
	})
	ts.Check(err)
	setSignature(ts, pushed.Child(), pushed.Layers[0])
	return pushed
}

func setSignature(ts *testscript.TestScript, artifact packtest.Child, layer ociref.Digest) {
	ts.Setenv("SIGNATURE", string(artifact.Digest))
	ts.Setenv("SIGNATURE_SIZE", strconv.FormatInt(artifact.Size, 10))
	ts.Setenv("SIGNATURE_LAYER", string(layer))
}

// listReferrer adds a referrer of a manifest to the tag that lists them.
func listReferrer(ts *testscript.TestScript, repository, digest string, referrer packtest.Child) {
	s := ts.Value(signaturesKey{}).(*signatures)
	tag := packtest.FallbackTag(ociref.Digest(digest))
	at := repository + ":" + tag
	s.listed[at] = append(slices.Clone(s.listed[at]), referrer)
	_, err := registryOf(ts).PushIndex(repository, tag, s.listed[at])
	ts.Check(err)
}

func (f *forgery) signSimple(ts *testscript.TestScript, key *signing.Key, repository, digest string) {
	s := ts.Value(signaturesKey{}).(*signatures)
	tag := packtest.FallbackTag(ociref.Digest(digest))
	payload := edited(ts, signing.NewSimple(f.name, f.about).JSON(), f.payload)
	f.annotations["dev.cosignproject.cosign/signature"] = signing.Base64(key.Sign(payload))
	at := repository + ":" + tag
	s.simple[at] = append(s.simple[at], packtest.Layer{
		MediaType: "application/vnd.dev.cosign.simplesigning.v1+json", Data: payload, Annotations: f.annotations,
	})
	pushed, err := registryOf(ts).Push(repository, tag+".sig", packtest.Artifact{
		ConfigMediaType: "application/vnd.oci.image.config.v1+json", Layers: s.simple[at],
	})
	ts.Check(err)
	setSignature(ts, pushed.Child(), ociref.DigestOf(payload))
}

// attach N TYPE REPOSITORY@DIGEST attaches so many artifacts to a manifest, each with a layer
// of that type. The referrers API and the tag for referrers list them. $ATTACHED is the digest
// of the last one.
func cmdAttach(ts *testscript.TestScript, args []string) {
	s := ts.Value(signaturesKey{}).(*signatures)
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	repository, digest, _ := strings.Cut(args[2], "@")
	tag := packtest.FallbackTag(ociref.Digest(digest))
	at := repository + ":" + tag
	for i := range n {
		pushed, err := registryOf(ts).Push(repository, "", packtest.Artifact{
			ArtifactType: args[1],
			Subject:      &packtest.Child{MediaType: packtest.ManifestMediaType, Digest: ociref.Digest(digest)},
			Layers:       []packtest.Layer{{MediaType: args[1], Data: fmt.Append(nil, i)}},
		})
		ts.Check(err)
		ts.Setenv("ATTACHED", string(pushed.ManifestDigest))
		s.listed[at] = append(s.listed[at], pushed.Child())
	}
	_, err = registryOf(ts).PushIndex(repository, tag, s.listed[at])
	ts.Check(err)
}

// evidence VAR FILE sets $VAR to the digest that packs.lock has of a file of evidence.
func cmdEvidence(ts *testscript.TestScript, args []string) {
	text := strings.TrimSuffix(strings.TrimSuffix(ts.ReadFile(args[1]), "\n"), "\r")
	ts.Setenv(args[0], string(ociref.DigestOf([]byte(text+"\n"))))
}

// referrers-tag VAR DIGEST sets $VAR to the tag that lists the referrers of a manifest.
func cmdReferrersTag(ts *testscript.TestScript, args []string) {
	ts.Setenv(args[0], packtest.FallbackTag(ociref.Digest(args[1])))
}
