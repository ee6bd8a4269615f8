package vendorer_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/greenticai/packvendor/internal/packtest"
)

// Events of concurrent packs come in the order of the packs.
func TestEventsInOrder(t *testing.T) {
	p := newProject(t)
	for _, name := range []string{"a", "b", "c"} {
		p.push("OLD"+name, name+":stable")
		p.push("NEW", name+":stable")
	}
	p.packs(`c = "$REG/c:stable@$OLDc"`, `b = "$REG/b:stable@$OLDb"`, `a = "$REG/a:stable@$OLDa"`)
	// a waits for b, and b for c.
	done := map[string]chan struct{}{"b": make(chan struct{}), "c": make(chan struct{})}
	var once sync.Map
	p.reg.Inject(packtest.Fault{
		Match: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/manifests/stable") },
		Serve: func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
			name := strings.Split(r.URL.Path, "/")[2]
			if before, ok := done[string(rune(name[0]+1))]; ok {
				<-before
			}
			honest.ServeHTTP(w, r)
			if _, again := once.LoadOrStore(name, true); !again && name != "a" {
				close(done[name])
			}
		},
	})
	p.mustRun()
	p.wantEvents(
		"vendorer.TagMoved{Name:a Ref:$REG/a:stable@$OLDa Pinned:$OLDa Now:$NEW}",
		"vendorer.TagMoved{Name:b Ref:$REG/b:stable@$OLDb Pinned:$OLDb Now:$NEW}",
		"vendorer.TagMoved{Name:c Ref:$REG/c:stable@$OLDc Pinned:$OLDc Now:$NEW}",
	)
}

// Another process fetches the same pack, and takes too long.
func TestWaitingForPack(t *testing.T) {
	p := newProject(t)
	p.push("A", "a")
	p.packs(`a = "$REG/a@$A"`)
	locks := filepath.Join(p.options.CacheDir, ".locks")
	p.must(os.MkdirAll(locks, 0o777))
	lock := flock.New(filepath.Join(locks, p.names["A"][7:]+".lock"))
	if held, err := lock.TryLock(); err != nil || !held {
		t.Skip("files cannot be locked here")
	}
	defer lock.Unlock()
	p.options.LockWait = time.Millisecond
	p.mustRun()
	p.wantEvents("fetch.Waiting{Reference:$REG/a@$A}")
	p.wantPack("a", "$A_LAYER")
}

// An unusable cache stops nothing, and each pack reports it.
func TestCacheUnusable(t *testing.T) {
	p := newProject(t)
	p.push("A", "a")
	p.packs(`a = "$REG/a@$A"`)
	p.must(os.WriteFile(p.options.CacheDir, []byte("a file"), 0o666))
	p.mustRun()
	p.wantPack("a", "$A_LAYER")
	if len(p.events) == 0 {
		t.Error("nobody is told that the cache is a file")
	}
	for _, e := range p.events {
		if !strings.HasPrefix(e, p.expand("fetch.CacheUnusable{Reference:$REG/a@$A Err:")) || !strings.HasSuffix(e, "not a directory}") {
			t.Errorf("event %s", e)
		}
	}
}
