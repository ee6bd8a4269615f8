package lockfile_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
)

var (
	digestA = ociref.Digest("sha256:" + strings.Repeat("a", 64))
	digestB = ociref.Digest("sha256:" + strings.Repeat("b", 64))
	digestC = ociref.Digest("sha256:" + strings.Repeat("c", 64))
	digestD = ociref.Digest("sha256:" + strings.Repeat("d", 64))
)

// signers has each form of a signer.
var signers = []string{
	"key:" + string(digestC),
	"github.com/greenticai/packs/.github/workflows/publish.yml#123456",
	"https://login.example.com/a#release@example.com",
}

const repo = "ghcr.io/greenticai/packs/slack"

// slack returns a pinned pack that is consistent.
func slack(name string) lockfile.Entry {
	return lockfile.Entry{
		Name: name, Ref: repo + ":0.4.38@" + string(digestA),
		ManifestDigest: digestA, LayerDigest: digestB,
		Size: 12, MediaType: "application/zip",
	}
}

// Each row forges one field of a consistent pack, or shows a consistent one.
// The rows are those of docs/reliability.md 53b that an entry alone can tell.
func TestFault53b_Check(t *testing.T) {
	a, b, c, d := string(digestA), string(digestB), string(digestC), string(digestD)
	tests := []struct {
		name  string
		forge func(*lockfile.Entry)
		want  string // "" is consistent
	}{
		{"pinned", func(p *lockfile.Entry) {}, ""},
		{"pinned to an index", func(p *lockfile.Entry) {
			p.IndexDigest, p.ManifestDigest = digestA, digestC
		}, ""},
		{"tag followed", func(p *lockfile.Entry) { p.Ref, p.Tag = repo+":stable", "stable" }, ""},
		{"range followed", func(p *lockfile.Entry) { p.Ref, p.Version, p.Tag = repo, "^1", "1.2.3" }, ""},
		{"layer by type", func(p *lockfile.Entry) { p.Layer = "application/zip" }, ""},
		{"layer by digest", func(p *lockfile.Entry) { p.Layer = b }, ""},

		{"manifest_digest", func(p *lockfile.Entry) { p.ManifestDigest = digestD },
			"packs.lock: slack: manifest_digest is " + d + ", but ref pins " + a},
		{"index_digest", func(p *lockfile.Entry) { p.IndexDigest = digestD },
			"packs.lock: slack: index_digest is " + d + ", but ref pins " + a},
		{"index_digest dropped", func(p *lockfile.Entry) { p.Ref, p.ManifestDigest = repo+"@"+c, digestA },
			"packs.lock: slack: manifest_digest is " + a + ", but ref pins " + c},
		{"index is the manifest", func(p *lockfile.Entry) { p.IndexDigest = digestA },
			"packs.lock: slack: index_digest is " + a + ", but manifest_digest is the same"},
		{"tag beside a pin", func(p *lockfile.Entry) { p.Tag = "0.4.38" },
			"packs.lock: slack: tag is 0.4.38, but ref pins a digest"},
		{"another tag", func(p *lockfile.Entry) { p.Ref, p.Tag = repo+":stable", "edge" },
			"packs.lock: slack: tag is edge, but ref names stable"},
		{"no tag", func(p *lockfile.Entry) { p.Ref = repo + ":stable" },
			"packs.lock: slack: tag is missing, but ref names stable"},
		{"no tag for a range", func(p *lockfile.Entry) { p.Ref, p.Version = repo, "^1" },
			"packs.lock: slack: tag is missing, but ref has neither tag nor digest"},
		{"a tag out of range", func(p *lockfile.Entry) { p.Ref, p.Version, p.Tag = repo, "^1, <1.5", "1.5.0" },
			"packs.lock: slack: tag is 1.5.0, but version is \"^1, <1.5\""},
		{"a tag that is no version", func(p *lockfile.Entry) { p.Ref, p.Version, p.Tag = repo, "*", "latest" },
			"packs.lock: slack: tag is latest, but version is *"},
		{"layer_digest", func(p *lockfile.Entry) { p.Layer = d },
			"packs.lock: slack: layer_digest is " + b + ", but layer names " + d},
		{"media_type", func(p *lockfile.Entry) { p.Layer = "text/markdown" },
			"packs.lock: slack: media_type is application/zip, but layer names text/markdown"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := slack("slack")
			test.forge(&p)
			err := p.Check()
			if test.want == "" {
				if err != nil {
					t.Errorf("got %v, want none", err)
				}
				return
			}
			var inconsistent *lockfile.InconsistentError
			if !errors.As(err, &inconsistent) || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestCheckBadRef(t *testing.T) {
	p := slack("slack")
	p.Ref = "slack"
	err := p.Check()
	want := `packs.lock: slack: invalid reference "slack": no registry host: write host/repository, like ghcr.io/owner/name`
	var syntax *ociref.SyntaxError
	if err == nil || err.Error() != want || !errors.As(err, &syntax) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestFault51_InconsistentErrorIsPrintable(t *testing.T) {
	err := &lockfile.InconsistentError{Name: "a", Field: "media_type", Got: "x\x1b[2J", By: "the manifest has", Want: "a b"}
	want := `packs.lock: a: media_type is "x\x1b[2J", but the manifest has "a b"`
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestValidate(t *testing.T) {
	long := strings.Repeat("x", 4097)
	tests := []struct {
		name  string
		spoil func(*lockfile.Entry)
		want  string
	}{
		{"good", func(p *lockfile.Entry) {}, ""},
		{"no name", func(p *lockfile.Entry) { p.Name = "" }, `packs.lock: : name: the value is empty`},
		{"range with a quote", func(p *lockfile.Entry) { p.Version = `"` }, `packs.lock: a: version: character "\"" is not accepted`},
		{"no range", func(p *lockfile.Entry) { p.Version = "newest" }, `packs.lock: a: version: version is not a range of versions such as ^0.4`},
		{"endless range", func(p *lockfile.Entry) { p.Version = long }, `packs.lock: a: version: the value is longer than 4096 characters`},
		{"size", func(p *lockfile.Entry) { p.Size = -1 }, `packs.lock: a: size: -1 is not a whole number of bytes`},
		{"media type", func(p *lockfile.Entry) { p.MediaType = "a/b\n" }, `packs.lock: a: media_type: character "\n" is not accepted`},
		{"a key", func(p *lockfile.Entry) { p.Signer, p.Evidence = signers[0], digestD }, ""},
		{"a workflow", func(p *lockfile.Entry) { p.Signer, p.Evidence = signers[1], digestD }, ""},
		{"an account", func(p *lockfile.Entry) { p.Signer, p.Evidence = signers[2], digestD }, ""},
		{"a signer alone", func(p *lockfile.Entry) { p.Signer = signers[0] }, `packs.lock: a: signer stands without evidence`},
		{"evidence alone", func(p *lockfile.Entry) { p.Evidence = digestD }, `packs.lock: a: evidence stands without signer`},
		{"no signer", func(p *lockfile.Entry) { p.Signer, p.Evidence = "me", digestD },
			`packs.lock: a: signer: "me" is none of key:sha256:HEX, github.com/OWNER/NAME/.github/workflows/FILE#ID and ISSUER#IDENTITY`},
		{"a backslash", func(p *lockfile.Entry) { p.Signer, p.Evidence = `https://a.example#a\b`, digestD },
			`packs.lock: a: signer: "https://a.example#a\\b" is none of key:sha256:HEX, github.com/OWNER/NAME/.github/workflows/FILE#ID and ISSUER#IDENTITY`},
		{"no evidence", func(p *lockfile.Entry) { p.Signer, p.Evidence = signers[0], "sha256:1" },
			`packs.lock: a: evidence: digest "sha256:1" has 1 characters after "sha256:", not 64`},
		{"no media type", func(p *lockfile.Entry) { p.MediaType = "" }, `packs.lock: a: media_type: the value is empty`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := slack("a")
			test.spoil(&p)
			got := ""
			if err := p.Validate(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// An entry of a file has neither tag nor digest, whatever reference stands beside the file, and
// nothing that could contradict that.
func TestEntryOfFile(t *testing.T) {
	entry := lockfile.Entry{Name: "a", Ref: "ghcr.io/a/b:1.0@" + string(digestA), LayerDigest: digestB, Size: 1}
	if tag := entry.AnyTag(); tag != "1.0" {
		t.Errorf("tag %q", tag)
	}
	if entry.Check() == nil || entry.Validate() == nil {
		t.Error("an entry without a manifest is accepted")
	}
	entry.Path = "../a.gtpack"
	if tag, digest := entry.AnyTag(), entry.Digest(); tag != "" || digest != "" {
		t.Errorf("tag %q, digest %q", tag, digest)
	}
	if err := errors.Join(entry.Check(), entry.Validate()); err != nil {
		t.Error(err)
	}
	entry.ManifestDigest = digestA
	if err := entry.Validate(); err == nil || err.Error() != "packs.lock: a: manifest_digest stands beside path: a file has none" {
		t.Errorf("got %v", err)
	}
}
