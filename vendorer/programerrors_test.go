package vendorer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/vendorer"
)

// What a program says of its packs is foreign text, and begins no line of its own.
func TestProgramErrorsHostile(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&vendorer.LinkError{Program: "a\nb", Package: "p\x1b[2J", Name: "x\n2 of 2", Fault: vendorer.FaultNotLocked},
			`a\nb: "x\n2 of 2" of "p\x1b[2J" is in no packs.lock that was given`},
		{&vendorer.LinkError{Program: "app", Name: "x, y is", Lock: "a\nb", Fault: vendorer.FaultNotLinked, Architectures: []string{"386", "arm64"}},
			`app: "x, y is" of a\nb is not linked for 386, arm64`},
		{&vendorer.LinkError{Program: "app", Name: "x", Lock: "a\nb", Fault: vendorer.FaultOtherContent},
			`app: x: the program has other bytes than a\nb`},
		{&vendorer.LinkError{Program: "app", Name: "x", Lock: "a\nb", Fault: vendorer.FaultOtherReference},
			`app: x: the program has the pack of another reference than a\nb`},
		{&vendorer.LinkError{Program: "app", Name: strings.Repeat("x", 1000), Fault: vendorer.FaultBytesAbsent},
			`app: "` + strings.Repeat("x", 200) + `"...: the program has the marker, but not the bytes`},
		{&vendorer.NoMarkerError{Program: "a\nb", Lock: "c\nd", Package: "p\nq"},
			`a\nb has no marker of "p\nq", the package of c\nd`},
		{&vendorer.NoMarkerError{Program: "a\nb", Lock: "c\nd"}, `a\nb has no marker of a pack of c\nd`},
		{&vendorer.NoMarkerError{Program: "a\nb", Lock: "c", Architecture: "386"}, `a\nb: its program for 386 has no marker of a pack of c`},
		{&vendorer.MalformedMarkersError{Program: "a\nb", Count: 1},
			`a\nb has 1 malformed marker: something changed it, so nobody knows which pack it named`},
		{&vendorer.InspectError{What: "a\nb", Err: errors.New("no")}, `a\nb: no`},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%s\nwant: %s", got, test.want)
		}
	}
}
