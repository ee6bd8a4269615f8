package vendorer_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/vendorer"
)

// addsAll adds packs, and expands their references.
func (p *project) addsAll(additions ...vendorer.Addition) func() error {
	return func() error {
		p.events = nil
		for i := range additions {
			additions[i].Reference = p.expand(additions[i].Reference)
		}
		_, err := vendorer.Add(context.Background(), p.options, vendorer.AddOptions{Packs: additions})
		return err
	}
}

// An addition keeps or sets the form of a pack in packs.toml.
func TestAddForms(t *testing.T) {
	forms := map[string]string{
		"nothing":       "",
		"a string":      `a = "$REG/b:1@$ZERO"`,
		"an allowed":    `a = { ref = "$REG/b:1", allow_tags = true }`,
		"a range":       `a = { ref = "$REG/b", version = "^1" }`,
		"more than ref": `a = { go_name = "Alpha", ref = "$REG/b:1@$ZERO" } # ours`,
	}
	for _, test := range []struct {
		name     string
		addition vendorer.Addition
		want     map[string]string
	}{
		{"pin", vendorer.Addition{Reference: "$REG/a:1.0.0"}, map[string]string{
			"nothing":       `a = "$REG/a:1.0.0@$A"`,
			"a string":      `a = "$REG/a:1.0.0@$A"`,
			"an allowed":    `a = { ref = "$REG/a:1.0.0", allow_tags = true }`,
			"a range":       `a = { ref = "$REG/a:1.0.0@$A" }`,
			"more than ref": `a = { go_name = "Alpha", ref = "$REG/a:1.0.0@$A" } # ours`,
		}},
		{"newest version", vendorer.Addition{Reference: "oci://$REG/a", Pin: true}, map[string]string{
			"nothing": `a = "$REG/a:1.1.0@$B"`,
			"a range": `a = { ref = "$REG/a:1.1.0@$B" }`,
		}},
		{"newest version, form kept", vendorer.Addition{Reference: "$REG/a"}, map[string]string{
			"nothing":  `a = "$REG/a:1.1.0@$B"`,
			"a string": `a = "$REG/a:1.1.0@$B"`,
			"a range":  `a = { ref = "$REG/a", version = "^1" }`,
		}},
		{"range", vendorer.Addition{Reference: "$REG/a", Version: "~1.0"}, map[string]string{
			"nothing":       `a = { ref = "$REG/a", version = "~1.0" }`,
			"a string":      `a = { ref = "$REG/a", version = "~1.0" }`,
			"an allowed":    `a = { ref = "$REG/a", version = "~1.0" }`,
			"a range":       `a = { ref = "$REG/a", version = "~1.0" }`,
			"more than ref": `a = { go_name = "Alpha", ref = "$REG/a", version = "~1.0" } # ours`,
		}},
		{"tag", vendorer.Addition{Reference: "$REG/a:1.0.0", AllowTags: true}, map[string]string{
			"nothing":       `a = { ref = "$REG/a:1.0.0", allow_tags = true }`,
			"a string":      `a = { ref = "$REG/a:1.0.0", allow_tags = true }`,
			"an allowed":    `a = { ref = "$REG/a:1.0.0", allow_tags = true }`,
			"a range":       `a = { ref = "$REG/a:1.0.0", allow_tags = true }`,
			"more than ref": `a = { go_name = "Alpha", ref = "$REG/a:1.0.0", allow_tags = true } # ours`,
		}},
	} {
		for form, want := range test.want {
			t.Run(test.name+" for "+form, func(t *testing.T) {
				p := newProject(t)
				p.push("A", "a:1.0.0")
				p.push("B", "a:1.1.0")
				p.packs(forms[form])
				test.addition.Name = "a" // the name of another repository's pack
				p.must(p.addsAll(test.addition)())
				if got := p.expand("[packs]\n" + want + "\n"); strings.TrimSpace(p.read("app/packs.toml")) != strings.TrimSpace(got) {
					t.Errorf("got\n%swant\n%s", p.read("app/packs.toml"), got)
				}
				layer := "$A_LAYER"
				if strings.HasPrefix(test.name, "newest version") {
					layer = "$B_LAYER"
				}
				p.wantPack("a", layer)
				p.wantNothingWritten()
				p.wantFound(true)
			})
		}
	}
}

