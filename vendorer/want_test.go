package vendorer_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
)

// fails demands that do fails with that message and changes no file of the module. It
// returns the error.
func (p *project) fails(do func() error, want string) error {
	p.t.Helper()
	before := p.snapshot(false)
	err := do()
	if err == nil {
		p.t.Fatalf("it did not fail; want:\n%s", p.expand(want))
	}
	if got, want := err.Error(), p.expand(want); got != want {
		p.t.Errorf("got error:\n%s\nwant:\n%s", got, want)
	}
	if after := p.snapshot(false); after != before {
		p.t.Errorf("files before:\n%s\nafter:\n%s", before, after)
	}
	return err
}

// wantEvents demands exactly those events of the last run, besides its plan.
func (p *project) wantEvents(want ...string) {
	p.t.Helper()
	for i := range want {
		want[i] = p.expand(want[i])
	}
	if !slices.Equal(p.events, want) {
		p.t.Errorf("events:\n%s\nwant:\n%s", strings.Join(p.events, "\n"), strings.Join(want, "\n"))
	}
}

func (p *project) wantFound(remote bool, want ...string) {
	p.t.Helper()
	before := p.snapshot(true)
	got := p.verify(remote)
	for i := range want {
		want[i] = p.expand(want[i])
	}
	if !slices.Equal(got, want) {
		p.t.Errorf("findings:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if p.snapshot(true) != before {
		p.t.Error("verify wrote")
	}
}

// wantFile demands a file's content.
func (p *project) wantFile(name, want string) {
	p.t.Helper()
	if got, want := p.read(name), p.expand(want); got != want {
		p.t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
	}
}

// wantPack demands that the pack is vendored with the digest $LAYER.
func (p *project) wantPack(name, layer string) {
	p.t.Helper()
	if got := ociref.DigestOf([]byte(p.read("app/packs/" + name + ".gtpack"))); string(got) != p.expand(layer) {
		p.t.Errorf("%s is vendored as %s, want %s", name, got, p.expand(layer))
	}
}

func (p *project) wantAbsent(names ...string) {
	p.t.Helper()
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(p.mod, name)); !errors.Is(err, fs.ErrNotExist) {
			p.t.Errorf("%s is there (%v)", name, err)
		}
	}
}

// wantRequests demands the requests since the last call, in any order, without pings.
func (p *project) wantRequests(want ...string) {
	p.t.Helper()
	var got []string
	for _, r := range p.reg.Requests() {
		if r.Path != "/v2/" {
			got = append(got, r.String())
		}
	}
	p.reg.ResetRequests()
	for i := range want {
		want[i] = p.expand(want[i])
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		p.t.Errorf("requests:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// wantNothingWritten demands that another run changes no file, folder or time, and
// makes no request.
func (p *project) wantNothingWritten() {
	p.t.Helper()
	before := p.snapshot(true)
	p.reg.ResetRequests()
	if report := p.mustRun(); len(report.Written) > 0 {
		p.t.Errorf("a second run wrote %v", report.Written)
	}
	if n := len(p.reg.Requests()); n > 0 {
		p.t.Errorf("a second run made %d requests", n)
	}
	if after := p.snapshot(true); after != before {
		p.t.Errorf("files before:\n%s\nafter:\n%s", before, after)
	}
}
