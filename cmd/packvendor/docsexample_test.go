package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/signature"
)

// jsonExamples are the command lines whose documents docs/cli.md shows, in their order
// in one project; with the exit code of each.
var jsonExamples = []struct {
	line string
	code int
}{
	{"packvendor init --json", 0},
	{"packvendor add --json ghcr.io/greenticai/greentic-packs/slack:0.4.37", 0},
	{"packvendor outdated --json", 1},
	{"packvendor update --json", 0},
	{"packvendor diff --json", 1},
	{"packvendor list --json", 0},
	{"packvendor list --json -f ./...", 0},
	{"packvendor versions --json slack", 0},
	{"packvendor inspect --json slack", 0},
	{"packvendor verify --json", 4},
	{"packvendor --json", 0},
	{"packvendor inspect --json ./app", 0},
	{"packvendor verify --json --binary ./app", 0},
	{"packvendor fetch --json --allow-tags ghcr.io/greenticai/greentic-packs/redis:1.2.0", 0},
	{"packvendor export --json -o bundle.tar slack", 0},
	{"packvendor import --json bundle.tar", 0},
	{"packvendor sbom --json -o packs.cdx.json", 0},
	{"packvendor cache dir --json", 0},
	{"packvendor cache list --json", 0},
	{"packvendor cache verify --json", 0},
	{"packvendor cache prune --json --dry-run --max-size 8kB", 0},
	{"packvendor merge-driver --json base ours theirs packs.lock", 0},
	{"packvendor doctor --json", 0},
	{"packvendor remove --json slack", 0},
	{"packvendor auth explain --json ghcr.io", 0},
	{"packvendor mirror explain --json ghcr.io/greenticai/greentic-packs/slack:0.4.38", 0},
	{"packvendor trust add --json greentic greentic.pub", 0},
	{"packvendor trust list --json", 0},
	{"packvendor trust explain --json telco-x", 0},
	{"packvendor trust retire --json greentic", 0},
	{"packvendor inspect --json --signatures telco-x", 0},
	{"packvendor version --json", 0},
	{errorExample, 2},
}

// errorExample is a command line that fails.
const errorExample = "packvendor fetch --json ghcr.io/greenticai/greentic-packs/slack:0.4.38"

// before changes the project before a command line runs.
var before = map[string]func(b *fixture, dir string){
	"packvendor outdated --json": func(b *fixture, dir string) {
		for _, words := range []string{"init -q", "add .", "commit -q -m packs"} {
			b.mustRun(b.git(dir, strings.Fields(words)...))
		}
	},
	"packvendor inspect --json ./app": func(b *fixture, dir string) {
		tree{"main.go": appMain}.write(b, dir)
		build := exec.Command(packtest.NeedProgram(b, "go"), "build", "-buildvcs=false", "-trimpath", "-o", "app", ".")
		build.Dir, build.Stderr = dir, new(bytes.Buffer)
		build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "GOFLAGS=", "GOWORK=off")
		b.mustRun(build)
	},
	"packvendor trust list --json": func(b *fixture, dir string) {
		name := filepath.Join(dir, "packs.toml")
		data, err := os.ReadFile(name)
		b.must(err)
		rule := "\n[trust.rules]\n\"" + b.reg.Host() + "/greenticai/**\" = [\"greentic\"]\n"
		b.must(os.WriteFile(name, append(data, rule...), 0o666))
		b.mustRun(b.command(dir, b.TempDir(), "add", b.reg.Host()+"/greenticai/telco-x:1.0"))
	},
	"packvendor merge-driver --json base ours theirs packs.lock": func(b *fixture, dir string) {
		lock, err := os.ReadFile(filepath.Join(dir, "packs.lock"))
		b.must(err)
		for _, name := range []string{"base", "ours", "theirs"} {
			b.must(os.WriteFile(filepath.Join(dir, name), lock, 0o666))
		}
	},
	"packvendor verify --json": func(b *fixture, dir string) {
		name := filepath.Join(dir, "internal", "packs", "packs", "slack.gtpack")
		data, err := os.ReadFile(name)
		b.must(err)
		data[len(data)/2] ^= 1
		b.must(os.WriteFile(name, data, 0o666))
	},
}

// appMain is a program with the packs of the examples.
const appMain = `package main

import "example.com/app/internal/packs"

func main() {
	for _, pack := range packs.Packs() {
		println(pack.Name())
	}
}
`

