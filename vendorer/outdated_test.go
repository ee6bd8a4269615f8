package vendorer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// outdated returns Outdated's result as text: a line a pack, with names for digests.
func (p *project) outdated() (string, error) {
	p.t.Helper()
	before := p.snapshot(true)
	outlooks, err := vendorer.Outdated(context.Background(), p.options)
	if p.snapshot(true) != before {
		p.t.Error("outdated wrote")
	}
	var b strings.Builder
	for _, o := range outlooks {
		fmt.Fprintf(&b, "%s %s: %s, %s, %s", o.Name, strings.TrimPrefix(o.Ref+" "+o.Version, p.names["REG"]), p.mark(o.Now), p.mark(o.Update), p.mark(o.Newest))
		if o.IsOutdated {
			b.WriteString(", outdated")
		}
		b.WriteByte('\n')
	}
	return b.String(), err
}

// mark writes a TaggedDigest as TAG@NAME; NAME was pushed last with that digest.
func (p *project) mark(m vendorer.TaggedDigest) string {
	name := ""
	for n, digest := range p.names {
		if m.Digest != "" && digest == string(m.Digest) {
			name = "@" + n
		}
	}
	if m == (vendorer.TaggedDigest{}) {
		return "-"
	}
	return m.Tag + name
}

// Outdated finds the present and newer versions by the form of the reference.
func TestOutdated(t *testing.T) {
	for _, test := range []struct{ name, entry, newer, want string }{
		{"digest", `"$REG/a@$OLD"`, "2.0.0 stable", "a /a@$OLD : @OLD, @OLD, -"},
		{"nothing newer", `"$REG/a:1.0.0@$OLD"`, "", "a /a:1.0.0@$OLD : 1.0.0@OLD, 1.0.0@OLD, 1.0.0@OLD"},
		{"newer version", `"$REG/a:1.0.0@$OLD"`, "1.1.0", "a /a:1.0.0@$OLD : 1.0.0@OLD, 1.1.0@NEW, 1.1.0@NEW, outdated"},
		{"newest version", `"$REG/a:1.0.0@$OLD"`, "2.0.0 3.0.0-rc.1", "a /a:1.0.0@$OLD : 1.0.0@OLD, 1.0.0@OLD, 2.0.0@NEW, outdated"},
		{"both", `"$REG/a:1.0.0@$OLD"`, "1.1.0 2.0.0", "a /a:1.0.0@$OLD : 1.0.0@OLD, 1.1.0@NEW, 2.0.0@NEW, outdated"},
		{"other tag, the same", `"$REG/a:stable@$OLD"`, "2.0.0", "a /a:stable@$OLD : stable@OLD, stable@OLD, stable@OLD"},
		{"other tag, moved", `"$REG/a:stable@$OLD"`, "stable", "a /a:stable@$OLD : stable@OLD, stable@NEW, stable@NEW, outdated"},
		{"allowed tag, the same", `{ ref = "$REG/a:stable", allow_tags = true }`, "2.0.0", "a /a:stable : stable@OLD, stable@OLD, stable@OLD"},
		{"allowed tag, moved", `{ ref = "$REG/a:stable", allow_tags = true }`, "stable", "a /a:stable : stable@OLD, stable@NEW, stable@NEW, outdated"},
		{"allowed version tag", `{ ref = "$REG/a:1.0.0", allow_tags = true }`, "1.1.0", "a /a:1.0.0 : 1.0.0@OLD, 1.0.0@OLD, 1.1.0"},
		{"range, nothing newer", `{ ref = "$REG/a", version = "^1" }`, "1.1.0-rc.1", "a /a ^1: 1.0.0@OLD, 1.0.0@OLD, 1.0.0@OLD"},
		{"range, newer in it", `{ ref = "$REG/a", version = "^1" }`, "1.1.0", "a /a ^1: 1.0.0@OLD, 1.1.0@NEW, 1.1.0@NEW, outdated"},
		{"range, newer beside it", `{ ref = "$REG/a", version = "^1" }`, "2.0.0", "a /a ^1: 1.0.0@OLD, 1.0.0@OLD, 2.0.0"},
		{"range, both", `{ ref = "$REG/a", version = "^1" }`, "1.1.0 2.0.0", "a /a ^1: 1.0.0@OLD, 1.1.0@NEW, 2.0.0, outdated"},
		{"range of an older version", `{ ref = "$REG/a", version = "<=1.0.0" }`, "0.9.0", "a /a <=1.0.0: 1.0.0@OLD, 1.0.0@OLD, 1.0.0@OLD"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProject(t)
			p.push("OLD", "a:stable")
			p.tags("a", "OLD", "1.0.0")
			p.packs("a = " + test.entry)
			p.mustRun()
			p.push("NEW", "a")
			p.tags("a", "NEW", strings.Fields(test.newer)...)
			got, err := p.outdated()
			p.must(err)
			if want := p.expand(test.want) + "\n"; got != want {
				t.Errorf("got  %swant %s", got, want)
			}
			// It agrees with an update.
			p.must(p.updates()())
			isUpdate := !strings.Contains(got, "1.0.0@OLD, 1.0.0@OLD") && strings.Contains(got, ", outdated")
			if moved := strings.Contains(p.read("app/packs.lock"), p.names["NEW"]); moved != isUpdate {
				t.Errorf("%s, and an update moves it: %v", got, moved)
			}
		})
	}
}

