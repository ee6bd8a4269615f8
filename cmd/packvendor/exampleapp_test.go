package main

import (
	"bufio"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
)

// exampleApp is the folder of an example that teams copy.
var exampleApp = filepath.Join("..", "..", "examples", "app")

// exampleMade are the files of the example that packvendor makes.
var exampleMade = []string{".gitattributes", ".github", "internal", "packs.lock", "packs.toml", "packvendor.mod", "packvendor.sum"}

// TestExampleApp makes the example anew, from the files that are written by hand: the
// others must be what packvendor writes today. -update writes them. Then it does what the
// CI file, the Dockerfile and the page of the example say.
func TestExampleApp(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds packvendor, for 20 s where nothing is built yet")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the commands of the Dockerfile are a POSIX shell's")
	}
	packtest.NeedProgram(t, "git")
	packtest.NeedProgram(t, "bash")
	t.Parallel()
	app := newApp(t)
	app.make()
	if *update {
		app.writeBack()
	}
	if got, want := filesOf(t, app.dir), filesOf(t, exampleApp); !maps.Equal(got, want) {
		t.Errorf("examples/app is not what packvendor makes now; go test ./cmd/packvendor -run TestExampleApp -update writes it: %q", differing(got, want))
	}
	app.runCI()
	app.askServer(app.runDockerfile())
	app.readPage()
}

// An app is a copy of the example, in a git repository of its own.
type app struct {
	*testing.T
	dir, checkout string
	env           []string
}

func newApp(t *testing.T) *app {
	t.Helper()
	checkout, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	a := &app{T: t, dir: filepath.Join(t.TempDir(), "app"), checkout: checkout}
	a.must(os.CopyFS(a.dir, os.DirFS(exampleApp)))
	for _, name := range exampleMade {
		a.must(os.RemoveAll(filepath.Join(a.dir, name)))
	}
	a.env = append(os.Environ(), goEnvironment(t)...)
	a.env = append(a.env, a.registries()...)
	a.env = append(a.env, "CI=", "GITHUB_ACTIONS=", "PACKVENDOR_FLAGS=", "PACKVENDOR_AUTH=anonymous", "GREENTIC_PACK_CACHE_DIR="+t.TempDir())
	return a
}

// registries starts a registry for each host of the example, and returns the environment
// in which they have their names.
func (a *app) registries() []string {
	authority, err := packtest.NewAuthority()
	a.must(err)
	names := map[string]string{}
	for host, packs := range map[string]map[string][]byte{
		"registry.example.com": {
			"packs/greeter:1.0.0": packtest.LegacyZip("greeter", "1.0.0"),
			"packs/weather:2.1.0": packtest.Zip("weather", "2.1.0", 1000),
		},
		"ghcr.io": {"greenticai/greentic-packs/messaging-slack:0.4.38": packtest.Zip("messaging-slack", "0.4.38", 1_284_000)},
	} {
		certificate, err := authority.Issue(time.Now().Add(time.Hour), host)
		a.must(err)
		reg := packtest.StartRegistry(a.T, packtest.Options{CA: authority, Certificate: &certificate})
		for name, data := range packs {
			repository, tag, _ := strings.Cut(name, ":")
			packtest.MustPush(a.T, reg, repository, tag, packtest.Pack(data, filepath.Base(repository)+".gtpack"))
		}
		names[host+":443"] = reg.Host()
	}
	folder := a.TempDir()
	ca, err := authority.WriteFile(folder)
	a.must(err)
	return []string{"SSL_CERT_FILE=" + ca, "SSL_CERT_DIR=" + folder, "HTTPS_PROXY=http://" + startNameProxy(a.T, names).address, "NO_PROXY="}
}

func (a *app) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

// make makes what packvendor makes of the example.
func (a *app) make() {
	a.Helper()
	tool := toolModule(a.T, a.checkout, "packvendor.mod", packvendorPackage)
	for _, name := range []string{"packvendor.mod", "packvendor.sum"} {
		a.copy(filepath.Join(tool, name), filepath.Join(a.dir, name))
	}
	a.sh("git init -q")
	a.sh("go tool -modfile=packvendor.mod packvendor init -q --ci github")
	a.sh("go tool -modfile=packvendor.mod packvendor add -q registry.example.com/packs/greeter:1.0.0 registry.example.com/packs/weather:2.1.0")
}

func (a *app) copy(from, to string) {
	a.Helper()
	data, err := os.ReadFile(from)
	a.must(err)
	write(a.T, to, string(data))
}

