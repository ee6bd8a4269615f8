package main

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"google.golang.org/protobuf/proto"
)

var (
	ours  = digestOf(read(filepath.Join("..", "..", "testdata", "manifest.json")))
	other = digestOf([]byte("another manifest"))
)

func read(name string) []byte {
	data, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return data
}

// ask runs the program with a request.
func ask(t *testing.T, bundle, root []byte, digest string) map[string]any {
	t.Helper()
	input, err := json.Marshal(request{Version: protocol, Bundle: bundle, Digest: digest, Root: root})
	check(t, err)
	var stdout, stderr bytes.Buffer
	if code := run(nil, bytes.NewReader(input), &stdout, &stderr); code != exitReplied || stderr.Len() > 0 {
		t.Fatalf("exit %d, %s", code, stderr.String())
	}
	var reply map[string]any
	check(t, json.Unmarshal(stdout.Bytes(), &reply))
	for field, want := range map[string]any{
		"version": 1.0, "bundle_digest": digestOf(bundle), "root_digest": digestOf(root), "digest": digest,
	} {
		if reply[field] != want {
			t.Errorf("%s is %v, not %v", field, reply[field], want)
		}
	}
	return reply
}

func verified(t *testing.T, bundle, root []byte) map[string]any {
	t.Helper()
	reply := ask(t, bundle, root, ours)
	if reply["verdict"] != "verified" {
		t.Fatalf("%v", reply)
	}
	return reply
}

// reasonOf returns why a bundle is invalid.
func reasonOf(t *testing.T, bundle, root []byte, digest string) string {
	t.Helper()
	reply := ask(t, bundle, root, digest)
	reason, ok := reply["reason"].(string)
	if reply["verdict"] != "invalid" || !ok || len(reply) != 6 {
		t.Fatalf("%v", reply)
	}
	return reason
}

// What a valid signature of a workflow says, with logs and without.
func TestVerified(t *testing.T) {
	a := newAuthority(t)
	bundle := a.sign(t, signing{payload: statement(ours)})
	for name, root := range map[string][]byte{"public": a.publicRoot(t), "private": a.privateRoot(t)} {
		reply := verified(t, bundle, root)
		for field, want := range map[string]string{
			"payload": encoded(statement(ours)), "issuer": gitHub, "subject": workflowURI,
			"repository": "https://github.com/acme/packs", "repository_id": "123456", "owner_id": "654",
			"ref": "refs/tags/v1.0.0", "trigger": "push", "runner_environment": "github-hosted",
		} {
			if reply[field] != want {
				t.Errorf("%s: %s is %v, not %q", name, field, reply[field], want)
			}
		}
		at, err := time.Parse(time.RFC3339, reply["time"].(string))
		if err != nil || time.Since(at).Abs() > time.Hour || at.Location() != time.UTC {
			t.Errorf("%s: %v, %v", name, reply["time"], err)
		}
		if len(reply) != 15 {
			t.Errorf("%s: %v", name, reply)
		}
	}
}

// The newer log tells no time: a timestamp has to.
func TestTiles(t *testing.T) {
	a := newAuthority(t)
	reply := verified(t, a.sign(t, signing{payload: statement(ours), tiles: true}), a.publicRoot(t))
	if reply["subject"] != workflowURI {
		t.Error(reply)
	}
	untimed := a.sign(t, signing{payload: statement(ours), tiles: true, bundle: func(b *protobundle.Bundle) {
		b.VerificationMaterial.TimestampVerificationData = nil
	}})
	const want = "failed to verify timestamps: threshold not met for verified signed & log entry integrated timestamps: 0 < 1"
	if got := reasonOf(t, untimed, a.publicRoot(t), ours); !strings.HasPrefix(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	foreign := a.sign(t, signing{payload: statement(ours), tiles: true})
	a.tileKey = newKey(t)
	if got := reasonOf(t, foreign, a.publicRoot(t), ours); !strings.Contains(got, "not enough verified log entries") {
		t.Error(got)
	}
}

// Of several verified times the reply has the earliest: here the log's, not the authority's.
func TestEarliestTime(t *testing.T) {
	a := newAuthority(t)
	bundle := a.sign(t, signing{payload: statement(ours), issued: -30 * time.Second})
	at := func(root []byte) time.Time {
		at, err := time.Parse(time.RFC3339, verified(t, bundle, root)["time"].(string))
		check(t, err)
		return at
	}
	if logged, stamped := at(a.publicRoot(t)), at(a.privateRoot(t)); stamped.Sub(logged) < 20*time.Second {
		t.Errorf("%v, %v", logged, stamped)
	}
}

func encoded(text string) string {
	data, _ := json.Marshal([]byte(text))
	return strings.Trim(string(data), `"`)
}

// A person's certificate has a name, an issuer, and nothing of a repository.
func TestPerson(t *testing.T) {
	a := newAuthority(t)
	change := map[string]*string{"1": text("https://login.example.com"), "8": text("https://login.example.com")}
	for _, number := range extensionOrder[2:] {
		change[number] = nil
	}
	bundle := a.sign(t, signing{payload: statement(ours), change: change, names: mail("release@example.com")})
	reply := verified(t, bundle, a.publicRoot(t))
	for field, want := range map[string]string{
		"issuer": "https://login.example.com", "subject": "release@example.com",
		"repository": "", "repository_id": "", "owner_id": "", "ref": "", "trigger": "", "runner_environment": "",
	} {
		if reply[field] != want {
			t.Errorf("%s is %v, not %q", field, reply[field], want)
		}
	}
}

func text(s string) *string { return &s }

func mail(addresses ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.EmailAddresses = addresses }
}

