package vendorer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// Update moves a pack by the form of its reference. The tag first leads to $OLD, which
// is vendored, then to $NEW.
func TestUpdateForms(t *testing.T) {
	for _, test := range []struct {
		name, entry string
		moved       string // the entry after update
		lock        bool   // packs.lock changes
		refused     bool   // unless accepted
	}{
		{"digest", `"$REG/a@$OLD"`, `"$REG/a@$OLD"`, false, false},
		{"tag and digest", `"$REG/a:stable@$OLD"`, `"$REG/a:stable@$NEW"`, true, false},
		{"tag and digest, oci://", `"oci://$REG/a:stable@$OLD"`, `"oci://$REG/a:stable@$NEW"`, true, false},
		{"tag and digest, other keys", `{ go_name = "Alpha", ref = '$REG/a:stable@$OLD' } # note`, `{ go_name = "Alpha", ref = '$REG/a:stable@$NEW' } # note`, true, false},
		{"tag", `{ ref = "$REG/a:stable", allow_tags = true }`, `{ ref = "$REG/a:stable", allow_tags = true }`, true, false},
		{"version tag and digest", `"$REG/a:v1.2.3@$OLD"`, `"$REG/a:v1.2.3@$NEW"`, true, true},
		{"version tag", `{ ref = "$REG/a:1.2.3-rc.1", allow_tags = true }`, `{ ref = "$REG/a:1.2.3-rc.1", allow_tags = true }`, true, true},
		{"no version tag", `"$REG/a:1.2@$OLD"`, `"$REG/a:1.2@$NEW"`, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProject(t)
			p.push("OLD", "a")
			tags := []string{"stable", "v1.2.3", "1.2.3-rc.1", "1.2"}
			for _, tag := range tags {
				p.push("OLD", "a:"+tag)
			}
			p.packs("a = " + test.entry)
			p.mustRun()
			noMove := p.snapshot(true)
			p.must(p.updates()())
			if p.snapshot(true) != noMove {
				t.Error("an update with nothing new wrote")
			}
			for _, tag := range tags {
				p.push("NEW", "a:"+tag)
			}
			if test.refused {
				tag, _, _ := strings.Cut(strings.TrimPrefix(test.entry[strings.Index(test.entry, "a:")+2:], "a:"), "@")
				tag, _, _ = strings.Cut(tag, `"`)
				err := p.fails(p.updates(), "$DIR/packs.toml:2: packs.a: version tag "+tag+" was pushed again\n\tlocked: $OLD\n\tnow:    $NEW")
				var retag *vendorer.RetagError
				if !errors.As(err, &retag) || retag.Tag != tag {
					t.Errorf("error %#v", err)
				}
			}
			report, err := vendorer.Update(context.Background(), p.options, vendorer.UpdateOptions{Targets: []vendorer.Target{{Name: "a"}}, AcceptRetag: test.refused})
			p.must(err)
			p.wantFile("app/packs.toml", "[packs]\na = "+test.moved+"\n")
			want := "$OLD"
			if test.lock {
				want = "$NEW"
			}
			p.wantPack("a", want+"_LAYER")
			if got := report.Packs[0]; string(got.ManifestDigest) != p.expand(want) || string(got.Before.ManifestDigest) != p.expand("$OLD") {
				t.Errorf("report %+v", got)
			}
			p.wantNothingWritten()
			p.wantFound(true)
		})
	}
}