// sh runs a command line in the example, and returns what it prints.
func (a *app) sh(line string, env ...string) string {
	a.Helper()
	cmd := exec.Command("bash", "-c", line)
	cmd.Dir, cmd.Env = a.dir, append(slices.Clone(a.env), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		a.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

// writeBack writes what was made into the example.
func (a *app) writeBack() {
	a.Helper()
	for _, name := range exampleMade {
		a.must(os.RemoveAll(filepath.Join(exampleApp, name)))
	}
	for name, text := range filesOf(a.T, a.dir) {
		write(a.T, filepath.Join(exampleApp, filepath.FromSlash(name)), text)
	}
}

// replaceUs is the line by which packvendor.mod has the packvendor of this checkout.
var replaceUs = regexp.MustCompile(`(?m)^replace github.com/greenticai/packvendor => .*$`)

// filesOf returns the files of an example; in each copy packvendor is elsewhere.
func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() == ".git" {
			if err == nil {
				err = fs.SkipDir
			}
			return err
		}
		if entry.IsDir() {
			return nil
		}
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		files[name] = replaceUs.ReplaceAllString(string(data), "replace github.com/greenticai/packvendor => ../..")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func differing(a, b map[string]string) (names []string) {
	all := maps.Clone(a)
	maps.Copy(all, b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if a[name] != b[name] {
			names = append(names, name)
		}
	}
	return names
}

var ciLine = regexp.MustCompile(`(?m)^          (go tool .*|CI=.*)$`)

// runCI runs the commands of the job that verifies packs. They change nothing.
func (a *app) runCI() {
	a.Helper()
	workflow, err := os.ReadFile(filepath.Join(a.dir, ".github", "workflows", "packvendor.yml"))
	a.must(err)
	before := filesOf(a.T, a.dir)
	said := ""
	for _, found := range ciLine.FindAllStringSubmatch(string(workflow), -1) {
		said += a.sh(found[1])
	}
	if want := "2 of 2 packs verified\n2 of 2 packs verified\n"; said != want {
		a.Errorf("the CI job prints %q, want %q", said, want)
	}
	if changed := differing(before, filesOf(a.T, a.dir)); len(changed) > 0 {
		a.Errorf("the CI job changes %q", changed)
	}
}

var dockerRun = regexp.MustCompile(`(?m)^RUN (.*)$`)

// runDockerfile runs the commands of the Dockerfile, without a network, and returns the
// program that they build.
func (a *app) runDockerfile() string {
	a.Helper()
	file, err := os.ReadFile(filepath.Join(a.dir, "Dockerfile"))
	a.must(err)
	out := a.TempDir()
	commands := dockerRun.FindAllStringSubmatch(string(file), -1)
	if len(commands) != 2 || !strings.Contains(string(file), "COPY --from=build /out/app /app\n") {
		a.Fatalf("the Dockerfile has %d commands:\n%s", len(commands), file)
	}
	for _, command := range commands {
		a.sh(strings.ReplaceAll(command[1], "/out/", out+"/"), "HTTPS_PROXY=http://127.0.0.1:1", "GOPROXY=off", "GOFLAGS=-buildvcs=false")
	}
	return filepath.Join(out, "app")
}

var serving = regexp.MustCompile(`serving 2 packs on (http://\S+)`)

// askServer starts the program, asks it over HTTP, and ends it as a container's
// orchestrator does.
func (a *app) askServer(program string) {
	a.Helper()
	cmd := exec.CommandContext(a.Context(), program, "-addr", "127.0.0.1:0")
	stderr, err := cmd.StderrPipe()
	a.must(err)
	a.must(cmd.Start())
	line, _ := bufio.NewReader(stderr).ReadString('\n')
	found := serving.FindStringSubmatch(line)
	if found == nil {
		a.Fatalf("the server says %q", line)
	}
	for path, want := range map[string]string{
		"/healthz":                            "ok\n",
		"/packs/greeter/flows/main/flow.json": `{"entry":"start","id":"main","kind":"flow/v1","nodes":[]}`,
	} {
		if got := a.get(found[1] + path); got != want {
			a.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if list := a.get(found[1] + "/packs"); strings.Count(list, `"digest": "sha256:`) != 2 || !strings.Contains(list, `"version": "2.1.0"`) {
		a.Errorf("/packs: %s", list)
	}
	a.must(cmd.Process.Signal(os.Interrupt))
	io.Copy(io.Discard, stderr)
	if err := cmd.Wait(); err != nil {
		a.Errorf("the server ends with %v", err)
	}
}

func (a *app) get(url string) string {
	a.Helper()
	reply, err := http.Get(url)
	a.must(err)
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	a.must(err)
	return string(body)
}

var (
	exampleBlock = regexp.MustCompile("(?s)```console\n(.*?)```\n")
	exampleTook  = regexp.MustCompile(`; \d+\.\ds`)
	exampleTests = regexp.MustCompile(`(?m)^(ok|\?) .*\n`)
)

// readPage runs the commands of the example's page, except that which needs the network
// and the server itself, and compares what they print.
func (a *app) readPage() {
	a.Helper()
	page, err := os.ReadFile(filepath.Join(exampleApp, "README.md"))
	a.must(err)
	for _, block := range exampleBlock.FindAllStringSubmatch(string(page), -1) {
		said := ""
		for line := range strings.Lines(block[1]) {
			command, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "$ ")
			if !ok {
				continue
			}
			said += line
			switch command {
			case "go run .": // askServer has run it
			case "cp go.mod packvendor.mod", "go get -tool -modfile=packvendor.mod " + packvendorPackage + "@latest": // make has done it
			default:
				said += a.sh(command)
			}
		}
		said = exampleTests.ReplaceAllString(anyDigest.ReplaceAllString(said, "sha256:…"), "")
		same := func(text string) string { return exampleTook.ReplaceAllString(text, "; TIME") }
		if same(said) != same(block[1]) {
			a.Errorf("examples/app/README.md has\n%s\nand its commands print\n%s", block[1], said)
		}
	}
}
