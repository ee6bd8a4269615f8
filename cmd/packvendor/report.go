package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// runJSON is the document of the bare run, add and update with --json.
type runJSON struct {
	Packs   []packJSON `json:"packs"`
	Dropped []string   `json:"dropped"`
	Written []string   `json:"written"`
	Deleted []string   `json:"deleted"`
}

type packJSON struct {
	Name           string `json:"name"`
	Ref            string `json:"ref"`
	Tag            string `json:"tag,omitempty"`
	IndexDigest    string `json:"index_digest,omitempty"`
	ManifestDigest string `json:"manifest_digest"`
	LayerDigest    string `json:"layer_digest"`
	Size           int64  `json:"size"`
	MediaType      string `json:"media_type"`
	Changed        bool   `json:"changed"`    // its entry in packs.lock changed
	Written        bool   `json:"written"`    // its vendored file was written
	Downloaded     bool   `json:"downloaded"` // from the registry, not from the cache
}

func newRunJSON(report *vendorer.Report) runJSON {
	doc := runJSON{
		Packs:   []packJSON{},
		Dropped: append([]string{}, report.Dropped...),
		Written: append([]string{}, report.Written...),
		Deleted: append([]string{}, report.Deleted...),
	}
	for _, p := range report.Packs {
		doc.Packs = append(doc.Packs, packJSON{
			Name: p.Name, Ref: p.Ref, Tag: p.Tag,
			IndexDigest: string(p.IndexDigest), ManifestDigest: string(p.ManifestDigest), LayerDigest: string(p.LayerDigest),
			Size: p.Size, MediaType: p.MediaType,
			Changed: p.Pack != p.Before, Written: p.Written, Downloaded: p.Fetched,
		})
	}
	return doc
}

// fetchJSON is the document of fetch --json, field for field that of
// greentic-dist pack --json.
type fetchJSON struct {
	Reference string `json:"reference"`
	Digest    string `json:"digest"`
	MediaType string `json:"media_type"`
	CachePath string `json:"cache_path"`
	Fetched   bool   `json:"fetched"`
}

// verifyJSON is the document of verify --json.
type verifyJSON struct {
	Packs    int           `json:"packs"`
	Findings []problemJSON `json:"findings"`
	// Unembedded says why the Go toolchain was not asked.
	Unembedded string `json:"unembedded,omitempty"`
}

func (c *cli) reportRun(report *vendorer.Report) error {
	c.say.written(report)
	if c.json {
		return c.printJSON(newRunJSON(report))
	}
	return nil
}

// reportAdd prints what now stands in packs.toml.
func (c *cli) reportAdd(report *vendorer.Report) error {
	c.say.written(report)
	if c.json {
		return c.printJSON(newRunJSON(report))
	}
	for _, p := range report.Packs {
		if p.Action == vendorer.Resolve && !c.quiet {
			if err := c.print("%s %s\n", p.Name, p.Ref); err != nil {
				return err
			}
		}
	}
	return nil
}

// reportUpdate prints a line for each pack that was to be updated.
func (c *cli) reportUpdate(report *vendorer.Report, names []string) error {
	c.say.written(report)
	if c.json {
		return c.printJSON(newRunJSON(report))
	}
	for _, p := range report.Packs {
		if c.quiet || len(names) > 0 && !slices.Contains(names, p.Name) {
			continue
		}
		if err := c.print("%s %s\n", p.Name, movement(p)); err != nil {
			return err
		}
	}
	return nil
}

// movement says how a pack's entry changed.
func movement(p vendorer.PackReport) string {
	before, now := p.Before, p.Pack
	switch {
	case before.Name == "":
		return "locked " + short(now.ManifestDigest)
	case before.ManifestDigest == now.ManifestDigest && before.LayerDigest == now.LayerDigest:
		return "unchanged"
	case before.LayerDigest == now.LayerDigest:
		return "manifest changed, bytes identical"
	}
	tag := now.Tag
	if ref, err := ociref.Parse(now.Ref); err == nil && ref.Tag != "" {
		tag = ref.Tag
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s → %s", tag, short(before.ManifestDigest), short(now.ManifestDigest)))
}

// short is a digest that a person can compare by eye.
func short(d ociref.Digest) string { return "sha256:" + d.Hex()[:min(12, len(d.Hex()))] }

func (c *cli) reportFetch(result packfetch.Result) error {
	if c.json {
		return c.printJSON(fetchJSON{
			Reference: result.OriginalReference, Digest: result.ResolvedDigest,
			MediaType: result.MediaType, CachePath: result.Path, Fetched: result.FetchedFromNetwork,
		})
	}
	return c.print("%s\n", result.Path)
}

func (c *cli) reportVerify(v *vendorer.Verification) error {
	unembedded := ""
	if v.Unembedded != nil {
		unembedded = "what the Go toolchain embeds was not checked: " + v.Unembedded.Error()
		c.say.notice("%s", unembedded)
	}
	if len(v.Findings) > 0 {
		return &findingsError{v: v, unembedded: unembedded}
	}
	if c.json {
		return c.printJSON(verifyJSON{Packs: v.Packs, Findings: []problemJSON{}, Unembedded: unembedded})
	}
	if c.quiet {
		return nil
	}
	return c.print("%s verified\n", counted(v.Packs, "pack"))
}

// counted is n and a noun: "1 pack", "2 packs".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// print writes data for standard output.
func (c *cli) print(format string, args ...any) error {
	_, err := fmt.Fprintf(c.stdout, format, args...)
	return err
}

func (c *cli) printJSON(doc any) error {
	encoder := json.NewEncoder(c.stdout)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(doc)
}
