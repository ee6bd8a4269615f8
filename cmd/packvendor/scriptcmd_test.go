package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/packtest/signing"
)

type (
	registryKey  struct{} // *current
	snapshotsKey struct{} // map[string]string: directories' former state
)

// scriptCommands are the commands of scripts besides testscript's. Most take no "!".
func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	always := func(run func(*testscript.TestScript, []string)) func(*testscript.TestScript, bool, []string) {
		return func(ts *testscript.TestScript, neg bool, args []string) {
			if neg {
				ts.Fatalf("this command takes no !")
			}
			run(ts, args)
		}
	}
	commands := map[string]func(*testscript.TestScript, bool, []string){
		"exits":          always(cmdExits),
		"expand":         always(cmdExpand),
		"push":           always(cmdPush),
		"index":          always(cmdIndex),
		"raw":            always(cmdRaw),
		"tag":            always(cmdTag),
		"delete":         always(cmdDelete),
		"fault":          always(cmdFault),
		"registry":       always(cmdRegistry),
		"requests":       always(cmdRequests),
		"carries":        always(cmdCarries),
		"load":           always(cmdLoad),
		"snapshot":       always(cmdSnapshot),
		"same":           cmdSame,
		"flip":           always(cmdFlip),
		"sha":            always(cmdSha),
		"replace":        always(cmdReplace),
		"hint":           always(cmdHint),
		"tool-module":    always(cmdToolModule),
		"no-temporaries": always(cmdNoTemporaries),
		"summary":        always(cmdSummary),
	}
	maps.Copy(commands, moreCommands())
	for _, more := range []map[string]func(*testscript.TestScript, []string){inputCommands(), gitCommands(), zipCommands(), programCommands(), cacheCommands(), signingCommands()} {
		for name, run := range more {
			commands[name] = always(run)
		}
	}
	return commands
}

// current is the registry of a script's commands, and all its registries so far, by
// host.
type current struct {
	*packtest.Registry
	all   map[string]*packtest.Registry
	http2 bool // registries over TLS offer HTTP/2
}

// change makes another registry the current one.
func (c *current) change(to *packtest.Registry) {
	for _, reg := range []*packtest.Registry{c.Registry, to} {
		c.all[reg.Host()] = reg
	}
	c.Registry = to
}

func registryOf(ts *testscript.TestScript) *packtest.Registry {
	return ts.Value(registryKey{}).(*current).Registry
}

// exits CODE COMMAND... runs a program that must end with that exit code.
func cmdExits(ts *testscript.TestScript, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// expand FILE... replaces $NAME in files by the script's variables.
func cmdExpand(ts *testscript.TestScript, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), func(key string) string { return ts.Getenv(key) })
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o666))
	}
}

