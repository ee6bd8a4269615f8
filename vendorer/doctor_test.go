package vendorer_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/greenticai/packvendor/vendorer"
)

// An examination tells packs.toml's errors from those of packs.lock. It changes nothing,
// reads no pack and asks no registry.
func TestExamine(t *testing.T) {
	p := newVendored(t)
	p.reg.ResetRequests()
	p.flip("app/packs/a.gtpack")
	before := p.snapshot(true)
	examine := func(toml, lock string) *vendorer.Examination {
		t.Helper()
		x, err := vendorer.Examine(t.Context(), p.options)
		p.must(err)
		for _, e := range []struct {
			err  error
			want string
		}{{x.TOMLErr, toml}, {x.LockErr, lock}} {
			got := ""
			if e.err != nil {
				got = e.err.Error()
			}
			if want := p.expand(e.want); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		return x
	}
	x := examine("", "")
	if x.Packs != 1 || !slices.Equal(x.Registries, []string{p.reg.Host()}) || x.Missing || x.NoModule {
		t.Errorf("%+v", x)
	}
	if after := p.snapshot(true); after != before || len(p.reg.Requests()) > 0 {
		t.Errorf("there is %s, want %s; requests: %v", after, before, p.reg.Requests())
	}

	p.replace("app/packs.lock", "size = ", "size = -")
	examine("", "$DIR/packs.lock:9: size: -$A_SIZE is not a whole number of bytes")
	p.remove("app/packs.lock")
	examine("", "$DIR/packs.lock would change (missing: a)")
	p.packs(`a = "$REG/a:stable"`)
	if x := examine(`$DIR/packs.toml:2: packs.a: "$REG/a:stable" is a tag, not a pin: tags can move`, ""); x.Packs != 1 || len(x.Registries) != 1 {
		t.Errorf("%+v", x) // it is only without a pin
	}
	p.remove("app/packs.toml")
	if x := examine("$DIR/packs.toml: no such file", ""); !x.Missing {
		t.Errorf("%+v", x)
	}
	p.remove("go.mod")
	if x := examine("$DIR is in no Go module: there is no go.mod in it or above it", ""); !x.Missing || !x.NoModule {
		t.Errorf("%+v", x)
	}
}

// An examination says that another run is at work, and does not say that it waits.
func TestExamineBusy(t *testing.T) {
	p := newVendored(t)
	lock := flock.New(p.mod, flock.SetFlag(os.O_RDONLY))
	held, err := lock.TryLock()
	p.must(err)
	if !held {
		t.Skip("a directory cannot be locked here")
	}
	defer lock.Unlock()
	p.options.LockWait = time.Millisecond
	p.events = nil
	x, err := vendorer.Examine(t.Context(), p.options)
	p.must(err)
	if !errors.As(x.TOMLErr, new(*vendorer.BusyError)) || x.Packs != 1 || len(p.events) > 0 {
		t.Errorf("%+v, events %v", x, p.events)
	}

	p.options.LockWait = time.Hour
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if _, err := vendorer.Examine(ctx, p.options); err == nil || err.Error() != "enough" {
		t.Errorf("interrupted: %v", err)
	}
}
