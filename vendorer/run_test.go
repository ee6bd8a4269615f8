package vendorer_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

func TestRunFirstAndSecond(t *testing.T) {
	p := newProject(t)
	a, b := p.push("A", "a:stable"), p.push("B", "b")
	p.packs(`b = "$REG/b@$B"`, `a = "$REG/a@$A"`)
	var plan string
	p.onEvent = func(e vendorer.Event) {
		if e, ok := e.(vendorer.Planned); ok {
			plan += e.Plan.String()
		}
	}
	report := p.mustRun()

	p.wantEvents()
	if want := "a: resolve (not locked)\nb: resolve (not locked)\n"; plan != want {
		t.Errorf("planned:\n%s\nwant:\n%s", plan, want)
	}
	p.wantFile("app/packs.lock", lockOf("a", "b"))
	p.wantPack("a", "$A_LAYER")
	p.wantPack("b", "$B_LAYER")
	p.wantRequests("GET /v2/a/manifests/$A", "GET /v2/a/blobs/$A_LAYER", "GET /v2/b/manifests/$B", "GET /v2/b/blobs/$B_LAYER")
	wantWritten := []string{"$DIR/packs/a.gtpack", "$DIR/packs/b.gtpack", "$DIR/packs_gen.go", "$DIR/packs.lock"}
	for i := range wantWritten {
		wantWritten[i] = p.expand(wantWritten[i])
	}
	if !slices.Equal(report.Written, wantWritten) || len(report.Dropped) > 0 {
		t.Errorf("written %v, dropped %v", report.Written, report.Dropped)
	}
	for i, want := range []packtest.Pushed{a, b} {
		got := report.Packs[i]
		if got.ManifestDigest != want.ManifestDigest || got.LayerDigest != want.Layers[0] || got.Before.Name != "" ||
			got.Action != vendorer.Resolve || !got.Written || !got.Fetched {
			t.Errorf("report of pack %d: %+v", i, got)
		}
	}
	p.wantNothingWritten()
	p.wantFound(false)
}

func TestRunRestores(t *testing.T) {
	const place = "app/packs/a.gtpack"
	restored := `vendorer.Restored{Name:a Path:$DIR/packs/a.gtpack Got:{Digest:$GOT Size:$GOT_SIZE} Want:{Digest:$A_LAYER Size:$A_SIZE} LFS:false}`
	for _, test := range []struct {
		name    string
		spoil   func(*project)
		event   string
		fetched bool
	}{
		{"missing", func(p *project) { p.remove(place) }, "", false},
		{"missing folder", func(p *project) { p.remove("app/packs") }, "", false},
		{"missing, cold cache", func(p *project) { p.remove(place); p.coldCache() }, "", true},
		{"changed", func(p *project) {
			p.flip(place)
			p.names["GOT"] = digestOf(p.read(place))
		}, restored, false},
		{"another size", func(p *project) {
			p.write(place, "other")
		}, restored, false},
		{"LFS pointer", func(p *project) {
			p.write(place, "version https://git-lfs.github.com/spec/v1\n")
		}, strings.Replace(restored, "LFS:false", "LFS:true", 1), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newVendored(t)
			p.names["GOT"] = "" // if it is not read
			clean := p.read("app/packs.lock") + p.read("app/packs_gen.go")
			test.spoil(p)
			if test.event != "" {
				p.names["GOT_SIZE"] = itoa(len(p.read(place)))
			}
			p.reg.ResetRequests()
			report := p.mustRun()
			if test.event == "" {
				p.wantEvents()
			} else {
				p.wantEvents(test.event)
			}
			if test.fetched {
				p.wantRequests("GET /v2/a/manifests/$A", "GET /v2/a/blobs/$A_LAYER")
			} else {
				p.wantRequests()
			}
			p.wantPack("a", "$A_LAYER")
			got := report.Packs[0]
			if got.Action != vendorer.Restore || !got.Written || got.Fetched != test.fetched || got.Entry != got.Before {
				t.Errorf("report %+v", got)
			}
			if want := []string{p.expand("$DIR/packs/a.gtpack")}; !slices.Equal(report.Written, want) {
				t.Errorf("written %v, want %v", report.Written, want)
			}
			if p.read("app/packs.lock")+p.read("app/packs_gen.go") != clean {
				t.Error("restoring changed the lock or the Go file")
			}
		})
	}
}

