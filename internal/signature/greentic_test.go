package signature

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/publickey"
)

// A greenticCase is a signature that differs from a right one in one point.
type greenticCase struct {
	name string
	// statement changes the statement before it is signed, envelope the envelope after it.
	statement func(*signing.Statement)
	envelope  func(*signing.Envelope)
	text      func(string) string // changes the envelope's JSON
	value     func(string) string // changes the annotation

	// crate tells whether greentic-distributor-client 1.2.1 accepts it, with the signer
	// in its trust root. Where it does and packvendor does not, why is said at the case.
	crate   bool
	problem Problem
	want    string // the error; "" if packvendor accepts it
}

// annotation makes the signature.
func (c greenticCase) annotation() string {
	s := signing.GreenticStatement("a.gtpack", layer)
	if c.statement != nil {
		c.statement(&s)
	}
	e := signing.Sign(s.JSON(), signer)
	if c.envelope != nil {
		c.envelope(&e)
	}
	text := string(e.JSON())
	if c.text != nil {
		text = c.text(text)
	}
	value := signing.Base64([]byte(text))
	if c.value != nil {
		value = c.value(value)
	}
	return value
}

// signatureBy returns another signature for an envelope.
func signatureBy(id, sig string) signing.Signature {
	return signing.Signature{KeyID: pointer(id), Sig: sig}
}

// before puts another signature before the good one.
func before(s signing.Signature) func(*signing.Envelope) {
	return func(e *signing.Envelope) { e.Signatures = slices.Insert(e.Signatures, 0, s) }
}

// replaced replaces the first old in the text, which has it.
func replaced(old, new string) func(string) string {
	return func(s string) string {
		if !strings.Contains(s, old) {
			panic("no " + old + " in " + s)
		}
		return strings.Replace(s, old, new, 1)
	}
}

func digestOf(text string) func(*signing.Statement) {
	return func(s *signing.Statement) { s.Subject[0].Digest["sha256"] = text }
}

var (
	hexLayer   = strings.TrimPrefix(layer, "sha256:")
	wrong64    = signing.Base64(make([]byte, 64))
	trueByThem = signing.Base64(foreign.Sign(signing.PAE(signing.PayloadType, signing.GreenticStatement("a.gtpack", layer).JSON())))
)

