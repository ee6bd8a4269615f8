package checkup

import (
	"testing"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/vendorer"
)

// Whoever else can write the cache is named. The owner can take permissions back, so no
// command of others helps.
func TestWriters(t *testing.T) {
	for _, test := range []struct {
		others     vendorer.CacheOthers
		want, hint string
	}{
		{vendorer.CacheOthers{}, "", "chmod go-w '/my cache'"},
		{vendorer.CacheOthers{Everyone: true}, "everyone", "chmod go-w '/my cache'"},
		{vendorer.CacheOthers{Group: "staff", Everyone: true}, "the group staff, everyone", "chmod go-w '/my cache'"},
		{vendorer.CacheOthers{Owner: "alice", Group: "staff"}, "its owner alice, the group staff", ""},
	} {
		if got := writers(test.others); got != test.want {
			t.Errorf("%+v: %q, want %q", test.others, got, test.want)
		}
		if got := (&hint.Context{}).Text(narrowed("/my cache", vendorer.CacheAccess{Others: test.others})); got != test.hint {
			t.Errorf("%+v: %q, want %q", test.others, got, test.hint)
		}
	}
}

// The sticky bit stops all but the owner of the directory.
func TestSticky(t *testing.T) {
	for _, test := range []struct {
		others vendorer.CacheOthers
		want   string
	}{
		{vendorer.CacheOthers{Everyone: true}, "chmod +t '/my caches'"},
		{vendorer.CacheOthers{Group: "staff"}, "chmod +t '/my caches'"},
		{vendorer.CacheOthers{Owner: "alice", Everyone: true}, ""},
	} {
		a := vendorer.CacheAccess{Above: "/my caches", AboveOthers: test.others}
		if got := (&hint.Context{}).Text(sticky(a)); got != test.want {
			t.Errorf("%+v: %q, want %q", test.others, got, test.want)
		}
	}
}