// A pack has no present digest if it is neither pinned nor locked, or if its entry is
// stale or inconsistent.
func TestOutdatedUnlocked(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:1.0.0")
	p.tags("a", "A", "stable")
	p.packs(`a = { ref = "$REG/a", version = "^1" }`, `b = { ref = "$REG/a:stable", allow_tags = true }`, `c = "$REG/a:1.0.0@$A"`)
	none := "a /a ^1: -, 1.0.0@A, 1.0.0@A, outdated\nb /a:stable : -, stable@A, stable@A, outdated\n"
	pinned := p.expand("c /a:1.0.0@$A : 1.0.0@A, 1.0.0@A, 1.0.0@A\n")
	want := func(want string) {
		t.Helper()
		got, err := p.outdated()
		p.must(err)
		if got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	}
	want(none + pinned)
	p.mustRun()
	want("a /a ^1: 1.0.0@A, 1.0.0@A, 1.0.0@A\nb /a:stable : stable@A, stable@A, stable@A\n" + pinned)
	p.replace("app/packs.lock", `tag = "1.0.0"`, `tag = "2.0.0"`)
	p.replace("app/packs.lock", `tag = "stable"`, `tag = "latest"`)
	want(none + pinned)
	p.remove("app/packs.lock")
	p.mustRun()
	p.packs(`a = { ref = "$REG/a", version = "1.x" }`, `b = { ref = "oci://$REG/a:stable", allow_tags = true }`, `c = "$REG/a:1.0.0@$A"`)
	got, err := p.outdated()
	p.must(err)
	if strings.Count(got, ": -, ") != 2 {
		t.Errorf("got\n%s", got)
	}
}

// Failed packs do not hide the others, and all failures are reported.
func TestOutdatedFails(t *testing.T) {
	p := newProject(t)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		p.push(strings.ToUpper(name), name+":1.0.0")
	}
	p.packs(`a = "$REG/a:1.0.0@$A"`, `b = "$REG/b:1.0.0@$B"`, `c = { ref = "$REG/c:1.0.0", allow_tags = true }`, `d = { ref = "$REG/d", version = "^1" }`, `e = "$REG/e@$E"`)
	p.mustRun()
	p.push("A2", "a:1.1.0")
	p.names["WAS"] = p.names["B"]
	p.push("B2", "b:1.0.0")
	p.push("B3", "b:1.1.0")
	p.must(p.reg.Delete("c", "1.0.0"))
	p.push("D2", "d:2.0.0")
	p.must(p.reg.Delete("d", "1.0.0"))
	got, err := p.outdated()
	if want := p.expand("a /a:1.0.0@$A : 1.0.0@A, 1.1.0@A2, 1.1.0@A2, outdated\ne /e@$E : @E, @E, -\n"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	want := p.expand("$DIR/packs.toml:3: packs.b: version tag 1.0.0 was pushed again\n\tlocked: $WAS\n\tnow:    $B2\n" +
		"$DIR/packs.toml:4: packs.c: cannot resolve $REG/c:1.0.0: GET https://$REG/v2/c/manifests/1.0.0: 404 not found or private: MANIFEST_UNKNOWN: manifest unknown\n" +
		"$DIR/packs.toml:5: packs.d: $REG/d has no version tag in the range \"^1\", the newest is 2.0.0")
	if err == nil || err.Error() != want {
		t.Errorf("got error:\n%v\nwant:\n%s", err, want)
	}
}

// An unreadable newest version is an error, and so is a failed listing of tags.
func TestOutdatedLatestFails(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:1.0.0")
	p.packs(`a = "$REG/a:1.0.0@$A"`)
	p.mustRun()
	p.push("B", "a:2.0.0")
	p.inject("status", "/v2/a/manifests/2.0.0", "403")
	got, err := p.outdated()
	var registry *packfetch.RegistryError
	if got != "" || !errors.As(err, &registry) || registry.Status != 403 {
		t.Errorf("got %q, %v", got, err)
	}
	p.packs(`a = { ref = "$REG/a:1.0.0", allow_tags = true }`)
	p.inject("status", "/v2/a/tags/list", "405")
	got, err = p.outdated()
	if got != "" || !errors.As(err, &registry) || registry.Status != 405 {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestOutdatedOffline(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:1.0.0")
	p.packs(`a = "$REG/a:1.0.0@$A"`, `b = "$REG/a@$A"`, `c = { ref = "$REG/a", version = "^1" }`)
	p.mustRun()
	p.options.Offline = true
	p.reg.ResetRequests()
	got, err := p.outdated()
	if want := p.expand("b /a@$A : @A, @A, -\n"); got != want {
		t.Errorf("got %swant %s", got, want)
	}
	var offline *packfetch.OfflineError
	if !errors.As(err, &offline) || err.Error() != "outdated needs the network, which is off" {
		t.Errorf("got error:\n%v", err)
	}
	p.wantRequests()
}

// A failed start or an interrupt returns nil packs.
func TestOutdatedNothing(t *testing.T) {
	p := newVendored(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if outlooks, err := vendorer.Outdated(ctx, p.options); outlooks != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v, %v", outlooks, err)
	}
	p.packs(`a = "nonsense"`)
	if outlooks, err := vendorer.Outdated(context.Background(), p.options); outlooks != nil || err == nil {
		t.Errorf("broken: %v, %v", outlooks, err)
	}
	p.packs()
	if outlooks, err := vendorer.Outdated(context.Background(), p.options); outlooks == nil || len(outlooks) > 0 || err != nil {
		t.Errorf("no packs: %v, %v", outlooks, err)
	}
}
