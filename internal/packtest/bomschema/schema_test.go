package bomschema_test

import (
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/bomschema"
)

func TestValidate(t *testing.T) {
	const component = `{"bom-ref":"a","type":"library","name":"a","version":"1","hashes":[{"alg":"SHA-256","content":"HASH"}]}`
	right := strings.Replace(component, "HASH", strings.Repeat("0a", 32), 1)
	for _, test := range []struct{ version, components, want string }{
		{"1.4", right, ""},
		{"1.5", right, ""},
		{"1.6", right, ""},
		{"1.7", right, ""},
		{"1.6", component, "at '/components/0/hashes/0/content'"},
		{"1.7", `{"name":"a"}`, "missing property 'type'"},
		{"1.4", right + "," + right, "items at 0 and 1 are equal"},
		{"1.6", right + `,{"type":"library","name":"b","components":[{"bom-ref":"a","type":"library","name":"c"}]}`, `bom-ref "a" stands twice`},
		{"1.3", right, `there is no schema of version "1.3"`},
	} {
		err := bomschema.Validate([]byte(`{"bomFormat":"CycloneDX","specVersion":"` + test.version + `","version":1,"components":[` + test.components + `]}`))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s, %s: %v, want %q", test.version, test.components, err, test.want)
		}
	}
}
