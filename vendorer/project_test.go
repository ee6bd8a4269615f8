package vendorer_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/vendorer"
)

// A project is a module with a packs.toml in its folder app, a registry and a cache.
// Its methods expand texts: $NAME to a value of set, $REG to the registry, $MOD to the
// module's folder and $DIR to that of packs.toml.
type project struct {
	t        testing.TB
	reg      *packtest.Registry
	mod, dir string
	options  vendorer.Options
	names    map[string]string
	events   []string
	onEvent  func(vendorer.Event)
}

// zero is a digest without content.
const zero = ociref.Digest("sha256:0000000000000000000000000000000000000000000000000000000000000000")

func newProject(t testing.TB) *project {
	t.Helper()
	p := &project{t: t, reg: packtest.StartRegistry(t, packtest.Options{CA: authority}), names: map[string]string{}}
	p.mod = t.TempDir()
	p.dir = filepath.Join(p.mod, "app")
	p.options = vendorer.Options{File: filepath.Join(p.dir, "packs.toml"), CacheDir: filepath.Join(t.TempDir(), "cache")}
	p.options.Fetch.Sleep = func(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }
	p.options.Events = p.event
	p.names = map[string]string{"REG": p.reg.Host(), "MOD": p.mod, "DIR": p.dir, "ZERO": string(zero)}
	p.write("go.mod", "module example.com/app\n\ngo 1.25\n")
	p.packs()
	return p
}

// newVendored returns a project with a pinned and vendored pack a.
func newVendored(t *testing.T) *project {
	t.Helper()
	p := newProject(t)
	p.push("A", "a:stable")
	p.packs(`a = "$REG/a@$A"`)
	p.mustRun()
	return p
}

func (p *project) event(e vendorer.Event) {
	if _, planned := e.(vendorer.Planned); !planned {
		p.events = append(p.events, eventText(e))
	}
	if p.onEvent != nil {
		p.onEvent(e)
	}
}

// eventText returns an event's type and all its fields.
func eventText(e vendorer.Event) string {
	if f, ok := e.(vendorer.Fetching); ok {
		return fmt.Sprintf("%T%+v", f.Event, f.Event)
	}
	return fmt.Sprintf("%T%+v", e, e)
}

// push stores a small pack at REPOSITORY[:TAG] and sets $NAME to its manifest's
// digest, $NAME_LAYER and $NAME_SIZE.
func (p *project) push(name, at string) packtest.Pushed {
	p.t.Helper()
	data := packtest.Zip("pack", name, 300)
	return p.pushArtifact(name, at, packtest.Pack(data, ""))
}

func (p *project) pushArtifact(name, at string, a packtest.Artifact) packtest.Pushed {
	p.t.Helper()
	repository, tag, _ := strings.Cut(at, ":")
	pushed := packtest.MustPush(p.t, p.reg, repository, tag, a)
	p.names[name] = string(pushed.ManifestDigest)
	if len(a.Layers) > 0 {
		p.names[name+"_LAYER"] = string(pushed.Layers[0])
		p.names[name+"_SIZE"] = fmt.Sprint(len(a.Layers[0].Data))
	}
	return pushed
}

// pushIndex stores an index of pushed manifests.
func (p *project) pushIndex(name, at string, children ...packtest.Pushed) {
	p.t.Helper()
	repository, tag, _ := strings.Cut(at, ":")
	var list []packtest.Child
	for _, c := range children {
		list = append(list, c.Child())
	}
	pushed, err := p.reg.PushIndex(repository, tag, list)
	p.must(err)
	p.names[name] = string(pushed.ManifestDigest)
}

func (p *project) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) expand(text string) string {
	return os.Expand(text, func(name string) string {
		value, ok := p.names[name]
		if !ok {
			p.t.Fatalf("the test uses $%s and does not set it", name)
		}
		return value
	})
}

// write writes a file below the module's folder.
func (p *project) write(name, text string) {
	p.t.Helper()
	file := filepath.Join(p.mod, name)
	p.must(os.MkdirAll(filepath.Dir(file), 0o777))
	p.must(os.WriteFile(file, []byte(p.expand(text)), 0o666))
}

// packs writes packs.toml with those lines in its packs table.
func (p *project) packs(lines ...string) {
	p.t.Helper()
	p.write("app/packs.toml", "[packs]\n"+strings.Join(lines, "\n")+"\n")
}

func (p *project) read(name string) string {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.mod, name))
	p.must(err)
	return string(data)
}

