package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/cyberphone/json-canonicalization/go/src/webpki.org/jsoncanonicalizer"
	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
	"github.com/google/certificate-transparency-go/x509util"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	rekor2 "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	rekornote "github.com/sigstore/rekor-tiles/v2/pkg/note"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore/pkg/signature"
	"golang.org/x/mod/sumdb/note"
	"google.golang.org/protobuf/encoding/protojson"
)

// An authority issues certificates as Fulcio does. sigstore-go's own makes the log and the
// timestamps; its certificates have neither an SCT nor what GitHub says of a workflow.
type authority struct {
	*ca.VirtualSigstore
	root, intermediate  *x509.Certificate
	key, ctKey, tileKey *ecdsa.PrivateKey // of certificates, their log, and the newer log of signatures
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	virtual, err := ca.NewVirtualSigstore()
	check(t, err)
	root, rootKey, err := ca.GenerateRootCa()
	check(t, err)
	intermediate, key, err := ca.GenerateFulcioIntermediate(root, rootKey)
	check(t, err)
	return &authority{virtual, root, intermediate, key, newKey(t), newKey(t)}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	return key
}

// publicRoot returns a document with logs, as that of a public service.
func (a *authority) publicRoot(t *testing.T) []byte { return a.document(t, true) }

// privateRoot returns a document without logs, as GitHub's for private repositories.
func (a *authority) privateRoot(t *testing.T) []byte { return a.document(t, false) }

func (a *authority) document(t *testing.T, logs bool) []byte {
	t.Helper()
	start := a.root.NotBefore
	fulcio := []root.CertificateAuthority{&root.FulcioCertificateAuthority{
		Root: a.root, Intermediates: []*x509.Certificate{a.intermediate}, ValidityPeriodStart: start, URI: "https://fulcio.example",
	}}
	var ctLogs, rekorLogs map[string]*root.TransparencyLog
	if logs {
		ctLogs = map[string]*root.TransparencyLog{"": {
			BaseURL: "https://ct.example", ID: logID(t, &a.ctKey.PublicKey), ValidityPeriodStart: start, HashFunc: crypto.SHA256, PublicKey: &a.ctKey.PublicKey,
		}}
		rekorLogs = a.RekorLogs()
		for id, log := range rekorLogs {
			log.ID, _ = hex.DecodeString(id)
			log.ValidityPeriodStart, log.ValidityPeriodEnd = start, time.Time{}
		}
		rekorLogs["tiles"] = &root.TransparencyLog{
			BaseURL: "https://" + tileLog, ID: logID(t, &a.tileKey.PublicKey), ValidityPeriodStart: start, HashFunc: crypto.SHA256, PublicKey: &a.tileKey.PublicKey,
		}
	}
	r, err := root.NewTrustedRoot(root.TrustedRootMediaType01, fulcio, ctLogs, a.TimestampingAuthorities(), rekorLogs)
	check(t, err)
	document, err := r.MarshalJSON()
	check(t, err)
	var line bytes.Buffer
	check(t, json.Compact(&line, document))
	return line.Bytes()
}

func logID(t *testing.T, key *ecdsa.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	check(t, err)
	sum := sha256.Sum256(der)
	return sum[:]
}

// A signing is one signature of a workflow, and how it differs from a valid one.
type signing struct {
	payload string
	names   func(*x509.Certificate)   // of the certificate; nil for the workflow's
	change  map[string]*string        // extensions by their number below certificateOID: others; nil leaves one out
	issued  time.Duration             // how long after now the certificate begins to be valid; ten minutes are
	noSCT   bool                      // the certificate is in no log
	tiles   bool                      // the entry is in the newer log
	bundle  func(*protobundle.Bundle) // changes the finished bundle
}

const (
	workflowURI = "https://github.com/acme/packs/.github/workflows/publish.yml@refs/tags/v1.0.0"
	gitHub      = "https://token.actions.githubusercontent.com"
)

// workflowExtensions are what GitHub's Fulcio says of a workflow.
func workflowExtensions() map[string]string {
	return map[string]string{
		"1": gitHub, "8": gitHub, "9": workflowURI, "11": "github-hosted", "12": "https://github.com/acme/packs",
		"14": "refs/tags/v1.0.0", "15": "123456", "16": "https://github.com/acme", "17": "654", "20": "push",
	}
}

// extensionOrder are their numbers, in the order of the certificate.
var extensionOrder = []string{"1", "8", "9", "11", "12", "14", "15", "16", "17", "20"}

