package main

import (
	"embed"

	"github.com/spf13/cobra"
)

// shells have completion scripts.
var shells = []string{"bash", "zsh", "fish", "powershell"}

func (c *cli) completionCommand() *cobra.Command {
	var goTool bool
	command := &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a completion script for a shell",
		Long: `Print a script that makes a shell complete packvendor's commands, flags and
packs. The names of packs are those of packs.toml; no network is used.

  bash        source <(packvendor completion bash)
  zsh         source <(packvendor completion zsh)
  fish        packvendor completion fish | source
  powershell  packvendor completion powershell | Out-String | Invoke-Expression

With --go-tool the script completes "go tool packvendor", in any module that has
the tool. Other completions of the go command stay as they are.

  bash        source <(go tool packvendor completion --go-tool bash)
  zsh         source <(go tool packvendor completion --go-tool zsh)
  fish        go tool packvendor completion --go-tool fish | source`,
		Example: `  packvendor completion bash
  packvendor completion --go-tool bash`,
		ValidArgsFunction: completeShells,
		Args:              arguments(1, 1, "one shell"),
		RunE: func(command *cobra.Command, args []string) error {
			if c.json && wantsJSON(c.args) { // what a shell's start-up file runs must not depend on PACKVENDOR_FLAGS
				return usagef("a completion script is no JSON")
			}
			if goTool {
				return c.printGoTool(command, args[0])
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
			return misuse(command, "there is no completion for %+q: there are bash, zsh, fish and powershell", args[0])
		},
	}
	command.Flags().BoolVar(&goTool, "go-tool", false, "complete go tool packvendor: bash, zsh and fish")
	return command
}

// goToolScripts make shells complete "go tool packvendor". They ask packvendor itself,
// as the scripts of cobra do, which only know commands of one word.
//
//go:embed gotool
var goToolScripts embed.FS

func (c *cli) printGoTool(command *cobra.Command, shell string) error {
	script, err := goToolScripts.ReadFile("gotool/completion." + shell)
	if err != nil {
		return misuse(command, "there is no completion of go tool for %+q: there are bash, zsh and fish", shell)
	}
	_, err = c.stdout.Write(script)
	return err
}

func completeShells(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return shells, cobra.ShellCompDirectiveNoFileComp
}