func TestRunDrops(t *testing.T) {
	p := newProject(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		p.push(strings.ToUpper(name), name)
	}
	p.packs(`a = "$REG/a@$A"`, `b = "$REG/b@$B"`, `c = "$REG/c@$C"`, `d = "$REG/d@$D"`)
	p.mustRun()
	p.packs(`a = "$REG/a@$A"`)
	p.write("app/packs/c.gtpack", "mine now")
	p.remove("app/packs/d.gtpack")
	p.write("app/packs/notes.txt", "unknown")

	report := p.mustRun()
	p.wantEvents("vendorer.Kept{Name:c Path:$DIR/packs/c.gtpack}")
	p.wantAbsent("app/packs/b.gtpack", "app/packs/d.gtpack")
	p.wantFile("app/packs/c.gtpack", "mine now")
	p.wantFile("app/packs/notes.txt", "unknown")
	p.wantFile("app/packs.lock", lockOf("a"))
	if !slices.Equal(report.Dropped, []string{"b", "c", "d"}) {
		t.Errorf("dropped %v", report.Dropped)
	}
	if want := []string{p.expand("$DIR/packs/b.gtpack")}; !slices.Equal(report.Deleted, want) {
		t.Errorf("deleted %v, want %v", report.Deleted, want)
	}
	if want := []string{p.expand("$DIR/packs_gen.go"), p.expand("$DIR/packs.lock")}; !slices.Equal(report.Written, want) {
		t.Errorf("written %v, want %v", report.Written, want)
	}
	p.wantNothingWritten()
	p.wantEvents()
	p.wantFound(false)
}

func TestRunDropsAll(t *testing.T) {
	p := newVendored(t)
	p.packs()
	p.mustRun()
	p.wantAbsent("app/packs")
	p.wantFile("app/packs.lock", lockOf())
	p.wantNothingWritten()
	p.wantFound(false)
}

func TestRunTags(t *testing.T) {
	t.Run("allowed", func(t *testing.T) {
		p := newProject(t)
		p.push("A", "a:stable")
		p.packs(`a = { ref = "$REG/a:stable", allow_tags = true }`)
		p.mustRun()
		p.wantEvents()
		p.wantRequests("GET /v2/a/manifests/stable", "GET /v2/a/blobs/$A_LAYER")
		p.wantFile("app/packs.lock", strings.Replace(lockOf("a"), "a@$A\"", "a:stable\"\ntag = \"stable\"", 1))
		p.push("B", "a:stable")
		p.wantNothingWritten() // the run follows packs.lock
	})
	t.Run("still names its digest", func(t *testing.T) {
		p := newProject(t)
		p.push("A", "a:stable")
		p.packs(`a = "$REG/a:stable@$A"`)
		p.mustRun()
		p.wantEvents()
		p.wantRequests("GET /v2/a/manifests/$A", "HEAD /v2/a/manifests/stable", "GET /v2/a/blobs/$A_LAYER")
	})
	t.Run("moved", func(t *testing.T) {
		p := newProject(t)
		p.push("A", "a:stable")
		p.push("B", "a:stable")
		p.packs(`a = "$REG/a:stable@$A"`)
		p.mustRun()
		p.wantEvents("vendorer.TagMoved{Name:a Ref:$REG/a:stable@$A Pinned:$A Now:$B}")
		p.wantPack("a", "$A_LAYER")
		p.wantNothingWritten()
		p.wantEvents()
	})
	t.Run("gone", func(t *testing.T) {
		p := newProject(t)
		p.push("A", "a")
		p.packs(`a = "$REG/a:stable@$A"`)
		p.mustRun()
		p.wantEvents("vendorer.TagUnchecked{Name:a Ref:$REG/a:stable@$A Err:cannot resolve $REG/a:stable: GET https://$REG/v2/a/manifests/stable: 404 not found or private: MANIFEST_UNKNOWN: manifest unknown}")
	})
	t.Run("not asked offline", func(t *testing.T) {
		p := newVendored(t)
		p.packs(`a = "$REG/a:stable@$A"`)
		p.options.Offline = true
		p.reg.ResetRequests()
		p.mustRun()
		p.wantRequests()
		p.wantEvents("vendorer.StaleEntry{Name:a Locked:$REG/a@$A Configured:$REG/a:stable@$A}")
	})
}

// A run reports the errors of all packs, in the order of their names, and leaves no
// files behind.
func TestRunReportsEveryPack(t *testing.T) {
	p := newProject(t)
	p.push("A", "a")
	p.push("C", "c")
	p.packs(`d = "$REG/d@$ZERO"`, `c = "$REG/c@$C"`, `a = "$REG/a@$A"`, `b = "$REG/b@$ZERO"`)
	const notFound = ": cannot resolve $REG/%[1]s@$ZERO: GET https://$REG/v2/%[1]s/manifests/$ZERO: 404 not found or private: %[2]s"
	for _, jobs := range []int{1, 8} {
		p.options.Jobs = jobs
		p.fails(p.runs(), "$DIR/packs.toml:5: packs.b"+fmt.Sprintf(notFound, "b", "NAME_UNKNOWN: repository name not known to registry")+
			"\n$DIR/packs.toml:2: packs.d"+fmt.Sprintf(notFound, "d", "NAME_UNKNOWN: repository name not known to registry"))
	}
	// A wrong blob comes later, after others are staged.
	p.packs(`a = "$REG/a@$A"`, `c = "$REG/c@$C"`)
	p.reg.Inject(fault.WrongBlob(pushedLayer(p, "C")))
	for _, jobs := range []int{1, 8} {
		p.options.Jobs = jobs
		p.coldCache()
		before := p.snapshot(false)
		_, err := p.run()
		var mismatch *packfetch.DigestMismatchError
		var pack *vendorer.PackError
		if !errors.As(err, &mismatch) || !errors.As(err, &pack) || pack.Name != "c" || string(mismatch.Want.Digest) != p.names["C_LAYER"] {
			t.Fatalf("error %v", err)
		}
		if after := p.snapshot(false); after != before {
			t.Errorf("files before:\n%s\nafter:\n%s", before, after)
		}
	}
}