// One refused pack stops the update of all, and all failures are reported.
func TestUpdateAllOrNothing(t *testing.T) {
	p := newProject(t)
	var entries []string
	for _, name := range []string{"a", "b", "c", "d"} {
		tag := map[string]string{"a": "stable", "b": "1.0.0", "c": "stable", "d": "2.0.0"}[name]
		p.push("OLD"+name, name+":"+tag)
		entries = append(entries, fmt.Sprintf(`%s = "$REG/%s:%s@$OLD%s"`, name, name, tag, name))
	}
	p.packs(entries...)
	p.mustRun()
	for name, tag := range map[string]string{"a": "stable", "b": "1.0.0", "c": "stable", "d": "2.0.0"} {
		p.push("NEW", name+":"+tag)
	}
	p.must(p.reg.Delete("c", p.names["NEW"]))
	p.fails(p.updates(), "$DIR/packs.toml:3: packs.b: version tag 1.0.0 was pushed again\n\tlocked: $OLDb\n\tnow:    $NEW\n"+
		"$DIR/packs.toml:4: packs.c: cannot resolve $REG/c:stable: GET https://$REG/v2/c/manifests/stable: 404 not found or private: MANIFEST_UNKNOWN: manifest unknown\n"+
		"$DIR/packs.toml:5: packs.d: version tag 2.0.0 was pushed again\n\tlocked: $OLDd\n\tnow:    $NEW")
	p.must(p.updates("a")())
	p.wantPack("a", "$NEW_LAYER")
	p.wantPack("b", "$OLDb_LAYER")
}

func TestUpdateUnknown(t *testing.T) {
	p := newProject(t)
	p.push("A", "a")
	p.packs(`messaging = "$REG/a@$A"`)
	p.mustRun()
	err := p.fails(p.updates("mesaging", "x", "messaging"), "$DIR/packs.toml has no pack \"mesaging\", did you mean \"messaging\"?\n$DIR/packs.toml has no pack \"x\"")
	var unknown *vendorer.UnknownPackError
	if !errors.As(err, &unknown) || unknown.Name != "mesaging" || unknown.Near != "messaging" {
		t.Errorf("error %+v", unknown)
	}
	p.fails(p.updates("\x1b[1m"), `$DIR/packs.toml has no pack "\x1b[1m"`)
}

func TestUpdateOffline(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:stable")
	p.packs(`a = "$REG/a:stable@$A"`)
	p.mustRun()
	p.options.Offline = true
	p.reg.ResetRequests()
	err := p.fails(p.updates(), "update needs the network, which is off")
	var offline *packfetch.OfflineError
	if !errors.As(err, &offline) {
		t.Errorf("error is a %T", err)
	}
	p.wantRequests()
	p.packs(`a = "$REG/a@$A"`) // never moves: no requests
	p.must(p.updates()())
}

// Update resolves unlocked and stale packs like any run.
func TestUpdateUnlocked(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:stable")
	p.packs(`a = { ref = "$REG/a:stable", allow_tags = true }`, `b = "$REG/a:stable@$A"`)
	p.must(p.updates()())
	p.wantFound(true)
	p.push("B", "a:next")
	p.packs(`a = { ref = "$REG/a:next", allow_tags = true }`, `b = "$REG/a:stable@$A"`)
	p.must(p.updates("b")())
	p.wantPack("a", "$B_LAYER")
}

// A tag of an index is followed by the index's digest.
func TestUpdateIndex(t *testing.T) {
	p := newProject(t)
	p.pushIndex("OLD", "a:stable", p.push("A", "a"))
	p.packs(`a = { ref = "$REG/a:stable", allow_tags = true }`, `b = "$REG/a:stable@$OLD"`)
	p.mustRun()
	before := p.snapshot(true)
	p.must(p.updates()())
	if p.snapshot(true) != before {
		t.Error("an update with nothing new wrote")
	}
	p.pushIndex("NEW", "a:stable", p.push("B", "a"))
	p.must(p.updates()())
	p.wantPack("a", "$B_LAYER")
	p.wantPack("b", "$B_LAYER")
	p.wantFile("app/packs.toml", "[packs]\na = { ref = \"$REG/a:stable\", allow_tags = true }\nb = \"$REG/a:stable@$NEW\"\n")
	if !strings.Contains(p.read("app/packs.lock"), p.expand("index_digest = \"$NEW\"\nmanifest_digest = \"$B\"")) {
		t.Errorf("packs.lock:\n%s", p.read("app/packs.lock"))
	}
	p.wantFound(true)
}

