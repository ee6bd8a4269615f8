package vendorer_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// tags points tags at the artifact pushed as $NAME.
func (p *project) tags(repository, name string, tags ...string) {
	p.t.Helper()
	p.must(p.reg.TagMany(repository, ociref.Digest(p.names[name]), tags))
}

// updated returns the report of an update with those options about the pack a.
func (p *project) updated(u vendorer.UpdateOptions) vendorer.PackReport {
	p.t.Helper()
	p.events = nil
	report, err := vendorer.Update(context.Background(), p.options, u)
	p.must(err)
	i := slices.IndexFunc(report.Packs, func(r vendorer.PackReport) bool { return r.Name == "a" })
	return report.Packs[i]
}

// updatesWith is updates with options.
func (p *project) updatesWith(u vendorer.UpdateOptions) func() error {
	return func() error {
		p.events = nil
		_, err := vendorer.Update(context.Background(), p.options, u)
		return err
	}
}

// inject sets a fault of fault.New in the registry, or removes it.
func (p *project) inject(words ...string) {
	p.t.Helper()
	if len(words) == 0 {
		p.reg.Inject()
		return
	}
	injected, err := fault.New(words...)
	p.must(err)
	p.reg.Inject(injected)
}

// An update moves a pin to a version tag. The registry has that tag, and the listed
// ones. Package versions tests the order of versions.
func TestFollowVersion(t *testing.T) {
	for _, test := range []struct {
		name, pin, tags, want, latest string // "" is the pin
	}{
		{"both", "1.2.3", "1.3.0 2.0.0", "1.3.0", "2.0.0"},
		{"below 1.0, newer patch", "0.4.37", "0.4.38 0.5.0", "0.4.38", "0.5.0"},
		{"v and none", "1.2.3", "v1.2.4 1.2.4", "1.2.4", "1.2.4"},
		{"equal version with v", "1.2.3", "v1.2.3", "", ""},
		{"pre-release of a newer version", "1.2.3", "1.3.0-rc.1 2.0.0-rc.1", "", ""},
		{"from one pre-release to the next", "1.3.0-rc.1", "1.3.0-rc.2 1.3.0-alpha", "1.3.0-rc.2", "1.3.0-rc.2"},
		{"from a pre-release to its release", "1.3.0-rc.1", "1.3.0 1.3.0-rc.2", "1.3.0", "1.3.0"},
		{"from a pre-release to a later one", "1.3.0-rc.1", "1.3.0 1.4.0-rc.1", "1.4.0-rc.1", "1.4.0-rc.1"},
		{"from a pre-release below 1.0", "0.4.0-rc.1", "0.4.0 0.5.0-rc.1", "0.4.0", "0.5.0-rc.1"},
		{"no versions", "1.2.3", "latest 1.3 1 v2 01.3.0 1.3.0.0 1.3.0-01 2026-11-25 sha256-aa.sig V1.3.0", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProject(t)
			p.push("OLD", "a:"+test.pin)
			p.push("NEW", "a")
			p.packs(`a = "$REG/a:` + test.pin + `@$OLD"`)
			p.mustRun()
			p.tags("a", "NEW", strings.Fields(test.tags)...)
			for _, latest := range []bool{false, true} {
				want, pin := test.want, "$OLD"
				if latest {
					want = test.latest
				}
				if want == "" {
					want = test.pin
				}
				if want != test.pin {
					pin = "$NEW"
				}
				p.packs(`a = "$REG/a:` + test.pin + `@$OLD"`)
				p.mustRun()
				p.updated(vendorer.UpdateOptions{Latest: latest})
				p.wantFile("app/packs.toml", "[packs]\na = \"$REG/a:"+want+"@"+pin+"\"\n")
				p.wantPack("a", pin+"_LAYER")
				p.wantNothingWritten()
			}
		})
	}
}

