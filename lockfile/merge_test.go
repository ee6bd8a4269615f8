package lockfile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/lockfile"
)

// A pack is absent, or has one of three entries, in the base and on both sides: all 64 ways
// have the result that git gives for a file that is absent or has one of three contents.
func TestMergeEveryWay(t *testing.T) {
	states := []lockfile.Entry{{}, sized("b", 1), sized("b", 2), sized("b", 3)}
	for _, base := range states {
		for _, ours := range states {
			for _, theirs := range states {
				got := lockfile.Merge([]*lockfile.Lock{between(base)}, between(ours), between(theirs))
				want := &lockfile.Merged{}
				switch {
				case ours == theirs, theirs == base:
					want.Entries = between(ours).Entries
				case ours == base:
					want.Entries = between(theirs).Entries
				default:
					want.Entries = between(lockfile.Entry{}).Entries
					want.Conflicts = []lockfile.Conflict{{Name: "b", Ours: ours, Theirs: theirs}}
				}
				if !slices.Equal(got.Entries, want.Entries) || !slices.Equal(got.Conflicts, want.Conflicts) {
					t.Errorf("base %d, ours %d, theirs %d:\ngot  %+v\nwant %+v", base.Size, ours.Size, theirs.Size, got, want)
				}
			}
		}
	}
}

func sized(name string, size int64) lockfile.Entry {
	p := slack(name)
	p.Size = size
	return p
}

// between returns a lock with an entry, if it is one, between two others.
func between(p lockfile.Entry) *lockfile.Lock {
	l := &lockfile.Lock{Entries: []lockfile.Entry{slack("a"), p, slack("c")}}
	l.Entries = slices.DeleteFunc(l.Entries, func(p lockfile.Entry) bool { return p == lockfile.Entry{} })
	return l
}

// Where the base is an unresolved merge, a side left a pack alone only if it is the same in
// both sides of that merge.
func TestMergeUnresolvedBase(t *testing.T) {
	one, two, three := sized("b", 1), sized("b", 2), sized("b", 3)
	for _, test := range []struct {
		name         string
		base         lockfile.Conflict
		ours, theirs lockfile.Entry
		want         lockfile.Entry
		wantConflict bool
	}{
		{"alike", lockfile.Conflict{Name: "b", Ours: one, Theirs: two}, three, three, three, false},
		{"both removed it", lockfile.Conflict{Name: "b", Ours: one, Theirs: two}, lockfile.Entry{}, lockfile.Entry{}, lockfile.Entry{}, false},
		{"each has kept its own", lockfile.Conflict{Name: "b", Ours: one, Theirs: two}, one, two, lockfile.Entry{}, true},
		{"one removed it", lockfile.Conflict{Name: "b", Ours: one}, one, lockfile.Entry{}, lockfile.Entry{}, true},
	} {
		merge := lockfile.Merged{Entries: between(lockfile.Entry{}).Entries, Conflicts: []lockfile.Conflict{test.base}}
		base, err := lockfile.ParseBase("packs.lock", merge.Format())
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got := lockfile.Merge(base, between(test.ours), between(test.theirs))
		want := &lockfile.Merged{Entries: between(test.want).Entries}
		if test.wantConflict {
			want.Conflicts = []lockfile.Conflict{{Name: "b", Ours: test.ours, Theirs: test.theirs}}
		}
		if !slices.Equal(got.Entries, want.Entries) || !slices.Equal(got.Conflicts, want.Conflicts) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", test.name, got, want)
		}
	}
}

// Git gives an empty file as the base where both sides added the file.
func TestMergeWithoutBase(t *testing.T) {
	base, err := lockfile.ParseBase("packs.lock", nil)
	if err != nil || len(base) != 0 {
		t.Fatalf("got %v, %v", base, err)
	}
	ours := &lockfile.Lock{Entries: []lockfile.Entry{slack("a"), sized("c", 1), slack("d")}}
	theirs := &lockfile.Lock{Entries: []lockfile.Entry{slack("b"), sized("c", 2), slack("d")}}
	got := lockfile.Merge(base, ours, theirs)
	if want := []lockfile.Entry{slack("a"), slack("b"), slack("d")}; !slices.Equal(got.Entries, want) {
		t.Errorf("got %+v, want %+v", got.Entries, want)
	}
	if want := []lockfile.Conflict{{Name: "c", Ours: sized("c", 1), Theirs: sized("c", 2)}}; !slices.Equal(got.Conflicts, want) {
		t.Errorf("got %+v, want %+v", got.Conflicts, want)
	}
}

// What git itself writes of a conflict is a base, too, whatever its style.
func TestParseBase(t *testing.T) {
	block := func(size int64) string {
		text := string(lockfile.Format(&lockfile.Lock{Entries: []lockfile.Entry{sized("b", size)}}))
		return text[strings.Index(text, "[[pack]]"):]
	}
	for style, text := range map[string]string{
		"merge": "version = 1\n<<<<<<< HEAD\n" + block(1) + "=======\n" + block(2) + ">>>>>>> topic\n",
		"diff3": "version = 1\n<<<<<<< HEAD\n" + block(1) + "||||||| 1234567\n" + block(3) + "=======\n" + block(2) + ">>>>>>> topic\n",
		"CRLF":  strings.ReplaceAll("version = 1\n<<<<<<< HEAD\n"+block(1)+"=======\n"+block(2)+">>>>>>> topic\n", "\n", "\r\n"),
	} {
		locks, err := lockfile.ParseBase("packs.lock", []byte(text))
		if err != nil || len(locks) != 2 || !slices.Equal(locks[0].Entries, []lockfile.Entry{sized("b", 1)}) || !slices.Equal(locks[1].Entries, []lockfile.Entry{sized("b", 2)}) {
			t.Errorf("%s: got %+v, %v", style, locks, err)
		}
	}
	for name, text := range map[string]string{
		"newer":                 "version = 2\n",
		"malformed on one side": "version = 1\n<<<<<<< HEAD\nx\n=======\n>>>>>>> topic\n",
		"unresolved twice":      "version = 1\n<<<<<<<<< HEAD\n=========\n>>>>>>>>> topic\n",
	} {
		if locks, err := lockfile.ParseBase("packs.lock", []byte(text)); err == nil {
			t.Errorf("%s: got %+v", name, locks)
		}
	}
}

func TestMergedFormat(t *testing.T) {
	both := &lockfile.Lock{Entries: []lockfile.Entry{slack("a"), slack("c")}}
	if got, want := (&lockfile.Merged{Entries: both.Entries}).Format(), lockfile.Format(both); string(got) != string(want) {
		t.Errorf("without conflicts: got\n%s\nwant\n%s", got, want)
	}
	merged := &lockfile.Merged{
		Entries: both.Entries,
		Conflicts: []lockfile.Conflict{
			{Name: "b", Ours: sized("b", 1), Theirs: sized("b", 2)},
			{Name: "d", Ours: slack("d")},
			{Name: "e", Theirs: slack("e")},
		},
	}
	golden(t, "testdata/merged.golden", merged.Format())
}