func TestAdd(t *testing.T) {
	p := newProject(t)
	p.push("A", "greentic/state-redis:1.2.0")
	p.write("app/packs.toml", "# mine\n[packs] # all\n")
	p.must(p.adds("", "$REG/greentic/state-redis:1.2.0")())
	p.wantFile("app/packs.toml", "# mine\n[packs] # all\nstate-redis = \"$REG/greentic/state-redis:1.2.0@$A\"\n")
	p.wantPack("state-redis", "$A_LAYER")
	p.wantRequests("GET /v2/greentic/state-redis/manifests/1.2.0", "GET /v2/greentic/state-redis/blobs/$A_LAYER")
	p.wantEvents()
	p.wantNothingWritten()
	p.wantFound(true)

	// A second time, nothing is written.
	before := p.snapshot(true)
	p.must(p.adds("", "oci://$REG/greentic/state-redis:1.2.0")())
	if p.snapshot(true) != before {
		t.Error("adding what is there wrote")
	}

	// Another reference under the same name keeps the other keys.
	p.packs(`r = { go_name = "Redis", ref = "$REG/greentic/state-redis:1.2.0@$A" }`)
	p.push("B", "greentic/state-redis:1.3.0")
	p.must(p.adds("r", "$REG/greentic/state-redis:1.3.0@$B")())
	p.wantFile("app/packs.toml", "[packs]\nr = { go_name = \"Redis\", ref = \"$REG/greentic/state-redis:1.3.0@$B\" }\n")
	p.wantPack("r", "$B_LAYER")

	// A digest without a tag works, too.
	p.must(p.adds("c", "$REG/greentic/state-redis@$A")())
	p.wantPack("c", "$A_LAYER")

	// The pin is the given digest, wherever the tag leads.
	p.must(p.adds("d", "$REG/greentic/state-redis:1.3.0@$A")())
	p.wantPack("d", "$A_LAYER")
	p.wantEvents("vendorer.TagMoved{Name:d Ref:$REG/greentic/state-redis:1.3.0@$A Pinned:$A Now:$B}")
}

func TestAddFails(t *testing.T) {
	p := newVendored(t)
	for _, test := range []struct{ name, ref, want string }{
		{"b", "nonsense", `invalid reference "nonsense": no registry host: write host/repository, like ghcr.io/owner/name`},
		{"b", "$REG/a", "b: $REG/a has no version tag, but stable: name a tag or a digest"},
		{"b", "$REG/a:none", "b: cannot resolve $REG/a:none: GET https://$REG/v2/a/manifests/none: 404 not found or private: MANIFEST_UNKNOWN: manifest unknown\n\ttags that are there: stable"},
		{"b", "$REG/a@$ZERO", "b: cannot resolve $REG/a@$ZERO: GET https://$REG/v2/a/manifests/$ZERO: 404 not found or private: MANIFEST_UNKNOWN: manifest unknown"},
		{"pack", "$REG/a:stable", "pack: Go name Pack is taken: add the pack under another name"},
	} {
		p.fails(p.adds(test.name, test.ref), test.want)
	}
	for _, name := range []string{"B", "con", "a/b", strings.Repeat("x", 300)} {
		p.reg.ResetRequests()
		before := p.snapshot(false)
		err := p.adds(name, "$REG/a:stable")()
		var edit *vendorer.EditError
		if !errors.As(err, &edit) || !strings.HasPrefix(err.Error(), p.expand("$DIR/packs.toml: cannot set packs.")) {
			t.Errorf("%s: error %v", name, err)
		}
		if p.snapshot(false) != before {
			t.Errorf("%s: files changed", name)
		}
		p.wantRequests() // names are checked before any network
	}
	p.remove("app/packs.toml")
	p.fails(p.adds("b", "$REG/a:stable"), "$DIR/packs.toml: no such file")
}

