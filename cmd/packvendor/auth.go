package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/ociref"
)

// authCommand is about the user's credentials.
func (c *cli) authCommand() *cobra.Command {
	return c.parentCommand(&cobra.Command{
		Use:     "auth COMMAND",
		Short:   "Explain which credentials would be used",
		Example: "  packvendor auth explain ghcr.io",
	}, c.authExplainCommand())
}

func (c *cli) authExplainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain HOST",
		Short: "Say which credentials a registry would be shown",
		Long: `Show where packvendor looks for the credentials for a registry, what it finds
there, and which it would use. It shows no secret and does not ask the registry.

packvendor asks every registry without credentials first. If the registry
refuses, packvendor sends it the credentials that Docker or Podman keep for it;
over plain HTTP only on this machine.

It looks, in this order, at $DOCKER_AUTH_CONFIG; config.json in
$DOCKER_CONFIG or ~/.docker; $REGISTRY_AUTH_FILE, or containers/auth.json in
$XDG_RUNTIME_DIR and then in $XDG_CONFIG_HOME or ~/.config. It starts the
credential helpers that these files name, for at most 30 seconds.

PACKVENDOR_AUTH=anonymous turns credentials off.`,
		Example: "  packvendor auth explain ghcr.io",
		Args:    c.oneHost,
		RunE: func(command *cobra.Command, args []string) error {
			if c.isAnonymous() {
				return c.reportAuth(credentials.Explanation{Host: args[0]})
			}
			keychain := credentials.New(credentials.Options{Getenv: c.getenv, HelperTimeout: c.waits.helper})
			explanation := keychain.Explain(command.Context(), args[0])
			if err := command.Context().Err(); err != nil {
				return err
			}
			return c.reportAuth(explanation)
		},
	}
}

func (c *cli) oneHost(command *cobra.Command, args []string) error {
	if len(args) != 1 {
		return misuse(command, "%s takes one registry host, not %d", command.CommandPath(), len(args))
	}
	if err := ociref.ParseHost(args[0]); err != nil {
		return misuse(command, "%w", err)
	}
	return nil
}

// authJSON is the document of auth explain --json.
type authJSON struct {
	Host string `json:"host"` // the registry
	// Anonymous tells that PACKVENDOR_AUTH turns credentials off; then no place
	// was looked at.
	Anonymous bool        `json:"anonymous"`
	Places    []placeJSON `json:"places"` // in the order they are looked at
	Used      *placeJSON  `json:"used"`   // null if there are no credentials
}

// placeJSON is one place.
type placeJSON struct {
	File    string `json:"file"`              // its path, or the variable
	Helper  string `json:"helper,omitempty"`  // the program that File names
	Key     string `json:"key,omitempty"`     // in File, or what Helper was asked for
	Finding string `json:"finding"`           // absent, nothing, failed, skipped, password, identity-token or registry-token
	Problem string `json:"problem,omitempty"` // of a Finding that is failed
}

func newPlaceJSON(p credentials.Place) placeJSON {
	doc := placeJSON{File: p.Source.File, Helper: p.Source.Helper, Key: p.Source.Key, Finding: string(p.Finding)}
	if p.Err != nil {
		doc.Problem = p.Err.Error()
	}
	return doc
}

// reportAuth prints a line for each place, and one for the credentials that would be
// used.
func (c *cli) reportAuth(e credentials.Explanation) error {
	used, found := e.Used()
	doc := authJSON{Host: e.Host, Anonymous: c.isAnonymous(), Places: []placeJSON{}}
	t := phrase.NewTable()
	for _, place := range e.Places {
		doc.Places = append(doc.Places, newPlaceJSON(place))
		t.Add(place.Source.String(), foundAt(place, e.Host))
	}
	if found {
		place := newPlaceJSON(used)
		doc.Used = &place
	}
	return c.end(outcome{document: doc, before: t.String() + c.usedText(e.Host, used, found)})
}

// usedText says in a line which credentials a host would be shown.
func (c *cli) usedText(host string, used credentials.Place, found bool) string {
	switch {
	case c.isAnonymous():
		return fmt.Sprintf("%s is asked without credentials only: PACKVENDOR_AUTH=anonymous turns them off\n", host)
	case found:
		return fmt.Sprintf("%s is asked without credentials first; if it refuses, with %v from %s, over HTTPS\n", host, used.Finding, safe.Line(used.Source.String()))
	}
	return fmt.Sprintf("%s is asked without credentials; if it refuses, there are none to show it: docker login %s stores some\n", host, host)
}

// foundAt says what a place holds.
func foundAt(p credentials.Place, host string) string {
	switch {
	case p.Err != nil:
		return p.Err.Error()
	case p.Finding == credentials.Nothing:
		return "nothing for " + host
	case p.Finding.Held() && !strings.EqualFold(p.Source.Key, host):
		return fmt.Sprintf("%v, as %s", p.Finding, p.Source.Key)
	}
	return p.Finding.String()
}
