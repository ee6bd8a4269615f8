package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/packfetch"
)

// presetFlags sets the flags that PACKVENDOR_FLAGS has. Flags that the command does not
// have are ignored; flags that no command has are an error.
func (c *cli) presetFlags(command *cobra.Command) error {
	for word := range strings.FieldsSeq(c.getenv("PACKVENDOR_FLAGS")) {
		name, value, given := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		known := c.anyFlag(name)
		switch {
		case !strings.HasPrefix(word, "--"):
			return usagef("PACKVENDOR_FLAGS: %+q: write flags as --flag or --flag=value", word)
		case strings.HasPrefix(name, "accept-") && name != "accept-retag":
			return usagef("PACKVENDOR_FLAGS: --%s is for the command line alone: it names one pack", safe.Word(name))
		case known == nil:
			return usagef("PACKVENDOR_FLAGS: no command has a flag --%s", safe.Word(name))
		case known.NoOptDefVal == "" && !given:
			return usagef("PACKVENDOR_FLAGS: --%s needs a value: write --%s=value", name, name)
		case !given:
			value = known.NoOptDefVal
		}
		c.preset = append(c.preset, name)
		if flag := flagOf(command, name); flag != nil {
			if flag.Value.Set(value) != nil {
				return usagef("PACKVENDOR_FLAGS: --%s cannot be %+q", name, value)
			}
			flag.Changed = true
		}
	}
	c.presetFiles = len(c.files)
	return nil
}

// presetWords are the flags that PACKVENDOR_FLAGS sets, without values but for switches.
func (c *cli) presetWords() []string {
	var words []string
	for word := range strings.FieldsSeq(c.getenv("PACKVENDOR_FLAGS")) {
		name, _, _ := strings.Cut(word, "=")
		if flag := c.anyFlag(strings.TrimPrefix(name, "--")); flag != nil && flag.NoOptDefVal == "" {
			word = name
		}
		words = append(words, word)
	}
	return words
}

// authError returns the error about PACKVENDOR_AUTH, nil if its value is a right one. It
// does not quote it: somebody may take the variable for the place of a password.
func (c *cli) authError() error {
	if auth := c.getenv("PACKVENDOR_AUTH"); auth != "" && !c.isAnonymous() {
		return usagef("PACKVENDOR_AUTH can be \"anonymous\", or unset")
	}
	return nil
}

// setVerbosity decides between --quiet and --verbose: the command line wins over the
// environment.
func (c *cli) setVerbosity() error {
	switch {
	case !c.quiet || !c.verbose:
	case slices.Contains(c.preset, "quiet"):
		c.quiet = false
	case slices.Contains(c.preset, "verbose"):
		c.verbose = false
	default:
		return usagef("--quiet and --verbose exclude each other")
	}
	return nil
}

// keychain is where the user's credentials are.
func (c *cli) keychain() packfetch.Keychain {
	if c.isAnonymous() {
		return noCredentials{}
	}
	return c.waiting.Keychain(packfetch.UserKeychain(c.getenv, c.waits.helper))
}

// noCredentials is the keychain of PACKVENDOR_AUTH=anonymous.
type noCredentials struct{}

func (noCredentials) Find(context.Context, string) (*packfetch.Credentials, error) {
	return nil, errors.New("PACKVENDOR_AUTH=anonymous forbids their use")
}

// isAnonymous reports whether the user forbids the use of credentials.
func (c *cli) isAnonymous() bool { return c.getenv("PACKVENDOR_AUTH") == "anonymous" }

// isLocked is the value of --locked, or where it is not given, whether this is
// a CI job.
func (c *cli) isLocked(flags *pflag.FlagSet) bool {
	if c.frozen || flags.Changed("locked") {
		return c.frozen || c.locked
	}
	return c.inCI()
}

func (c *cli) inCI() bool {
	ci, err := strconv.ParseBool(c.getenv("CI"))
	return err == nil && ci
}

// trust is the value of PACKVENDOR_TRUST; nil if it is not set. An empty one is a mistake: a
// CI system may have lost it.
func (c *cli) trust() *string {
	if c.lookupEnv == nil {
		return nil
	}
	value, ok := c.lookupEnv("PACKVENDOR_TRUST")
	if !ok {
		return nil
	}
	return &value
}