func TestRunJobs(t *testing.T) {
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}
	var results []string
	var lines []string
	for _, jobs := range []int{1, 8} {
		p := newProject(t)
		lines = nil
		for _, name := range names {
			p.push(strings.ToUpper(name), name)
			lines = append(lines, fmt.Sprintf(`%s = "$REG/%s@$%s"`, name, name, strings.ToUpper(name)))
		}
		p.packs(lines...)
		p.options.Jobs = jobs
		p.mustRun()
		p.wantFile("app/packs.lock", lockOf(names...))
		text := p.read("app/packs_gen.go")
		for _, name := range names {
			text += digestOf(p.read("app/packs/" + name + ".gtpack"))
		}
		results = append(results, strings.ReplaceAll(text, p.reg.Host(), "REG"))
	}
	if results[0] != results[1] {
		t.Error("one job and eight give different files")
	}
}

func TestRunCancelled(t *testing.T) {
	p := newProject(t)
	p.push("A", "a")
	p.packs(`a = "$REG/a@$A"`)
	cause := errors.New("enough")
	t.Run("before", func(t *testing.T) {
		p.t = t
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(cause)
		before := p.snapshot(true)
		_, err := vendorer.Run(ctx, p.options)
		if !errors.Is(err, context.Canceled) && !errors.Is(err, cause) {
			t.Errorf("error %v", err)
		}
		if p.snapshot(true) != before {
			t.Error("files changed")
		}
		p.mustRunAtOnce()
	})
	t.Run("while fetching", func(t *testing.T) {
		p.t = t
		p.remove("app/packs.lock")
		p.remove("app/packs")
		p.coldCache()
		ctx, cancel := context.WithCancelCause(context.Background())
		stalled := fault.StallBlob(pushedLayer(p, "A"), 10)
		p.reg.Inject(packtest.Fault{Match: stalled.Match, Serve: cancelling(stalled.Serve, func() { cancel(cause) })})
		p.fails(func() error { _, err := vendorer.Run(ctx, p.options); return err }, "enough")
		p.reg.Inject()
		p.mustRunAtOnce()
	})
}

// mustRunAtOnce demands that a run does not wait for another.
func (p *project) mustRunAtOnce() {
	p.t.Helper()
	p.options.LockWait = 1
	defer func() { p.options.LockWait = 0 }()
	p.mustRun()
	p.wantEvents()
}

func TestRunWithDefaults(t *testing.T) {
	p := newProject(t)
	p.push("A", "a")
	p.packs(`a = "$REG/a@$A"`)
	t.Chdir(p.dir)
	report, err := vendorer.Run(context.Background(), vendorer.Options{CacheDir: p.options.CacheDir})
	p.must(err)
	if want := []string{"packs/a.gtpack", "packs_gen.go", "packs.lock"}; !reflect.DeepEqual(report.Written, want) {
		t.Errorf("written %v, want %v", report.Written, want)
	}
}

// A run removes the leftovers of killed runs, and nothing else.
func TestRunSweeps(t *testing.T) {
	p := newVendored(t)
	leftovers := []string{"app/.packvendor-0123456789abcdef.tmp", "app/packs/.packvendor-0123456789abcdef.tmp"}
	for _, name := range leftovers {
		p.write(name, "half")
	}
	p.write("app/packs/.packvendor-mine.tmp", "mine")
	p.mustRun()
	p.wantAbsent(leftovers...)
	p.wantFile("app/packs/.packvendor-mine.tmp", "mine")
}

func TestRunPlainHTTP(t *testing.T) {
	p := newProject(t)
	plain := packtest.StartRegistry(t, packtest.Options{Plain: true})
	pushed := packtest.MustPush(t, plain, "a", "", packtest.Pack(packtest.Zip("a", "1", 0), ""))
	p.names["PLAIN"], p.names["A"] = plain.Host(), string(pushed.ManifestDigest)
	p.packs(`a = "$PLAIN/a@$A"`)
	p.fails(p.runs(), "$DIR/packs.toml:2: packs.a: cannot resolve $PLAIN/a@$A: GET https://$PLAIN/v2/: http: server gave HTTP response to HTTPS client")
	p.write("app/packs.toml", "insecure_registries = [\"$PLAIN\"]\n[packs]\na = \"$PLAIN/a@$A\"\n")
	p.mustRun()
	p.wantFound(true)
}
