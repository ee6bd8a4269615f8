package gtpack

import (
	"archive/zip"
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
)

func TestDiff(t *testing.T) {
	a, b, c := file{"a", []byte("aaa")}, file{"b\n", []byte("bb")}, file{"c", nil}
	for name, test := range map[string]struct {
		old, new *bytes.Reader
		want     []FileChange
	}{
		"nothing":            {stored(t), stored(t), nil},
		"the same":           {stored(t, a, b, c), stored(t, a, b, c), nil},
		"packed another way": {stored(t, a, b, c), archiveOf(t, zip.Deflate, c, file{"d/", nil}, b, a), nil},
		"all of it":          {stored(t), stored(t, c, b, a), []FileChange{{"a", Added, 0, 3}, {"b\n", Added, 0, 2}, {"c", Added, 0, 0}}},
		"all of it gone":     {stored(t, c, b, a), stored(t), []FileChange{{"a", Removed, 3, 0}, {"b\n", Removed, 2, 0}, {"c", Removed, 0, 0}}},
		"some": {
			stored(t, a, b, file{"d", []byte("d")}, file{"e", []byte("e")}),
			stored(t, file{"a", []byte("aab")}, c, file{"d", nil}, file{"e", []byte("e")}),
			[]FileChange{{"a", Changed, 3, 3}, {"b\n", Removed, 2, 0}, {"c", Added, 0, 0}, {"d", Changed, 1, 0}},
		},
		"a version": {
			bytes.NewReader(packtest.Zip("p", "1.0.0", 10)), bytes.NewReader(packtest.Zip("p", "1.1.0", 10)),
			[]FileChange{{"assets/payload.bin", Changed, 10, 10}, {"manifest.cbor", Changed, 229, 229}, {"sbom.cbor", Changed, 453, 453}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Diff(t.Context(), test.old, test.new)
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %v, %v\nwant %v", got, err, test.want)
			}
		})
	}
}

func TestDiffErrors(t *testing.T) {
	good, none := stored(t), strings.NewReader("x")
	for _, test := range []struct {
		old, new Source
		want     string
	}{
		{none, none, "old: not a pack: it is no zip archive"},
		{good, none, "new: not a pack: it is no zip archive"},
		{good, stored(t, file{"x", nil}, file{"x", nil}), "new: x cannot be read: two files have this name"},
	} {
		if changes, err := Diff(t.Context(), test.old, test.new); err == nil || err.Error() != test.want || changes != nil {
			t.Errorf("got %v, %v; want %s", changes, err, test.want)
		}
	}
	bounds := defaults
	bounds.unpacked = 2
	var malformed *MalformedError
	if _, err := diff(t.Context(), good, stored(t, file{"x", []byte("xxx")}), bounds); !errors.As(err, &malformed) {
		t.Errorf("got %v", err)
	}
}

func TestDiffRealPacks(t *testing.T) {
	old, new := realPack(t, "noop-validator"), realPack(t, "msg-event-app")
	changes, err := Diff(t.Context(), bytes.NewReader(old), bytes.NewReader(new))
	if err != nil || len(changes) != 17 || changes[9] != (FileChange{"manifest.cbor", Changed, 708, 1602}) {
		t.Errorf("%d changes: %v, %v", len(changes), changes, err)
	}
}
