package vendorer_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// These tests bound the countable costs of runs; bench/ measures times. Lower a limit
// that runs no longer reach.

// newMany returns a project of so many vendored packs of that size, each in its own
// repository.
func newMany(t testing.TB, o packtest.Options, packs, size int) *project {
	t.Helper()
	p := newProject(t)
	o.CA = authority
	p.reg = packtest.StartRegistry(t, o)
	p.names["REG"] = p.reg.Host()
	var lines []string
	for n := range packs {
		name := fmt.Sprintf("p%d", n)
		p.pushArtifact(name, name+":stable", packtest.Pack(packtest.Zip("many", name, size), ""))
		lines = append(lines, fmt.Sprintf(`%s = "$REG/%s@$%s"`, name, name, name))
	}
	p.packs(lines...)
	p.mustRun()
	return p
}

// freshClone removes the packs and the cache, as in a clone without its packs.
func (p *project) freshClone() {
	p.t.Helper()
	p.remove("app/packs")
	p.coldCache()
	p.reg.ResetRequests()
}

// requestKinds counts the requests to the registry by kind.
func requestKinds(p *project) map[string]int { return kindsOf(p.reg.Requests()) }

func kindsOf(requests []packtest.Request) map[string]int {
	kinds := map[string]int{}
	for _, r := range requests {
		kind := r.Method
		for _, of := range []string{"/manifests/", "/blobs/", "/tags/", "/token"} {
			if strings.Contains(r.Path, of) {
				kind += " " + strings.Trim(of, "/")
			}
		}
		kinds[kind]++
	}
	return kinds
}

// A locked pack costs one request for its manifest and one for its blob to download;
// besides, each registry costs a ping, and each repository a token if one is needed. A
// cached or vendored pack costs none, and an unmoved tag one HEAD.
func TestCostRequests(t *testing.T) {
	const packs = 12
	for name, test := range map[string]struct {
		options packtest.Options
		run     func(*project) error
		want    map[string]int
	}{
		"cold":               {packtest.Options{}, cold, map[string]int{"GET": 1, "GET manifests": packs, "GET blobs": packs}},
		"cold, HTTP/2":       {packtest.Options{HTTP2: true}, cold, map[string]int{"GET": 1, "GET manifests": packs, "GET blobs": packs}},
		"cold, with tokens":  {packtest.Options{Token: true}, cold, map[string]int{"GET": 1, "GET token": packs, "GET manifests": packs, "GET blobs": packs}},
		"warm":               {packtest.Options{Token: true}, warm, map[string]int{}},
		"nothing to do":      {packtest.Options{Token: true}, again, map[string]int{}},
		"update, none moved": {packtest.Options{}, updateTags, map[string]int{"GET": 1, "HEAD manifests": packs}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newMany(t, test.options, packs, 0)
			p.reg.ResetRequests()
			if err := test.run(p); err != nil {
				t.Fatal(err)
			}
			if got := requestKinds(p); fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("requests %v, want %v", got, test.want)
			}
		})
	}
}

// A mirror adds no request: it is asked for all that the registry would be asked for, and the
// registry for nothing. If the mirror has no pack, the registry is asked as without a mirror.
func TestCostRequestsMirror(t *testing.T) {
	const packs = 12
	p := newMany(t, packtest.Options{}, packs, 0)
	mirror := packtest.StartRegistry(t, packtest.Options{CA: authority, Token: true})
	conf := filepath.Join(t.TempDir(), "registries.conf")
	p.must(os.WriteFile(conf, fmt.Appendf(nil, "[[registry]]\nlocation = %q\n[[registry.mirror]]\nlocation = %q\n", p.reg.Host(), mirror.Host()+"/shop"), 0o666))
	p.options.Fetch.Mirrors = packfetch.UserMirrors(func(name string) string {
		return map[string]string{"CONTAINERS_REGISTRIES_CONF": conf}[name]
	})
	all := map[string]int{"GET": 1, "GET manifests": packs, "GET blobs": packs}
	missed := map[string]int{"GET": 1, "GET token": packs, "GET manifests": packs}
	answered := map[string]int{"GET": 1, "GET token": packs, "GET manifests": packs, "GET blobs": packs}
	for _, test := range []struct {
		name             string
		prepare          func()
		atMirror, atShop map[string]int
	}{
		{"the mirror has none", func() {}, missed, all},
		{"the mirror has all", func() {
			for n := range packs {
				name := fmt.Sprintf("p%d", n)
				packtest.MustPush(t, mirror, "shop/"+name, "stable", packtest.Pack(packtest.Zip("many", name, 0), ""))
			}
		}, answered, map[string]int{}},
	} {
		test.prepare()
		mirror.ResetRequests()
		if err := cold(p); err != nil {
			t.Fatal(err)
		}
		if got := kindsOf(p.reg.Requests()); fmt.Sprint(got) != fmt.Sprint(test.atShop) {
			t.Errorf("%s: requests to the registry %v, want %v", test.name, got, test.atShop)
		}
		if got := kindsOf(mirror.Requests()); fmt.Sprint(got) != fmt.Sprint(test.atMirror) {
			t.Errorf("%s: requests to the mirror %v, want %v", test.name, got, test.atMirror)
		}
	}
}

