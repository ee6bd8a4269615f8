package marker_test

import (
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/marker"
)

// What Parse accepts is what Format writes, but for fields that follow.
func FuzzParse(f *testing.F) {
	f.Add(slackText)
	f.Add(slackText + " more=x")
	f.Add("greentic-pack v1 in=- name=a ref=b manifest=- layer=" + string(digestA) + " size=0 media=- head=- part=" + digestB.Hex())
	f.Fuzz(func(t *testing.T, text string) {
		m, err := marker.Parse(framed(text))
		if err != nil {
			if m != (marker.Marker{}) {
				t.Errorf("%+v beside %v", m, err)
			}
			return
		}
		again := marker.Format(m)
		if again = again[:len(again)-1]; !strings.HasPrefix(framed(text), again) {
			t.Errorf("%q is parsed as %q", text, again)
		}
	})
}