// A range locks one version in a first run, and another in an update after more pushes.
func TestFollowRange(t *testing.T) {
	for _, test := range []struct{ name, version, tags, first, more, then string }{
		{"newest", "^0.4", "0.4.1 0.4.10 0.4.9 0.5.0 0.3.9", "0.4.10", "0.4.11 0.6.0", "0.4.11"},
		{"nothing more", "^1", "1.2.3", "1.2.3", "2.0.0", "1.2.3"},
		{"exactly one", "1.2.3", "1.2.2 1.2.3 1.2.4", "1.2.3", "1.2.5", "1.2.3"},
		{"several", ">=1.2, <1.5 || ^3", "1.4.9 1.5.0 2.0.0", "1.4.9", "3.1.0", "3.1.0"},
		{"no pre-releases", "^1", "1.0.0 1.1.0-rc.1", "1.0.0", "1.2.0-rc.1", "1.0.0"},
		{"pre-releases", ">=1.0.0-rc.1", "1.0.0-rc.1", "1.0.0-rc.1", "1.0.0-rc.2", "1.0.0-rc.2"},
		{"equal versions", "^1", "v1.0.0", "v1.0.0", "1.0.0", "1.0.0"},
		{"no versions", "*", "latest 9.9 1.0.0 20261125", "1.0.0", "10", "1.0.0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProject(t)
			p.push("A", "a")
			p.tags("a", "A", strings.Fields(test.tags)...)
			p.packs(`a = { ref = "$REG/a", version = "` + test.version + `" }`)
			toml := p.read("app/packs.toml")
			if got := p.mustRun().Packs[0]; got.Tag != test.first || got.Version != test.version {
				t.Errorf("first %+v", got)
			}
			p.tags("a", "A", strings.Fields(test.more)...)
			p.wantNothingWritten()
			if got := p.updated(vendorer.UpdateOptions{Latest: true}); got.Tag != test.then {
				t.Errorf("then %+v", got)
			}
			p.wantFile("app/packs.toml", toml)
			p.wantFound(true)
		})
	}
}

func TestFollowRangeNone(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:latest")
	p.packs(`a = { ref = "$REG/a", version = "^1" }`)
	for _, test := range []struct{ tags, want, newest string }{
		{"", "$REG/a has no version tag, but latest", ""},
		{"1.0.0-rc.1 0.9.0", "$REG/a has no version tag in the range \"^1\", the newest is 1.0.0-rc.1", "1.0.0-rc.1"},
		{"2.0.0", "$REG/a has no version tag in the range \"^1\", the newest is 2.0.0", "2.0.0"},
	} {
		p.tags("a", "A", strings.Fields(test.tags)...)
		for _, do := range []func() error{p.runs(), p.updates(), p.updates("a")} {
			err := p.fails(do, "$DIR/packs.toml:2: packs.a: "+test.want)
			var none *vendorer.NoVersionError
			if !errors.As(err, &none) || none.Range != "^1" || none.Newest != test.newest || none.Repository != p.expand("$REG/a") {
				t.Errorf("error %+v", none)
			}
		}
	}
	p.wantAbsent("app/packs.lock", "app/packs")
}

