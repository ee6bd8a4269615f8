package checkup

import (
	"context"
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/internal/credentials"
)

// credentials looks for the user's credentials for each registry. It starts no helper.
func (c *checkup) credentials(ctx context.Context, hosts []string) {
	switch {
	case c.AuthErr != nil:
		return // which commands refuse to work with
	case c.Anonymous:
		c.ok("credentials", "PACKVENDOR_AUTH=anonymous turns them off")
		return
	}
	keychain := credentials.New(credentials.Options{Getenv: c.Getenv, LookOnly: true})
	without := grouped{}
	for _, host := range hosts {
		places := keychain.Explain(ctx, host).Places
		if !c.credentialsOf(host, places) {
			without.add(noneIn(places), host)
		}
	}
	for _, group := range without {
		c.ok("credentials", group.hosts()+": "+group.text)
	}
}

// credentialsOf adds a line for each place that has some for a host, or may, and reports
// whether there is one.
func (c *checkup) credentialsOf(host string, places []credentials.Place) bool {
	before := len(c.checks)
	for _, place := range places {
		switch {
		case place.Err != nil:
			c.warn("credentials", fmt.Sprintf("%s: %s: %v", host, place.Source, place.Err), hint.Command("auth", "explain", host))
		case place.Finding == credentials.Unasked:
			c.ok("credentials", fmt.Sprintf("%s: %s", host, place.Source))
		case place.Finding.Held():
			c.ok("credentials", fmt.Sprintf("%s: %s in %s", host, place.Finding, place.Source))
		}
	}
	return len(c.checks) > before
}

// noneIn says where there are no credentials.
func noneIn(places []credentials.Place) string {
	var files []string
	for _, place := range places {
		if place.Finding == credentials.Nothing {
			files = append(files, place.Source.File)
		}
	}
	if len(files) == 0 {
		return "none, since neither Docker nor Podman has a file here"
	}
	return "none in " + strings.Join(files, ", ")
}