func (b *fixture) git(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(packtest.NeedProgram(b, "git"), args...)
	cmd.Dir = dir
	cmd.Env = append(slices.Clone(b.env), "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
	cmd.Stdout, cmd.Stderr = new(bytes.Buffer), new(bytes.Buffer)
	return cmd
}

// documents runs the examples, and returns each document without traces of this
// machine.
func documents(t *testing.T) map[string]string {
	t.Helper()
	b := newFixture(t, packtest.Options{})
	for _, tag := range []string{"0.4.37", "0.4.38", "0.5.0"} {
		data := packtest.Zip("messaging-slack", tag, 600)
		packtest.MustPush(b, b.reg, "greenticai/greentic-packs/slack", tag, packtest.Pack(data, "slack.gtpack"))
	}
	packtest.MustPush(b, b.reg, "greenticai/greentic-packs/redis", "1.2.0", packtest.Pack(packtest.Zip("state-redis", "1.2.0", 700), "redis.gtpack"))
	signed := packtest.Zip("telco-x", "1.0.0", 800)
	artifact := packtest.Pack(signed, "telco-x.gtpack")
	statement := signing.GreenticStatement("telco-x.gtpack", string(ociref.DigestOf(signed)))
	artifact.Annotations = map[string]string{signature.GreenticAnnotation: signing.Sign(statement.JSON(), signing.Ed25519(1)).Annotation()}
	packtest.MustPush(b, b.reg, "greenticai/telco-x", "1.0", artifact)
	home, dir, cache, bin := b.TempDir(), b.TempDir(), b.TempDir(), b.TempDir()
	for _, program := range []string{"git", "go"} {
		b.must(os.Symlink(packtest.NeedProgram(b, program), filepath.Join(bin, program)))
	}
	b.must(os.Mkdir(filepath.Join(home, ".docker"), 0o777))
	b.must(os.WriteFile(filepath.Join(home, ".docker", "config.json"), []byte(`{"auths":{"ghcr.io":{"auth":"bWU6c2VjcmV0"}}}`), 0o666))
	tree{"go.mod": goMod, "greentic.pub": string(signing.Ed25519(1).PEM())}.write(b, dir)
	usual := usualWords(b.reg.Host(), dir, cache, home)
	docs := map[string]string{}
	for _, example := range jsonExamples {
		if f := before[example.line]; f != nil {
			f(b, dir)
		}
		words := strings.Fields(strings.ReplaceAll(example.line, "ghcr.io/", b.reg.Host()+"/"))
		cmd := b.command(dir, cache, words[1:]...)
		conf := "/dev/null"
		if words[1] == "mirror" {
			conf = filepath.Join(home, "registries.conf")
			b.must(os.WriteFile(conf, []byte("[[registry]]\nlocation = \""+b.reg.Host()+"\"\n[[registry.mirror]]\nlocation = \"mirror.example.com/ghcr\"\n"), 0o666))
		}
		cmd.Env = append(cmd.Env, "PATH="+bin, "HOME="+home, "XDG_RUNTIME_DIR=/run/user/1000", "CONTAINERS_REGISTRIES_CONF="+conf)
		err := cmd.Run()
		var exit *exec.ExitError
		if code := cmd.ProcessState.ExitCode(); err != nil && !errors.As(err, &exit) || code != example.code {
			b.Fatalf("%s: %v, exit code %d, want %d\n%s%s", example.line, err, code, example.code, cmd.Stdout, cmd.Stderr)
		}
		docs[example.line] = usual(cmd.Stdout.(*bytes.Buffer).String())
	}
	return docs
}

// usualWords replaces the traces of this machine and moment in a document.
func usualWords(host, dir, cache, home string) func(string) string {
	words := strings.NewReplacer(host, "ghcr.io", dir, "/home/me/app", cache, "/home/me/.cache/greentic/packs", home, "/home/me")
	var forms []*regexp.Regexp
	var usual []string
	for form, value := range map[string]string{
		`"commit": "[0-9a-f]{40}"`:                  `"commit": "0d5c5a92d2b8f7f3b4d8a5c1e6f7a8b9c0d1e2f3"`,
		`"used": "[^"]+"`:                           `"used": "2026-01-31T08:00:00Z"`,
		`\S+, built with [^,]+`:                     `"v1.2.3, built with go1.26.0`,
		`"go version [^;"]+`:                        `"go version go1.26.0 linux/amd64`,
		`"go": "go[^"]+"`:                           `"go": "go1.26.0"`,
		`"git version [^"]+`:                        `"git version 2.39.5`,
		`(?s)("system",\s+"message": ")[^"]+`:       `${1}linux/amd64`,
		`(?s)("certificates",\s+"message": ")[^"]+`: `${1}those of this system`,
		`"version": "[^"]+",\n  "go": "[^"]+",\n  "os": "[^"]+",\n  "arch": "[^"]+"`: "\"version\": \"v1.2.3\",\n  \"go\": \"go1.26.0\",\n  \"os\": \"linux\",\n  \"arch\": \"amd64\"",
	} {
		forms, usual = append(forms, regexp.MustCompile(form)), append(usual, value)
	}
	return func(text string) string {
		text = words.Replace(text)
		for i, form := range forms {
			text = form.ReplaceAllString(text, usual[i])
		}
		return text
	}
}
