package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) inspectCommand() *cobra.Command {
	var opt vendorer.InspectOptions
	command := &cobra.Command{
		Use:   "inspect NAME|FILE|REF",
		Short: "Show what a pack says of itself, or which packs a program has",
		Long: `Show what a pack says of itself: its id, version, kind, publisher and
components, whether it holds signatures, and whether its bill of materials
(SBOM) matches its files; -v names the files that do not. NAME is a vendored
pack of packs.toml, FILE any file, and REF a pack in a registry. If REF has
neither tag nor digest, it is the newest version.

All of this is the publisher's word. packvendor also vendors a file that is no
pack: it pins bytes, not their meaning.

Signatures inside the pack are not verified. Of NAME, the signer is shown as
packs.lock has it. Of REF, a signature in the manifest is shown, not checked,
unless the file that PACKVENDOR_TRUST names demands a signature.
With --signatures, packvendor also looks in the registry, and it checks the
signatures if a rule in [trust.rules] asks for one. The exit code is 3 if a
place could not be searched and nothing else has a valid signature. For an
unsigned pack it is 0, unlike that of "packvendor trust explain".

If FILE is a compiled program, packvendor lists the packs in it, and whether
their bytes are there. It compares them with packs.lock of the project, or with
the one that --lock names. It does not run the program.
"packvendor verify --binary" does the same with an exit code.`,
		Example: `  packvendor inspect messaging-slack
  packvendor inspect ./messaging-slack.gtpack
  packvendor inspect ghcr.io/greenticai/greentic-packs/slack:0.4.38
  packvendor inspect --signatures ghcr.io/greenticai/telco-x:1.0
  packvendor inspect ./app    # which packs has this program?`,
		Args:              arguments(1, 1, "one NAME, FILE or REF"),
		ValidArgsFunction: c.completePackOrFile,
		RunE: func(command *cobra.Command, args []string) error {
			o, err := c.oneProject(command)
			if err != nil {
				return err
			}
			if slices.Contains(opt.Locks, "") {
				return usagef("--lock names no file")
			}
			found, err := vendorer.Inspect(command.Context(), o, opt, args[0])
			if err != nil {
				return err
			}
			if found.Program != nil {
				return c.reportProgram(found.Program)
			}
			return c.reportInspection(found)
		},
	}
	c.fileFlag(command, "use `FILE` as packs.toml")
	c.fetchFlags(command)
	c.fromFlag(command)
	c.insecureFlag(command, &opt.InsecureRegistries)
	command.Flags().BoolVar(&opt.Signatures, "signatures", false, "look for signatures in the registry, too")
	c.lockFlag(command, &opt.Locks, "compare a program with `FILE`; repeatable")
	command.Flags().Bool("allow-tags", false, "tags are allowed anyway: kept for those who say it")
	command.Flags().MarkHidden("allow-tags")
	return command
}

// completePackOrFile completes names of packs, and files.
func (c *cli) completePackOrFile(command *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	names, directive := c.completePacks(1)(command, args, toComplete)
	if len(args) == 0 {
		directive = cobra.ShellCompDirectiveDefault
	}
	return names, directive
}

// inspectJSON is the document of inspect --json. Strings are as the pack has them.
type inspectJSON struct {
	Path      string `json:"path,omitempty"`      // of the file that was read
	From      string `json:"from_file,omitempty"` // that the pack is, as packs.toml has it
	Reference string `json:"reference,omitempty"` // of the pack, if it has one
	// Source is where the pack was downloaded from, if not from the repository of Reference:
	// HOST/REPOSITORY of a mirror.
	Source string `json:"source,omitempty"`
	// ManifestVersion is the version that the manifest gives where the reference's tag
	// is another.
	ManifestVersion string            `json:"manifest_version,omitempty"`
	ManifestDigest  string            `json:"manifest_digest,omitempty"` // of the manifest, if there is one
	MediaType       string            `json:"media_type,omitempty"`      // of the layer
	Annotations     map[string]string `json:"annotations,omitempty"`     // the manifest's
	Signer          string            `json:"signer,omitempty"`          // who signed it, as packs.lock has it, or by the rules of signer_file
	SignerName      string            `json:"signer_name,omitempty"`     // the name of that signer in packs.toml, or in signer_file
	SignerFile      string            `json:"signer_file,omitempty"`     // that demands the signature of a reference: PACKVENDOR_TRUST names it
	// Unchecked tells that an annotation of the manifest holds a signature, which is not
	// checked.
	Unchecked    bool             `json:"unchecked_signature,omitempty"`
	Digest       string           `json:"digest"`              // of the pack's bytes
	Size         int64            `json:"size"`                // of the pack in bytes
	Format       string           `json:"format"`              // of the pack's own manifest: pack-v1, legacy, dw-application, or the name of a newer one
	ID           string           `json:"id"`                  // of the pack; the publisher gives it, and all that follows
	Version      string           `json:"version"`             // of the pack
	Name         string           `json:"name,omitempty"`      // of the pack, for people
	Kind         string           `json:"kind,omitempty"`      // such as application or provider
	Publisher    string           `json:"publisher,omitempty"` // who made the pack
	Components   []componentJSON  `json:"components"`          // by id and version
	Flows        []string         `json:"flows"`               // their ids
	Dependencies []dependencyJSON `json:"dependencies"`        // other packs that it needs
	Signatures   []string         `json:"signatures"`          // files in the pack that hold signatures, which are not verified
	SBOM         *sbomJSON        `json:"sbom"`                // the bill of materials; null if there is none
	Files        int              `json:"files"`               // how many are in the pack
	Unpacked     int64            `json:"unpacked"`            // bytes of all files, unpacked
	// Search is what the search of --signatures found.
	Search *searchJSON          `json:"search,omitempty"`
	Error  *problem.FailureJSON `json:"error,omitempty"` // which place could not be searched
}