// Add pins one pack; others without a pin stay as they are locked, or stay out.
func TestAddLeavesOut(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:stable")
	p.packs(`a = { ref = "$REG/a:stable", allow_tags = true }`)
	p.mustRun()
	p.push("B", "b:stable")
	p.packs(`a = "$REG/a:stable"`, `b = "$REG/b:stable"`, `c = "$REG/b:stable"`)
	p.must(p.adds("b", "$REG/b:stable")())
	p.wantEvents("vendorer.LeftOut{Name:a Ref:$REG/a:stable}", "vendorer.LeftOut{Name:c Ref:$REG/b:stable}")
	p.wantFile("app/packs.toml", "[packs]\na = \"$REG/a:stable\"\nb = \"$REG/b:stable@$B\"\nc = \"$REG/b:stable\"\n")
	p.wantPack("a", "$A_LAYER")
	p.wantPack("b", "$B_LAYER")
	p.wantAbsent("app/packs/c.gtpack")

	// Then the others, one by one, and all is well.
	p.must(p.adds("a", "$REG/a:stable")())
	p.wantEvents("vendorer.LeftOut{Name:c Ref:$REG/b:stable}")
	p.must(p.adds("c", "$REG/b:stable")())
	p.wantEvents()
	p.wantFound(true)

	// Any other fault of packs.toml is an error here too.
	p.packs(`a = "$REG/a:stable"`, `b = "$REG/b"`)
	p.fails(p.adds("a", "$REG/a:stable"), `$DIR/packs.toml:2: packs.a: "$REG/a:stable" is a tag, not a pin: tags can move`+"\n"+`$DIR/packs.toml:3: packs.b: "$REG/b" has neither tag nor digest: add one, or a version`)
}

func TestFetch(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:stable")
	t.Chdir(t.TempDir()) // no project is near
	fetch := func(reference string, o vendorer.FetchOptions) (packfetch.Result, error) {
		p.events = nil
		return vendorer.Fetch(context.Background(), p.options, o, p.expand(reference))
	}
	result, err := fetch("$REG/a@$A", vendorer.FetchOptions{})
	p.must(err)
	if !result.FetchedFromNetwork || result.ResolvedDigest != p.names["A"] || result.Path != p.options.CacheDir+"/"+p.names["A"][7:]+"/pack.gtpack" {
		t.Errorf("result %+v", result)
	}
	_, err = fetch("$REG/a:stable", vendorer.FetchOptions{})
	var tag *packfetch.TagDisallowedError
	if !errors.As(err, &tag) {
		t.Errorf("error %v", err)
	}
	result, err = fetch("$REG/a:stable", vendorer.FetchOptions{AllowTags: true})
	p.must(err)
	if result.FetchedFromNetwork || result.ResolvedDigest != p.names["A"] {
		t.Errorf("result %+v", result)
	}
	_, err = fetch("$REG/a@$A", vendorer.FetchOptions{InsecureRegistries: []string{"a/b"}})
	var option *packfetch.OptionError
	if !errors.As(err, &option) {
		t.Errorf("error %v", err)
	}
	_, err = fetch("$REG/a@sha512:00", vendorer.FetchOptions{})
	var syntax *packfetch.InvalidReferenceError
	if !errors.As(err, &syntax) {
		t.Errorf("error %v", err)
	}

	// Events are passed on.
	p.must(corrupt(result.Path))
	_, err = fetch("$REG/a@$A", vendorer.FetchOptions{})
	p.must(err)
	if len(p.events) != 1 || !strings.HasPrefix(p.events[0], "fetch.CorruptEntry{") {
		t.Errorf("events %v", p.events)
	}

	// Without CacheDir the environment says where.
	p.options.CacheDir = ""
	elsewhere := t.TempDir()
	p.options.Getenv = func(key string) string { return map[string]string{"GREENTIC_PACK_CACHE_DIR": elsewhere}[key] }
	result, err = fetch("$REG/a@$A", vendorer.FetchOptions{})
	p.must(err)
	if !strings.HasPrefix(result.Path, elsewhere) || !slices.Equal(p.events, nil) {
		t.Errorf("result %+v, events %v", result, p.events)
	}
}
