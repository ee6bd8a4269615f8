package trial

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/greenticai/packvendor/internal/packtest"
)

// The versions of the packs, in the range that the projects want.
const (
	oldVersion  = "1.0.0"
	newVersion  = "1.1.0"
	wantedRange = "^1.0"
)

func packName(n int) string { return fmt.Sprintf("p%04d", n+1) }

func repository(n int) string { return "fleet/" + packName(n) }

// atOnce bounds the commands of the preparation, which is not counted.
const atOnce = 4

// publish pushes a version of packs as their publishers do. The first goes ahead: all have
// one blob in common, their empty configuration, and the server does not always bear it
// that two bring the same at once.
func (w *world) publish(ctx context.Context, version string, packs int) error {
	w.tell("pushing %d packs", packs)
	if err := w.push(ctx, version, 0); err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(atOnce)
	for n := 1; n < packs; n++ {
		group.Go(func() error { return w.push(ctx, version, n) })
	}
	return group.Wait()
}

// pushTries is how often a push is tried before it is given up.
const pushTries = 3

func (w *world) push(ctx context.Context, version string, n int) error {
	file := filepath.Join(w.Work, packName(n)+".gtpack")
	if err := w.make(file, version, n); err != nil {
		return err
	}
	defer os.Remove(file)
	server := w.origin.server
	target := server.Host() + "/" + repository(n) + ":" + version
	var err error
	for range pushTries {
		err = server.OrasPush(ctx, "--artifact-type", packtest.PackMediaType, target, file+":"+packtest.PackMediaType)
		if err == nil {
			return nil
		}
	}
	return err
}

// make writes a pack: noise that begins as a zip archive does, which is all that anyone
// here looks at.
func (w *world) make(path, version string, n int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var seed [32]byte
	copy(seed[:], fmt.Sprintf("%s %d", version, n))
	content := io.MultiReader(strings.NewReader("PK\x03\x04"), rand.NewChaCha8(seed))
	if _, err := io.CopyN(file, content, w.Bytes); err != nil {
		return err
	}
	return file.Close()
}
