package distlock_test

import (
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/distlock"
	"github.com/greenticai/packvendor/internal/ociref"
)

func TestFormat(t *testing.T) {
	a, b := "sha256:"+strings.Repeat("a", 64), "sha256:"+strings.Repeat("b", 64)
	for _, test := range []struct {
		name string
		lock distlock.Lock
		want string
	}{
		{"empty", distlock.Lock{}, "{\n  \"schema_version\": 1,\n  \"components\": []\n}\n"},
		{"two", distlock.Lock{Components: []distlock.Component{
			{Name: "a", Repository: "r.io/a", Digest: ociref.Digest(a)},
			{Name: "b", Repository: "localhost:5000/x/b", Digest: ociref.Digest(b), Envelope: []byte("<&>")},
		}}, `{
  "schema_version": 1,
  "components": [
    {
      "name": "a",
      "ref": "oci://r.io/a@` + a + `",
      "digest": "` + a + `"
    },
    {
      "name": "b",
      "ref": "oci://localhost:5000/x/b@` + b + `",
      "digest": "` + b + `",
      "signature": "PCY+"
    }
  ]
}
`},
		{"hostile", distlock.Lock{Components: []distlock.Component{{Name: "é##vso[x]", Repository: "r.io/a", Digest: ociref.Digest(a)}}}, `{
  "schema_version": 1,
  "components": [
    {
      "name": "\u00e9##vso\u005bx]",
      "ref": "oci://r.io/a@` + a + `",
      "digest": "` + a + `"
    }
  ]
}
`},
	} {
		if got := string(distlock.Format(test.lock)); got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, got, test.want)
		}
	}
}
