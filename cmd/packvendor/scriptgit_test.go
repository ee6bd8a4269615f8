package main

import (
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// gitEnvironment makes git the same everywhere: only the repository's own
// configuration, one author, one time, and no repository around the script's.
var gitEnvironment = map[string]string{
	"GIT_CONFIG_NOSYSTEM": "1",
	"GIT_CONFIG_GLOBAL":   "/dev/null",
	"GIT_TERMINAL_PROMPT": "0",
	"GIT_AUTHOR_NAME":     "Somebody",
	"GIT_AUTHOR_EMAIL":    "somebody@example.com",
	"GIT_AUTHOR_DATE":     "2024-01-01T00:00:00Z",
	"GIT_COMMITTER_NAME":  "Somebody",
	"GIT_COMMITTER_EMAIL": "somebody@example.com",
	"GIT_COMMITTER_DATE":  "2024-01-01T00:00:00Z",
}

// gitCommands are the commands for repositories.
func gitCommands() map[string]func(*testscript.TestScript, []string) {
	return map[string]func(*testscript.TestScript, []string){
		"repository": cmdRepository,
		"commit":     cmdCommit,
	}
}

// repository makes the directory that one is in a git repository, the branch being
// main. A script that needs git is skipped where there is none.
func cmdRepository(ts *testscript.TestScript, args []string) {
	if len(args) > 0 {
		ts.Fatalf("usage: repository")
	}
	for name, value := range gitEnvironment {
		ts.Setenv(name, value)
	}
	ts.Setenv("GIT_CEILING_DIRECTORIES", ts.Getenv("WORK"))
	ts.Check(ts.Exec("git", "init", "-q"))
	ts.Check(ts.Exec("git", "symbolic-ref", "HEAD", "refs/heads/main"))
	for _, setting := range []string{"core.autocrlf=false", "commit.gpgsign=false", "gc.auto=0"} {
		key, value, _ := strings.Cut(setting, "=")
		ts.Check(ts.Exec("git", "config", key, value))
	}
}

// commit VAR commits all there is, and sets $VAR to the commit.
func cmdCommit(ts *testscript.TestScript, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: commit VAR")
	}
	ts.Check(ts.Exec("git", "add", "-A"))
	ts.Check(ts.Exec("git", "commit", "-q", "-m", "all there is"))
	ts.Check(ts.Exec("git", "rev-parse", "HEAD"))
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}
