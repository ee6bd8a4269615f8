package registry

import (
	"maps"
	"testing"
)

func TestChosenChallenge(t *testing.T) {
	for _, test := range []struct {
		headers []string
		want    map[string]string // of the Bearer challenge; nil: there is none
	}{
		{nil, nil},
		{[]string{""}, nil},
		{[]string{"Negotiate", "Digest realm=\"x\""}, nil},
		{[]string{`Bearer realm="https://a/token",service="a"`}, map[string]string{"realm": "https://a/token", "service": "a"}},
		{[]string{`bEARER Realm = "x" , SERVICE	=	y`}, map[string]string{"realm": "x", "service": "y"}},
		{[]string{`Bearer`}, map[string]string{}},
		{[]string{`Negotiate, Basic realm="b", Bearer realm="x", scope="repository:a:pull,push"`},
			map[string]string{"realm": "x", "scope": "repository:a:pull,push"}},
		{[]string{`Basic realm="b"`, `Bearer realm="x"`}, map[string]string{"realm": "x"}},
		{[]string{`Bearer realm="first", Bearer realm="second"`}, map[string]string{"realm": "first"}},
		{[]string{`Bearer realm="a\"b\\c"`}, map[string]string{"realm": `a"b\c`}},
		{[]string{`Bearer realm="never closed`}, map[string]string{"realm": "never closed"}},
		{[]string{`Bearer realm="ends in an escape\`}, map[string]string{"realm": "ends in an escape"}},
		{[]string{`Bearer realm=`}, map[string]string{}}, // by the grammar one word of token68
		{[]string{`Bearer realm=, service="a"`}, map[string]string{"service": "a"}},
		{[]string{`NTLM TlRMTVNTUAAC==, Bearer realm="x"`}, map[string]string{"realm": "x"}},
		{[]string{`Negotiate YWJj`, `Bearer realm="x"`}, map[string]string{"realm": "x"}},
		{[]string{`Bearer realm="x" @ service="y"`}, map[string]string{"realm": "x"}},
		{[]string{` , ,Bearer ,realm="x",,`}, map[string]string{"realm": "x"}},
		{[]string{`realm="x"`, `"quoted"`, `=`}, nil},
	} {
		c := chosenChallenge(test.headers)
		if (c != nil) != (test.want != nil) || c != nil && (c.scheme != "bearer" || !maps.Equal(c.parameters, test.want)) {
			t.Errorf("%q: got %+v, want %q", test.headers, c, test.want)
		}
	}
}

// Basic is for registries that offer nothing better.
func TestChosenChallengeIsBasicWhereThereIsNoBearer(t *testing.T) {
	for _, test := range []struct {
		headers []string
		scheme  string
		want    map[string]string
	}{
		{[]string{`Basic realm="x"`, "Negotiate"}, "basic", map[string]string{"realm": "x"}},
		{[]string{`Negotiate, BASIC realm="x", charset="UTF-8"`}, "basic", map[string]string{"realm": "x", "charset": "UTF-8"}},
		{[]string{`Basic realm="first"`, `Basic realm="second"`}, "basic", map[string]string{"realm": "first"}},
		{[]string{`Basic`}, "basic", map[string]string{}},
		{[]string{`Basic realm="b", Bearer realm="x"`}, "bearer", map[string]string{"realm": "x"}},
	} {
		c := chosenChallenge(test.headers)
		if c == nil || c.scheme != test.scheme || !maps.Equal(c.parameters, test.want) {
			t.Errorf("%q: got %+v, want %s %q", test.headers, c, test.scheme, test.want)
		}
	}
}