// Add takes the newest version of a repository: a pre-release only without others.
func TestAddNewest(t *testing.T) {
	for _, test := range []struct{ tags, want string }{
		{"1.9.0 1.10.0 2.0.0-rc.1 latest 3 4.0", "1.10.0"},
		{"v1.0.0 1.0.0", "1.0.0"},
		{"0.0.1 v0.0.2", "v0.0.2"},
		{"1.0.0-rc.2 1.0.0-rc.10 stable", "1.0.0-rc.10"},
	} {
		p := newProject(t)
		p.write("app/packs.toml", "[packs]\n")
		p.push("A", "a")
		p.tags("a", "A", strings.Fields(test.tags)...)
		p.must(p.adds("a", "$REG/a")())
		p.wantFile("app/packs.toml", "[packs]\na = \"$REG/a:"+test.want+"@$A\"\n")
	}
}

// Contradictory additions are refused before any request, all at once.
func TestAddRefused(t *testing.T) {
	p := newVendored(t)
	p.reg.ResetRequests()
	for _, test := range []struct {
		additions []vendorer.Addition
		want      string
	}{
		{[]vendorer.Addition{{Reference: "$REG/b:1", Version: "^1"}}, "$REG/b:1 has a tag or digest, which a version range excludes"},
		{[]vendorer.Addition{{Reference: "$REG/b@$A", Version: "^1"}}, "$REG/b@$A has a tag or digest, which a version range excludes"},
		{[]vendorer.Addition{{Reference: "$REG/b", Version: "^1", AllowTags: true}}, "$REG/b cannot follow a range and a tag"},
		{[]vendorer.Addition{{Reference: "$REG/b:1@$A", AllowTags: true}}, "$REG/b:1@$A has a digest: it is a pin, and needs no tag allowed"},
		{[]vendorer.Addition{{Reference: "$REG/b", AllowTags: true}}, "$REG/b has no tag that could be allowed"},
		{[]vendorer.Addition{{Reference: "$REG/x/b:1"}, {Reference: "$REG/y/b:1"}}, "$REG/y/b:1 would be packs.b, as $REG/x/b:1 would: name it"},
		{[]vendorer.Addition{{Reference: "$REG/b", AllowTags: true}, {Reference: "?"}}, "$REG/b has no tag that could be allowed\ninvalid reference \"?\": no registry host: write host/repository, like ghcr.io/owner/name"},
	} {
		err := p.fails(p.addsAll(test.additions...), test.want)
		var addition *vendorer.UsageError
		if !errors.As(err, &addition) || addition.Subject == "" || addition.Reason == "" {
			t.Errorf("error %+v", addition)
		}
	}
	err := p.fails(p.addsAll(vendorer.Addition{Reference: "$REG/b", Version: "newest"}), `$DIR/packs.toml: cannot set packs.b: version "newest" is not a range of versions such as ^0.4`)
	var edit *vendorer.EditError
	if !errors.As(err, &edit) {
		t.Errorf("error %v", err)
	}
	p.wantRequests()
}

// One refused addition refuses them all.
func TestAddSeveral(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:1.0.0")
	p.push("B", "b:latest")
	p.write("app/packs.toml", "[packs]\n")
	both := []vendorer.Addition{{Reference: "$REG/a"}, {Reference: "$REG/b"}, {Reference: "$REG/c:1"}}
	p.fails(p.addsAll(both...), "b: $REG/b has no version tag, but latest: name a tag or a digest\n"+
		"c: cannot resolve $REG/c:1: GET https://$REG/v2/c/manifests/1: 404 not found or private: NAME_UNKNOWN: repository name not known to registry")
	both = []vendorer.Addition{{Reference: "$REG/b:latest"}, {Name: "z", Reference: "$REG/a"}, {Reference: "$REG/a@$A"}}
	p.must(p.addsAll(both...)())
	p.wantFile("app/packs.toml", "[packs]\na = \"$REG/a@$A\"\nb = \"$REG/b:latest@$B\"\nz = \"$REG/a:1.0.0@$A\"\n")
	p.wantFound(true)
}

// A pack that is added again is resolved again, whatever is locked.
func TestAddAgain(t *testing.T) {
	for _, addition := range []vendorer.Addition{{Reference: "$REG/a", Version: "^1"}, {Reference: "$REG/a:stable", AllowTags: true}, {Reference: "$REG/a:stable"}} {
		p := newProject(t)
		p.push("OLD", "a:1.0.0")
		p.push("OLD", "a:stable")
		p.must(p.addsAll(addition)())
		p.push("NEW", "a:1.1.0")
		p.push("NEW", "a:stable")
		p.wantNothingWritten()
		p.wantPack("a", "$OLD_LAYER")
		p.must(p.addsAll(addition)())
		p.wantPack("a", "$NEW_LAYER")
	}
}
