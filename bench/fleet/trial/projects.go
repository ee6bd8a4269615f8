package trial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
)

// filler is the number of the project that has all packs. It fills proxies.
const filler = -1

// A template is a clone of a project without its packs.
func (w *world) template(version string, project int) string {
	return filepath.Join(w.Work, "templates", version, projectName(project))
}

// live has the clones and the homes of a round. stock has what Cold leaves of them.
func (w *world) live() string  { return filepath.Join(w.Work, "live") }
func (w *world) stock() string { return filepath.Join(w.Work, "stock") }

// homeOf returns the home of a group. The filler has its own.
func (w *world) homeOf(in string, project int) string {
	if project == filler {
		return filepath.Join(in, "home-filler")
	}
	return filepath.Join(in, fmt.Sprintf("home%02d", w.Group(project)+1))
}

func projectName(project int) string {
	if project == filler {
		return "filler"
	}
	return fmt.Sprintf("project%02d", project+1)
}

// contents returns the packs of all projects, the filler's included.
func (w *world) contents() map[int][]int {
	contents := map[int][]int{}
	for project, packs := range w.Draw() {
		contents[project] = packs
	}
	for n := range w.Catalogue {
		contents[filler] = append(contents[filler], n)
	}
	return contents
}

// prepare publishes the packs and has each project lock them.
func (w *world) prepare(ctx context.Context) error {
	if err := w.publish(ctx, oldVersion, w.Catalogue); err != nil {
		return err
	}
	for project, packs := range w.contents() {
		if err := w.writeTemplate(w.template(oldVersion, project), packs); err != nil {
			return err
		}
	}
	return w.lock(ctx, oldVersion)
}

func (w *world) writeTemplate(dir string, packs []int) error {
	var toml strings.Builder
	toml.WriteString("[packs]\n")
	for _, n := range packs {
		fmt.Fprintf(&toml, "%s = { ref = \"%s/%s\", version = %q }\n", packName(n), w.origin.host, repository(n), wantedRange)
	}
	return errors.Join(
		os.MkdirAll(dir, 0o777),
		os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/app\n\ngo 1.25\n"), 0o666),
		os.WriteFile(filepath.Join(dir, "packs.toml"), []byte(toml.String()), 0o666))
}

// release publishes new versions, and makes the templates that lock them.
func (w *world) release(ctx context.Context) error {
	if err := w.publish(ctx, newVersion, w.Releases); err != nil {
		return err
	}
	for project := range w.contents() {
		from := os.DirFS(w.template(oldVersion, project))
		if err := os.CopyFS(w.template(newVersion, project), from); err != nil {
			return err
		}
	}
	return w.lock(ctx, newVersion, "update")
}

// lock runs packvendor in all templates, and removes the packs that it writes. This is
// preparation: it shares one cache, and is not counted.
func (w *world) lock(ctx context.Context, version string, args ...string) error {
	w.tell("locking %s", version)
	home := filepath.Join(w.Work, "home")
	if err := os.MkdirAll(home, 0o777); err != nil {
		return err
	}
	w.origin.begin(noLimit)
	var group errgroup.Group
	group.SetLimit(atOnce)
	for project := range w.contents() {
		group.Go(func() error {
			dir := w.template(version, project)
			if err := w.packvendor(ctx, dir, w.environment(home, os.DevNull), args...).err(); err != nil {
				return err
			}
			return os.RemoveAll(filepath.Join(dir, "packs"))
		})
	}
	return group.Wait()
}

// reset makes the clones and the homes with which a phase begins.
func (w *world) reset(phase Phase) error {
	if err := os.RemoveAll(w.live()); err != nil {
		return err
	}
	version := oldVersion
	if phase == Again {
		version = newVersion
	}
	for project := range w.contents() {
		from := os.DirFS(w.template(version, project))
		if err := os.CopyFS(filepath.Join(w.live(), projectName(project)), from); err != nil {
			return err
		}
		if err := w.makeHome(phase, project); err != nil {
			return err
		}
	}
	return nil
}

// makeHome makes the home of a project, with the cache of the phase.
func (w *world) makeHome(phase Phase, project int) error {
	home := w.homeOf(w.live(), project)
	if _, err := os.Stat(home); err == nil { // another project of the group has it already
		return nil
	}
	if phase == Cold || project == filler {
		return os.Mkdir(home, 0o777)
	}
	return os.CopyFS(home, os.DirFS(w.homeOf(w.stock(), project)))
}