// Each thing that a signature lacks makes it invalid.
func TestInvalid(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	public, private := a.publicRoot(t), a.privateRoot(t)
	forge := func(change func(*protobundle.Bundle)) signing {
		return signing{payload: statement(ours), bundle: change}
	}
	for name, test := range map[string]struct {
		signing signing
		root    []byte
		digest  string
		want    string // in the reason
	}{
		"about another digest":  {signing{payload: statement(ours)}, public, other, "does not match any digest in statement"},
		"another root":          {signing{payload: statement(ours)}, stranger.publicRoot(t), ours, "not enough verified log entries from transparency log: 0 < 1"},
		"another root, no logs": {signing{payload: statement(ours)}, stranger.privateRoot(t), ours, "threshold not met for verified signed timestamps: 0 < 1"},
		"without SCT":           {signing{payload: statement(ours), noSCT: true}, public, ours, "failed to verify signed certificate timestamp: only able to verify 0 SCT entries"},
		"expired":               {signing{payload: statement(ours), issued: -20 * time.Minute}, private, ours, "leaf certificate verification failed"},
		"expired, with logs":    {signing{payload: statement(ours), issued: -20 * time.Minute}, public, ours, "leaf certificate verification failed"},
		"not yet valid":         {signing{payload: statement(ours), issued: 20 * time.Minute}, private, ours, "leaf certificate verification failed"},
		"without log entry":     {forge(func(b *protobundle.Bundle) { b.VerificationMaterial.TlogEntries = nil }), public, ours, "no entry of a transparency log"},
		"without inclusion": {forge(func(b *protobundle.Bundle) {
			b.VerificationMaterial.TlogEntries[0].InclusionProof = nil
		}), public, ours, "inclusion proof missing in bundle"},
		"one entry without inclusion": {forge(func(b *protobundle.Bundle) {
			entries := b.VerificationMaterial.TlogEntries
			promised := cloneEntry(entries[0])
			promised.InclusionProof = nil
			entries[0].LogId.KeyId = bytes.Repeat([]byte{1}, 32) // of a log that nobody knows
			b.VerificationMaterial.TlogEntries = append(entries, promised)
		}), public, ours, "an entry of a transparency log without a proof of its inclusion"},
		"inclusion of something else": {forge(func(b *protobundle.Bundle) {
			b.VerificationMaterial.TlogEntries[0].InclusionProof.RootHash[0] ^= 1
		}), public, ours, "failed to verify log inclusion"},
		"without time": {forge(func(b *protobundle.Bundle) { b.VerificationMaterial.TimestampVerificationData = nil }), private, ours, "threshold not met for verified signed timestamps: 0 < 1"},
		"another payload": {forge(func(b *protobundle.Bundle) {
			b.GetDsseEnvelope().Payload = []byte(statement(other))
		}), private, other, "could not verify envelope"},
		"another payload, logged": {forge(func(b *protobundle.Bundle) {
			b.GetDsseEnvelope().Payload = []byte(statement(other))
		}), public, other, "payload hash"},
		"another type of payload": {forge(func(b *protobundle.Bundle) { b.GetDsseEnvelope().PayloadType = "text/plain" }), private, ours, `payloadType "text/plain", not application/vnd.in-toto+json`},
		"two signatures": {forge(func(b *protobundle.Bundle) {
			e := b.GetDsseEnvelope()
			e.Signatures = append(e.Signatures, e.Signatures[0])
		}), private, ours, "2 signatures, not one"},
		"a key": {forge(func(b *protobundle.Bundle) {
			b.VerificationMaterial.Content = &protobundle.VerificationMaterial_PublicKey{}
		}), private, ours, "bundle: "},
		"version 0.2": {forge(func(b *protobundle.Bundle) { b.MediaType = "application/vnd.dev.sigstore.bundle+json;version=0.2" }), private, ours, `media type "application/vnd.dev.sigstore.bundle+json;version=0.2"`},
		"two names":   {signing{payload: statement(ours), names: mail("a@example.com", "b@example.com")}, public, ours, "2 names, not one"},
		"a name and a workflow": {signing{payload: statement(ours), names: func(c *x509.Certificate) {
			uri, _ := url.Parse(workflowURI)
			c.URIs, c.EmailAddresses = []*url.URL{uri}, []string{"a@example.com"}
		}}, public, ours, "2 names, not one"},
		"two issuers":  {signing{payload: statement(ours), change: map[string]*string{"1": text("https://login.example.com")}}, public, ours, `two issuers, "https://login.example.com" and "https://token.actions.githubusercontent.com"`},
		"no issuer":    {signing{payload: statement(ours), change: map[string]*string{"1": nil, "8": nil}}, public, ours, "no issuer of the identity"},
		"no statement": {signing{payload: "text"}, private, ours, "failed to"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := reasonOf(t, a.sign(t, test.signing), test.root, test.digest); !strings.Contains(got, test.want) {
				t.Errorf("%q, not %q", got, test.want)
			}
		})
	}
}

