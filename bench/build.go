package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// appSource is a program with all of its packs in it.
const appSource = `package main

import "example.com/app/internal/packs"

func main() { println(len(packs.Packs())) }
`

// build shows that after a run with nothing to do go build has nothing to do
// either.
func (b *bench) build(ctx context.Context) (result, error) {
	d, err := b.dataset(ctx, b.realShape())
	if err != nil {
		return result{}, err
	}
	if err := writeFile(filepath.Join(d.vendored(), "main.go"), appSource); err != nil {
		return result{}, err
	}
	again, after := b.goBuild(d), b.goBuild(d)
	again.name, again.about = "go build again", "the same build again, without that run"
	after.name = "go build"
	after.prepare = func(dir string) error {
		_, err := output(ctx, dir, b.env, b.noop(d).args(dir)...)
		return err
	}
	r, err := b.run(ctx, comparison{name: "build", title: "`go build` of the application after a run with nothing to do", short: "go build after a run", tools: []tool{after, again}})
	if err != nil {
		return r, err
	}
	steps, err := b.recompiled(ctx, d)
	r.verdicts = append(r.byTime(), counted(r.title, "compilations and links in `go build -x`", steps, 0))
	return r, err
}

func (b *bench) goBuild(d *dataset) tool {
	return tool{env: goEnv(), args: func(string) []string {
		return []string{"go", "build", "-C", d.vendored(), "-o", filepath.Join(d.dir, "app"), "."}
	}}
}

// goEnv is what the go command needs besides, such as where its caches are. It does
// not ask git about the checkout that all this happens in.
func goEnv() []string {
	env := []string{"GOWORK=off", "GOFLAGS=-buildvcs=false"}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOTOOLCHAIN"} {
		value, err := exec.Command("go", "env", name).Output()
		if err == nil {
			env = append(env, name+"="+strings.TrimSpace(string(value)))
		}
	}
	return env
}

// recompiled counts what go build does after a run with nothing to do.
func (b *bench) recompiled(ctx context.Context, d *dataset) (int, error) {
	if _, err := output(ctx, b.work, b.env, b.noop(d).args("")...); err != nil {
		return 0, err
	}
	args := b.goBuild(d).args("")
	cmd := exec.CommandContext(ctx, args[0], append([]string{args[1], args[2], args[3], "-x"}, args[4:]...)...)
	cmd.Env = slices.Concat(b.env, goEnv())
	said, err := cmd.CombinedOutput()
	if err != nil {
		return 0, failure(args, err, strings.NewReader(string(said)))
	}
	return buildSteps(string(said)), nil
}

// buildSteps counts the compilations and links in what go build -x prints.
func buildSteps(said string) (n int) {
	for line := range strings.Lines(said) {
		words := strings.Fields(line)
		for _, word := range words[:min(2, len(words))] { // an assignment may be first
			if strings.HasSuffix(word, "/compile") || strings.HasSuffix(word, "/link") {
				n++
			}
		}
	}
	return n
}
