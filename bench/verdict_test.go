package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dustin/go-humanize"
)

// measuredAs is an outcome of so many seconds, and MiB.
func measuredAs(c tool, values ...float64) outcome {
	s := spread{values}
	return outcome{tool: c, wall: s, cpu: s, memory: s}
}

func lines(verdicts []verdict) string {
	var b strings.Builder
	for _, v := range verdicts {
		fmt.Fprintf(&b, "%s|%s|%s|%s|%s|%s\n", v.Case, v.Against, v.Target, v.Measured, v.Spread, v.met())
	}
	return b.String()
}

func TestByTime(t *testing.T) {
	r := result{comparison: comparison{title: "cold"}, outcomes: []outcome{
		measuredAs(tool{name: "packvendor"}, 1, 2, 3),
		measuredAs(tool{name: "curl", about: "`curl`, at length", target: 1}, 1, 2, 1),
		measuredAs(tool{name: "oras", target: 0.35}, 2, 4, 6),
		measuredAs(tool{name: "cp"}, 1, 1, 1),
	}}
	const want = "cold|`curl`, at length|≤ 1.00|1.00|1.00–3.00|yes\n" +
		"cold|oras|≤ 0.35|0.50|0.50–0.50|**no**\n" +
		"cold|cp||2.00|1.00–3.00|reported\n"
	if got := lines(r.byTime()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestByMemory(t *testing.T) {
	outcomes := func(large ...float64) result {
		return result{comparison: comparison{title: "memory"}, outcomes: []outcome{
			measuredAs(tool{name: "1 pack of 1 MiB"}, 10, 12, 11), measuredAs(tool{name: "1 pack of 1 GiB"}, large...),
		}}
	}
	for _, test := range []struct {
		large float64
		want  string
	}{
		{15, "memory, 1 pack of 1 GiB|1 pack of 1 MiB|≤ 1.25, or 4 MiB more|1.36, +4.0 MiB||yes\n"},
		{15.1, "memory, 1 pack of 1 GiB|1 pack of 1 MiB|≤ 1.25, or 4 MiB more|1.37, +4.1 MiB||**no**\n"},
	} {
		if got := lines(outcomes(test.large).byMemory(48)[2:]); got != test.want {
			t.Errorf("got\n%s\nwant\n%s", got, test.want)
		}
	}
	const want = "memory, 1 pack of 1 MiB|—|≤ 48 MiB|12.0 MiB|10.00–12.00|yes\nmemory, 1 pack of 1 GiB|—|≤ 48 MiB|48.5 MiB|20.00–48.50|**no**\n"
	if got := lines(outcomes(20, 20, 48.5).byMemory(48)[:2]); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAsked(t *testing.T) {
	verdicts := asked("x", traffic{Pings: 1, Manifests: 10, Blobs: 11, Tokens: 10}, 10, 10)
	met := []bool{}
	for _, v := range verdicts {
		met = append(met, v.Met)
	}
	if want := []bool{false, true, true, true}; !slices.Equal(met, want) {
		t.Errorf("met %v, want %v", met, want)
	}
}

func TestTexts(t *testing.T) {
	for _, test := range [][2]string{
		{packsText(1, 1<<30), "1 pack of 1 GiB"},
		{packsText(5000, 16<<10), "5,000 packs of 16 KiB"},
		{sizeText(1500), "1500 bytes"},
		{humanize.Comma(0), "0"},
		{humanize.Comma(999), "999"},
		{humanize.Comma(1_234_567), "1,234,567"},
		{briefly("Version:    1.3.6\nGo version: go1.26.8\n"), "1.3.6"},
		{briefly("go version go1.26.8 linux/amd64"), "go1.26.8"},
		{briefly("docker-registry github.com/docker/distribution 2.8.2+ds1\n"), "2.8.2+ds1"},
		{briefly("35be7da-dirty\n"), "35be7da-dirty"},
		{fileSystem(0xef53), "ext4"},
		{fileSystem(1), "0x1"},
	} {
		if test[0] != test[1] {
			t.Errorf("got %q, want %q", test[0], test[1])
		}
	}
}

func TestBuildSteps(t *testing.T) {
	const said = "WORK=/tmp/go-build1\ncd /app\n/usr/local/go/pkg/tool/linux_amd64/compile -o x -p main\n" +
		"GOROOT='/usr/local/go' /usr/local/go/pkg/tool/linux_amd64/link -o y\ngo tool buildid -w x\n"
	if got := buildSteps(said); got != 2 {
		t.Errorf("got %d steps, want 2", got)
	}
	if got := buildSteps("WORK=/tmp/go-build1\n"); got != 0 {
		t.Errorf("got %d steps, want none", got)
	}
}