// push VAR [-artifact|-docker|-bare] [-version=TEXT] [-created=TIME] [-signed=KEY,...] [FORGERY...] REPOSITORY[:TAG] LAYER...
// stores an artifact without any request. TEXT is the version that its manifest gives,
// with Go's escapes; keys sign the first layer, in an annotation, where a FORGERY is one of
// the command sign. A layer is pack:ID@VERSION, a small valid pack,
// or MEDIATYPE=TEXT, or MEDIATYPE=pack:ID@VERSION, or MEDIATYPE=file:NAME. It
// sets $VAR to the manifest's digest, $VAR_LAYER to the first layer's digest and
// $VAR_SIZE to its size.
func cmdPush(ts *testscript.TestScript, args []string) {
	name, args := args[0], args[1:]
	a := packtest.Artifact{ArtifactType: packtest.PackMediaType, Annotations: map[string]string{}}
	var keys string
	var forged forgery
	for strings.HasPrefix(args[0], "-") {
		option, value, _ := strings.Cut(args[0], "=")
		switch option {
		case "-version":
			a.Annotations["org.opencontainers.image.version"] = unquoted(ts, value)
		case "-created":
			a.Annotations["org.opencontainers.image.created"] = value
		case "-signed":
			keys = value
		case "-artifact":
			a.Kind = packtest.OCIArtifact
		case "-docker":
			a.Kind = packtest.DockerSchema2
		case "-bare": // like older publishers: no artifact type, no media type
			a.ArtifactType, a.OmitMediaType = "", true
		default:
			if !forged.take(args[0]) {
				ts.Fatalf("push: unknown option %s", args[0])
			}
		}
		args = args[1:]
	}
	repository, tag, _ := strings.Cut(args[0], ":")
	for _, spec := range args[1:] {
		a.Layers = append(a.Layers, layer(ts, spec))
	}
	if keys != "" {
		a.Annotations[signing.DSSEAnnotation] = forged.annotation(ts, keys, a.Layers[0].Data)
	}
	pushed, err := registryOf(ts).Push(repository, tag, a)
	ts.Check(err)
	ts.Setenv(name, string(pushed.ManifestDigest))
	if len(a.Layers) > 0 {
		ts.Setenv(name+"_LAYER", string(pushed.Layers[0]))
		ts.Setenv(name+"_SIZE", strconv.Itoa(len(a.Layers[0].Data)))
	}
}

func layer(ts *testscript.TestScript, spec string) packtest.Layer {
	if pack, ok := strings.CutPrefix(spec, "pack:"); ok {
		id, version, _ := strings.Cut(pack, "@")
		return packtest.Layer{MediaType: packtest.PackMediaType, Title: id + ".gtpack", Data: packtest.Zip(id, version, 500)}
	}
	mediaType, content, ok := strings.Cut(spec, "=")
	if !ok {
		ts.Fatalf("%s is no layer", spec)
	}
	l := packtest.Layer{MediaType: mediaType, Data: []byte(content)}
	if strings.HasPrefix(content, "pack:") {
		l.Data = layer(ts, content).Data
	}
	if file, ok := strings.CutPrefix(content, "file:"); ok {
		l.Data = []byte(ts.ReadFile(file))
	}
	return l
}

// index VAR REPOSITORY[:TAG] CHILD... stores an image index. A child is a
// digest, +DIGEST for one that is an attestation, or OS/ARCH=DIGEST.
func cmdIndex(ts *testscript.TestScript, args []string) {
	repository, tag, _ := strings.Cut(args[1], ":")
	var children []packtest.Child
	for _, spec := range args[2:] {
		var c packtest.Child
		digest, attestation := strings.CutPrefix(spec, "+")
		if attestation {
			c.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest"}
			c.Platform = &packtest.Platform{OS: "unknown", Architecture: "unknown"}
		}
		if platform, d, ok := strings.Cut(digest, "="); ok {
			goos, arch, _ := strings.Cut(platform, "/")
			c.Platform, digest = &packtest.Platform{OS: goos, Architecture: arch}, d
		}
		c.Digest = ociref.Digest(digest)
		children = append(children, c)
	}
	pushed, err := registryOf(ts).PushIndex(repository, tag, children)
	ts.Check(err)
	ts.Setenv(args[0], string(pushed.ManifestDigest))
}

// raw VAR REPOSITORY[:TAG] MEDIATYPE FILE stores a manifest byte for byte.
func cmdRaw(ts *testscript.TestScript, args []string) {
	repository, tag, _ := strings.Cut(args[1], ":")
	body := []byte(ts.ReadFile(args[3]))
	digest := ociref.DigestOf(body)
	if tag == "" {
		tag = string(digest)
	}
	_, err := registryOf(ts).PutManifest(repository, tag, args[2], body)
	ts.Check(err)
	ts.Setenv(args[0], string(digest))
}

