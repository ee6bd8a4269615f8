package mirrors

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/regularfile"
)

// A machine is a system whose folders are below root.
type machine struct {
	t    *testing.T
	root string
	env  map[string]string
	system
}

func newMachine(t *testing.T) *machine {
	m := &machine{t: t, root: t.TempDir(), env: map[string]string{}}
	m.env["HOME"] = m.path("home")
	m.system = system{os: "linux", getenv: func(name string) string { return m.env[name] }, uid: 7, root: m.root}
	return m
}

func (m *machine) path(name string) string { return filepath.Join(m.root, filepath.FromSlash(name)) }

// write writes files, each with one rule that has the file's name as prefix.
func (m *machine) write(names ...string) {
	m.t.Helper()
	for _, name := range names {
		m.writeText(name, fmt.Sprintf("[[registry]]\nprefix = %q\nlocation = \"a.example\"\n", name))
	}
}

func (m *machine) writeText(name, text string) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Dir(m.path(name)), 0o777); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(m.path(name), []byte(text), 0o666); err != nil {
		m.t.Fatal(err)
	}
}

// reads demands that exactly these files are read, in this order.
func (m *machine) reads(want ...string) {
	m.t.Helper()
	c, err := m.load()
	if err != nil {
		m.t.Fatal(err)
	}
	var got, rules []string
	for _, path := range c.Files {
		name, err := filepath.Rel(m.root, path)
		if err != nil {
			m.t.Fatal(err)
		}
		got = append(got, filepath.ToSlash(name))
	}
	if !slices.Equal(got, want) {
		m.t.Errorf("got %q, want %q", got, want)
	}
	for _, r := range c.Rules {
		rules = append(rules, r.Prefix)
	}
	if slices.Sort(want); !slices.Equal(rules, want) {
		m.t.Errorf("got the rules %q, want %q", rules, want)
	}
}

// fails demands an error.
func (m *machine) fails(want string) error {
	m.t.Helper()
	c, err := m.load()
	if c != nil || filepath.ToSlash(strings.ReplaceAll(fmt.Sprint(err), m.root+string(filepath.Separator), "ROOT/")) != want {
		m.t.Errorf("got %+v, %v\nwant %s", c, err, want)
	}
	return err
}

const (
	users  = "home/.config/containers/registries.conf"
	etc    = "etc/containers/registries.conf"
	share  = "usr/share/containers/registries.conf"
	usersD = users + ".d/"
	etcD   = etc + ".d/"
	shareD = share + ".d/"
)

func TestLoadNothing(t *testing.T) { newMachine(t).reads() }

// The first main file counts.
func TestLoadMainFile(t *testing.T) {
	m := newMachine(t)
	m.write(share)
	m.reads(share)
	m.write(etc)
	m.reads(etc)
	m.write(users)
	m.reads(users)
	m.write("xdg/containers/registries.conf")
	m.env["XDG_CONFIG_HOME"] = m.path("xdg")
	m.reads("xdg/containers/registries.conf")
	m.env["XDG_CONFIG_HOME"] = "xdg" // not absolute
	m.reads(users)
}

// CONTAINERS_REGISTRIES_CONF names the main file, and there are no drop-ins then.
func TestLoadVariable(t *testing.T) {
	m := newMachine(t)
	m.write(users, etc, usersD+"a.conf", etcD+"b.conf", "my.conf")
	m.env[Variable] = m.path("my.conf")
	m.reads("my.conf")
	t.Chdir(m.root)
	m.env[Variable] = "my.conf"
	if c, err := m.load(); err != nil || !slices.Equal(c.Files, []string{"my.conf"}) || c.Rules[0].File != "my.conf" {
		t.Errorf("got %+v, %v", c, err)
	}
	m.env[Variable] = m.path("absent.conf")
	if err := m.fails("CONTAINERS_REGISTRIES_CONF: ROOT/absent.conf is not there"); !errors.As(err, new(*MissingError)) {
		t.Errorf("got %T", err)
	}
	m.env[Variable] = m.path("my.conf/x")
	m.fails("CONTAINERS_REGISTRIES_CONF: ROOT/my.conf/x is not there")
	m.env[Variable] = m.path("home")
	if err := m.fails("ROOT/home is not a regular file"); !errors.As(err, new(*regularfile.PlaceError)) {
		t.Errorf("got %T", err)
	}
}

// /dev/null switches everything off.
func TestLoadNull(t *testing.T) {
	m := newMachine(t)
	m.write(users, etc, usersD+"a.conf", "my.conf")
	m.env[OverrideVariable] = m.path("my.conf")
	for _, path := range []string{"/dev/null", os.DevNull} {
		m.env[Variable] = path
		m.reads()
	}
}

// CONTAINERS_REGISTRIES_CONF_OVERRIDE is read last, whatever there is.
func TestLoadOverride(t *testing.T) {
	m := newMachine(t)
	m.write(etc, usersD+"z.conf", "a.conf", "b.conf")
	m.env[OverrideVariable] = m.path("a.conf")
	m.reads(etc, usersD+"z.conf", "a.conf")
	m.env[Variable] = m.path("b.conf")
	m.reads("b.conf", "a.conf")
	m.env[OverrideVariable] = m.path("absent.conf")
	m.fails("CONTAINERS_REGISTRIES_CONF_OVERRIDE: ROOT/absent.conf is not there")
}