// A pack that an image index lists costs one more manifest when it is locked, and none
// later. A pack with a range costs a list of tags when it is updated.
func TestCostRequestsLocking(t *testing.T) {
	p := newProject(t)
	p.pushIndex("I", "acme/i:1.0.0", p.push("A", "acme/i"))
	for _, test := range []struct {
		name string
		run  func() error
		want map[string]int
	}{
		{"lock", func() error { p.packs(`i = { ref = "$REG/acme/i", version = "^1" }`); return again(p) },
			map[string]int{"GET": 1, "GET tags": 1, "GET manifests": 2, "GET blobs": 1}},
		{"cold", func() error { p.options.Locked = true; return cold(p) },
			map[string]int{"GET": 1, "GET manifests": 1, "GET blobs": 1}},
		{"update, none newer", func() error { p.options.Locked = false; return p.updates()() },
			map[string]int{"GET": 1, "GET tags": 1, "HEAD manifests": 1}},
	} {
		p.reg.ResetRequests()
		if err := test.run(); err != nil {
			t.Fatal(err)
		}
		if got := requestKinds(p); fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: requests %v, want %v", test.name, got, test.want)
		}
	}
}

// A signed pack costs what an unsigned one costs: its evidence is in the project.
func TestCostRequestsSigned(t *testing.T) {
	fetched := map[string]int{"GET": 1, "GET manifests": 1, "GET blobs": 1}
	for format, push := range map[string]func(*project){
		"unsigned":             func(p *project) { p.push("A", "acme/a") },
		"greentic-dsse":        func(p *project) { p.pushSigned("A", "acme/a", acme) },
		"sigstore-bundle":      func(p *project) { p.push("A", "acme/a"); p.sign("acme/a", p.names["A"], acme) },
		"cosign-simplesigning": func(p *project) { p.push("A", "acme/a"); p.signSimple("acme/a", p.names["A"], acme) },
	} {
		t.Run(format, func(t *testing.T) {
			p := trusted(t)
			push(p)
			if p.packs(`a = "$REG/acme/a@$A"`); format != "unsigned" {
				p.trustedPacks(`a = "$REG/acme/a@$A"`)
			}
			p.mustRun()
			if _, err := os.Stat(filepath.Join(p.mod, "app/packs/a.evidence")); (err == nil) != (format != "unsigned") {
				t.Fatalf("evidence: %v", err)
			}
			p.options.Locked = true
			for _, test := range []struct {
				name    string
				prepare func()
				want    map[string]int
			}{
				{"nothing to do", func() {}, map[string]int{}},
				{"nothing to do, cold cache", p.coldCache, map[string]int{}},
				{"cold", func() { p.remove("app/packs/a.gtpack"); p.coldCache() }, fetched},
				{"warm", func() { p.remove("app/packs/a.gtpack") }, map[string]int{}},
			} {
				test.prepare()
				p.reg.ResetRequests()
				p.mustRun()
				if got := requestKinds(p); fmt.Sprint(got) != fmt.Sprint(test.want) {
					t.Errorf("%s: requests %v, want %v", test.name, got, test.want)
				}
			}
		})
	}
}

func cold(p *project) error {
	p.freshClone()
	return again(p)
}

func warm(p *project) error {
	p.remove("app/packs")
	return again(p)
}

func again(p *project) error {
	_, err := p.run()
	return err
}

// updateTags makes all packs follow a tag, and updates them.
func updateTags(p *project) error {
	var lines []string
	for name := range p.names {
		if strings.HasPrefix(name, "p") && !strings.Contains(name, "_") {
			lines = append(lines, fmt.Sprintf(`%s = { ref = "$REG/%s:stable", allow_tags = true }`, name, name))
		}
	}
	p.packs(lines...)
	p.mustRun()
	p.reg.ResetRequests()
	return p.updates()()
}

// The cost of an unchanged pack depends neither on the number of packs nor on their
// size.
func TestCostAllocations(t *testing.T) {
	const limit = 450
	of := func(packs, size int) float64 {
		p := newMany(t, packtest.Options{}, packs, size)
		return testing.AllocsPerRun(2, func() { p.mustRun() })
	}
	one := of(1, 0)
	for _, test := range []struct{ packs, size int }{{20, 0}, {80, 0}, {20, 256 << 10}} {
		if got := (of(test.packs, test.size) - one) / float64(test.packs-1); got > limit {
			t.Errorf("%d packs of %d bytes: %.0f allocations a pack, want at most %d", test.packs, test.size, got, limit)
		}
	}
}

// BenchmarkRun measures a run, without the start of a process.
func BenchmarkRun(b *testing.B) {
	const packs, size = 100, 64 << 10
	p := newMany(b, packtest.Options{}, packs, size)
	for name, prepare := range map[string]func(){
		"nothing to do": func() {},
		"warm":          func() { p.remove("app/packs") },
		"cold":          p.freshClone,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(packs * size)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				prepare()
				b.StartTimer()
				if _, err := vendorer.Run(context.Background(), p.options); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkVerify measures a verify, without the start of a process. In a module of
// many Go files it reads the beginning of each, while the Go toolchain works.
func BenchmarkVerify(b *testing.B) {
	const packs, size = 20, 64 << 10
	p := newMany(b, packtest.Options{}, packs, size)
	p.mustRun()
	lines := strings.Repeat("// F does what functions do.\nfunc (t *T) F() int { return len(t.names) }\n\n", 100)
	for _, files := range []int{0, 5000} {
		for n := range files {
			p.write(fmt.Sprintf("lib/p%d/f%d.go", n/20, n), fmt.Sprintf("package p%d\n\nimport \"io\"\n\n", n/20)+lines)
		}
		b.Run(fmt.Sprintf("%d Go files", files), func(b *testing.B) {
			for b.Loop() {
				v, err := vendorer.Verify(context.Background(), p.options, false)
				if err != nil || len(v.Findings) > 0 {
					b.Fatal(v, err)
				}
			}
		})
	}
}