// statement returns one that cosign makes about a digest.
func statement(digest string) string {
	return `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"` + digest[len("sha256:"):] +
		`"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}`
}

// sign returns the bundle of a signature.
func (a *authority) sign(t *testing.T, s signing) []byte {
	t.Helper()
	key := newKey(t)
	leaf := a.issue(t, s, key)
	message := dsse.PAE(payloadType, []byte(s.payload))
	sum := sha256.Sum256(message)
	sig, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	check(t, err)
	envelope := &dsse.Envelope{
		PayloadType: payloadType, Payload: base64.StdEncoding.EncodeToString([]byte(s.payload)),
		Signatures: []dsse.Signature{{Sig: base64.StdEncoding.EncodeToString(sig)}},
	}
	var entry *protorekor.TransparencyLogEntry
	if s.tiles {
		entry = a.tile(t, leaf, message, sig)
	} else {
		entry = a.log(t, leaf, envelope, sig)
	}
	stamp, err := a.TimestampResponse(sig)
	check(t, err)
	b := &protobundle.Bundle{
		MediaType: bundleMediaType,
		VerificationMaterial: &protobundle.VerificationMaterial{
			Content:     &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: leaf.Raw}},
			TlogEntries: []*protorekor.TransparencyLogEntry{entry},
			TimestampVerificationData: &protobundle.TimestampVerificationData{
				Rfc3161Timestamps: []*protocommon.RFC3161SignedTimestamp{{SignedTimestamp: stamp}},
			},
		},
		Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
			PayloadType: payloadType, Payload: []byte(s.payload), Signatures: []*protodsse.Signature{{Sig: sig}},
		}},
	}
	if s.bundle != nil {
		s.bundle(b)
	}
	return marshalBundle(t, b)
}

// log returns the entry of a signature in the log, with a promise and a proof that it is there.
func (a *authority) log(t *testing.T, leaf *x509.Certificate, envelope *dsse.Envelope, sig []byte) *protorekor.TransparencyLogEntry {
	t.Helper()
	made, err := a.GenerateTlogEntry(leaf, envelope, sig, leaf.NotBefore.Add(time.Minute).Unix(), true)
	check(t, err)
	entry := made.TransparencyLogEntry() // without its kind and its promise
	promise, err := a.RekorSignPayload(tlog.RekorPayload{
		Body: base64.StdEncoding.EncodeToString(entry.CanonicalizedBody), IntegratedTime: entry.IntegratedTime,
		LogIndex: entry.LogIndex, LogID: hex.EncodeToString(entry.LogId.KeyId),
	})
	check(t, err)
	entry.KindVersion = &protorekor.KindVersion{Kind: "dsse", Version: "0.0.1"}
	entry.InclusionPromise = &protorekor.InclusionPromise{SignedEntryTimestamp: promise}
	return entry
}

const tileLog = "tiles.example"

// tile returns the entry of a signature in the newer log: Rekor 2, which tells no time. It
// is the only one there.
func (a *authority) tile(t *testing.T, leaf *x509.Certificate, message, sig []byte) *protorekor.TransparencyLogEntry {
	t.Helper()
	sum := sha256.Sum256(message)
	body, err := protojson.Marshal(&rekor2.Entry{
		ApiVersion: "0.0.2", Kind: "hashedrekord",
		Spec: &rekor2.Spec{Spec: &rekor2.Spec_HashedRekordV002{HashedRekordV002: &rekor2.HashedRekordLogEntryV002{
			Data: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: sum[:]},
			Signature: &rekor2.Signature{Content: sig, Verifier: &rekor2.Verifier{
				KeyDetails: protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256,
				Verifier:   &rekor2.Verifier_X509Certificate{X509Certificate: &protocommon.X509Certificate{RawBytes: leaf.Raw}},
			}},
		}}},
	})
	check(t, err)
	body, err = jsoncanonicalizer.Transform(body)
	check(t, err)
	root := sha256.Sum256(append([]byte{0}, body...)) // RFC 6962, section 2.1
	signer, err := signature.LoadECDSASignerVerifier(a.tileKey, crypto.SHA256)
	check(t, err)
	noteSigner, err := rekornote.NewNoteSigner(t.Context(), tileLog, signer)
	check(t, err)
	checkpoint, err := note.Sign(&note.Note{
		Text: tileLog + "\n1\n" + base64.StdEncoding.EncodeToString(root[:]) + "\n",
	}, noteSigner)
	check(t, err)
	return &protorekor.TransparencyLogEntry{
		LogId:             &protocommon.LogId{KeyId: logID(t, &a.tileKey.PublicKey)},
		KindVersion:       &protorekor.KindVersion{Kind: "hashedrekord", Version: "0.0.2"},
		InclusionProof:    &protorekor.InclusionProof{TreeSize: 1, RootHash: root[:], Checkpoint: &protorekor.Checkpoint{Envelope: string(checkpoint)}},
		CanonicalizedBody: body,
	}
}

