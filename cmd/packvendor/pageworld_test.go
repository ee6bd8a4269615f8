package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/mod/modfile"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/signing"
)

// A pageWorld is the machine on which the commands of a page run: a home folder with the
// module example.com/app in app, registries behind the names ghcr.io and
// registry.example.com, and the packvendor of this checkout.
type pageWorld struct {
	*testing.T
	checkout, home string
	dir            string // the working directory
	shell          string // a file with the shell's state between two commands
	env            []string
	usual          *strings.Replacer
	registries     map[string]*packtest.Registry // by name
}

// pagePatience is how long a command of a page may run. One that builds packvendor on a busy
// machine takes more than a minute.
const pagePatience = 5 * time.Minute

// worlds are what pages may find before their first command, by name.
var worlds = map[string]func(w *pageWorld){
	// nothing: an empty home folder, without a module.
	"nothing": func(w *pageWorld) {
		w.must(os.RemoveAll(w.dir))
		w.dir = w.home
	},
	// tool: packvendor is a tool of the module.
	"tool": func(w *pageWorld) { w.getUs("go.mod", true) },
	// project: the module has the packs messaging-slack 0.4.37 and state-redis 1.2.0,
	// vendored, and a main.go.
	"project": func(w *pageWorld) {
		w.sh("packvendor init -q && packvendor add -q ghcr.io/greenticai/greentic-packs/messaging-slack:0.4.37 ghcr.io/greenticai/greentic-packs/state-redis:1.2.0")
		write(w.T, filepath.Join(w.dir, "main.go"), `package main

import (
	"fmt"

	"example.com/app/internal/packs"
)

func main() {
	for _, pack := range packs.Packs() {
		fmt.Println(pack.Name(), pack.Size(), pack.Verify())
	}
}
`)
	},
	// committed: what there is is the only commit of a git repository.
	"committed": func(w *pageWorld) {
		w.sh("git init -q && git add -A && git commit -q -m 'Add packs'")
	},
	// signed: ghcr.io has packs of acme, signed by the keys whose public halves are the
	// files acme.pub and acme-2027.pub in the home folder. billing 1.3.0 is unsigned.
	"signed": func(w *pageWorld) {
		acme, next := signing.Ed25519(1), signing.Ed25519(2)
		write(w.T, filepath.Join(w.home, "acme.pub"), string(acme.PEM()))
		write(w.T, filepath.Join(w.home, "acme-2027.pub"), string(next.PEM()))
		for _, p := range []struct {
			id, version string
			key         *signing.Key
		}{
			{"billing", "1.0.0", acme},
			{"billing", "1.1.0", acme},
			{"billing", "1.2.0", next},
			{"billing", "1.3.0", nil},
			{"ledger", "2.0.0", acme},
		} {
			data := packtest.Zip(p.id, p.version, 64_000)
			artifact := packtest.Pack(data, p.id+".gtpack")
			if p.key != nil {
				statement := signing.GreenticStatement(p.id+".gtpack", string(ociref.DigestOf(data)))
				artifact.Annotations = map[string]string{signing.DSSEAnnotation: signing.Sign(statement.JSON(), p.key).Annotation()}
			}
			packtest.MustPush(w.T, w.registries["ghcr.io"], "acme/packs/"+p.id, p.version, artifact)
		}
	},
	// keyless: ghcr.io has a pack of acme that a workflow signed without a key. The program
	// that verifies such signatures is in bin in the home folder, and believes them.
	"keyless": func(w *pageWorld) {
		dir := filepath.Join(w.home, "bin")
		_, err := installVerifier(dir, workflowVerifier())
		w.must(err)
		w.env = append(w.env, "PACKVENDOR_SIGSTORE=", "PATH="+dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
		write(w.T, filepath.Join(w.home, "trusted_root.jsonl"), "{}\n")
		reg := w.registries["ghcr.io"]
		pack := packtest.MustPush(w.T, reg, "acme/events", "1.0.0", packtest.Pack(packtest.Zip("events", "1.0.0", 64_000), "events.gtpack"))
		signature := packtest.MustPush(w.T, reg, "acme/events", "", packtest.Artifact{
			ArtifactType: signing.BundleMediaType,
			Subject:      &packtest.Child{MediaType: packtest.ManifestMediaType, Digest: pack.ManifestDigest},
			Layers:       []packtest.Layer{{MediaType: signing.BundleMediaType, Data: certified(signing.CosignStatement(string(pack.ManifestDigest)).JSON()).JSON()}},
		})
		_, err = reg.PushIndex("acme/events", packtest.FallbackTag(pack.ManifestDigest), []packtest.Child{signature.Child()})
		w.must(err)
	},
	// The user's registries.conf is the only one: this machine's may have drop-ins.
	"mirrors": func(w *pageWorld) {
		w.env = append(w.env, "CONTAINERS_REGISTRIES_CONF="+filepath.Join(w.home, ".config", "containers", "registries.conf"))
	},
	// git, oras, openssl, git-lfs, jq: programs that the page uses.
	"git":     func(w *pageWorld) { packtest.NeedProgram(w.T, "git") },
	"oras":    func(w *pageWorld) { packtest.NeedProgram(w.T, "oras") },
	"openssl": func(w *pageWorld) { packtest.NeedProgram(w.T, "openssl") },
	"git-lfs": func(w *pageWorld) { packtest.NeedProgram(w.T, "git-lfs") },
}

// worldPacks are the packs behind a registry's name.
var worldPacks = map[string][]struct {
	repository, tag string
	size            int
}{
	"ghcr.io": {
		{"greenticai/greentic-packs/messaging-slack", "0.4.37", 1_278_000},
		{"greenticai/greentic-packs/messaging-slack", "0.4.38", 1_284_000},
		{"greenticai/greentic-packs/state-redis", "1.2.0", 512_000},
		{"greenticai/greentic-packs/state-redis", "stable", 512_000},
		{"greenticai/greentic-packs/messaging-slack", "0.5.0", 1_290_000},
		{"greenticai/greentic-packs/audit-log", "0.2.1", 96_000},
		{"greenticai/greentic-packs/auth-oidc", "0.9.0", 128_000},
	},
	// A proxy of ghcr.io, in a folder of its own.
	"mirror.example.com": {
		{"ghcr/greenticai/greentic-packs/messaging-slack", "0.4.37", 1_278_000},
		{"ghcr/greenticai/greentic-packs/messaging-slack", "0.4.38", 1_284_000},
	},
	// Everything there is for somebody with the password open-sesame.
	"registry.example.com": {{"team/billing", "1.0.0", 64_000}},
}

func (p *page) run(t *testing.T) {
	if !slices.ContainsFunc(p.blocks(), (*block).isRun) {
		return
	}
	w := newPageWorld(t)
	for _, name := range p.worlds() {
		prepare := worlds[name]
		if prepare == nil {
			t.Fatalf("there is no world %q", name)
		}
		prepare(w)
	}
	for _, b := range p.blocks() {
		if b.isRun() {
			w.runBlock(b)
		} else if b.file() != "" {
			write(t, filepath.Join(w.dir, filepath.FromSlash(b.file())), strings.Join(b.body(), ""))
		}
	}
}

var worldLine = regexp.MustCompile(`(?m)^<!-- world: (.+) -->$`)

func (p *page) worlds() []string {
	if found := worldLine.FindStringSubmatch(p.original); found != nil {
		return strings.Fields(found[1])
	}
	return nil
}

func newPageWorld(t *testing.T) *pageWorld {
	t.Helper()
	checkout, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	temp, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &pageWorld{T: t, checkout: checkout, home: filepath.Join(temp, "me"), shell: filepath.Join(temp, "shell")}
	w.dir = filepath.Join(w.home, "app")
	write(t, filepath.Join(w.dir, "go.mod"), "module example.com/app\n\ngo 1.25.0\n")
	write(t, w.shell, "")
	proxy, ca := w.startRegistries(temp)
	w.usual = strings.NewReplacer(w.home, "/home/me", "http://"+proxy, "http://proxy.example.com:3128", ca, "/etc/ssl/example.pem", filepath.Dir(ca), "/etc/ssl/certs")
	w.env = append(os.Environ(), goEnvironment(t)...)
	w.env = append(w.env, "HOME="+w.home, "USER=me", "HTTPS_PROXY=http://"+proxy, "NO_PROXY=", "SSL_CERT_FILE="+ca, "SSL_CERT_DIR="+filepath.Dir(ca),
		"GOSUMDB=off", "GOWORK=", "CI=", "GITHUB_ACTIONS=", "DOCKER_CONFIG=", "DOCKER_AUTH_CONFIG=", "REGISTRY_AUTH_FILE=", "XDG_CACHE_HOME=", "XDG_CONFIG_HOME=", "XDG_RUNTIME_DIR=/run/user/1000",
		"PACKVENDOR_FLAGS=", "PACKVENDOR_AUTH=", "GREENTIC_PACK_CACHE_DIR=", "GREENTIC_HOME=", "PACKVENDOR_TEST_CLOCK=real", "LC_ALL=C",
		"GORACE=atexit_sleep_ms=1") // as for scripts
	settings := maps.Clone(gitEnvironment)
	settings["GIT_CONFIG_GLOBAL"] = filepath.Join(w.home, ".gitconfig")
	for name, value := range settings {
		w.env = append(w.env, name+"="+value)
	}
	write(t, filepath.Join(w.home, ".gitconfig"), "[init]\n\tdefaultBranch = main\n[core]\n\tautocrlf = false\n[advice]\n\tdetachedHead = false\n")
	return w
}

// startRegistries starts the registries and a proxy that knows them by name. It returns
// the proxy's address and the file of what certifies them.
func (w *pageWorld) startRegistries(temp string) (proxy, ca string) {
	authority, err := packtest.NewAuthority()
	w.must(err)
	hosts := map[string]string{}
	w.registries = map[string]*packtest.Registry{}
	for name, packs := range worldPacks {
		certificate, err := authority.Issue(time.Now().Add(24*time.Hour), name)
		w.must(err)
		options := packtest.Options{CA: authority, Certificate: &certificate, Token: true}
		if name == "registry.example.com" {
			options.User, options.Password = packtest.User, packtest.Password
		}
		reg := packtest.StartRegistry(w.T, options)
		for _, p := range packs {
			id := filepath.Base(p.repository)
			packtest.MustPush(w.T, reg, p.repository, p.tag, packtest.Pack(packtest.Zip(id, p.tag, p.size), id+".gtpack"))
		}
		hosts[name+":443"], w.registries[name] = reg.Host(), reg
	}
	certificates := filepath.Join(temp, "certificates")
	w.must(os.Mkdir(certificates, 0o777))
	ca, err = authority.WriteFile(certificates)
	w.must(err)
	return startNameProxy(w.T, hosts).address, ca
}

// runBlock runs the commands of a block, and has the block show what they print.
func (w *pageWorld) runBlock(b *block) {
	w.Helper()
	commands := b.commands()
	outputs := make([]string, len(commands))
	for i, command := range commands {
		want := 0
		if text, ok := b.mark("exit code"); ok && i == len(commands)-1 {
			n, err := strconv.Atoi(text)
			w.must(err)
			want = n
		}
		if modFile, ok := getsUs(command); ok {
			w.getUs(modFile, strings.Contains(command, " -tool "))
			continue
		}
		out, code := w.try(command)
		if code != want {
			w.Errorf("%s ends with %d, want %d\n%s", strings.TrimSpace(command), code, want, out)
		}
		outputs[i] = out
	}
	b.show(outputs)
}

var (
	getLine   = regexp.MustCompile(`^go get (?:-tool )?(?:-modfile=(\S+) )?github.com/greenticai/packvendor(?:/cmd/packvendor)?@latest\n$`)
	anyDigest = regexp.MustCompile("sha256:[0-9a-f]{64}")
	gap       = regexp.MustCompile(`(\S)  +`)
)

// usualForms are the forms of words that differ from machine to machine.
var usualForms = []struct {
	form *regexp.Regexp
	word string
}{
	{anyDigest, "sha256:…"},
	{regexp.MustCompile("sha256-[0-9a-f]{64}"), "sha256-…"},
	{regexp.MustCompile(`\bv0\.0\.0\b`), "v0.1.0"},
	{regexp.MustCompile(`\bgo1\.\d+[.\w]*( [a-z]+/[a-z0-9]+)?`), "go1.26.0$1"},
	{regexp.MustCompile(`\bgit version \S+`), "git version 2.39.5"},
	{regexp.MustCompile(`\b` + runtime.GOOS + "/" + runtime.GOARCH + `\b`), "linux/amd64"},
	{regexp.MustCompile(`\b20\d\d-\d\d-\d\d\b`), "2026-01-31"},
}

// getsUs reports whether a command makes a module require packvendor, and in which file.
// The newest release is not the packvendor that is tested: getUs takes the checkout.
func getsUs(command string) (modFile string, ok bool) {
	found := getLine.FindStringSubmatch(command)
	if found == nil {
		return "", false
	}
	return cmp.Or(found[1], "go.mod"), true
}

// getUs makes the module require the packvendor of the checkout in modFile, as a tool if
// that is wanted.
func (w *pageWorld) getUs(modFile string, tool bool) {
	w.Helper()
	name := filepath.Join(w.dir, modFile)
	file, ours := w.modFile(name), w.modFile(filepath.Join(w.checkout, "go.mod"))
	w.must(file.AddRequire(ours.Module.Mod.Path, "v0.0.0"))
	w.must(file.AddReplace(ours.Module.Mod.Path, "", w.checkout, ""))
	for _, required := range ours.Require {
		file.AddNewRequire(required.Mod.Path, required.Mod.Version, true)
	}
	if tool {
		w.must(file.AddTool(packvendorPackage))
	}
	text, err := file.Format()
	w.must(err)
	write(w.T, name, string(text))
	sum, err := os.ReadFile(filepath.Join(w.checkout, "go.sum"))
	w.must(err)
	write(w.T, strings.TrimSuffix(name, ".mod")+".sum", string(sum))
}

func (w *pageWorld) modFile(name string) *modfile.File {
	w.Helper()
	text, err := os.ReadFile(name)
	w.must(err)
	file, err := modfile.Parse(name, text, nil)
	w.must(err)
	return file
}

// sh runs a command line that must succeed.
func (w *pageWorld) sh(line string) {
	w.Helper()
	if out, code := w.try(line + "\n"); code != 0 {
		w.Fatalf("%s ends with %d\n%s", line, code, out)
	}
}

// try runs a command line of the page in its shell, and returns its output as it looks on
// anybody's machine. Variables and the working directory outlive a command; all variables
// are exported.
func (w *pageWorld) try(command string) (output string, code int) {
	w.Helper()
	script := "set -a\n. '" + w.shell + "'\n" + command + "code=$?\n{ export -p; echo \"cd '$PWD'\"; } >'" + w.shell + "'\nexit $code\n"
	sh := exec.Command("sh", "-c", script)
	sh.Dir, sh.Env = w.dir, w.env
	out, code, err := endsWithin(pagePatience, sh)
	if err != nil {
		w.Fatalf("%s: %v", strings.TrimSpace(command), err)
	}
	state, err := os.ReadFile(w.shell)
	w.must(err)
	if _, dir, ok := strings.Cut(string(state), "\ncd '"); ok {
		w.dir = strings.TrimSuffix(dir, "'\n")
	}
	return w.asUsual(out), code
}

// endsWithin runs a command, and returns its output and exit code. It is an error if the
// command, or what it started, does not end within limit.
func endsWithin(limit time.Duration, cmd *exec.Cmd) (output string, code int, err error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 10 * time.Second // for what it started, once it has ended itself
	if err := cmd.Start(); err != nil {
		return "", 0, err
	}
	var late atomic.Bool
	timer := time.AfterFunc(limit, func() {
		late.Store(true)
		cmd.Process.Kill()
	})
	err = cmd.Wait()
	timer.Stop()
	var exit *exec.ExitError
	switch {
	case late.Load():
		return "", 0, fmt.Errorf("it did not end within %v; it had printed:\n%s", limit, out.String())
	case errors.As(err, &exit):
		return out.String(), exit.ExitCode(), nil
	}
	return out.String(), 0, err
}

func TestEndsWithin(t *testing.T) {
	sh := packtest.NeedProgram(t, "sh")
	for _, test := range []struct {
		script, output, err string
		limit               time.Duration
		code                int
	}{
		{"echo a; echo b >&2; exit 3", "a\nb\n", "", time.Minute, 3},
		{"echo a; exec sleep 600", "", "it did not end within 1s; it had printed:\na\n", time.Second, 0},
	} {
		output, code, err := endsWithin(test.limit, exec.Command(sh, "-c", test.script))
		if got := fmt.Sprint(err); output != test.output || code != test.code || got != cmp.Or(test.err, "<nil>") {
			t.Errorf("%s: %q, %d, %s", test.script, output, code, got)
		}
	}
}

// asUsual returns an output as it looks on anybody's machine. The columns of a table with
// a path of this machine become as narrow as the path.
func (w *pageWorld) asUsual(output string) string {
	narrow := strings.Contains(output, w.home)
	output = w.usual.Replace(output)
	for _, usual := range usualForms {
		output = usual.form.ReplaceAllString(output, usual.word)
	}
	if !narrow {
		return output
	}
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	io.WriteString(table, gap.ReplaceAllString(output, "$1\t"))
	table.Flush()
	return b.String()
}

func (w *pageWorld) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}