// searchJSON is a search for signatures. With result not-asked or no-rule, no candidate is
// checked.
type searchJSON struct {
	Rule       *matchedRuleJSON `json:"rule"`                // null if none matches, or there is none
	RuleFile   string           `json:"rule_file,omitempty"` // that has the rule, if that is the one that PACKVENDOR_TRUST names
	Candidates []candidateJSON  `json:"candidates"`          // what may be a signature, in the order in which it was found
	Looked     []string         `json:"looked"`              // a place each, and what it had
	Result     string           `json:"result"`              // signed, unsigned, unsearched, no-rule, or not-asked
	By         string           `json:"by,omitempty"`        // the signer, if it is signed
}

func newSearchJSON(e *vendorer.TrustExplanation) *searchJSON {
	if e == nil {
		return nil
	}
	return &searchJSON{
		Rule: newMatchedRuleJSON(e.Rule, e.Signers), RuleFile: e.RuleFile, Candidates: newCandidatesJSON(e.Candidates),
		Looked: append([]string{}, e.Looked...), Result: string(e.Result), By: e.By,
	}
}

type componentJSON struct {
	ID      string `json:"id"`                // of the component
	Version string `json:"version,omitempty"` // of the component
	Path    string `json:"path,omitempty"`    // of its file in the pack
	Size    int64  `json:"size"`              // of that file in bytes, unpacked
}

type dependencyJSON struct {
	ID      string `json:"id"`                // of the pack that is needed
	Version string `json:"version,omitempty"` // range of versions
}

type sbomJSON struct {
	File       string   `json:"file"`              // its name in the pack
	Format     string   `json:"format,omitempty"`  // its own word for its format
	OK         bool     `json:"ok"`                // whether it matches the files
	Files      int      `json:"files"`             // how many it lists
	Matching   int      `json:"matching"`          // how many of them are as listed
	Missing    []string `json:"missing"`           // listed files that are not in the pack
	Mismatched []string `json:"mismatched"`        // files that are not as listed
	Unlisted   []string `json:"unlisted"`          // files that it does not list
	Problem    string   `json:"problem,omitempty"` // why it could not be read
}

func newInspectJSON(i *vendorer.Inspection) inspectJSON {
	doc := inspectJSON{
		Path: i.Path, From: i.From, Reference: i.Reference, Source: i.Source, ManifestVersion: i.ManifestVersion, ManifestDigest: i.ManifestDigest, MediaType: i.MediaType, Annotations: i.Annotations,
		Signer: i.Signer, SignerName: i.SignerName, SignerFile: i.SignerFile, Unchecked: i.HasSignature,
		Digest: string(i.Digest), Size: i.Size, Format: i.Format, ID: i.ID, Version: i.Version, Name: i.Name, Kind: i.Kind, Publisher: i.Publisher,
		Components: []componentJSON{}, Flows: append([]string{}, i.Flows...), Dependencies: []dependencyJSON{},
		Signatures: append([]string{}, i.Signatures...), SBOM: newSBOMJSON(i.SBOM), Files: i.Files, Unpacked: i.Unpacked,
		Search: newSearchJSON(i.Searched),
	}
	for _, component := range i.Components {
		doc.Components = append(doc.Components, componentJSON(component))
	}
	for _, dependency := range i.Dependencies {
		doc.Dependencies = append(doc.Dependencies, dependencyJSON(dependency))
	}
	return doc
}

func newSBOMJSON(s gtpack.SBOM) *sbomJSON {
	if s.File == "" {
		return nil
	}
	doc := &sbomJSON{
		File: s.File, Format: s.Format, OK: s.OK(), Files: s.Files, Matching: s.Matching,
		Missing: append([]string{}, s.Missing...), Mismatched: append([]string{}, s.Mismatched...), Unlisted: append([]string{}, s.Unlisted...),
	}
	if s.Err != nil {
		doc.Problem = s.Err.Error()
	}
	return doc
}