// What is no bundle is invalid too: publishers write it.
func TestNoBundle(t *testing.T) {
	a := newAuthority(t)
	valid := string(a.sign(t, signing{payload: statement(ours)}))
	for name, bundle := range map[string]string{
		"text":           "text",
		"empty object":   "{}",
		"unknown field":  strings.Replace(valid, `{"mediaType"`, `{"x":1,"mediaType"`, 1),
		"two documents":  valid + valid,
		"a field twice":  strings.Replace(valid, `{"mediaType"`, `{"mediaType":"x","mediaType"`, 1),
		"no certificate": strings.Replace(valid, `"certificate":{"rawBytes":"`, `"certificate":{"rawBytes":"AAAA`, 1),
	} {
		if got := reasonOf(t, []byte(bundle), a.publicRoot(t), ours); got == "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// The bundle satisfies one document whole. What one document lacks, another does not give.
func TestDocuments(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	bundle := a.sign(t, signing{payload: statement(ours)})
	lines := func(documents ...[]byte) []byte { return append(bytes.Join(documents, []byte("\n")), '\n') }
	verified(t, bundle, lines(stranger.publicRoot(t), a.publicRoot(t)))
	verified(t, bundle, lines(stranger.publicRoot(t), a.privateRoot(t)))
	var indented bytes.Buffer
	check(t, json.Indent(&indented, a.publicRoot(t), "", "  "))
	verified(t, bundle, indented.Bytes()) // as cosign writes it

	// The certificates of one with the logs of another: all that it takes, in two documents.
	certificates, logs := *a, *stranger
	certificates.VirtualSigstore, logs.VirtualSigstore = stranger.VirtualSigstore, a.VirtualSigstore
	reason := reasonOf(t, bundle, lines(certificates.publicRoot(t), logs.publicRoot(t)), ours)
	if !strings.HasPrefix(reason, "document 1 of the root: ") || !strings.Contains(reason, "; document 2 of the root: ") {
		t.Error(reason)
	}
}

// One log suffices for the demands on both: a document with a log of certificates alone
// demands an entry, too.
func TestOneLog(t *testing.T) {
	a := newAuthority(t)
	var document map[string]any
	check(t, json.Unmarshal(a.publicRoot(t), &document))
	for _, log := range []string{"tlogs", "ctlogs"} {
		kept := document[log]
		delete(document, log)
		root, err := json.Marshal(document)
		check(t, err)
		if got := reasonOf(t, a.sign(t, signing{payload: statement(ours)}), root, ours); got == "" {
			t.Error(log)
		}
		document[log] = kept
	}
}

func cloneEntry(e *protorekor.TransparencyLogEntry) *protorekor.TransparencyLogEntry {
	return proto.Clone(e).(*protorekor.TransparencyLogEntry)
}
