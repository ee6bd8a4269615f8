package mirrors

import (
	"fmt"
	"strings"
	"testing"
)

// describe returns a plan, a line for each source.
func describe(p *Plan, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	var b strings.Builder
	line := func(kind string, s Source) {
		fmt.Fprintf(&b, "%s %s", kind, strings.Replace(s.Reference.Text(), digest, "DIGEST", 1))
		if s.AfterOrigin {
			b.WriteString(", after the origin")
		}
		if s.Insecure {
			b.WriteString(", insecure")
		}
		if s.Namespace != "" {
			b.WriteString(", ns=" + s.Namespace)
		}
		if s.Line > 0 {
			fmt.Fprintf(&b, ", %s:%d", s.File, s.Line)
		}
		b.WriteString("\n")
	}
	for _, s := range p.Sources {
		line(string(s.Role), s)
	}
	for _, s := range p.Blocked {
		line("blocked "+string(s.Role), s)
	}
	return b.String()
}

const pulls = `[[registry]]
location = "reg.example"
[[registry.mirror]]
location = "default.example/p"
[[registry.mirror]]
location = "all.example/p"
pull-from-mirror = "all"
[[registry.mirror]]
location = "digest.example/p"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tag.example/p"
pull-from-mirror = "tag-only"
[[registry.mirror]]
location = "second.example/p"
`