func (c *cli) reportInspection(i *vendorer.Inspection) error {
	t := phrase.NewTable()
	for _, row := range [][2]string{
		{"id", i.ID}, {"version", i.Version}, {"name", i.Name}, {"kind", i.Kind}, {"publisher", i.Publisher},
		{"format", i.Format}, {"file", i.Path}, {"from a file", i.From}, {"reference", phrase.WithVersion(i.Reference, i.ManifestVersion)}, {"manifest", i.ManifestDigest},
		{"signed by", signedByText(i)},
		{"digest", string(i.Digest)},
		{"size", fmt.Sprintf("%s (%s, %s unpacked)", phrase.Bytes(i.Size), phrase.Count(i.Files, "file"), phrase.Bytes(i.Unpacked))},
		{"flows", strings.Join(i.Flows, ", ")},
	} {
		if row[1] != "" {
			t.Add(row[0], row[1])
		}
	}
	addRows(t, "components", i.Components, componentText)
	addRows(t, "needs", i.Dependencies, func(d gtpack.Dependency) string { return strings.TrimSpace(d.ID + " " + d.Version) })
	t.Add("signatures", signaturesText(i.Signatures))
	t.Add("sbom", sbomText(i.SBOM))
	doc := newInspectJSON(i)
	o := outcome{}
	if e := i.Searched; e != nil {
		addSearch(t, e)
		o.problems = c.explain(e.Err)
		doc.Error = c.newFailureJSON(o.problems)
	}
	o.document, o.before = doc, t.String()
	err := c.end(o)
	if !c.json {
		c.detailSBOM(i.SBOM)
	}
	return err
}

// addSearch adds what a search for signatures found.
func addSearch(t *phrase.Table, e *vendorer.TrustExplanation) {
	key := e.Rule
	if e.RuleFile != "" {
		key += " in " + e.RuleFile
	}
	if key != "" || e.Result == vendorer.TrustNoRule {
		t.Add("rule", ruleText(key, e.Signers, e.Result))
	}
	addSignatures(t, e)
	result := trustResultText(e.Result, e.By, len(e.Candidates))
	if len(e.Signers) == 0 {
		switch {
		case e.Result == vendorer.TrustUnsearched:
			result = "not fully searched"
		case len(e.Candidates) == 0:
			result = "no signature"
		default:
			result = "not checked: no rule asks for a signature"
		}
	}
	t.Add("result", result)
}

// signedByText is who signed the pack's manifest or layer, as far as that is known; "" if
// nothing is.
func signedByText(i *vendorer.Inspection) string {
	switch {
	case i.SignerFile != "":
		return i.SignerName + " (" + i.Signer + "), as " + i.SignerFile + " demands"
	case i.SignerName != "":
		return i.SignerName + " (" + i.Signer + "), as packs.lock has it"
	case i.Signer != "":
		return i.Signer + ", as packs.lock has it"
	case i.HasSignature && i.Searched == nil: // else it is among the candidates
		return "not checked: the manifest's annotation " + signatureAnnotation + " has a signature"
	}
	return ""
}

// signatureAnnotation is the annotation that holds a signature.
const signatureAnnotation = "dev.greentic.dsse"

// maxRows bounds how many things of one kind a pack is shown to have.
const maxRows = 100

// addRows adds a row for each item, under one heading.
func addRows[T any](t *phrase.Table, heading string, items []T, text func(T) string) {
	for n, item := range items {
		if n == maxRows {
			t.Add("", fmt.Sprintf("and %d more", len(items)-n))
			break
		}
		t.Add(heading, text(item))
		heading = ""
	}
}

func componentText(c gtpack.Component) string {
	text := strings.TrimSpace(c.ID + " " + c.Version)
	if c.Path == "" {
		return text + ", not in the pack"
	}
	return text + ", " + phrase.Bytes(c.Size)
}

func signaturesText(files []string) string {
	if len(files) == 0 {
		return "none in the pack"
	}
	return strings.Join(files, ", ") + " (not verified)"
}

// sbomText says in a line whether a bill of materials matches.
func sbomText(s gtpack.SBOM) string {
	switch {
	case s.File == "":
		return "none"
	case s.Err != nil:
		return s.Err.Error()
	case s.OK():
		return fmt.Sprintf("%s matches: %s", s.File, phrase.Count(s.Files, "file"))
	}
	var parts []string
	for _, part := range []struct {
		names     []string
		one, many string
	}{{s.Mismatched, "differs", "differ"}, {s.Missing, "is missing", "are missing"}, {s.Unlisted, "is not listed", "are not listed"}} {
		if n := len(part.names); n > 0 {
			parts = append(parts, phrase.Plural(n, part.one, part.many))
		}
	}
	return fmt.Sprintf("%s does not match: %d of %s as listed, %s", s.File, s.Matching, phrase.Count(s.Files, "file"), strings.Join(parts, ", "))
}

// detailSBOM prints which files do not match a bill of materials.
func (c *cli) detailSBOM(s gtpack.SBOM) {
	for _, part := range []struct {
		names []string
		what  string
	}{{s.Mismatched, "is not as listed"}, {s.Missing, "is missing"}, {s.Unlisted, "is not listed"}} {
		for n, name := range part.names {
			if n == maxRows {
				c.say.Detail("%s: %d more", s.File, len(part.names)-n)
				break
			}
			c.say.Detail("%s: %s %s", s.File, safe.Name(name), part.what)
		}
	}
}