// tag REPOSITORY TAG DIGEST [N] moves a tag; or N of them: TAG with each number below N
// for %d.
func cmdTag(ts *testscript.TestScript, args []string) {
	tags := []string{args[1]}
	if len(args) > 3 {
		n, err := strconv.Atoi(args[3])
		ts.Check(err)
		tags = nil
		for i := range n {
			tags = append(tags, fmt.Sprintf(args[1], i))
		}
	}
	ts.Check(registryOf(ts).TagMany(args[0], ociref.Digest(args[2]), tags))
}

// delete REPOSITORY REFERENCE deletes a manifest.
func cmdDelete(ts *testscript.TestScript, args []string) {
	ts.Check(registryOf(ts).Delete(args[0], args[1]))
}

// fault [FAULT [with FAULT]] makes the registry misbehave, or behave again. first N,
// after N and only METHOD may stand before a fault, any in the place of a digest or a
// reference.
func cmdFault(ts *testscript.TestScript, args []string) {
	if len(args) == 0 {
		registryOf(ts).Inject()
		return
	}
	injected, err := fault.New(args...)
	ts.Check(err)
	registryOf(ts).Inject(injected)
}

// registry stop|start stops the registry, or starts it again on its port.
// registry is VAR KIND: from here on the script's registry is another one, at
// $VAR; the KINDs are listed below. registry at HOST: it is again the
// one at that host. registry expire makes all its tokens invalid, registry freeze
// all its present connections dead.
func cmdRegistry(ts *testscript.TestScript, args []string) {
	switch {
	case args[0] == "stop":
		ts.Check(registryOf(ts).Stop())
	case args[0] == "start":
		ts.Check(registryOf(ts).Start())
	case args[0] == "expire":
		registryOf(ts).ExpireTokens()
	case args[0] == "freeze":
		registryOf(ts).Freeze()
	case args[0] == "is":
		otherRegistry(ts, args[1], args[2])
	case args[0] == "at":
		c := ts.Value(registryKey{}).(*current)
		if c.all[args[1]] == nil {
			ts.Fatalf("no registry was at %s", args[1])
		}
		c.change(c.all[args[1]])
	default:
		ts.Fatalf("usage: registry stop|start|expire|freeze|is VAR KIND|at HOST")
	}
}

// requests 'METHOD PATH'... fails unless exactly those reached the registry since the
// last time, in any order; requests -n N, unless so many did. Without a word it just
// forgets those that came.
func cmdRequests(ts *testscript.TestScript, args []string) {
	var got []string
	for _, r := range registryOf(ts).Requests() {
		got = append(got, r.String())
	}
	registryOf(ts).ResetRequests()
	if len(args) == 0 {
		return
	}
	if args[0] == "-n" {
		want, err := strconv.Atoi(args[1])
		ts.Check(err)
		if len(got) != want {
			ts.Fatalf("%d requests, want %d:\n%s", len(got), want, strings.Join(got, "\n"))
		}
		return
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(args))
	if !slices.Equal(got, want) {
		ts.Fatalf("requests:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// snapshot NAME DIR... remembers directories and files: contents, modes, and
// times of change.
func cmdSnapshot(ts *testscript.TestScript, args []string) {
	ts.Value(snapshotsKey{}).(map[string]string)[args[0]] = look(ts, args[1:])
}

// same NAME DIR... fails unless all is as it was remembered.
func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	was := ts.Value(snapshotsKey{}).(map[string]string)[args[0]]
	is := look(ts, args[1:])
	if (was == is) == neg {
		ts.Fatalf("was:\n%s\nis:\n%s", was, is)
	}
}

func look(ts *testscript.TestScript, names []string) string {
	var b strings.Builder
	for _, name := range names {
		err := filepath.WalkDir(ts.MkAbs(name), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.Name() == hintsDir {
				return filepath.SkipDir
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, "%s %v %s", path, info.Mode(), info.ModTime().Format("15:04:05.000000000"))
			if info.Mode().IsRegular() {
				data, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				fmt.Fprintf(&b, " %s", ociref.DigestOf(data))
			}
			b.WriteByte('\n')
			return nil
		})
		ts.Check(err)
	}
	return b.String()
}

// flip FILE inverts one bit in the middle of a file.
func cmdFlip(ts *testscript.TestScript, args []string) {
	data := []byte(ts.ReadFile(args[0]))
	data[len(data)/2] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o666))
}