// The sources of a reference, in order: each line of the contract.
func TestPlan(t *testing.T) {
	for name, test := range map[string]struct{ text, ref, want string }{
		"no rule":                        {pulls, "other.example/a:1", "origin other.example/a:1\n"},
		"no rule, written with a scheme": {pulls, "oci://other.example/a:1", "origin oci://other.example/a:1\n"},
		"a rule without mirrors":         {"[[registry]]\nlocation = \"reg.example\"", "reg.example/a:1", "origin reg.example/a:1, f.conf:1\n"},
		"by digest, mirrors in order and then the origin": {pulls, "reg.example/a@" + digest, `mirror default.example/p/a@DIGEST, f.conf:3
mirror all.example/p/a@DIGEST, f.conf:5
mirror digest.example/p/a@DIGEST, f.conf:8
mirror second.example/p/a@DIGEST, f.conf:14
origin reg.example/a@DIGEST, f.conf:1
`},
		"by digest with a tag": {"[[registry]]\nlocation = \"reg.example\"\n[[registry.mirror]]\nlocation = \"m.example/p\"", "reg.example/a:1@" + digest, `mirror m.example/p/a:1@DIGEST, f.conf:3
origin reg.example/a:1@DIGEST, f.conf:1
`},
		"by tag, the origin before mirrors that do not ask for tags": {pulls, "reg.example/a:1", `mirror all.example/p/a:1, f.conf:5
mirror tag.example/p/a:1, f.conf:11
origin reg.example/a:1, f.conf:1
mirror default.example/p/a:1, after the origin, f.conf:3
mirror second.example/p/a:1, after the origin, f.conf:14
`},
		"the list of tags, as by tag": {pulls, "reg.example/a", `mirror all.example/p/a, f.conf:5
mirror tag.example/p/a, f.conf:11
origin reg.example/a, f.conf:1
mirror default.example/p/a, after the origin, f.conf:3
mirror second.example/p/a, after the origin, f.conf:14
`},
		"mirror-by-digest-only, by digest": {"[[registry]]\nlocation = \"reg.example\"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = \"m.example/p\"", "reg.example/a@" + digest, `mirror m.example/p/a@DIGEST, f.conf:4
origin reg.example/a@DIGEST, f.conf:1
`},
		"mirror-by-digest-only, by tag":      {"[[registry]]\nlocation = \"reg.example\"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = \"m.example/p\"", "reg.example/a:1", "origin reg.example/a:1, f.conf:1\n"},
		"a location replaces the origin":     {"[[registry]]\nprefix = \"reg.example/x\"\nlocation = \"in.example:5000/y/z\"", "reg.example/x/a/b:1", "location in.example:5000/y/z/a/b:1, f.conf:1\n"},
		"a location replaces the whole name": {"[[registry]]\nprefix = \"reg.example/x\"\nlocation = \"in.example/y\"", "reg.example/x@" + digest, "location in.example/y@DIGEST, f.conf:1\n"},
		"a location with mirrors, by digest": {"[[registry]]\nprefix = \"reg.example\"\nlocation = \"in.example\"\n[[registry.mirror]]\nlocation = \"m.example/p\"", "reg.example/a@" + digest, `mirror m.example/p/a@DIGEST, f.conf:4
location in.example/a@DIGEST, f.conf:1
`},
		"a location with mirrors, by tag": {"[[registry]]\nprefix = \"reg.example\"\nlocation = \"in.example\"\n[[registry.mirror]]\nlocation = \"m.example/p\"", "reg.example/a:1", `location in.example/a:1, f.conf:1
mirror m.example/p/a:1, after the origin, f.conf:4
`},
		"a location that is the origin in another spelling": {"[[registry]]\nprefix = \"reg.example\"\nlocation = \"REG.example:443\"", "oci://reg.example/a:1", "origin oci://REG.example:443/a:1, f.conf:1\n"},
		"a wildcard without a location": {"[[registry]]\nprefix = \"*.example\"\n[[registry.mirror]]\nlocation = \"m.corp/p\"", "reg.example/a@" + digest, `mirror m.corp/p/a@DIGEST, f.conf:3
origin reg.example/a@DIGEST, f.conf:1
`},
		// As in the library, the port is part of what follows the prefix.
		"a wildcard, and a host with a port": {"[[registry]]\nprefix = \"*.example\"\n[[registry.mirror]]\nlocation = \"m.corp\"", "reg.example:5000/a@" + digest, `mirror m.corp:5000/a@DIGEST, ns=reg.example:5000, f.conf:3
origin reg.example:5000/a@DIGEST, f.conf:1
`},
		"a wildcard, a host with a port, and a mirror with a path": {"[[registry]]\nprefix = \"*.example\"\n[[registry.mirror]]\nlocation = \"m.corp/p\"", "reg.example:5000/a@" + digest, `error: f.conf:3: location "m.corp/p" does not lead from reg.example:5000/a to a repository`},
		"a proxy for several registries": {"[[registry]]\nlocation = \"docker.io\"\n[[registry.mirror]]\nlocation = \"m.example\"\n[[registry.mirror]]\nlocation = \"m.example/p\"\n[[registry.mirror]]\nlocation = \"n.example\"\nnamespace-proxy = \"other.example\"\n[[registry.mirror]]\nlocation = \"n.example/p\"\nnamespace-proxy = \"other.example\"", "index.docker.io/a/b@" + digest, `mirror m.example/a/b@DIGEST, ns=docker.io, f.conf:3
mirror m.example/p/a/b@DIGEST, f.conf:5
mirror n.example/a/b@DIGEST, ns=other.example, f.conf:7
mirror n.example/p/a/b@DIGEST, ns=other.example, f.conf:10
origin docker.io/a/b@DIGEST, f.conf:1
`},
		"a location gets a namespace only if it says so": {"[[registry]]\nprefix = \"reg.example\"\nlocation = \"in.example\"\nnamespace-proxy = \"other.example\"", "reg.example/a:1", "location in.example/a:1, ns=other.example, f.conf:1\n"},
		"insecure": {"[[registry]]\nlocation = \"reg.example\"\ninsecure = true\n[[registry.mirror]]\nlocation = \"m.example/p\"\ninsecure = true", "reg.example/a@" + digest, `mirror m.example/p/a@DIGEST, insecure, f.conf:4
origin reg.example/a@DIGEST, insecure, f.conf:1
`},
		"the shape of Harbor's proxy project": {"[[registry]]\nlocation = \"ghcr.io\"\n[[registry.mirror]]\nlocation = \"harbor.example/ghcr\"", "ghcr.io/acme/p@" + digest, `mirror harbor.example/ghcr/acme/p@DIGEST, f.conf:3
origin ghcr.io/acme/p@DIGEST, f.conf:1
`},

		"blocked":                             {"\n[[registry]]\nlocation = \"reg.example/x\"\nblocked = true", "reg.example/x/a:1", "error: f.conf:2: reg.example/x/a:1 is blocked, as everything below reg.example/x"},
		"blocked, beside a free one":          {"[[registry]]\nlocation = \"reg.example/x\"\nblocked = true\n[[registry]]\nlocation = \"reg.example/x/a\"", "reg.example/x/a:1", "origin reg.example/x/a:1, f.conf:4\n"},
		"blocked, in another spelling":        {"[[registry]]\nlocation = \"docker.io/x\"\nblocked = true", "Registry-1.docker.io:443/x/a:1", "error: f.conf:1: Registry-1.docker.io:443/x/a:1 is blocked, as everything below docker.io/x"},
		"a location that another rule blocks": {"[[registry]]\nprefix = \"reg.example\"\nlocation = \"in.example\"\n[[registry]]\nlocation = \"in.example/a\"\nblocked = true\n[[registry]]\nlocation = \"m.example\"", "reg.example/a:1", "error: f.conf:4: reg.example/a:1 is blocked, as everything below in.example/a"},
		"a blocked name with a free location": {"[[registry]]\nprefix = \"reg.example\"\nlocation = \"in.example\"\nblocked = true", "reg.example/a:1", "location in.example/a:1, f.conf:1\n"},
		"a blocked origin with a mirror, by digest": {"[[registry]]\nlocation = \"reg.example\"\nblocked = true\n[[registry.mirror]]\nlocation = \"m.example/p\"", "reg.example/a@" + digest, `mirror m.example/p/a@DIGEST, f.conf:4
blocked origin reg.example/a@DIGEST, f.conf:1
`},
		"a blocked origin with a mirror that answers no tags": {"[[registry]]\nlocation = \"reg.example\"\nblocked = true\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = \"m.example/p\"", "reg.example/a:1", "error: f.conf:1: reg.example/a:1 is blocked, as everything below reg.example"},
		"a blocked mirror": {"[[registry]]\nlocation = \"reg.example\"\n[[registry.mirror]]\nlocation = \"m.example/p\"\n[[registry]]\nlocation = \"m.example\"\nblocked = true", "reg.example/a@" + digest, `origin reg.example/a@DIGEST, f.conf:1
blocked mirror m.example/p/a@DIGEST, f.conf:3
`},

		"a mirror with a tag":            {"[[registry]]\nlocation = \"reg.example/a\"\n[[registry.mirror]]\nlocation = \"m.example/a:2\"", "reg.example/a@" + digest, `error: f.conf:3: location "m.example/a:2" does not lead from reg.example/a to a repository`},
		"a mirror without a host":        {"[[registry]]\nlocation = \"reg.example\"\n[[registry.mirror]]\nlocation = \"mirror\"", "reg.example/a@" + digest, `error: f.conf:3: location "mirror" does not lead from reg.example/a to a repository`},
		"a mirror with a password":       {"[[registry]]\nlocation = \"reg.example\"\n[[registry.mirror]]\nlocation = \"me:secret@m.example\"", "reg.example/a@" + digest, `error: f.conf:3: location "***@m.example" does not lead from reg.example/a to a repository`},
		"a mirror with a scheme":         {"[[registry]]\nlocation = \"reg.example\"\n[[registry.mirror]]\nlocation = \"oci://m.example\"", "reg.example/a@" + digest, `error: f.conf:3: location "oci://m.example" does not lead from reg.example/a to a repository`},
		"a bad mirror that is not asked": {"[[registry]]\nlocation = \"reg.example\"\n[[registry.mirror]]\nlocation = \"mirror\"\npull-from-mirror = \"digest-only\"", "reg.example/a:1", "origin reg.example/a:1, f.conf:1\n"},
		"a bad location":                 {"[[registry]]\nprefix = \"reg.example\"\nlocation = \"in.example/A\"", "reg.example/a:1", `error: f.conf:1: location "in.example/A" does not lead from reg.example/a to a repository`},
		"a wildcard as location":         {"[[registry]]\nlocation = \"*.example\"", "reg.example/a:1", `error: f.conf:1: location "*.example" does not lead from reg.example/a to a repository`},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := config(t, test.text).Plan(reference(t, test.ref))
			if got := describe(p, err); got != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, test.want)
			}
		})
	}
}

// The zero Config knows only origins.
func TestPlanOfNothing(t *testing.T) {
	p, err := new(Config).Plan(reference(t, "reg.example/a:1"))
	if got := describe(p, err); got != "origin reg.example/a:1\n" || p.Rule != nil {
		t.Errorf("got %s, %+v", got, p)
	}
}

// A plan has its rule.
func TestPlanRule(t *testing.T) {
	c := config(t, pulls)
	p, err := c.Plan(reference(t, "reg.example/a:1"))
	if err != nil || p.Rule != &c.Rules[0] {
		t.Errorf("got %+v, %v", p, err)
	}
}