// What greentic-distributor-client accepts and refuses was tried with the crate for the
// cases of its table in ../shared/signed/README.md, and read in its src/signing.rs for the
// others. packvendor accepts a subset: it is stricter where two readers could differ, and
// where the crate leaves to its callers what a signature says.
var greenticCases = []greenticCase{
	{name: "right", crate: true},

	// Accepted by both.
	{name: "the key id in upper case", crate: true,
		envelope: func(e *signing.Envelope) { e.Signatures[0].KeyID = pointer(strings.ToUpper(mine)) }},
	{name: "unknown fields in the envelope", crate: true,
		text: replaced(`{"payloadType"`, `{"unknown":{"a":[1]},"payloadType"`)},
	{name: "unknown fields beside a signature", crate: true, text: replaced(`{"keyid"`, `{"cert":null,"keyid"`)},
	{name: "unknown fields in the statement", crate: true,
		statement: func(s *signing.Statement) { s.Predicate["more"] = map[string]any{"sha256": 1} }},
	{name: "a bad signature before a good one", crate: true, envelope: before(signatureBy(theirs, wrong64))},
	{name: "an unknown key with garbage before a good one", crate: true, envelope: before(signatureBy("x y", "garbage!"))},
	{name: "a subject as sha256:HEX", crate: true, statement: digestOf(layer)},
	{name: "a subject as SHA256:HEX", crate: true, statement: digestOf("SHA256:" + hexLayer)},
	{name: "a subject in upper case", crate: true, statement: digestOf(strings.ToUpper(hexLayer))},
	{name: "a subject with another digest too", crate: true,
		statement: func(s *signing.Statement) { s.Subject[0].Digest["sha512"] = "x" }},
	{name: "any name", crate: true, statement: func(s *signing.Statement) { s.Subject[0].Name = "ghcr.io/other/pack" }},
	{name: "white space after the envelope", crate: true, text: func(s string) string { return s + " \r\n" }},

	// Refused by both.
	{name: "a bad signature alone", envelope: func(e *signing.Envelope) { e.Signatures[0].Sig = wrong64 },
		problem: Invalid, want: "the signature of key 34750f98bd59fcfc946da45aaabe933b does not verify"},
	{name: "Ed25519ph", envelope: func(e *signing.Envelope) {
		e.Signatures[0].Sig = signing.Base64(signer.SignPrehashed(signing.PAE(signing.PayloadType, signing.GreenticStatement("a.gtpack", layer).JSON())))
	}, problem: Invalid, want: "the signature of key 34750f98bd59fcfc946da45aaabe933b does not verify"},
	{name: "a foreign key", envelope: func(e *signing.Envelope) { e.Signatures[0] = signatureBy(theirs, trueByThem) },
		problem: Foreign, want: "no allowed key signed it: it names key 6a3803d5f059902a1c6dafbc9ba47292"},
	{name: "our key's id with another's signature", envelope: func(e *signing.Envelope) { e.Signatures[0].Sig = trueByThem },
		problem: Invalid, want: "the signature of key 34750f98bd59fcfc946da45aaabe933b does not verify"},
	{name: "another's id with our key's signature", envelope: func(e *signing.Envelope) { e.Signatures[0].KeyID = pointer(theirs) },
		problem: Foreign, want: "no allowed key signed it: it names key 6a3803d5f059902a1c6dafbc9ba47292"},
	{name: "several foreign keys", envelope: func(e *signing.Envelope) {
		e.Signatures = []signing.Signature{signatureBy("a", ""), signatureBy("b\n", ""), signatureBy("c d", "")}
	}, problem: Foreign, want: `no allowed key signed it: it names the keys a, "b\n" and "c d"`},
	{name: "an empty key id", envelope: func(e *signing.Envelope) { e.Signatures[0].KeyID = pointer("") },
		problem: Malformed, want: "envelope: signatures[0].keyid: empty"},
	{name: "a missing key id", envelope: func(e *signing.Envelope) { e.Signatures[0].KeyID = nil },
		problem: Malformed, want: "envelope: signatures[0].keyid: missing"},
	{name: "no signatures", envelope: func(e *signing.Envelope) { e.Signatures = []signing.Signature{} },
		problem: Malformed, want: "envelope: signatures: empty"},
	{name: "signatures are null", envelope: func(e *signing.Envelope) { e.Signatures = nil },
		problem: Malformed, want: "envelope: signatures: not a list"},
	{name: "another payloadType", envelope: func(e *signing.Envelope) { e.PayloadType = "application/json" },
		problem: Malformed, want: `envelope: payloadType: "application/json", not application/vnd.in-toto+json`},
	{name: "PAYLOADTYPE", text: replaced("payloadType", "PAYLOADTYPE"),
		problem: Malformed, want: "envelope: payloadType: missing"},
	{name: "a changed payload", envelope: func(e *signing.Envelope) {
		e.Payload = signing.Base64(signing.GreenticStatement("b.gtpack", layer).JSON())
	}, problem: Invalid, want: "the signature of key 34750f98bd59fcfc946da45aaabe933b does not verify"},
	{name: "a key twice in the envelope", text: replaced(`{"payloadType"`, `{"payload":"","payloadType"`),
		problem: Malformed, want: `envelope: key "payload" stands twice in one object`},
	{name: "trailing data", text: func(s string) string { return s + "{}" },
		problem: Malformed, want: "envelope: data after the JSON document"},
	{name: "a payload without padding", envelope: func(e *signing.Envelope) { e.Payload = base64.RawStdEncoding.EncodeToString([]byte("{}")) },
		problem: Malformed, want: "envelope: payload: " + notBase64},
	{name: "a payload in the URL alphabet", envelope: func(e *signing.Envelope) { e.Payload = "_-_-" },
		problem: Malformed, want: "envelope: payload: " + notBase64},
	{name: "a payload with a newline", envelope: func(e *signing.Envelope) { e.Payload = e.Payload[:4] + "\n" + e.Payload[4:] },
		problem: Malformed, want: "envelope: payload: " + notBase64},
	{name: "a payload with other bits at its end", envelope: func(e *signing.Envelope) { e.Payload = "AB==" },
		problem: Malformed, want: "envelope: payload: " + notBase64},
	{name: "a signature with a newline", envelope: func(e *signing.Envelope) { e.Signatures[0].Sig += "\n" },
		problem: Malformed, want: "envelope: the signature of key 34750f98bd59fcfc946da45aaabe933b is not 64 bytes in base64"},
	{name: "our key's undecodable signature beside a good one", envelope: func(e *signing.Envelope) {
		e.Signatures = append(e.Signatures, signatureBy(theirs, "garbage!"))
	}, problem: Malformed, want: "envelope: the signature of key 6a3803d5f059902a1c6dafbc9ba47292 is not 64 bytes in base64"},
	{name: "our key's short signature", envelope: func(e *signing.Envelope) { e.Signatures[0].Sig = "AAAA" },
		problem: Malformed, want: "envelope: the signature of key 34750f98bd59fcfc946da45aaabe933b is not 64 bytes in base64"},
	{name: "a signature that is missing", text: replaced(`"sig":`, `"Sig":`),
		problem: Malformed, want: "envelope: signatures[0].sig: missing"},
	{name: "another _type", statement: func(s *signing.Statement) { s.Type = "https://in-toto.io/Statement/v0.1" },
		problem: Malformed, want: `statement: _type: "https://in-toto.io/Statement/v0.1", not https://in-toto.io/Statement/v1`},
	{name: "no subject", statement: func(s *signing.Statement) { s.Subject = []signing.Subject{} },
		problem: Malformed, want: "statement: subject: empty"},
	{name: "a subject without sha256", statement: func(s *signing.Statement) { s.Subject[0].Digest = map[string]string{"sha512": hexLayer} },
		problem: Malformed, want: "statement: subject[0].digest.sha256: missing"},
	{name: "a subject without a name", statement: func(s *signing.Statement) { s.Subject[0].Name = "" },
		problem: Malformed, want: "statement: subject[0].name: missing"},
	{name: "a digest that is none", statement: digestOf("sha256:sha256:" + hexLayer),
		problem: Malformed, want: `statement: subject[0].digest.sha256: "sha256:sha256:` + hexLayer + `" is not 64 hexadecimal digits`},
	{name: "a statement that is no JSON", envelope: func(e *signing.Envelope) { *e = signing.Sign([]byte("layer "+layer), signer) },
		problem: Malformed, want: "statement: not JSON: invalid character 'l' looking for beginning of value"},
	{name: "a statement without a predicate", envelope: func(e *signing.Envelope) {
		*e = signing.Sign([]byte(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1","subject":[{"name":"","digest":{"sha256":"`+hexLayer+`"}}]}`), signer)
	}, problem: Malformed, want: "statement: predicate: missing"},
	{name: "a lone surrogate in a field that is read", text: replaced(`"keyid":"`, `"keyid":"\ud800`),
		problem: Malformed, want: `envelope: lone surrogate \uD800`},
	{name: "an annotation with a newline", value: func(s string) string { return s[:76] + "\n" + s[76:] },
		problem: Malformed, want: "annotation dev.greentic.dsse: " + notBase64},
	{name: "an empty annotation", value: func(string) string { return "" },
		problem: Malformed, want: "envelope: not JSON: unexpected EOF"},
	{name: "an annotation that is no base64", value: func(string) string { return "{}" },
		problem: Malformed, want: "annotation dev.greentic.dsse: " + notBase64},
	{name: "an array instead of the envelope", text: func(s string) string { return "[" + s + "]" },
		problem: Malformed, want: "envelope: not a JSON object"},

	// Accepted by the crate alone: readers could differ, and its own programs write none of
	// these.
	{name: "an empty key id beside a good one", crate: true, envelope: before(signatureBy("", wrong64)),
		problem: Malformed, want: "envelope: signatures[0].keyid: empty"},
	{name: "a key id twice", crate: true, envelope: before(signatureBy(strings.ToUpper(mine), wrong64)),
		problem: Malformed, want: "envelope: signatures[1].keyid: 34750f98bd59fcfc946da45aaabe933b is there twice"},
	{name: "a key twice in an ignored object", crate: true, text: replaced(`{"payloadType"`, `{"unknown":{"a":1,"a":2},"payloadType"`),
		problem: Malformed, want: `envelope: key "a" stands twice in one object`},
	{name: "an ignored object nested deeper than 32", crate: true,
		text:    replaced(`{"payloadType"`, `{"unknown":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,"payloadType"`),
		problem: Malformed, want: "envelope: nested deeper than 32"},
	{name: "a lone surrogate in an ignored field", crate: true, text: replaced(`{"payloadType"`, `{"unknown":"\ud800","payloadType"`),
		problem: Malformed, want: `envelope: lone surrogate \uD800`},
	{name: "more than a megabyte", crate: true, text: func(s string) string { return s + strings.Repeat(" ", MaxSize) },
		problem: Malformed, want: "envelope: larger than 1048576 bytes"},
	// Accepted by the crate alone: it leaves the predicate to its caller, and takes the first
	// subject that has a SHA-256. A list of contents, or an attestation about two packs, by
	// the right key is no signature of the pack.
	{name: "another predicateType", crate: true, statement: func(s *signing.Statement) { s.PredicateType = "https://spdx.dev/Document" },
		problem: Attestation, want: "an attestation of https://spdx.dev/Document, not a signature"},
	{name: "cosign's predicateType", crate: true, statement: func(s *signing.Statement) { s.PredicateType = signing.CosignSign },
		problem: Attestation, want: "an attestation of https://sigstore.dev/cosign/sign/v1, not a signature"},
	{name: "a verification summary", crate: true, statement: func(s *signing.Statement) { s.PredicateType = "https://slsa.dev/verification_summary/v1\n" },
		problem: Attestation, want: `an attestation of "https://slsa.dev/verification_summary/v1\n", not a signature`},
	{name: "two subjects", crate: true, statement: func(s *signing.Statement) { s.Subject = append(s.Subject, signing.About("b", manifest)) },
		problem: Malformed, want: "statement: subject: 2 subjects, not one"},
}

// Beside the signer's key, cases may allow another: which does not change what they say.
func TestVerifyGreentic(t *testing.T) {
	for _, c := range greenticCases {
		keys := public(t, signing.P256(1), signer)
		if strings.Contains(c.name, "our key's undecodable") {
			keys = public(t, signer, foreign)
		}
		v, err := VerifyGreentic(c.annotation(), keys)
		checkError(t, c.name, err, c.problem, c.want)
		if err != nil {
			if v != nil {
				t.Errorf("%s: an error, and %+v", c.name, v)
			}
			continue
		}
		if !c.crate {
			t.Errorf("%s: accepted, and the crate refuses it", c.name)
		}
		if v.Format != Greentic || v.Key.Identity() != signer.Identity() || v.PredicateType != signing.Provenance ||
			len(v.Subjects) != 1 || v.Subjects[0].Digest != ociref.Digest(layer) {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}

// The first allowed key that signed counts, whatever the order in the envelope. No allowed
// key, and none of Ed25519, accept nothing.
func TestOrderOfSigners(t *testing.T) {
	payload := signing.GreenticStatement("a.gtpack", layer).JSON()
	both := signing.Sign(payload, foreign, signer).Annotation()
	for _, test := range []struct {
		allowed []*publickey.Key
		want    string
	}{
		{public(t, signer, foreign), signer.Identity()},
		{public(t, foreign, signer), foreign.Identity()},
	} {
		if v, err := VerifyGreentic(both, test.allowed); err != nil || v.Key.Identity() != test.want || string(v.Payload) != string(payload) {
			t.Errorf("%+v, %v, want %s", v, err, test.want)
		}
	}
	for _, allowed := range [][]*publickey.Key{nil, public(t, signing.P256(1), signing.RSA(1, 2048, 65537))} {
		_, err := VerifyGreentic(both, allowed)
		checkError(t, "no key", err, Foreign, "no allowed key signed it: it names the keys 6a3803d5f059902a1c6dafbc9ba47292 and 34750f98bd59fcfc946da45aaabe933b")
	}
	many := signing.Sign(payload)
	for id := range 40 {
		many.Signatures = append(many.Signatures, signatureBy(strings.Repeat("k", id+1), ""))
	}
	_, err := VerifyGreentic(many.Annotation(), public(t, signer))
	checkError(t, "many", err, Foreign, "no allowed key signed it: it names the keys k, kk, kkk, kkkk, kkkkk, kkkkkk, kkkkkkk, kkkkkkkk and 32 more")
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The envelope that the real crate made and verified.
func TestRealEnvelope(t *testing.T) {
	envelope := signing.Base64(read(t, filepath.Join("testdata", "envelope.json")))
	if !strings.Contains(string(read(t, filepath.Join("testdata", "manifest.json"))), `"dev.greentic.dsse":"`+envelope+`"`) {
		t.Error("the manifest has another envelope")
	}
	keys := func(name string) []*publickey.Key {
		key, err := publickey.ParsePEM(read(t, filepath.Join("testdata", name)))
		if err != nil {
			t.Fatal(err)
		}
		return []*publickey.Key{key}
	}
	v, err := VerifyGreentic(envelope, keys("public.pem"))
	if err != nil {
		t.Fatal(err)
	}
	want := Subject{Name: "state-memory.gtpack", Digest: "sha256:a7b3152658ade4777b7da4755171868df217a6891e32eda9ce15399718d56d12"}
	if len(v.Subjects) != 1 || v.Subjects[0] != want || string(v.Payload) != string(read(t, filepath.Join("testdata", "statement.json"))) {
		t.Errorf("%+v", v)
	}
	_, err = VerifyGreentic(envelope, keys("other-public.pem"))
	checkError(t, "the other key", err, Foreign, "no allowed key signed it: it names key 34750f98bd59fcfc946da45aaabe933b")

	pack, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "signed", want.Name))
	if err != nil {
		t.Log("no signed pack beside the project: its digest is not compared")
		return
	}
	if got := ociref.DigestOf(pack); got != want.Digest {
		t.Errorf("the pack is %s, signed is %s", got, want.Digest)
	}
}

// A key without an id is no key of an envelope, even if a signature had none.
func TestNoID(t *testing.T) {
	e := envelope{signatures: []envelopeSignature{{keyID: "", sig: wrong64}}}
	if s, ok := e.signatureOf(""); ok {
		t.Errorf("%+v", s)
	}
}
