package checkup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/vendorer"
)

// usualRegistry stands for the registries where no packs.toml names any.
const usualRegistry = "ghcr.io"

// network looks at what stands between packvendor and the registries. The error is the
// cause of ctx's end.
func (c *checkup) network(ctx context.Context) error {
	hosts := c.examination.Registries
	if len(hosts) == 0 {
		hosts = []string{usualRegistry}
	}
	network, err := c.examination.NewNetwork(c.Project)
	if err != nil {
		return err
	}
	explained := c.mirrors(network)
	c.proxies(network, hosts)
	c.certificates()
	c.credentials(ctx, hosts)
	if !c.Remote {
		return nil
	}
	if err := c.registries(ctx, network, explained); err != nil {
		return err
	}
	return c.askMirrors(ctx, network, explained)
}

// proxies names the proxy of each registry in one line.
func (c *checkup) proxies(network *vendorer.Network, hosts []string) {
	served := grouped{}
	for _, host := range hosts {
		proxy, err := network.Proxy(host)
		if err != nil {
			c.fail("proxy", fmt.Errorf("%s: %w", host, err))
			continue
		}
		served.add(cmp.Or(proxy, "none"), host)
	}
	var texts []string
	for _, group := range served {
		texts = append(texts, group.text+" for "+group.hosts())
	}
	if len(texts) > 0 {
		c.ok("proxy", strings.Join(texts, "; "))
	}
}

// grouped are hosts by what is said of them.
type grouped []group

type group struct {
	text  string
	names []string // of hosts
}

func (g group) hosts() string { return strings.Join(g.names, ", ") }

// add adds a host to the group with that text.
func (g *grouped) add(text, host string) {
	i := slices.IndexFunc(*g, func(other group) bool { return other.text == text })
	if i < 0 {
		i = len(*g)
		*g = append(*g, group{text: text})
	}
	(*g)[i].names = append((*g)[i].names, host)
}
