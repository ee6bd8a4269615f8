package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/internal/keyless"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/signing"
)

// A verifier is what the scripts' packvendor-verify-sigstore does, which is the tests' own
// executable under that name. It believes each bundle. The file beside it holds this. The real
// program is tried by the script trust_keyless_real.
type verifier struct {
	Identity map[string]string // in the reply
	Act      string            // instead of a reply: see cmdVerifier
}

// actAsVerifier is the main function of that program, if this is it.
func actAsVerifier() {
	name := filepath.Base(os.Args[0])
	if strings.TrimSuffix(name, ".exe") != keyless.Program {
		return
	}
	data, err := os.ReadFile(os.Args[0] + ".json")
	var v verifier
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	if err == nil {
		err = v.answer(os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (v verifier) answer(stdin io.Reader, stdout io.Writer) error {
	var request struct {
		Bundle, Root []byte
		Digest       string
	}
	if err := json.NewDecoder(stdin).Decode(&request); err != nil {
		return err
	}
	var bundle signing.Bundle
	if err := json.Unmarshal(request.Bundle, &bundle); err != nil {
		return err
	}
	payload, err := base64.StdEncoding.DecodeString(bundle.Envelope.Payload)
	if err != nil {
		return err
	}
	reply := map[string]any{
		"version": 1, "bundle_digest": ociref.DigestOf(request.Bundle), "root_digest": ociref.DigestOf(request.Root), "digest": request.Digest,
	}
	if strings.Contains(string(payload), strings.TrimPrefix(request.Digest, "sha256:")) && v.Act != "invalid" {
		reply["verdict"], reply["payload"] = "verified", payload
		for key, value := range v.Identity {
			reply[key] = value
		}
	} else {
		reply["verdict"], reply["reason"] = "invalid", "no subject has the digest"
	}
	switch v.Act {
	case "other": // about another bundle
		reply["bundle_digest"] = ociref.DigestOf(nil)
	case "payload":
		reply["payload"] = []byte("{}")
	case "flood":
		for err == nil {
			_, err = io.WriteString(stdout, strings.Repeat("x", 1<<16))
		}
		return err
	}
	if err := json.NewEncoder(stdout).Encode(reply); err != nil {
		return err
	}
	if v.Act == "fail" {
		return fmt.Errorf("something is wrong")
	}
	return nil
}

// verifier DIR [ACT] [KEY=VALUE...] puts packvendor-verify-sigstore into a folder. It says that
// the workflow publish.yml of github.com/acme/packs signed for the tag v1.0.0, but for the
// values. ACT is what it does instead: invalid, other (a reply about another bundle), payload
// (another one), fail (a reply and exit code 1), flood. $DIR_VERIFIER is its file, with DIR's
// last element in capitals.
func cmdVerifier(ts *testscript.TestScript, args []string) {
	dir := ts.MkAbs(args[0])
	v := workflowVerifier()
	for _, arg := range args[1:] {
		if key, value, ok := strings.Cut(arg, "="); ok {
			v.Identity[key] = value
		} else {
			v.Act = arg
		}
	}
	file, err := installVerifier(dir, v)
	ts.Check(err)
	ts.Setenv(strings.ToUpper(filepath.Base(dir))+"_VERIFIER", file)
}

// workflowVerifier says that the workflow publish.yml of acme signed.
func workflowVerifier() verifier {
	return verifier{Identity: map[string]string{
		"issuer":        "https://token.actions.githubusercontent.com",
		"subject":       "https://github.com/acme/packs/.github/workflows/publish.yml@refs/tags/v1.0.0",
		"repository":    "https://github.com/acme/packs",
		"repository_id": "123456", "owner_id": "654",
		"ref": "refs/tags/v1.0.0", "trigger": "push", "runner_environment": "github-hosted", "time": "2026-11-30T09:13:18Z",
	}}
}

// installVerifier puts the program into a folder, or changes what it does, and returns its file.
func installVerifier(dir string, v verifier) (string, error) {
	file, err := packtest.InstallProgram(dir, keyless.Program)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return file, os.WriteFile(file+".json", data, 0o666)
}

// certified returns the bundle of a signature without a key: the verifier of the scripts
// believes any certificate.
func certified(payload []byte) signing.Bundle {
	bundle := signing.SignBundle(payload, signing.P256(200))
	bundle.Material = map[string]any{"certificate": map[string]any{"rawBytes": "AAAA"}}
	return bundle
}

// sigstore VAR NAME ROOT REPOSITORY:TAG stores the pack of sigstore/testdata, with the bundle
// of NAME.request.json there, and writes the root that this satisfies into a file. $VAR is the
// digest of the manifest, and $SIGSTORE the real program.
func cmdSigstore(ts *testscript.TestScript, args []string) {
	dir := filepath.Join("..", "..", "sigstore", "testdata")
	manifest, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	ts.Check(err)
	data, err := os.ReadFile(filepath.Join(dir, args[1]+".request.json"))
	ts.Check(err)
	var request struct{ Bundle, Root []byte }
	ts.Check(json.Unmarshal(data, &request))
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(args[2])), 0o777))
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), request.Root, 0o666))
	repository, tag, _ := strings.Cut(args[3], ":")
	registryOf(ts).PutBlob(repository, []byte("the bytes of a pack"))
	digest, err := registryOf(ts).PutManifest(repository, tag, packtest.ManifestMediaType, manifest)
	ts.Check(err)
	ts.Setenv(args[0], string(digest))
	ts.Setenv("SIGSTORE", os.Getenv(keyless.Variable))
	pushed := new(forgery).attach(ts, repository, string(digest), request.Bundle)
	listReferrer(ts, repository, string(digest), pushed.Child())
}
