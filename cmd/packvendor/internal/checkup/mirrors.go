package checkup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// mirrorSubject is the subject of checks of registries.conf.
const mirrorSubject = "mirrors"

// mirrors looks at what registries.conf says of the packs, in a line for the files and one for
// each place that is not asked. It returns where the packs' references lead. Who has no
// registries.conf gets no line.
func (c *checkup) mirrors(network *vendorer.Network) []*vendorer.MirrorExplanation {
	explained, err := network.Mirrors(usualRegistry)
	if err != nil {
		c.fail(mirrorSubject, err)
		return nil
	}
	if files := explained[0].Files; len(files) > 0 {
		c.ok(mirrorSubject, strings.Join(files, ", ")+": "+asked(explained))
	}
	for _, file := range explained[0].Ignored {
		c.warn(mirrorSubject, file+" is ignored: it is in the format of version 1", hint.Hint{})
	}
	for _, file := range explained[0].Files {
		for _, key := range vendorer.MisspeltMirrorKeys(file) {
			c.warn(mirrorSubject, fmt.Sprintf("%s:%d: unknown key %+q, did you mean %q?", file, key.Line, key.Key, key.Near), hint.Hint{})
		}
	}
	told := map[string]bool{}
	for _, e := range explained {
		if e.Blocked != nil {
			c.warn(mirrorSubject, e.Blocked.Error(), hint.Hint{})
		}
		for _, source := range others(e) {
			if host := hostOf(source); source.PassedOver == packfetch.PassedInsecure && !told[host] {
				told[host] = true
				c.insecureMirror(source, host)
			}
		}
	}
	return explained
}

// isAsked tells whether a registry is asked for a pack: not where a location has its place.
func isAsked(explained []*vendorer.MirrorExplanation, registry string) bool {
	leads := func(e *vendorer.MirrorExplanation) bool { return e.Reference.Registry == registry }
	if !slices.ContainsFunc(explained, leads) {
		return true
	}
	return slices.ContainsFunc(explained, func(e *vendorer.MirrorExplanation) bool {
		return leads(e) && len(others(e)) < len(e.Digest)+len(e.Tag)
	})
}

// others returns the sources of a reference besides the registry that it names.
func others(e *vendorer.MirrorExplanation) []vendorer.ExplainedSource {
	return slices.DeleteFunc(slices.Concat(e.Digest, e.Tag), func(s vendorer.ExplainedSource) bool {
		return s.Role == "origin"
	})
}

func hostOf(source vendorer.ExplainedSource) string {
	host, _, _ := strings.Cut(source.Place, "/")
	return host
}

// asked says which hosts are asked for which registry besides it, or in its place.
func asked(explained []*vendorer.MirrorExplanation) string {
	hosts := grouped{}
	for _, e := range explained {
		for _, source := range others(e) {
			text := string(source.Role) + " " + hostOf(source)
			known := slices.ContainsFunc(hosts, func(g group) bool {
				return g.text == text && slices.Contains(g.names, e.Reference.Registry)
			})
			if source.PassedOver == "" && !known {
				hosts.add(text, e.Reference.Registry)
			}
		}
	}
	if len(hosts) == 0 {
		return "none for a pack"
	}
	var texts []string
	for _, group := range hosts {
		texts = append(texts, group.text+" for "+group.hosts())
	}
	return strings.Join(texts, "; ")
}

func (c *checkup) insecureMirror(source vendorer.ExplainedSource, host string) {
	x := c.examination
	mending := hint.Hint{}
	if !x.Missing {
		mending = hint.Insecure(x.File, append(slices.Clone(x.Insecure), host)...)
	}
	c.warn(mirrorSubject, fmt.Sprintf("%s:%d: mirror %s is passed over: insecure_registries does not have it", source.File, source.Line, host), mending)
}

// askMirrors asks each mirror and each location once. A mirror that does not answer is a
// warning: another source is asked in its place. The error is the cause of ctx's end.
func (c *checkup) askMirrors(ctx context.Context, network *vendorer.Network, explained []*vendorer.MirrorExplanation) error {
	var hosts []string
	isLocation := map[string]bool{}
	for _, e := range explained {
		for _, source := range others(e) {
			host := hostOf(source)
			if source.PassedOver == "" && !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
			}
			isLocation[host] = isLocation[host] || source.Role == "location"
		}
	}
	replies := make([]reply, len(hosts))
	err := network.PingMirrors(ctx, hosts, func(i int, g vendorer.Greeting, err error) { replies[i] = reply{g, err} })
	if err != nil {
		return err
	}
	for i, host := range hosts {
		switch err := replies[i].err; {
		case err != nil && isLocation[host]:
			c.unreachable(err)
		case err != nil:
			c.warn(mirrorSubject, oneLine(err.Error()), hint.Hint{})
		default:
			c.greeted(mirrorSubject, host, replies[i].greeting)
		}
	}
	return nil
}
