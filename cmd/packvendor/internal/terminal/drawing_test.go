package terminal

import (
	"testing"
	"time"

	"github.com/greenticai/packvendor/vendorer"
)

func TestProgressLine(t *testing.T) {
	some := vendorer.Progress{Phase: vendorer.PhaseFetching, Packs: 12, Done: 3, Bytes: 34_500_000, BytesDone: 12_340_000}
	large := vendorer.Progress{Phase: vendorer.PhaseFetching, Packs: 120, Done: 103, Bytes: 1_345_000_000, BytesDone: 1_000_900_000}
	one := vendorer.Progress{Phase: vendorer.PhaseFetching, Packs: 1, Bytes: 2000, BytesDone: 1000}
	counted := vendorer.Progress{Phase: vendorer.PhaseVerifying, Packs: 4, Done: 1}
	for _, test := range []struct {
		name    string
		p       vendorer.Progress
		rate    float64
		columns int
		want    string
	}{
		{"much room", some, 2_100_000, 200, "fetching 3/12 packs  35% [======>             ] 12.3/34.5 MB, 2.10 MB/s, 10s left"},
		{"just enough", some, 2_100_000, 82, "fetching 3/12 packs  35% [======>             ] 12.3/34.5 MB, 2.10 MB/s, 10s left"},
		{"80 columns", some, 2_100_000, 79, "fetching 3/12 packs  35% [==>       ] 12.3/34.5 MB, 2.10 MB/s, 10s left"},
		{"a little less", some, 2_100_000, 69, "fetching 3/12  35% [==>       ] 12.3/34.5 MB, 2.10 MB/s, 10s left"},
		{"less", some, 2_100_000, 60, "fetching 3/12  35% [==>       ] 2.10 MB/s, 10s left"},
		{"still less", some, 2_100_000, 40, "fetching 3/12  35% [==>       ] 10s left"},
		{"half of that", some, 2_100_000, 39, "fetching 3/12  35% [==>       ]"},
		{"hardly any", some, 2_100_000, 13, "fetching 3/12"},
		{"none", some, 2_100_000, 12, ""},
		{"no terminal is so narrow", some, 2_100_000, -1, ""},
		{"speed not known", some, 0, 79, "fetching 3/12 packs  35% [======>             ] 12.3/34.5 MB"},
		{"very slow", some, 100, 79, "fetching 3/12 packs  35% [======>             ] 12.3/34.5 MB, 100 B/s"},
		{"slow", some, 10_000, 90, "fetching 3/12 packs  35% [======>             ] 12.3/34.5 MB, 10.0 kB/s, 36m56s left"},
		{"large", large, 12_300_000, 100, "fetching 103/120 packs  74% [=============>      ] 1.00/1.35 GB, 12.3 MB/s, 27s left"},
		{"another unit", vendorer.Progress{Phase: vendorer.PhaseFetching, Packs: 2, Bytes: 1_345_000_000, BytesDone: 1000}, 0, 79,
			"fetching 0/2 packs   0% [                    ] 1.00 kB/1.35 GB"},
		{"one pack", one, 500, 79, "fetching  50% [=========>          ] 1.00/2.00 kB, 500 B/s, 2s left"},
		{"one pack, all but done", vendorer.Progress{Phase: vendorer.PhaseFetching, Packs: 1, Bytes: 2000, BytesDone: 1999}, 500, 79,
			"fetching  99% [==================> ] 2.00/2.00 kB, 500 B/s, 1s left"},
		{"all bytes", vendorer.Progress{Phase: vendorer.PhaseFetching, Packs: 2, Done: 1, Bytes: 2000, BytesDone: 2000}, 500, 79,
			"fetching 1/2 packs 100% [====================] 2.00/2.00 kB, 500 B/s"},
		{"more bytes than there are", vendorer.Progress{Phase: vendorer.PhaseFetching, Packs: 2, Bytes: 2000, BytesDone: 2001}, 500, 79,
			"fetching 0/2 packs 100% [====================] 2.00/2.00 kB, 500 B/s"},
		{"packs without bytes", vendorer.Progress{Phase: vendorer.PhaseFetching, Packs: 2, Done: 1}, 0, 79, "fetching 1/2 packs  50% [=========>          ]"},
		{"counted", counted, 0, 79, "verifying 1/4 packs  25% [====>               ]"},
		{"counted, narrow", counted, 0, 34, "verifying 1/4  25% [=>        ]"},
		{"counted, all", vendorer.Progress{Phase: vendorer.PhaseVerifying, Packs: 4, Done: 4}, 0, 79, "verifying 4/4 packs 100% [====================]"},
		{"one to be resolved", vendorer.Progress{Phase: vendorer.PhaseResolving, Packs: 1}, 0, 79, "resolving"},
		{"nothing to do", vendorer.Progress{Phase: vendorer.PhaseResolving}, 0, 79, ""},
	} {
		got := progressLine(test.p, test.rate, test.columns)
		if got != test.want {
			t.Errorf("%s:\n got %q\nwant %q", test.name, got, test.want)
		}
		if len(got) > max(test.columns, 0) {
			t.Errorf("%s: %d columns", test.name, len(got))
		}
	}
}

func TestRate(t *testing.T) {
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	const ms = time.Millisecond
	for _, test := range []struct {
		name    string
		samples []sample // their times as milliseconds
		want    float64
	}{
		{"nothing", nil, 0},
		{"once", []sample{{start, 1000}}, 0},
		{"too short", []sample{{start, 0}, {start.Add(499 * ms), 1000}}, 0},
		{"long enough", []sample{{start, 0}, {start.Add(500 * ms), 1000}}, 2000},
		{"since the first sample, not since zero", []sample{{start, 1000}, {start.Add(1000 * ms), 1500}}, 500},
		{"standing still", []sample{{start, 1000}, {start.Add(1000 * ms), 1000}}, 0},
		{"begun anew", []sample{{start, 1000}, {start.Add(1000 * ms), 10}}, 0},
		{"the last seconds count", []sample{{start, 0}, {start.Add(1000 * ms), 9000}, {start.Add(6000 * ms), 10000}}, 200},
		{"the last seconds, standing still", []sample{{start, 0}, {start.Add(1000 * ms), 9000}, {start.Add(3000 * ms), 9000}, {start.Add(6001 * ms), 9000}}, 0},
		{"a clock that stands still", []sample{{start, 0}, {start, 1000}}, 0},
	} {
		var r rate
		for _, s := range test.samples {
			r.sample(s.at, s.n)
		}
		if got := r.perSecond(); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	var r rate
	for n := range 100_000 {
		r.sample(start.Add(time.Duration(n)*100*ms), int64(n))
	}
	if len(r.samples) > 51 {
		t.Errorf("%d samples are kept", len(r.samples))
	}
}