// Drop-ins are read after the main file, by name; of one name, the user's counts.
func TestLoadDropIns(t *testing.T) {
	m := newMachine(t)
	m.write(users, etc, usersD+"50.conf", etcD+"10.conf", etcD+"50.conf", etcD+"70.conf", shareD+"10.conf", shareD+"60.conf",
		usersD+"20.config", usersD+"20.conf/x.conf", usersD+".conf", etcD+"9.conf")
	m.reads(users, usersD+".conf", etcD+"10.conf", usersD+"50.conf", shareD+"60.conf", etcD+"70.conf", etcD+"9.conf")
}

// Drop-ins that concern root, or all others.
func TestLoadDropInsByUser(t *testing.T) {
	const (
		root     = "etc/containers/registries.rootful.conf.d/"
		rootless = "usr/share/containers/registries.rootless.conf.d/"
	)
	m := newMachine(t)
	m.write(root+"1.conf", root+"3.conf", rootless+"2.conf", rootless+"7/2.conf", rootless+"8/4.conf", shareD+"3.conf", shareD+"2.conf")
	// The user's own folder has no such drop-ins.
	m.write("home/.config/containers/registries.rootful.conf.d/5.conf", "home/.config/containers/registries.rootless.conf.d/6.conf")
	m.uid = 0
	m.reads(root+"1.conf", shareD+"2.conf", root+"3.conf")
	m.uid = 7
	m.reads(rootless+"7/2.conf", shareD+"3.conf")
	m.uid = 9
	m.reads(rootless+"2.conf", shareD+"3.conf")
	m.uid = -1
	m.reads(shareD+"2.conf", shareD+"3.conf")
}

// A later file replaces a rule of an earlier one.
func TestLoadReplaces(t *testing.T) {
	m := newMachine(t)
	m.writeText(etc, "[[registry]]\nlocation = \"reg.example\"\nblocked = true\n")
	m.writeText(etcD+"1.conf", "\n[[registry]]\nprefix = \"reg.example\"\nlocation = \"in.example\"\n")
	c, err := m.load()
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Plan(reference(t, "reg.example/a:1"))
	if want := "location in.example/a:1, " + m.path(etcD+"1.conf") + ":2\n"; describe(p, err) != want {
		t.Errorf("got %s, want %s", describe(p, err), want)
	}
}

// What is malformed is an error with its file, wherever it is; version 1 is none.
func TestLoadMalformed(t *testing.T) {
	for _, name := range []string{etc, usersD + "1.conf"} {
		m := newMachine(t)
		m.writeText(name, "\n[[registry]]\n")
		if err := m.fails("ROOT/" + name + ":2: [[registry]] has neither prefix nor location"); !errors.As(err, new(*Error)) {
			t.Errorf("got %T", err)
		}
		m.writeText(name, strings.Repeat("#", MaxSize+1))
		if err := m.fails("ROOT/" + name + ": the file is larger than 1048576 bytes"); !errors.As(err, new(*regularfile.LongError)) {
			t.Errorf("got %T", err)
		}
		m.writeText(name, "[registries.search]\nregistries = [\"a.example\"]\n")
		if c, err := m.load(); err != nil || !slices.Equal(c.Version1, []string{m.path(name)}) || !slices.Equal(c.Files, c.Version1) {
			t.Errorf("got %+v, %v", c, err)
		}
	}
}

func TestLoadManyDropIns(t *testing.T) {
	m := newMachine(t)
	for i := range maxDropIns {
		m.writeText(fmt.Sprintf("%s%d.conf", etcD, i), "")
	}
	if c, err := m.load(); err != nil || len(c.Files) != maxDropIns {
		t.Errorf("%d files, %v", len(c.Files), err)
	}
	m.writeText(usersD+"one.conf", "")
	m.fails("ROOT/" + strings.TrimSuffix(etcD, "/") + ": there are more than 1000 files")
}

// Where there is no home folder, the system's files count.
func TestLoadWithoutHome(t *testing.T) {
	m := newMachine(t)
	m.write(users, etc)
	m.env["HOME"] = ""
	m.userHome = func() string { return m.path("home") } // from the user database
	m.reads(users)
	m.userHome = func() string { return "" }
	m.reads(etc)
	m.env["HOME"] = os.DevNull
	m.reads(etc)
}

// Other systems have other folders.
func TestFolders(t *testing.T) {
	m := newMachine(t)
	m.env["APPDATA"], m.env["ProgramData"] = m.path("roaming"), m.path("data")
	for system, want := range map[string][]string{
		"linux":   {"home/.config/containers", "etc/containers", "usr/share/containers"},
		"darwin":  {"home/.config/containers", "etc/containers", "usr/share/containers"},
		"freebsd": {"home/.config/containers", "usr/local/etc/containers", "usr/local/share/containers"},
		"windows": {"roaming/containers", "data/containers"},
	} {
		m.os = system
		var got []string
		for i, f := range m.folders() {
			if f.shared != (i > 0) {
				t.Errorf("%s: %+v", system, f)
			}
			got = append(got, f.path)
		}
		for i := range want {
			want[i] = m.path(want[i])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", system, got, want)
		}
	}
	m.os, m.env = "windows", nil
	if got := m.folders(); len(got) > 0 {
		t.Errorf("got %v", got)
	}
}

// Load looks into the environment that it is given.
func TestLoad(t *testing.T) {
	m := newMachine(t)
	m.write("my.conf")
	m.env[Variable] = m.path("my.conf")
	c, err := Load(m.getenv)
	if err != nil || !slices.Equal(c.Files, []string{m.path("my.conf")}) || len(c.Rules) != 1 {
		t.Errorf("got %+v, %v", c, err)
	}
}
