package checkup

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/vendorer"
)

// project looks at packs.toml and packs.lock. The error is the cause of ctx's end.
func (c *checkup) project(ctx context.Context) (err error) {
	if c.examination, err = vendorer.Examine(ctx, c.Project); err != nil {
		return err
	}
	x := c.examination
	switch {
	case x.Missing && c.Hints.IsNearest:
		c.noProject()
	case x.TOMLErr != nil:
		c.fail("packs.toml", x.TOMLErr)
	default:
		c.ok("packs.toml", x.File+", "+phrase.Count(x.Packs, "pack"))
		c.lock()
		c.packs()
		c.localFiles()
		c.stub()
	}
	return nil
}

// noProject is where fetch, inspect and versions work, and no other command about packs.
func (c *checkup) noProject() {
	text, mending := "there is none here, nor in a folder above within the module", c.Hints.Command("init")
	if c.examination.NoModule {
		text, mending = "there is none here, nor a Go module", hint.Hint{}
	}
	c.warn("packs.toml", text, mending)
}

func (c *checkup) lock() {
	if err := c.examination.LockErr; err != nil {
		c.fail("packs.lock", err)
		return
	}
	c.ok("packs.lock", c.examination.LockFile+" agrees with "+c.examination.File)
}

// packs looks at the vendored packs, in one line. Whether the bytes are the locked ones
// is verify's question.
func (c *checkup) packs() {
	x := c.examination
	switch {
	case x.VendoredErr != nil:
		c.failOnce("packs", "pack", x.VendoredErr)
	case x.Vendored > 0:
		c.ok("packs", fmt.Sprintf("%s, %s; verify hashes them", phrase.Count(x.Vendored, "pack"), phrase.Bytes(x.VendoredSize)))
	}
}

// localFiles looks at the files that packs.toml names as packs, in one line. A run hashes them.
func (c *checkup) localFiles() {
	x := c.examination
	switch text := phrase.Count(x.Local, "pack") + " from a file"; {
	case x.LocalErr != nil:
		c.failOnce("files", "file", x.LocalErr)
	case x.LocalAbsent > 0:
		c.ok("files", fmt.Sprintf("%s; %d not there, where the vendored pack stands in", text, x.LocalAbsent))
	case x.Local > 0:
		c.ok("files", text)
	}
}

// stub warns where each build has the stub in the place of the packs. packvendor itself works.
func (c *checkup) stub() {
	if err := c.examination.StubErr; err != nil {
		c.warn("stub", err.Error(), hint.Hint{})
	}
}

func (c *checkup) cache() {
	dir, a := vendorer.CacheDir(c.Project), vendorer.ExamineCache(c.Project)
	switch others := writers(a.Others); {
	case a.IsUnusable():
		c.checks = append(c.checks, Check{Level: Error, Subject: "cache", Text: a.Err.Error(), Kind: problem.Storage})
	case a.Err != nil:
		c.warn("cache", fmt.Sprintf("%s cannot be written, so runs download what it lacks each time: %v", dir, a.Err), hint.Hint{})
	case others != "":
		c.warn("cache", fmt.Sprintf("%s can be written by %s", dir, others), narrowed(dir, a))
	case a.Above != "":
		c.warn("cache", fmt.Sprintf("%s can be replaced by another folder: %s can be written by %s", dir, a.Above, writers(a.AboveOthers)), sticky(a))
	case !a.Exists:
		c.ok("cache", dir+", which the first download makes")
	case runtime.GOOS == "windows":
		c.ok("cache", dir+", "+phrase.Plural(a.Entries, "entry", "entries"))
	default:
		c.ok("cache", fmt.Sprintf("%s, %s; nobody else can write it", dir, phrase.Plural(a.Entries, "entry", "entries")))
	}
}

// writers names the others that can write the cache; "" for none.
func writers(others vendorer.CacheOthers) string {
	var names []string
	if others.Owner != "" {
		names = append(names, "its owner "+others.Owner)
	}
	if others.Group != "" {
		names = append(names, "the group "+others.Group)
	}
	if others.Everyone {
		names = append(names, "everyone")
	}
	return strings.Join(names, ", ")
}

// sticky is the command that keeps the others from renaming what is not theirs; none
// against the owner.
func sticky(a vendorer.CacheAccess) hint.Hint {
	if a.AboveOthers.Owner != "" {
		return hint.Hint{}
	}
	return hint.Line("%s", hint.ShellLine([]string{"chmod", "+t", a.Above}))
}

// narrowed is the command that keeps the others from writing; none against the owner.
func narrowed(dir string, a vendorer.CacheAccess) hint.Hint {
	if a.Owner != "" {
		return hint.Hint{}
	}
	return hint.Line("%s", hint.ShellLine([]string{"chmod", "go-w", dir}))
}