func (p *project) remove(name string) {
	p.t.Helper()
	p.must(os.RemoveAll(filepath.Join(p.mod, name)))
}

// flip changes the last byte of a file.
func (p *project) flip(name string) {
	p.t.Helper()
	text := []byte(p.read(name))
	text[len(text)-1] ^= 1
	p.write(name, string(text))
}

// replace replaces every old in a file.
func (p *project) replace(name, old, with string) {
	p.t.Helper()
	text, old := p.read(name), p.expand(old)
	if !strings.Contains(text, old) {
		p.t.Fatalf("%s does not contain %q:\n%s", name, old, text)
	}
	p.write(name, strings.ReplaceAll(text, old, p.expand(with)))
}

// coldCache empties the cache.
func (p *project) coldCache() {
	p.t.Helper()
	p.must(os.RemoveAll(p.options.CacheDir))
}

// run runs; events then holds this run's events.
func (p *project) run() (*vendorer.Report, error) {
	p.events = nil
	return vendorer.Run(context.Background(), p.options)
}

func (p *project) mustRun() *vendorer.Report {
	p.t.Helper()
	report, err := p.run()
	p.must(err)
	return report
}

func (p *project) runs() func() error {
	return func() error {
		_, err := p.run()
		return err
	}
}

func (p *project) updates(names ...string) func() error {
	return func() error {
		p.events = nil
		var u vendorer.UpdateOptions
		for _, name := range names {
			u.Targets = append(u.Targets, vendorer.Target{Name: name})
		}
		_, err := vendorer.Update(context.Background(), p.options, u)
		return err
	}
}

func (p *project) adds(name, reference string) func() error {
	return func() error {
		p.events = nil
		_, err := vendorer.Add(context.Background(), p.options, vendorer.AddOptions{Packs: []vendorer.Addition{{Name: name, Reference: p.expand(reference)}}})
		return err
	}
}

// verify returns Verify's findings as text.
func (p *project) verify(remote bool) []string {
	p.t.Helper()
	v, err := vendorer.Verify(context.Background(), p.options, remote)
	p.must(err)
	var found []string
	for _, finding := range v.Findings {
		found = append(found, finding.Error())
	}
	return found
}

// snapshot returns every path below the module with its mode, content and time; folder
// times, which staging changes, only if dirTimes is set.
func (p *project) snapshot(dirTimes bool) string {
	p.t.Helper()
	var b strings.Builder
	p.must(filepath.WalkDir(p.mod, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %v", path, info.Mode())
		if dirTimes || !d.IsDir() {
			fmt.Fprintf(&b, " %d", info.ModTime().UnixNano())
		}
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %s", ociref.DigestOf(data))
		}
		b.WriteByte('\n')
		return nil
	}))
	return b.String()
}

// lockOf returns the packs.lock of packs pinned by digest, pushed as their names in
// capitals.
func lockOf(names ...string) string {
	var b strings.Builder
	b.WriteString("# Code generated by packvendor. DO NOT EDIT.\nversion = 1\n")
	for _, name := range names {
		v := strings.ToUpper(name)
		fmt.Fprintf(&b, "\n[[pack]]\nname = %q\nref = \"$REG/%s@$%s\"\nmanifest_digest = \"$%s\"\nlayer_digest = \"$%s_LAYER\"\nsize = $%s_SIZE\nmedia_type = %q\n",
			name, name, v, v, v, v, packtest.PackMediaType)
	}
	return b.String()
}

func digestOf(text string) string { return string(ociref.DigestOf([]byte(text))) }

func pushedLayer(p *project, name string) ociref.Digest { return ociref.Digest(p.names[name+"_LAYER"]) }

// cancelling is serve, but a request calls cancel.
func cancelling(serve func(http.ResponseWriter, *http.Request, http.Handler), cancel func()) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		cancel()
		serve(w, r, honest)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

// manifestOf returns the registry's manifest of $NAME.
func manifestOf(p *project, repository, name string) []byte {
	p.t.Helper()
	resp, err := p.reg.Client().Get(p.reg.URL() + "/v2/" + repository + "/manifests/" + p.names[name])
	p.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	p.must(err)
	return body
}

// waiting calls reached, and answers after gate is closed.
func waiting(reached func(), gate <-chan struct{}) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		reached()
		<-gate
		honest.ServeHTTP(w, r)
	}
}

// corrupt changes a byte in the middle of a file.
func corrupt(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	data[len(data)/2] ^= 1
	return os.WriteFile(file, data, 0o666)
}
