package atomicfile

import (
	"os"
	"runtime"
	"strings"
	"testing"
)

var tempNames = map[string]bool{
	".packvendor-0123456789abcdef.tmp":   true,
	".packvendor-0000000000000000.tmp":   true,
	".packvendor-0123456789abcde.tmp":    false,
	".packvendor-0123456789abcdef0.tmp":  false,
	".packvendor-0123456789ABCDEF.tmp":   false,
	".packvendor-0123456789abcdeg.tmp":   false,
	".packvendor-0123456789abcdef.tmp~":  false,
	".packvendor-0123456789abcdef":       false,
	"packvendor-0123456789abcdef.tmp":    false,
	"x.packvendor-0123456789abcdef.tmp":  false,
	".packvendor-.tmp":                   false,
	".packvendor-":                       false,
	".tmp":                               false,
	".packvendor-../../../../../../.tmp": false,
	"pack.gtpack":                        false,
	"":                                   false,
}

func TestIsTemp(t *testing.T) {
	for name, want := range tempNames {
		if got := IsTemp(name); got != want {
			t.Errorf("IsTemp(%q) = %t", name, got)
		}
	}
	dir := newFolder(t)
	dir.create("target")
	if temps := dir.temps(); len(temps) != 1 {
		t.Errorf("temporaries %q, want that of Create", temps)
	}
}

// TestSweep sees that a folder's own temporaries go, and nothing else: no file
// of another name, nothing in folders below, no folder with files in it.
func TestSweep(t *testing.T) {
	for _, sub := range []string{".", "sub"} {
		t.Run(sub, func(t *testing.T) {
			parent := newFolder(t)
			if sub != "." {
				parent.mkdir(sub)
			}
			dir := openFolder(t, parent.path(sub))
			keep := []string{"below", "below/.packvendor-0123456789abcdef.tmp"}
			dir.mkdir("below")
			dir.put(keep[1], "another folder's")
			for name, temp := range tempNames {
				if name == "" || strings.Contains(name, "/") {
					continue
				}
				if runtime.GOOS == "windows" && strings.ToLower(name) != name {
					continue // there it is another one's name
				}
				if dir.put(name, ""); !temp {
					keep = append(keep, name)
				}
			}
			full := ".packvendor-ffffffffffffffff.tmp"
			dir.mkdir(full)
			dir.put(full+"/x", "")
			keep = append(keep, full, full+"/x")
			Sweep(parent.Root, sub)
			dir.wantNames(keep...)
			Sweep(parent.Root, sub)
			dir.wantNames(keep...)
		})
	}
}

// TestSweepNowhere is about a directory that is not there, or none of ours:
// there is nothing to do.
func TestSweepNowhere(t *testing.T) {
	dir := newFolder(t)
	dir.mkdir("inside")
	dir.put(".packvendor-0123456789abcdef.tmp", "")
	dir.put("file", "")
	inside, err := os.OpenRoot(dir.path("inside"))
	must(t, err)
	defer inside.Close()
	Sweep(inside, "..")
	Sweep(inside, "missing")
	Sweep(dir.Root, "file")
	dir.wantNames(".packvendor-0123456789abcdef.tmp", "file", "inside")
}
