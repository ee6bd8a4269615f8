package packsfile

import (
	"fmt"
	"testing"
)

// The units of sizes are those of the SI and of IEC 80000-13.
func TestLimits(t *testing.T) {
	for text, want := range map[string]int64{
		"1B":            1,
		"1kB":           1_000,
		"1KiB":          1_024,
		"20MB":          20_000_000,
		"20 MB":         20_000_000,
		"20mb":          20_000_000,
		"20MiB":         20_971_520,
		"20mib":         20_971_520,
		"1.5GB":         1_500_000_000,
		"1.125 GiB":     1_207_959_552,
		"999999999 GiB": 999_999_999 << 30,
	} {
		f, err := Parse("packs.toml", fmt.Appendf(nil, "[packs]\n[limits]\n# each\npack = %q\n", text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := (Limits{Pack: Limit{Bytes: want, Text: text, Line: 4}}); f.Limits != got {
			t.Errorf("%s: got %+v", text, f.Limits)
		}
	}
}

func TestLimitValues(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`limits = 1`, `packs.toml:1: limits: must be a table`},
		{`limits.pack = 20`, `packs.toml:1: limits.pack: must be a string`},
		{`limits.total = "20"`, `packs.toml:1: limits.total: "20" is no size like 20MB or 20MiB`},
		{`limits.total = "0MB"`, `packs.toml:1: limits.total: "0MB" is no size like 20MB or 20MiB`},
		{`limits.totals = "1MB"`, `packs.toml:1: limits: unknown key "totals": did you mean "total"?`},
		{`limit.total = "1MB"`, `packs.toml:1: unknown key "limit": did you mean "limits"?`},
	} {
		_, err := Parse("packs.toml", []byte(test.text))
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", test.text, err, test.want)
		}
	}
}

func TestLimitIsExceeded(t *testing.T) {
	for _, test := range []struct {
		limit, size int64
		want        bool
	}{{0, 1 << 60, false}, {10, 9, false}, {10, 10, false}, {10, 11, true}} {
		if got := (Limit{Bytes: test.limit}).IsExceeded(test.size); got != test.want {
			t.Errorf("%d above %d: got %v", test.size, test.limit, got)
		}
	}
}