// A version tag that was pushed again is refused, whatever the update takes, and
// changes no pack.
func TestFollowRetag(t *testing.T) {
	one := func(wanted string) vendorer.UpdateOptions {
		return vendorer.UpdateOptions{Targets: []vendorer.Target{{Name: "a", Tag: wanted}}}
	}
	for _, test := range []struct {
		name, entry string
		newer       string // a tag pushed besides
		update      vendorer.UpdateOptions
		accepted    string // the tag after its acceptance
	}{
		{"pin", `"$REG/a:1.0.0@$OLD"`, "", vendorer.UpdateOptions{}, "1.0.0"},
		{"pin, newer version", `"$REG/a:1.0.0@$OLD"`, "1.1.0", vendorer.UpdateOptions{}, "1.1.0"},
		{"pin, newest version", `"$REG/a:1.0.0@$OLD"`, "2.0.0", vendorer.UpdateOptions{Latest: true}, "2.0.0"},
		{"pin, its own tag", `"$REG/a:1.0.0@$OLD"`, "1.1.0", one("1.0.0"), "1.0.0"},
		{"pin, another tag", `"$REG/a:1.0.0@$OLD"`, "1.1.0", one("1.1.0"), "1.1.0"},
		{"pin, a tag that is no version", `"$REG/a:1.0.0@$OLD"`, "stable", one("stable"), "stable"},
		{"tag", `{ ref = "$REG/a:1.0.0", allow_tags = true }`, "1.1.0", vendorer.UpdateOptions{}, "1.0.0"},
		{"tag, another tag", `{ ref = "$REG/a:1.0.0", allow_tags = true }`, "1.1.0", one("1.1.0"), "1.1.0"},
		{"range", `{ ref = "$REG/a", version = "^1" }`, "", vendorer.UpdateOptions{}, "1.0.0"},
		{"range, newer version", `{ ref = "$REG/a", version = "^1" }`, "1.1.0", vendorer.UpdateOptions{}, "1.1.0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProject(t)
			p.push("OLD", "a:1.0.0")
			p.push("B", "b:stable")
			p.packs("a = "+test.entry, `b = "$REG/b:stable@$B"`)
			p.mustRun()
			p.push("AGAIN", "a:1.0.0")
			p.push("B2", "b:stable")
			if test.newer != "" {
				p.push("NEWER", "a:"+test.newer)
			}
			err := p.fails(p.updatesWith(test.update), "$DIR/packs.toml:2: packs.a: version tag 1.0.0 was pushed again\n\tlocked: $OLD\n\tnow:    $AGAIN")
			var retag *vendorer.RetagError
			wanted := ""
			if len(test.update.Targets) > 0 {
				wanted = test.update.Targets[0].Tag
			}
			if !errors.As(err, &retag) || retag.Wanted != wanted || retag.Tag != "1.0.0" || string(retag.Locked) != p.names["OLD"] || string(retag.Now) != p.names["AGAIN"] {
				t.Errorf("error %+v", retag)
			}
			test.update.DryRun = true
			p.fails(p.updatesWith(test.update), err.Error())
			test.update.DryRun, test.update.AcceptRetag = false, true
			p.updated(test.update)
			want := "$AGAIN_LAYER"
			if test.accepted != "1.0.0" {
				want = "$NEWER_LAYER"
			}
			p.wantPack("a", want)
			p.wantFound(true)
		})
	}
}

// A newer version does not count as one that was pushed again.
func TestFollowNewTag(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(*project)
	}{
		{"other bytes", func(*project) {}},
		{"the old tag is gone", func(p *project) { p.must(p.reg.Delete("a", "1.0.0")) }},
		{"what it named is gone", func(p *project) { p.must(p.reg.Delete("a", p.names["OLD"])) }},
		{"the newer one moves", func(p *project) { p.push("NEW", "a:1.1.0") }},
	} {
		for _, entry := range []string{`"$REG/a:1.0.0@$OLD"`, `{ ref = "$REG/a", version = "^1" }`} {
			p := newProject(t)
			p.push("OLD", "a:1.0.0")
			p.packs("a = " + entry)
			p.mustRun()
			p.push("FIRST", "a:1.1.0")
			p.push("NEW", "a:1.1.0")
			test.make(p)
			if got := p.updated(vendorer.UpdateOptions{}); string(got.ManifestDigest) != p.names["NEW"] {
				t.Errorf("%s: %+v", test.name, got)
			}
		}
	}
}

