package main

import (
	"fmt"
	"os"
	"path/filepath"
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
		"key": cmdKey, "sign": cmdSign, "attach": cmdAttach, "evidence": cmdEvidence, "referrers-tag": cmdReferrersTag,
		"verifier": cmdVerifier, "sigstore": cmdSigstore,
	}
}

// key NAME [-p256] [FILE] makes a key, and writes its public half into FILE.
// $NAME_ID is what packs.lock calls it, $NAME_FINGERPRINT the digits of that, $NAME_KEY the
// key as packs.toml can hold it, and $NAME_GREENTIC_ID what Greentic's programs call it.
func cmdKey(ts *testscript.TestScript, args []string) {
	s := ts.Value(signaturesKey{}).(*signatures)
	name, args := args[0], args[1:]
	seed := byte(len(s.keys) + 1)
	key := signing.Ed25519(seed)
	if len(args) > 0 && args[0] == "-p256" {
		key, args = signing.P256(seed), args[1:]
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

// envelope returns the annotation by which keys sign a layer; names are separated by commas.
// The signatures have the ID of the key named, if there is one.
func envelope(ts *testscript.TestScript, names, named string, layer []byte) string {
	var keys []*signing.Key
	for name := range strings.SplitSeq(names, ",") {
		keys = append(keys, signer(ts, name))
	}
	e := signing.Sign(signing.GreenticStatement("pack.gtpack", string(ociref.DigestOf(layer))).JSON(), keys...)
	if named != "" {
		id := signer(ts, named).GreenticID()
		for i := range e.Signatures {
			e.Signatures[i].KeyID = &id
		}
	}
	return e.Annotation()
}

// sign bundle|simple [-api] [-about=DIGEST] [-name=NAME] [-type=TYPE] KEY|- REPOSITORY@DIGEST
// attaches the signature of a manifest or an index, as cosign 3 or 2 writes it. - is a bundle
// with a certificate instead of a key. With -api only the referrers API lists it. It can be
// about another digest, name something, or be a statement of another type. $SIGNATURE is the
// digest of the artifact, $SIGNATURE_SIZE its size, $SIGNATURE_LAYER the digest of its layer.
func cmdSign(ts *testscript.TestScript, args []string) {
	s := ts.Value(signaturesKey{}).(*signatures)
	format, args := args[0], args[1:]
	var about, name, kind string
	api := false
	for strings.HasPrefix(args[0], "-") && args[0] != "-" {
		option, value, _ := strings.Cut(args[0], "=")
		switch option {
		case "-api":
			api = true
		case "-about":
			about = value
		case "-name":
			name = value
		case "-type":
			kind = value
		default:
			ts.Fatalf("sign: unknown option %s", args[0])
		}
		args = args[1:]
	}
	var key *signing.Key
	if args[0] != "-" {
		key = signer(ts, args[0])
	}
	repository, digest, _ := strings.Cut(args[1], "@")
	if about == "" {
		about = digest
	}
	tag := packtest.FallbackTag(ociref.Digest(digest))
	if format == "simple" {
		payload := signing.NewSimple(name, about).JSON()
		at := repository + ":" + tag
		s.simple[at] = append(s.simple[at], packtest.Layer{
			MediaType: "application/vnd.dev.cosign.simplesigning.v1+json", Data: payload,
			Annotations: map[string]string{"dev.cosignproject.cosign/signature": signing.Base64(key.Sign(payload))},
		})
		pushed, err := registryOf(ts).Push(repository, tag+".sig", packtest.Artifact{
			ConfigMediaType: "application/vnd.oci.image.config.v1+json", Layers: s.simple[at],
		})
		ts.Check(err)
		setSignature(ts, pushed.Child(), ociref.DigestOf(payload))
		return
	}
	statement := signing.CosignStatement(about)
	statement.Subject[0].Name = name
	if kind != "" {
		statement.PredicateType = kind
	}
	bundle := certified(statement)
	if key != nil {
		bundle = signing.SignBundle(statement.JSON(), key)
	}
	pushed := attach(ts, repository, digest, bundle.JSON())
	if !api {
		s.list(ts, repository, tag, pushed.Child())
	}
}

// attach stores a bundle about a manifest or an index.
func attach(ts *testscript.TestScript, repository, digest string, bundle []byte) packtest.Pushed {
	pushed, err := registryOf(ts).Push(repository, "", packtest.Artifact{
		ArtifactType: signing.BundleMediaType,
		Subject:      &packtest.Child{MediaType: packtest.ManifestMediaType, Digest: ociref.Digest(digest)},
		Layers:       []packtest.Layer{{MediaType: signing.BundleMediaType, Data: bundle}},
	})
	ts.Check(err)
	setSignature(ts, pushed.Child(), pushed.Layers[0])
	return pushed
}

// list adds a referrer to the tag that lists them.
func (s *signatures) list(ts *testscript.TestScript, repository, tag string, referrer packtest.Child) {
	at := repository + ":" + tag
	s.listed[at] = append(slices.Clone(s.listed[at]), referrer)
	_, err := registryOf(ts).PushIndex(repository, tag, s.listed[at])
	ts.Check(err)
}

func setSignature(ts *testscript.TestScript, artifact packtest.Child, layer ociref.Digest) {
	ts.Setenv("SIGNATURE", string(artifact.Digest))
	ts.Setenv("SIGNATURE_SIZE", strconv.FormatInt(artifact.Size, 10))
	ts.Setenv("SIGNATURE_LAYER", string(layer))
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
