package policies_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/policies"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

const table = `[trust.signers]
acme = { key = "keys/acme.pub" }

[trust.rules]
"r.io/acme/**" = ["acme"]
`

// write writes a file in a folder.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.WriteFile(file, []byte(text), 0o666)); err != nil {
		t.Fatal(err)
	}
}

// of returns the policy of a module's app/packs.toml.
func of(t *testing.T, module, toml string) (*policies.Policy, error) {
	t.Helper()
	return tableOf(t, module, toml).Policy()
}

// tableOf returns the table of a module's app/packs.toml.
func tableOf(t *testing.T, module, toml string) *policies.Table {
	t.Helper()
	write(t, module, "go.mod", "module example.com/app\n")
	write(t, module, "app/packs.toml", toml)
	file := filepath.Join(module, "app", "packs.toml")
	lock, err := project.RLock(context.Background(), file, time.Second, func() {})
	if err != nil {
		t.Fatal(err)
	}
	p, err := project.Open(file, lock, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return policies.TableOf(p)
}

func parse(t *testing.T, text string) ociref.Reference {
	t.Helper()
	ref, err := ociref.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// A key is relative to the folder of packs.toml.
func TestOf(t *testing.T) {
	module, key := t.TempDir(), signing.Ed25519(1)
	write(t, module, "app/keys/acme.pub", string(key.PEM()))
	p, err := of(t, module, table)
	if err != nil {
		t.Fatal(err)
	}
	match, err := p.Match(parse(t, "r.io/acme/a:1"))
	if err != nil || len(match.Signers) != 1 || match.Signers[0].ID() != key.Identity() {
		t.Errorf("got %+v, %v", match, err)
	}
	if name := p.SignerOf(key.Identity()); name != "acme" {
		t.Errorf("got %q", name)
	}
	if name := p.SignerOf("key:sha256:00"); name != "" {
		t.Errorf("got %q", name)
	}
	_, err = p.Match(parse(t, "r.io/other/a:1"))
	var none *policies.NoRuleError
	if !errors.As(err, &none) || none.Repository != "r.io/other/a" || none.Line != `"r.io/other/a" = ["acme"]` || filepath.Base(none.File) != "packs.toml" {
		t.Errorf("got %+v", err)
	}
}

// A table reads its files once.
func TestTableReadsOnce(t *testing.T) {
	module, key := t.TempDir(), signing.Ed25519(1)
	write(t, module, "app/keys/acme.pub", string(key.PEM()))
	write(t, module, "app/keys/root.jsonl", "{}\n")
	both := strings.Replace(keyless, "[trust.signers]\n", "[trust.signers]\nacme = { key = \"keys/acme.pub\" }\n", 1)
	of := tableOf(t, module, both)
	first, err := of.Keys()
	if err != nil || len(first.Signers()) != 2 {
		t.Fatalf("got %+v, %v", first, err)
	}
	if root, err := of.Root(); string(root) != "{}\n" || err != nil {
		t.Fatalf("got %q, %v", root, err)
	}
	if err := os.RemoveAll(filepath.Join(module, "app", "keys")); err != nil {
		t.Fatal(err)
	}
	if again, err := of.Keys(); again != first || err != nil {
		t.Errorf("got %+v, %v", again, err)
	}
	if p, err := of.Policy(); err != nil || string(p.Root()) != "{}\n" || p.SignerOf(key.Identity()) != "acme" {
		t.Errorf("got %+v, %v", p, err)
	}
}

// Without a rule nothing is asked, whether there are signers or not.
func TestOfNothing(t *testing.T) {
	module := t.TempDir()
	write(t, module, "app/keys/acme.pub", string(signing.Ed25519(1).PEM()))
	for _, toml := range []string{"[packs]\n", "[trust.signers]\nacme = { key = \"keys/acme.pub\" }\n"} {
		p, err := of(t, module, toml)
		if p != nil || err != nil {
			t.Fatalf("got %+v, %v", p, err)
		}
		if match, err := p.Match(parse(t, "r.io/x/a:1")); err != nil || !match.IsException() || p.SignerOf("x") != "" {
			t.Errorf("got %+v, %v", match, err)
		}
	}
}

// The file of a key must be a regular one, in the module, and not too large.
func TestOfBadKey(t *testing.T) {
	good := string(signing.Ed25519(1).PEM())
	for name, test := range map[string]struct {
		toml string
		set  func(module string)
		want string
	}{
		"missing":   {table, func(string) {}, "does not exist"},
		"directory": {table, func(m string) { write(t, m, "app/keys/acme.pub/x", "") }, "is a directory"},
		"link": {table, func(m string) {
			write(t, m, "app/keys/real.pub", good)
			if err := os.Symlink("real.pub", filepath.Join(m, "app", "keys", "acme.pub")); err != nil {
				t.Skip(err)
			}
		}, "is a symbolic link"},
		"large":   {table, func(m string) { write(t, m, "app/keys/acme.pub", good+strings.Repeat(" ", packsfile.MaxKeyFile)) }, "is larger than"},
		"outside": {strings.Replace(table, "keys/", "../../keys/", 1), func(string) {}, "is outside the module"},
	} {
		t.Run(name, func(t *testing.T) {
			module := t.TempDir()
			test.set(module)
			_, err := of(t, module, test.toml)
			var errs packsfile.Errors
			if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Line != 2 || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

const keyless = `[trust]
root = "keys/root.jsonl"

[trust.signers]
other = { issuer = "https://login.example.com", identity = "release@example.com" }

[trust.rules]
"**" = ["other"]
`

// A signer without a key needs the root.
func TestOfKeyless(t *testing.T) {
	module := t.TempDir()
	write(t, module, "app/keys/root.jsonl", "{}\n")
	p, err := of(t, module, keyless)
	if err != nil || string(p.Root()) != "{}\n" || p.Signer("https://login.example.com#release@example.com").Name != "other" || p.Signer("key:") != nil {
		t.Fatalf("got %+v, %v", p, err)
	}
	for name, test := range map[string]struct {
		set  func(module string)
		want string
	}{
		"missing": {func(string) {}, `trust.root: the file "keys/root.jsonl" does not exist`},
		"empty":   {func(m string) { write(t, m, "app/keys/root.jsonl", " \n") }, `trust.root: the file "keys/root.jsonl" is empty`},
		"large":   {func(m string) { write(t, m, "app/keys/root.jsonl", strings.Repeat("{}", 1<<19)+" ") }, "is larger than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			module := t.TempDir()
			test.set(module)
			_, err := of(t, module, keyless)
			var errs packsfile.Errors
			if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Line != 2 || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	// Where each signer has a key, nobody needs it.
	module = t.TempDir()
	write(t, module, "app/keys/acme.pub", string(signing.Ed25519(1).PEM()))
	if p, err := of(t, module, "[trust]\nroot = \"none\"\n"+table); err != nil || p.Root() != nil {
		t.Errorf("got %+v, %v", p, err)
	}
}

// An organisation's root is beside its file.
func TestFromVariableKeyless(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "trust.toml", keyless)
	write(t, dir, "keys/root.jsonl", "{}")
	file := filepath.Join(dir, "trust.toml")
	if p, err := policies.FromVariable(&file); err != nil || string(p.Root()) != "{}" {
		t.Errorf("got %+v, %v", p, err)
	}
}

// The keys of an organisation's file are beside that file.
func TestFromVariable(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "trust.toml", table)
	write(t, dir, "keys/acme.pub", string(signing.Ed25519(1).PEM()))
	file := filepath.Join(dir, "trust.toml")
	p, err := policies.FromVariable(&file)
	if err != nil || p.File != file {
		t.Fatalf("got %+v, %v", p, err)
	}
	if match, err := p.Match(parse(t, "r.io/acme/a:1")); err != nil || match.IsException() {
		t.Errorf("got %+v, %v", match, err)
	}
	if p, err := policies.FromVariable(nil); p != nil || err != nil {
		t.Errorf("unset: got %+v, %v", p, err)
	}
}

func TestFromVariableBad(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "norules.toml", "[trust.signers]\n")
	write(t, dir, "nokey.toml", table)
	write(t, dir, "toml", "[")
	for _, test := range []struct{ value, want string }{
		{"", "PACKVENDOR_TRUST is empty: it must be the absolute path of a file"},
		{"trust.toml", `PACKVENDOR_TRUST "trust.toml" is not an absolute path`},
		{filepath.Join(dir, "none"), "PACKVENDOR_TRUST: "},
		{dir, "PACKVENDOR_TRUST: " + dir + " is not a regular file"},
		{filepath.Join(dir, "toml"), "PACKVENDOR_TRUST: " + filepath.Join(dir, "toml") + ":1: "},
		{filepath.Join(dir, "norules.toml"), "PACKVENDOR_TRUST: " + filepath.Join(dir, "norules.toml") + ":1: "},
		{filepath.Join(dir, "nokey.toml"), "PACKVENDOR_TRUST: " + filepath.Join(dir, "nokey.toml") + ":2: "},
	} {
		_, err := policies.FromVariable(&test.value)
		var bad *policies.VariableError
		if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q: got %v, want %s", test.value, err, test.want)
		}
	}
}
