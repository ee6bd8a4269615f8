package marker_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/greenticai/packvendor/internal/marker"
)

// scan returns the markers in r, with their places.
func scan(r io.Reader) ([]string, error) {
	var found []string
	err := marker.Scan(r, func(at int64, text string) error {
		found = append(found, fmt.Sprintf("%d %s", at, text))
		return nil
	})
	return found, err
}

func TestScan(t *testing.T) {
	m := framed(slackText)
	start := string(marker.Start())
	fill := strings.Repeat("x", marker.MaxSize)
	longest := start + fill[:marker.MaxSize-len(start)-1] + "\x03"
	for _, test := range []struct {
		name, data string
		want       []string
	}{
		{"nothing", "", nil},
		{"no marker", fill, nil},
		{"alone", m, []string{"0 " + m}},
		{"two", "ab" + m + m, []string{"2 " + m, fmt.Sprintf("%d %s", 2+len(m), m)}},
		{"another version", start + "v2\x03", []string{"0 " + start + "v2\x03"}},
		{"cut off", m[:len(m)-1], nil},
		{"another end", start + "v1 \n\x03", nil},
		{"a start within", start + "v1 " + m, []string{fmt.Sprintf("%d %s", len(start)+3, m)}},
		{"an STX before", "\x02" + m, []string{"1 " + m}},
		{"starts", strings.Repeat(start, 100_000) + m, []string{fmt.Sprintf("%d %s", 100_000*len(start), m)}},
		{"the longest", longest, []string{"0 " + longest}},
		{"the longest at the end", fill + fill + fill + longest, []string{fmt.Sprintf("%d %s", 3*len(fill), longest)}},
		{"too long", start + "x" + longest[len(start):], nil},
		{"far too long", start + fill + fill + fill + m, []string{fmt.Sprintf("%d %s", len(start)+3*len(fill), m)}},
	} {
		for kind, r := range map[string]io.Reader{
			"whole":     strings.NewReader(test.data),
			"half":      iotest.HalfReader(strings.NewReader(test.data)),
			"with data": iotest.DataErrReader(strings.NewReader(test.data)),
		} {
			got, err := scan(r)
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("%s, %s: got %.300q, %v\nwant %.300q", test.name, kind, got, err, test.want)
			}
		}
	}
}

// Wherever the end of what fits into memory falls, the marker is found.
func TestScanPlaces(t *testing.T) {
	m := framed(slackText)
	for shift := range 2 * len(m) {
		before := 2*marker.MaxSize - shift
		got, err := scan(io.MultiReader(bytes.NewReader(make([]byte, before)), strings.NewReader(m+"x")))
		if want := fmt.Sprintf("%d %s", before, m); err != nil || len(got) != 1 || got[0] != want {
			t.Fatalf("before %d bytes: got %q, %v", before, got, err)
		}
	}
}

func TestScanErrors(t *testing.T) {
	broken := errors.New("broken")
	got, err := scan(io.MultiReader(strings.NewReader(framed(slackText)), iotest.ErrReader(broken)))
	if err != broken || len(got) != 1 {
		t.Errorf("got %q, %v", got, err)
	}
	calls := 0
	err = marker.Scan(strings.NewReader(framed(slackText)+framed(slackText)), func(int64, string) error {
		calls++
		return broken
	})
	if err != broken || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}