func marshalBundle(t *testing.T, b *protobundle.Bundle) []byte {
	t.Helper()
	text, err := protojson.Marshal(b)
	check(t, err)
	var line bytes.Buffer // protojson inserts spaces at random
	check(t, json.Compact(&line, text))
	return line.Bytes()
}

// issue returns a certificate for a key.
func (a *authority) issue(t *testing.T, s signing, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	start := time.Now().Add(s.issued - time.Minute)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), NotBefore: start, NotAfter: start.Add(10 * time.Minute),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		ExtraExtensions: s.extensions(t),
	}
	if s.names != nil {
		s.names(template)
	} else {
		uri, err := url.Parse(workflowURI)
		check(t, err)
		template.URIs = []*url.URL{uri}
	}
	leaf := a.create(t, template, key)
	if s.noSCT {
		return leaf
	}
	template.ExtraExtensions = append(template.ExtraExtensions, a.sct(t, leaf, start))
	return a.create(t, template, key)
}

func (s signing) extensions(t *testing.T) []pkix.Extension {
	t.Helper()
	values := workflowExtensions()
	for number, value := range s.change {
		delete(values, number)
		if value != nil {
			values[number] = *value
		}
	}
	oids := map[string]asn1.ObjectIdentifier{
		"1": issuerV1, "8": certificate.OIDIssuerV2, "9": certificate.OIDBuildSignerURI,
		"11": certificate.OIDRunnerEnvironment, "12": certificate.OIDSourceRepositoryURI, "14": certificate.OIDSourceRepositoryRef,
		"15": certificate.OIDSourceRepositoryIdentifier, "16": certificate.OIDSourceRepositoryOwnerURI,
		"17": certificate.OIDSourceRepositoryOwnerIdentifier, "20": certificate.OIDBuildTrigger,
	}
	var all []pkix.Extension
	for _, number := range extensionOrder {
		value, ok := values[number]
		if !ok {
			continue
		}
		der := []byte(value)
		if number != "1" { // the older one is no DER
			var err error
			der, err = asn1.MarshalWithParams(value, "utf8")
			check(t, err)
		}
		all = append(all, pkix.Extension{Id: oids[number], Value: der})
	}
	return all
}

func (a *authority) create(t *testing.T, template *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.intermediate, &key.PublicKey, a.key)
	check(t, err)
	leaf, err := x509.ParseCertificate(der)
	check(t, err)
	return leaf
}

// sct returns the extension that says when a log took a certificate, RFC 6962, section 3.2.
func (a *authority) sct(t *testing.T, leaf *x509.Certificate, at time.Time) pkix.Extension {
	t.Helper()
	s := ct.SignedCertificateTimestamp{SCTVersion: ct.V1, Timestamp: uint64(at.UnixMilli())}
	copy(s.LogID.KeyID[:], logID(t, &a.ctKey.PublicKey))
	signed, err := ct.SerializeSCTSignatureInput(s, ct.LogEntry{Leaf: ct.MerkleTreeLeaf{
		Version: ct.V1, LeafType: ct.TimestampedEntryLeafType,
		TimestampedEntry: &ct.TimestampedEntry{
			Timestamp: s.Timestamp, EntryType: ct.PrecertLogEntryType,
			PrecertEntry: &ct.PreCert{
				IssuerKeyHash: sha256.Sum256(a.intermediate.RawSubjectPublicKeyInfo), TBSCertificate: leaf.RawTBSCertificate,
			},
		},
	}})
	check(t, err)
	sum := sha256.Sum256(signed)
	sig, err := ecdsa.SignASN1(rand.Reader, a.ctKey, sum[:])
	check(t, err)
	s.Signature = ct.DigitallySigned{
		Algorithm: tls.SignatureAndHashAlgorithm{Hash: tls.SHA256, Signature: tls.ECDSA}, Signature: sig,
	}
	list, err := x509util.MarshalSCTsIntoSCTList([]*ct.SignedCertificateTimestamp{&s})
	check(t, err)
	data, err := tls.Marshal(*list)
	check(t, err)
	der, err := asn1.Marshal(data)
	check(t, err)
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: der}
}
