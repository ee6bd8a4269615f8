package checkup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// A reply is what a registry said, or why it said nothing.
type reply struct {
	greeting vendorer.Greeting
	err      error
}

// registries asks each registry of packs.toml once, unless a location has its place. The error
// is the cause of ctx's end.
func (c *checkup) registries(ctx context.Context, network *vendorer.Network, explained []*vendorer.MirrorExplanation) error {
	hosts := slices.DeleteFunc(slices.Clone(c.examination.Registries), func(host string) bool { return !isAsked(explained, host) })
	replies := make([]reply, len(hosts))
	err := network.Ping(ctx, hosts, func(i int, g vendorer.Greeting, err error) { replies[i] = reply{g, err} })
	if err != nil {
		return err
	}
	for i, host := range hosts {
		c.registry(host, replies[i])
	}
	if len(c.examination.Registries) == 0 {
		c.ok("registry", "none to ask: no packs.toml names one")
	}
	return nil
}

func (c *checkup) registry(host string, r reply) {
	if r.err != nil {
		c.unreachable(r.err)
		return
	}
	c.greeted("registry", host, r.greeting)
}

// greeted says how a host answered.
func (c *checkup) greeted(subject, host string, g vendorer.Greeting) {
	switch {
	case g.Token:
		c.ok(subject, host+" answers, and asks for a token")
	case g.Login:
		c.ok(subject, host+" answers, and asks for a login")
	case g.Status == http.StatusOK:
		c.ok(subject, host+" answers, and asks for no login")
	default:
		text := fmt.Sprintf("%s answers %d %s, so it may be no registry", host, g.Status, http.StatusText(g.Status))
		c.warn(subject, text, hint.Hint{})
	}
}

// unreachable adds the error of a registry that cannot be asked. The list that allows
// plain HTTP keeps the hosts that it has.
func (c *checkup) unreachable(err error) {
	c.fail("registry", err)
	var e *packfetch.RegistryError
	if errors.As(err, &e) && e.MayBePlain() {
		x := c.examination
		c.checks[len(c.checks)-1].Hint = hint.Insecure(x.File, append(slices.Clone(x.Insecure), e.Host)...)
	}
}