// sha VAR FILE sets $VAR to a file's digest.
func cmdSha(ts *testscript.TestScript, args []string) {
	ts.Setenv(args[0], string(ociref.DigestOf([]byte(ts.ReadFile(args[1])))))
}

// replace FILE OLD NEW replaces the first OLD in a file, which must be there.
func cmdReplace(ts *testscript.TestScript, args []string) {
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o666))
}

// summary TEXT fails unless the last command said nothing on standard error but
// this summary of a run, in which tests take no time.
func cmdSummary(ts *testscript.TestScript, args []string) {
	want := "packvendor: " + strings.Join(args, " ") + "; 0.0s\n"
	if got := ts.ReadFile("stderr"); got != want {
		ts.Fatalf("stderr:\n%swant:\n%s", got, want)
	}
}

// hint [N] does what the N-th hint of the last command says, by default the
// first: runs the command, or writes the line into its packs.toml.
func cmdHint(ts *testscript.TestScript, args []string) {
	n := 1
	if len(args) > 0 {
		var err error
		n, err = strconv.Atoi(args[0])
		ts.Check(err)
	}
	for line := range strings.Lines(ts.ReadFile("stderr")) {
		text, ok := strings.CutPrefix(line, "packvendor: hint: ")
		if !ok {
			continue
		}
		if n--; n == 0 {
			follow(ts, strings.TrimSpace(text))
			return
		}
	}
	ts.Fatalf("no such hint in:\n%s", ts.ReadFile("stderr"))
}

func follow(ts *testscript.TestScript, hint string) {
	if place, line, ok := strings.Cut(hint, ", above the first table: "); ok {
		file := strings.TrimPrefix(place, "in ")
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(abovePacks(ts.ReadFile(file), line)), 0o666))
		return
	}
	if place, line, ok := strings.Cut(hint, ", below [trust.rules]: "); ok {
		file := strings.TrimPrefix(place, "in ")
		text, err := below(ts.ReadFile(file), "[trust.rules]", line)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o666))
		return
	}
	words := strings.Fields(hint)
	if err := ts.Exec(words[0], words[1:]...); err != nil {
		ts.Fatalf("hint %q: %v", hint, err)
	}
}

// tool-module MODFILE [TOOL] makes the folder at hand a module that requires this
// packvendor in MODFILE, with TOOL, if it is given, as a tool.
func cmdToolModule(ts *testscript.TestScript, args []string) {
	checkout, err := filepath.Abs(filepath.Join("..", ".."))
	ts.Check(err)
	ts.Check(writeToolModule(ts.MkAbs("."), checkout, args[0], strings.Join(args[1:], "")))
}

// abovePacks returns a packs.toml with one more line, above its first table.
func abovePacks(toml, line string) string {
	if at := strings.Index("\n"+toml, "\n["); at >= 0 {
		return toml[:at] + line + "\n" + toml[at:]
	}
	return toml + line + "\n"
}

// below returns a packs.toml with one more line, below the header of a table.
func below(toml, header, line string) (string, error) {
	text := strings.Replace(toml, header+"\n", header+"\n"+line+"\n", 1)
	if text == toml {
		return "", fmt.Errorf("there is no table %s", header)
	}
	return text, nil
}

// no-temporaries DIR... fails if a temporary file is left anywhere below.
func cmdNoTemporaries(ts *testscript.TestScript, args []string) {
	for _, name := range args {
		filepath.WalkDir(ts.MkAbs(name), func(path string, _ fs.DirEntry, err error) error {
			if strings.HasSuffix(path, ".tmp") {
				ts.Fatalf("%s is left behind", path)
			}
			return nil
		})
	}
}
