package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
)

func TestFlagsFromEnvironment(t *testing.T) {
	for _, test := range []struct {
		name, flags string
		args        []string
		want        string // the flags that are set
		err         string
	}{
		{"none", "", []string{"verify"}, "", ""},
		{"bare run", "--locked --jobs=3", nil, "jobs=3 locked=true", ""},
		{"before the command line's own", "--jobs=3", []string{"add", "--jobs=4", "a", "r"}, "jobs=4", ""},
		{"flags before the command", "--quiet", []string{"-f", "x", "update", "a"}, "file=x quiet=true", ""},
		{"a flag that repeats", "--file=x --file=y", []string{"verify"}, "file=x y", ""},
		{"white space", " \t--quiet\n  --json=false ", []string{"version"}, "json=false quiet=true", ""},
		{"not of this command", "--locked --remote --file=x", []string{"version"}, "", ""},
		{"of this and of others", "--frozen --remote --file=x", []string{"verify"}, "file=x remote=true", ""},
		{"help", "--help", []string{"verify"}, "help=true", ""},
		{"of no command", "--quiet --nonsense=1", []string{"verify"}, "", "PACKVENDOR_FLAGS: no command has a flag --nonsense"},
		{"of no command, hostile", "--\x1b[1m", []string{"verify"}, "", `PACKVENDOR_FLAGS: no command has a flag --"\x1b[1m"`},
		{"short", "-q", []string{"verify"}, "", `PACKVENDOR_FLAGS: "-q": write flags as --flag or --flag=value`},
		{"no flag", "quiet", []string{"verify"}, "", `PACKVENDOR_FLAGS: "quiet": write flags as --flag or --flag=value`},
		{"value apart", "--jobs 3", []string{"verify"}, "", "PACKVENDOR_FLAGS: --jobs needs a value: write --jobs=value"},
		{"no such value", "--jobs=x", []string{"verify"}, "", `PACKVENDOR_FLAGS: --jobs cannot be "x"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCLI(process{args: test.args, stderr: io.Discard, getenv: func(key string) string { return map[string]string{"PACKVENDOR_FLAGS": test.flags}[key] }})
			command, rest, err := c.root.Find(c.args)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.presetFlags(command); test.err != "" {
				if err == nil || err.Error() != test.err || c.fail(err) != problem.Usage {
					t.Errorf("error %v, want %s", err, test.err)
				}
				return
			}
			err = command.ParseFlags(rest)
			var set []string
			command.Flags().VisitAll(func(flag *pflag.Flag) {
				if flag.Changed {
					set = append(set, flag.Name+"="+flag.Value.String())
				}
			})
			if got := strings.Join(set, " "); err != nil || got != test.want {
				t.Errorf("%q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		name string
		env  string // PACKVENDOR_FLAGS
		args []string
		want string // standard error
	}{
		{"unknown command", "", []string{"verfy"}, "packvendor: error: unknown command \"verfy\", did you mean \"verify\"?\npackvendor: hint: packvendor --help\n"},
		{"unknown word", "", []string{"nothing-like-it"}, "packvendor: error: unknown command \"nothing-like-it\"\npackvendor: hint: packvendor --help\n"},
		{"unknown flag", "", []string{"verify", "--nonsense"}, "packvendor: error: unknown flag: --nonsense\npackvendor: hint: packvendor verify --help\n"},
		{"flag of another command", "", []string{"update", "--locked"}, "packvendor: error: unknown flag: --locked\npackvendor: hint: packvendor update --help\n"},
		{"quiet and verbose", "", []string{"version", "-q", "-v"}, "packvendor: error: --quiet and --verbose exclude each other\n"},
		{"no jobs", "", []string{"-j", "0"}, "packvendor: error: --jobs must be at least 1\n"},
		{"remote and offline", "", []string{"verify", "--remote", "--offline"}, "packvendor: error: --remote and --offline exclude each other\n"},
		{"arguments of verify", "", []string{"verify", "x"}, "packvendor: error: packvendor verify takes no arguments, not \"x\"\npackvendor: hint: packvendor verify --help\n"},
		{"arguments of fetch", "", []string{"fetch"}, "packvendor: error: packvendor fetch takes one reference, not 0 arguments\npackvendor: hint: packvendor fetch --help\n"},
		{"arguments of add", "", []string{"add", "a", "b", "c"}, "packvendor: error: \"a\" names one pack, and here are 2 references\npackvendor: hint: packvendor add --help\n"},
		{"bad reference", "", []string{"fetch", "x:1"}, "packvendor: error: invalid reference \"x:1\": no registry host: write host/repository, like ghcr.io/owner/name\n"},
		{"bad flag from the environment", "--nonsense", []string{"version"}, "packvendor: error: PACKVENDOR_FLAGS: no command has a flag --nonsense\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			env := map[string]string{"PACKVENDOR_FLAGS": test.env}
			code, stdout, stderr := runWith(t, env, test.args...)
			if code != exitUsage || stdout != "" || stderr != test.want {
				t.Errorf("exit code %d, stdout %q, stderr:\n%s\nwant:\n%s", code, stdout, stderr, test.want)
			}

			// With --json the error is one document, and nothing else.
			code, stdout, stderr = runWith(t, env, append([]string{"--json"}, test.args...)...)
			var doc errorJSON
			if err := json.Unmarshal([]byte(stdout), &doc); err != nil || code != exitUsage || stderr != "" || doc.Error.Code != exitUsage || len(doc.Error.Problems) != 1 {
				t.Fatalf("--json: exit code %d, stderr %q, stdout:\n%s", code, stderr, stdout)
			}
			p := doc.Error.Problems[0]
			text := "packvendor: error: " + p.Message + "\n"
			if p.Hint != "" {
				text += "packvendor: hint: " + p.Hint + "\n"
			}
			if text != test.want {
				t.Errorf("--json says:\n%s\nwant:\n%s", text, test.want)
			}
		})
	}
}

// $CI locks the bare run alone, and --locked=false overrides it.
func TestLockedByCI(t *testing.T) {
	for _, test := range []struct {
		ci    string
		flags string
		args  []string
		code  int
	}{
		{"", "", nil, 0},
		{"true", "", nil, exitDrift},
		{"1", "", nil, exitDrift},
		{"false", "", nil, 0},
		{"yes, please", "", nil, 0},
		{"true", "", []string{"--locked=false"}, 0},
		{"true", "--locked=false", nil, 0},
		{"true", "--locked=false", []string{"--locked"}, exitDrift},
		{"true", "--locked=false", []string{"--frozen"}, exitDrift},
		{"", "--locked", nil, exitDrift},
		{"", "--frozen", nil, exitDrift},
		{"true", "", []string{"update"}, 0},
		{"", "--locked", []string{"update"}, 0},
	} {
		t.Run(test.ci+" "+test.flags+" "+strings.Join(test.args, " "), func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			for name, text := range map[string]string{"go.mod": "module example.com/app\n", "packs.toml": "[embed]\npackage = \"app\"\n"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			code, _, stderr := runWith(t, map[string]string{"CI": test.ci, "PACKVENDOR_FLAGS": test.flags}, test.args...)
			if code != test.code {
				t.Errorf("exit code %d, want %d\n%s", code, test.code, stderr)
			}
			_, err := os.Stat("packs.lock")
			if written := err == nil; written != (code == 0) {
				t.Errorf("packs.lock written: %v", written)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	code, stdout, stderr := runWith(t, nil, "version")
	if code != 0 || stderr != "" || !strings.HasPrefix(stdout, "packvendor ") || strings.Count(stdout, "\n") != 1 {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	code, stdout, stderr = runWith(t, nil, "version", "--json")
	var doc versionJSON
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil || code != 0 || stderr != "" || doc.Version == "" || !strings.HasPrefix(doc.Go, "go") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

// A help is data: it goes to standard output, with exit code 0.
func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"help"}, {"help", "verify"}, {"verify", "--help"}} {
		code, stdout, stderr := runWith(t, nil, args...)
		if code != 0 || stderr != "" || !strings.Contains(stdout, "Usage:") {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
	_, direct, _ := runWith(t, nil, "verify", "--help")
	if _, through, _ := runWith(t, nil, "help", "verify"); through != direct {
		t.Errorf("help verify:\n%s\nverify --help:\n%s", through, direct)
	}
}

// On the command line --quiet and --verbose exclude each other; both override the
// environment, in any spelling of the flag there.
func TestVerbosity(t *testing.T) {
	for _, test := range []struct {
		flags, arg string
	}{
		{"--quiet", "-v"},
		{"--verbose", "-q"},
		{"--quiet=true", "-v"},
		{"--verbose=1", "--quiet"},
	} {
		code, _, stderr := runWith(t, map[string]string{"PACKVENDOR_FLAGS": test.flags}, "version", test.arg)
		if code != 0 || stderr != "" {
			t.Errorf("%s and %s: exit code %d, stderr %q", test.flags, test.arg, code, stderr)
		}
	}
}
