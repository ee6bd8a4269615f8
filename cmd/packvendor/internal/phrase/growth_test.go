package phrase

import "testing"

func TestGrowth(t *testing.T) {
	for _, test := range []struct {
		before, after int64
		want          string
	}{
		{0, 0, "0 B"},
		{1500, 1500, "1.5 kB"},
		{0, 1, "0 B → 1 B (+1 byte)"},
		{1, 0, "1 B → 0 B (-1 byte)"},
		{0, 1500, "0 B → 1.5 kB (+1500 bytes)"},
		{1500, 0, "1.5 kB → 0 B (-100.0 %)"},
		{1500, 1501, "1.5 kB → 1.5 kB (+1 byte)"},
		{1501, 1500, "1.5 kB → 1.5 kB (-1 byte)"},
		{1500, 1502, "1.5 kB → 1.5 kB (+2 bytes)"},
		{1000, 1100, "1.0 kB → 1.1 kB (+10.0 %)"},
		{1100, 1000, "1.1 kB → 1.0 kB (-9.1 %)"},
		{1000, 3_500_000, "1.0 kB → 3.5 MB (+349900.0 %)"},
		{15_499_000, 15_501_000, "15 MB → 16 MB (+2000 bytes)"}, // not +0.0 %
		{15_501_000, 15_499_000, "16 MB → 15 MB (-2000 bytes)"},
	} {
		if got := Growth(test.before, test.after, "→"); got != test.want {
			t.Errorf("from %d to %d: %q, want %q", test.before, test.after, got, test.want)
		}
	}
	if got, want := Growth(1000, 1100, "to"), "1.0 kB to 1.1 kB (+10.0 %)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