// A removed version tag is an error without a newer version, and any other registry
// failure always is.
func TestFollowGone(t *testing.T) {
	p := newProject(t)
	p.push("OLD", "a:1.0.0")
	p.packs(`a = "$REG/a:1.0.0@$OLD"`)
	p.mustRun()
	p.push("NEW", "a:2.0.0")
	p.must(p.reg.Delete("a", "1.0.0"))
	err := p.fails(p.updates(), "$DIR/packs.toml:2: packs.a: cannot resolve $REG/a:1.0.0: GET https://$REG/v2/a/manifests/1.0.0: 404 not found or private: MANIFEST_UNKNOWN: manifest unknown")
	var registry *packfetch.RegistryError
	if !errors.As(err, &registry) || !registry.IsNotFound() {
		t.Errorf("error %v", err)
	}
	p.push("NEW", "a:1.1.0")
	p.inject("status", "/v2/a/manifests/1.0.0", "403")
	p.fails(p.updates(), "$DIR/packs.toml:2: packs.a: cannot resolve $REG/a:1.0.0: GET https://$REG/v2/a/manifests/1.0.0: 403 Forbidden: DENIED: forbidden")
	p.inject()
	p.must(p.updates()())
	p.wantPack("a", "$NEW_LAYER")

	// Nor does an update take anything if the tags cannot be listed.
	p.push("NEWER", "a:1.2.0")
	p.inject("status", "/v2/a/tags/list", "404")
	err = p.fails(p.updates(), "$DIR/packs.toml:2: packs.a: cannot list the tags of $REG/a: GET https://$REG/v2/a/tags/list: 404 not found or private: MANIFEST_UNKNOWN: not found")
	if !errors.As(err, &registry) {
		t.Errorf("error %v", err)
	}
}

// A run lists the tags of a repository once, even for concurrent packs.
func TestFollowListsOnce(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:1.0.0")
	var entries []string
	for _, name := range strings.Fields("a b c d e f g h") {
		entries = append(entries, name+` = { ref = "$REG/a", version = "^1" }`)
	}
	p.packs(entries...)
	p.mustRun()
	p.push("B", "a:1.1.0")
	for range 10 {
		p.reg.ResetRequests()
		p.must(p.updatesWith(vendorer.UpdateOptions{DryRun: true})())
		lists := 0
		for _, r := range p.reg.Requests() {
			if strings.Contains(r.Path, "/tags/") {
				lists++
			}
		}
		if lists != 1 {
			t.Fatalf("%d lists of tags", lists)
		}
	}
}

// An inconsistent entry proves nothing about a tag: it is locked again, and its tag
// does not count as pushed again.
func TestFollowLie(t *testing.T) {
	for _, tag := range []string{"2.0.0", "1.0.0-rc.1", "stable", "9.9.9"} {
		for _, named := range []string{"", "a"} {
			p := newProject(t)
			p.push("A", "a:1.0.0")
			p.push("B", "a")
			p.tags("a", "B", "2.0.0", "1.0.0-rc.1", "stable")
			p.packs(`a = { ref = "$REG/a", version = "^1" }`)
			p.mustRun()
			lock := p.read("app/packs.lock")
			p.replace("app/packs.lock", `tag = "1.0.0"`, `tag = "`+tag+`"`)
			p.fails(p.runs(), "$DIR/packs.lock:4: a: tag is "+tag+", but version is ^1")
			p.must(p.updates(strings.Fields(named)...)())
			p.wantFile("app/packs.lock", lock)
			p.wantEvents()
		}
	}
}

// A stale entry is stale in an update, too, and reported, whatever the cache proves.
func TestFollowStale(t *testing.T) {
	for _, targets := range [][]vendorer.Target{nil, {{Name: "a"}}} {
		p := newProject(t)
		p.push("A", "a:1.0.0")
		p.push("B", "a:2.0.0")
		p.packs(`a = { ref = "$REG/a", version = "^1" }`)
		p.mustRun()
		p.push("A2", "a:1.0.0") // no request follows
		p.packs(`a = { ref = "$REG/a", version = "^2" }`)
		p.coldCache()
		got := p.updated(vendorer.UpdateOptions{Targets: targets})
		p.wantEvents("vendorer.StaleEntry{Name:a Locked:$REG/a version ^1 Configured:$REG/a version ^2}")
		if got.Tag != "2.0.0" || got.Before.Tag != "1.0.0" {
			t.Errorf("report %+v", got)
		}
	}
}
