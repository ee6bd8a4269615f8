package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/vendorer"
)

// shells are those for which there are completion scripts.
var shells = []string{"bash", "zsh", "fish", "powershell"}

func (c *cli) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a completion script for a shell",
		Long: `Print a script that makes a shell complete packvendor's commands, flags and packs.
The names of packs are those of packs.toml; no network is used.

  bash         source <(packvendor completion bash)
  zsh          packvendor completion zsh > "${fpath[1]}/_packvendor"
  fish         packvendor completion fish > ~/.config/fish/completions/packvendor.fish
  powershell   packvendor completion powershell | Out-String | Invoke-Expression`,
		Example:   "  packvendor completion bash",
		ValidArgs: shells,
		Args:      arguments(1, 1, "one shell"),
		RunE: func(command *cobra.Command, args []string) error {
			if c.json {
				return usagef("a completion script is no JSON")
			}
			switch args[0] {
			case "bash":
				return c.root.GenBashCompletionV2(c.stdout, true)
			case "zsh":
				return c.root.GenZshCompletion(c.stdout)
			case "fish":
				return c.root.GenFishCompletion(c.stdout, true)
			case "powershell":
				return c.root.GenPowerShellCompletionWithDesc(c.stdout)
			}
			return &usageError{command: command, err: fmt.Errorf("there is no completion for %+q: there are bash, zsh, fish and powershell", args[0])}
		},
	}
}

// completePacks completes the names of packs, of which a command takes no more than
// most; 0 is any number.
func (c *cli) completePacks(most int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if most > 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var completions []string
		for _, pack := range vendorer.Configured(c.file) {
			if !slices.Contains(args, pack.Name) {
				completions = append(completions, cobra.CompletionWithDesc(pack.Name, pack.Ref))
			}
		}
		return completions, cobra.ShellCompDirectiveNoFileComp
	}
}
