package vendorer_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/vendorer"
)

// held stalls the pack's blob until release is called; a request for it closes reached.
func (p *project) held(name string) (reached chan struct{}, release func()) {
	reached, gate := make(chan struct{}), make(chan struct{})
	var once sync.Once
	p.reg.Inject(packtest.Fault{
		Match: fault.StallBlob(pushedLayer(p, name), 0).Match,
		Serve: waiting(func() { once.Do(func() { close(reached) }) }, gate),
	})
	return reached, sync.OnceFunc(func() { close(gate) })
}

// The second of two runs in one process reports its wait, and then has nothing to do.
func TestTwoRuns(t *testing.T) {
	p := newProject(t)
	p.push("A", "a")
	p.packs(`a = "$REG/a@$A"`)
	reached, release := p.held("A")
	defer release()
	first := make(chan error, 1)
	go func() {
		_, err := vendorer.Run(context.Background(), vendorer.Options{File: p.options.File, CacheDir: p.options.CacheDir})
		first <- err
	}()
	<-reached
	p.onEvent = func(e vendorer.Event) {
		if _, ok := e.(vendorer.WaitingForProject); ok {
			release()
		}
	}
	report := p.mustRun()
	p.must(<-first)
	p.wantEvents("vendorer.WaitingForProject{File:$DIR/packs.toml}")
	if len(report.Written) > 0 {
		t.Errorf("the second run wrote %v", report.Written)
	}
	p.wantRequests("GET /v2/a/manifests/$A", "GET /v2/a/blobs/$A_LAYER")
	p.wantNothingWritten()
}

// Two processes, each with its own cache, do the same.
func TestTwoProcesses(t *testing.T) {
	p := newProject(t)
	p.push("A", "a")
	p.packs(`a = "$REG/a@$A"`)
	reached, release := p.held("A")
	defer release()
	start := func() (*exec.Cmd, *lines) {
		out := &lines{seen: make(chan string, 100)}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childProject+"="+p.options.File, childCache+"="+t.TempDir())
		cmd.Stdout, cmd.Stderr = out, out
		p.must(cmd.Start())
		return cmd, out
	}
	first, _ := start()
	<-reached
	second, out := start()
	for line := range out.seen {
		if strings.HasPrefix(line, "vendorer.WaitingForProject{") {
			break
		}
	}
	release()
	p.must(first.Wait())
	p.must(second.Wait())
	p.wantRequests("GET /v2/a/manifests/$A", "GET /v2/a/blobs/$A_LAYER")
	p.mustRun()
	p.wantFound(false)
}

// lines passes on each write.
type lines struct{ seen chan string }

func (l *lines) Write(b []byte) (int, error) {
	l.seen <- string(b)
	return len(b), nil
}

// Many runs write at once.
func TestManyRuns(t *testing.T) {
	p := newProject(t)
	var entries []string
	for _, name := range []string{"a", "b", "c"} {
		p.push(strings.ToUpper(name), name)
		entries = append(entries, name+` = "$REG/`+name+`@$`+strings.ToUpper(name)+`"`)
	}
	p.packs(entries...)
	errs := make([]error, 8)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() {
			_, errs[i] = vendorer.Run(context.Background(), vendorer.Options{File: p.options.File, CacheDir: p.options.CacheDir})
		})
	}
	group.Wait()
	p.must(errors.Join(errs...))
	p.wantFile("app/packs.lock", lockOf("a", "b", "c"))
	p.wantNothingWritten()
	p.wantFound(false)
}

func TestBusy(t *testing.T) {
	p := newVendored(t)
	lock := flock.New(p.mod, flock.SetFlag(os.O_RDONLY))
	held, err := lock.TryLock()
	p.must(err)
	if !held {
		t.Skip("a directory cannot be locked here")
	}
	p.options.LockWait = time.Millisecond
	for name, do := range map[string]func() error{
		"run": p.runs(), "update": p.updates(), "add": p.adds("a", "$REG/a@$A"),
		"verify": func() error {
			p.events = nil
			_, err := vendorer.Verify(context.Background(), p.options, false)
			return err
		},
	} {
		err := p.fails(do, "$DIR/packs.toml: another packvendor has been at work on this project for too long")
		var busy *vendorer.BusyError
		if !errors.As(err, &busy) {
			t.Errorf("%s: error is a %T", name, err)
		}
		p.wantEvents("vendorer.WaitingForProject{File:$DIR/packs.toml}")
	}
	t.Run("interrupted", func(t *testing.T) {
		p.t = t
		p.options.LockWait = time.Hour
		ctx, cancel := context.WithCancelCause(context.Background())
		p.onEvent = func(vendorer.Event) { cancel(errors.New("enough")) }
		defer func() { p.onEvent = nil }()
		p.fails(func() error { _, err := vendorer.Run(ctx, p.options); return err }, "enough")
	})
	p.must(lock.Unlock())
	p.mustRunAtOnce()
}

// Each run unlocks the project for the next one, however it ended.
func TestLockIsGivenBack(t *testing.T) {
	p := newVendored(t)
	good := p.read("app/packs.toml")
	for name, spoil := range map[string]func(){
		"no packs.toml":  func() { p.remove("app/packs.toml") },
		"bad packs.toml": func() { p.write("app/packs.toml", "no") },
		"no module":      func() { p.must(os.Rename(p.mod+"/go.mod", p.mod+"/gone.mod")) },
		"clash":          func() { p.write("app/clash.go", "package app\n\nfunc Packs() {}\n") },
		"no such pack":   func() { p.packs(`a = "$REG/a@$ZERO"`) },
	} {
		spoil()
		if _, err := p.run(); err == nil {
			t.Errorf("%s: no error", name)
		}
		if slices.ContainsFunc(p.events, func(e string) bool { return strings.HasPrefix(e, "vendorer.WaitingForProject") }) {
			t.Errorf("%s: the run before it did not let go", name)
		}
		if name == "no module" {
			p.must(os.Rename(p.mod+"/gone.mod", p.mod+"/go.mod"))
		}
		p.remove("app/clash.go")
		p.write("app/packs.toml", good)
		p.mustRunAtOnce()
	}
}
