package main

import (
	"os"
	"path/filepath"
	"strings"
)

// noop is packvendor on a project in which there is nothing to do.
func (b *bench) noop(d *dataset) tool {
	return tool{name: "packvendor", args: func(string) []string {
		return []string{b.programs.packvendor, "-f", filepath.Join(d.vendored(), "packs.toml"), "--cache-dir", d.cache()}
	}}
}

// updating is packvendor that looks for newer packs.
func (b *bench) updating(d *dataset) tool {
	return tool{name: "packvendor", args: func(string) []string {
		return []string{b.programs.packvendor, "update", "-f", filepath.Join(d.vendored(), "packs.toml"), "--cache-dir", d.cache()}
	}}
}

// cold is packvendor on a fresh clone without packs, with an empty cache.
func (b *bench) cold(d *dataset) tool {
	c := b.warm(d)
	c.args = func(dir string) []string {
		return []string{b.programs.packvendor, "--locked", "-f", "project/packs.toml", "--cache-dir", filepath.Join(dir, "cache")}
	}
	return c
}

// asking is packvendor with flags, as a command to compare it with.
func (c tool) asking(flags ...string) tool {
	without := c.args
	c.name = c.name + " " + strings.Join(flags, " ")
	c.about = "`" + c.name + "`"
	c.args = func(dir string) []string { return append(without(dir), flags...) }
	return c
}

// warm is packvendor on a fresh clone without packs, with a cache that has them.
func (b *bench) warm(d *dataset) tool {
	return tool{
		name:    "packvendor",
		prepare: func(dir string) error { return d.fresh(filepath.Join(dir, "project")) },
		args: func(string) []string {
			return []string{b.programs.packvendor, "--locked", "-f", "project/packs.toml", "--cache-dir", d.cache()}
		},
		check: func(dir string) error { return d.check(d.packsDir(filepath.Join(dir, "project"))) },
	}
}

// script is a line of shell with arguments, "$1" and on. It works in the run's
// folder, in which there is a folder first.
func script(name, about string, target float64, line string, args ...string) tool {
	return tool{
		name: name, about: about, target: target,
		prepare: func(dir string) error { return os.Mkdir(filepath.Join(dir, "first"), 0o777) },
		args:    func(string) []string { return append([]string{"sh", "-ec", line, "sh"}, args...) },
	}
}

// leaving is c, which must leave d's packs in a folder of the run's.
func (c tool) leaving(d *dataset, folder string) tool {
	c.check = func(dir string) error { return d.check(filepath.Join(dir, folder)) }
	return c
}
