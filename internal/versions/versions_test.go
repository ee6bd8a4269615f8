package versions

import (
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tag := range []string{"1.2.3", "v1.2.3", "0.0.0", "1.2.3-rc.1", "v1.2.3-0.a-b+build.7", "1.2.3+b"} {
		if v, ok := Parse(tag); !ok || v.String() != tag {
			t.Errorf("%s: %v, %v", tag, v, ok)
		}
	}
	for _, tag := range []string{"", "latest", "1", "1.2", "v1.2", "vv1.2.3", "V1.2.3", "01.2.3", "1.2.3.4", "2026-11-25", "sha256-aa.sig", "1.2.3-", "1.2.3-01", "1.2.3_1", "release-1.2.3", "20261125", "v", " 1.2.3"} {
		if _, ok := Parse(tag); ok {
			t.Errorf("%s is taken for a version", tag)
		}
	}
}

func parse(t *testing.T, tag string) Version {
	t.Helper()
	v, ok := Parse(tag)
	if !ok {
		t.Fatalf("%s is no version", tag)
	}
	return v
}

func TestIsCompatibleWith(t *testing.T) {
	for _, test := range []struct {
		v, w string
		want bool
	}{
		{"1.9.0", "v1.2.3", true}, {"2.0.0", "1.2.3", false}, {"1.0.0", "0.9.0", false},
		{"0.4.9", "0.4.1", true}, {"0.5.0", "0.4.1", false}, {"1.2.3-rc.1", "1.0.0", true},
	} {
		if got := parse(t, test.v).IsCompatibleWith(parse(t, test.w)); got != test.want {
			t.Errorf("%s with %s: %v", test.v, test.w, got)
		}
	}
}

func TestIsNewerThan(t *testing.T) {
	order := []string{"0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-rc.2", "1.0.0-rc.10", "1.0.0", "v1.0.1"}
	for i, v := range order {
		for j, w := range order {
			if got := parse(t, v).IsNewerThan(parse(t, w)); got != (i > j) {
				t.Errorf("%s newer than %s: %v", v, w, got)
			}
		}
	}
	if parse(t, "1.0.0").IsNewerThan(parse(t, "v1.0.0")) || parse(t, "v1.0.0").IsNewerThan(parse(t, "1.0.0")) {
		t.Error("equal versions are not equal")
	}
}

// The newest comes first, and what is no version keeps its order.
func TestSort(t *testing.T) {
	tags := strings.Fields("stable 1.0.0 v1.1.0 latest 1.10.0 1.1.0 2.0.0-rc.1 1.2 1.1.0")
	sorted, others := Sort(tags)
	var got []string
	for _, v := range sorted {
		got = append(got, v.String())
	}
	if want := "2.0.0-rc.1 1.10.0 1.1.0 1.1.0 v1.1.0 1.0.0"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %s", got, want)
	}
	if want := "stable latest 1.2"; strings.Join(others, " ") != want {
		t.Errorf("others are %q, want %s", others, want)
	}
}

// The order in which a registry lists tags decides nothing.
func TestNewest(t *testing.T) {
	for _, test := range []struct{ tags, want string }{
		{"latest 1.2 1.0.0 v1.1.0 1.0.9", "v1.1.0"},
		{"v1.1.0 1.1.0", "1.1.0"},
		{"1.1.0+a v1.1.0+b 1.1.0+b", "1.1.0+b"},
		{"2.0.0-rc.1 1.0.0", "2.0.0-rc.1"},
		{"latest stable 2026.1", ""},
		{"", ""},
	} {
		tags := strings.Fields(test.tags)
		for range 2 {
			got, found := Newest(tags, func(Version) bool { return true })
			if got.String() != test.want || found != (test.want != "") {
				t.Errorf("%v: %s, %v", tags, got, found)
			}
			slices.Reverse(tags)
		}
	}
	odd := func(v Version) bool { return !v.IsPrerelease() }
	if got, _ := Newest([]string{"1.0.0", "1.1.0-rc.1"}, odd); got.String() != "1.0.0" {
		t.Errorf("got %s", got)
	}
}

func TestRange(t *testing.T) {
	for _, test := range []struct{ r, in, out string }{
		{"^0.4", "0.4.0 v0.4.38", "0.5.0 1.0.0 0.4.39-rc.1 0.3.9"},
		{"~1.2", "1.2.0 1.2.9", "1.3.0"},
		{">=1.2, <2 || ^3", "1.2.0 3.9.9", "2.0.0 4.0.0 1.3.0-rc.1"},
		{">=1.0.0-rc.1 <2.0.0", "1.0.0-rc.2 1.0.0 1.9.0-x", "2.0.0 1.0.0-rc.0"},
		{"*", "0.0.1 9.9.9", "1.0.0-a"},
		{"1.2.3", "1.2.3 v1.2.3", "1.2.4"},
	} {
		r, err := ParseRange(test.r)
		if err != nil {
			t.Errorf("%s: %v", test.r, err)
			continue
		}
		for _, tag := range strings.Fields(test.in) {
			if !r.Contains(parse(t, tag)) {
				t.Errorf("%s does not contain %s", test.r, tag)
			}
		}
		for _, tag := range strings.Fields(test.out) {
			if r.Contains(parse(t, tag)) {
				t.Errorf("%s contains %s", test.r, tag)
			}
		}
	}
}

func TestParseRangeErrors(t *testing.T) {
	for _, test := range []struct{ r, want string }{
		{"", "is empty"},
		{"  ", "is empty"},
		{"newest", "is not a range of versions such as ^0.4"},
		{"^0.4 &&", "is not a range of versions such as ^0.4"},
		{`^1"`, `has the character "\""`},
		{"^1\n", `has the character "\n"`},
		{"^1\u202e", `has the character "\xe2"`},
		{strings.Repeat(" ", 256) + "1", "is longer than 256 characters"},
	} {
		if _, err := ParseRange(test.r); err == nil || err.Error() != test.want {
			t.Errorf("%q: %v, want %s", test.r, err, test.want)
		}
	}
}
