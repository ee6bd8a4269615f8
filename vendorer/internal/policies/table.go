package policies

import (
	"sync"

	"github.com/greenticai/packvendor/internal/keyless"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// A Table is a table [trust]. It reads each file that the table names when that is needed, and
// once. Its methods may be called concurrently.
type Table struct {
	file string // that has the table, as the user names it
	keys func() (*packsfile.Policy, error)
	root func() ([]byte, error)
}

// TableOf returns the table of a project's packs.toml, which may have none.
func TableOf(p *project.Project) *Table {
	return newTable(p.Config.Trust, p.Show(p.TOMLFile), func(file string, most int64) ([]byte, error) { return readFile(p, file, most) })
}

// newTable returns a table. read returns the bytes of a file, if they are at most so many.
func newTable(t *packsfile.Trust, file string, read func(file string, most int64) ([]byte, error)) *Table {
	return &Table{
		file: file,
		keys: sync.OnceValues(func() (*packsfile.Policy, error) {
			return t.Policy(func(key string) ([]byte, error) { return read(key, packsfile.MaxKeyFile) })
		}),
		root: sync.OnceValues(func() ([]byte, error) {
			return t.ReadRoot(func(root string) ([]byte, error) { return read(root, keyless.MaxRoot) })
		}),
	}
}

// Keys returns the table with its keys. It has no rules if there is no table.
func (t *Table) Keys() (*packsfile.Policy, error) { return t.keys() }

// Root returns the documents of those that are trusted to know who signed without a key; nil
// if each signer has a key.
func (t *Table) Root() ([]byte, error) { return t.root() }

// Policy returns the policy of the table; nil if it has no rules, which asks for nothing.
func (t *Table) Policy() (*Policy, error) {
	policy, err := t.Keys()
	if err != nil || !policy.HasRules() {
		return nil, err
	}
	root, err := t.Root()
	if err != nil {
		return nil, err
	}
	return &Policy{File: t.file, policy: policy, root: root}, nil
}
