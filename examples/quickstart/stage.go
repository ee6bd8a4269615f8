package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/greenticai/packvendor/internal/packtest"
)

const module = "github.com/greenticai/packvendor"

//go:embed _app
var appFiles embed.FS

// A stage is where the story takes place.
type stage struct {
	registry       *packtest.Registry
	app            string   // the program's directory
	env            []string // of the commands
	stdout, stderr io.Writer
}

// sourceDir returns the directory of packvendor's own source.
func sourceDir(ctx context.Context, stderr io.Writer) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module)
	cmd.Stderr = stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("cannot find the source of packvendor, run this where that is: go list -m: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// buildTool builds packvendor from its source, with the user's own settings: the
// go command fetches then what it lacks, and the program is made without a proxy.
// What the go command prints is shown only if it fails.
func (s *stage) buildTool(ctx context.Context, source string) error {
	var printed bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "build", "-o", os.DevNull, "./cmd/packvendor")
	cmd.Dir = source
	cmd.Stdout, cmd.Stderr = &printed, &printed
	cmd.WaitDelay = interruptGrace
	interruptible(cmd)
	if err := cmd.Run(); err != nil {
		s.stderr.Write(printed.Bytes())
		return fmt.Errorf("go build ./cmd/packvendor: %w", err)
	}
	return nil
}

// build makes the program and fills the registry.
func (s *stage) build(source string) error {
	files, err := fs.Sub(appFiles, "_app")
	if err != nil {
		return err
	}
	if err := os.CopyFS(s.app, files); err != nil {
		return err
	}
	config, err := s.packsTOML()
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.path("packs/packs.toml"), config, 0o666); err != nil {
		return err
	}
	return s.goMod(source)
}

// packsTOML pushes the samples and returns the packs.toml that names them.
func (s *stage) packsTOML() ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "insecure_registries = [%q]  # plain HTTP, for this registry alone\n[packs]\n", s.registry.Host())
	for _, p := range samples {
		pack := packtest.Pack(packtest.Zip(p.name, p.version, 1000), p.name+".gtpack")
		pushed, err := s.registry.Push("greenticai/"+p.name, p.version, pack)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s = \"%s/greenticai/%s:%s@%s\"\n", p.name, s.registry.Host(), p.name, p.version, pushed.ManifestDigest)
	}
	return b.Bytes(), nil
}

// goMod writes go.mod and go.sum. A user would say "go get -tool"; here they
// are packvendor's own and a few lines more: these name all that the tool is
// built from, so that nothing has to be looked up.
func (s *stage) goMod(source string) error {
	sum, err := os.ReadFile(filepath.Join(source, "go.sum"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.path("go.sum"), sum, 0o666); err != nil {
		return err
	}
	mod, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if err != nil {
		return err
	}
	text := strings.Replace(string(mod), "module "+module, "module example.com/quickstart", 1)
	text += fmt.Sprintf("\ntool %[1]s/cmd/packvendor\n\nrequire %[1]s v0.0.0\n\nreplace %[1]s => %[2]q\n", module, source)
	return os.WriteFile(s.path("go.mod"), []byte(text), 0o666)
}
