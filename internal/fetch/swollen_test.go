package fetch_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/packtest"
)

// A manifest may hold megabytes of names; a message does not.
func TestFault24_SwollenManifests(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	many := func(key string) string {
		return fmt.Sprintf(`{"mediaType":%q,%q:[%s{}]}`, map[string]string{"layers": imageType, "manifests": indexType}[key], key, strings.Repeat("{},", 50))
	}
	for name, test := range map[string]struct{ body, mediaType, want string }{
		"many layers":  {many("layers"), imageType, "and 35 more"},
		"long layer":   {`{"mediaType":"` + imageType + `","layers":[{"mediaType":"` + long + `","digest":"` + long + `"}]}`, imageType, "xxx\"..."},
		"long key":     {`{"` + long + `":1,"` + long + `":2}`, imageType, "twice in one object"},
		"long kind":    {`{"mediaType":"` + long + `","layers":[]}`, imageType, "packs are not read from manifests of type "},
		"many values":  {`{"layers":[` + strings.Repeat("{},", 1<<20) + `{}]}`, imageType, "invalid manifest: JSON of more than 100000 values"},
		"many in many": {`{"layers":[],"x":[` + strings.Repeat("[0,0],", 40_000) + `0]}`, imageType, "invalid manifest: JSON of more than 100000 values"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, packtest.Options{})
			digest, err := b.reg.PutManifest(repository, "swollen", test.mediaType, []byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			_, err = b.fetcher(t).Resolve(context.Background(), parse(b.refOf(digest)), "")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %.300v, want one with %q", err, test.want)
			}
			if n := len(err.Error()); n > 20_000 {
				t.Errorf("a message of %d bytes: %.300q", n, err)
			}
			b.wantNoEntries(t)
		})
	}
}

// Nothing stays in the cache of manifests by which no pack comes there.
func TestFault21_ChildrenWithoutAPackAreNotKept(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	_, err := s.fetcher(t).Resolve(context.Background(), parse(s.refOf(s.index(t, s.noPack.Child(), s.subject(t)))), "")
	as[*fetch.IndexError](t, err)
	s.wantNoEntries(t)

	_, err = s.fetcher(t).Resolve(context.Background(), parse(s.refOf(s.index(t, s.noPack.Child(), s.subject(t), s.pushed.Child()))), "")
	if err != nil {
		t.Fatal(err)
	}
	s.wantFiles(t, "manifest.json")
	if n := s.entries(t); n != 1 {
		t.Errorf("%d entries, want the pack's alone", n)
	}
}

// entries counts the cache's entries.
func (b *fixture) entries(t *testing.T) (n int) {
	t.Helper()
	list, err := os.ReadDir(b.dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range list {
		if !strings.HasPrefix(e.Name(), ".") {
			n++
		}
	}
	return n
}

func (b *fixture) wantNoEntries(t *testing.T) {
	t.Helper()
	if n := b.entries(t); n != 0 {
		t.Errorf("%d entries in the cache", n)
	}
}
