package packsfile

import (
	"errors"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/names"
)

func TestDeriveGoName(t *testing.T) {
	for name, want := range map[string]string{
		"messaging-slack": "MessagingSlack",
		"state_redis":     "StateRedis",
		"a-1b":            "A1b",
		"a--b_":           "AB",
		"x":               "X",
	} {
		if got := deriveGoName(name); got != want || !names.IsExported(got) {
			t.Errorf("deriveGoName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestUnknownKey(t *testing.T) {
	known := []string{"ref", "layer", "go_name"}
	for key, want := range map[string]string{
		"REF":                 `unknown key "REF": did you mean "ref"?`,
		"reff":                `unknown key "reff": did you mean "ref"?`,
		"GoName":              `unknown key "GoName": did you mean "go_name"?`,
		"go-names":            `unknown key "go-names": did you mean "go_name"?`,
		"lyaer":               `unknown key "lyaer": did you mean "layer"?`,
		"lyera":               `unknown key "lyera": did you mean "layer"?`,
		"eyarl":               `unknown key "eyarl"`,
		"":                    `unknown key ""`,
		"go_name_of_the_pack": `unknown key "go_name_of_the_pack"`,
		"\u202e":              `unknown key "\u202e"`,
	} {
		if got := unknownKey(key, known); got != want {
			t.Errorf("unknownKey(%q) = %s, want %s", key, got, want)
		}
	}
}

func TestKeyName(t *testing.T) {
	long := strings.Repeat("x", maxQuoted+1)
	for key, want := range map[string]string{
		"a-B_9":  "a-B_9",
		"":       `""`,
		"a b":    `"a b"`,
		"\u00e4": `"\u00e4"`,
		long:     `"` + long[:maxQuoted] + `"...`,
	} {
		if got := keyName(key); got != want {
			t.Errorf("keyName(%q) = %s, want %s", key, got, want)
		}
	}
}

func TestBadReferenceOfAnotherKind(t *testing.T) {
	if got := badReference(errors.New("odd \u202e")); got != `odd \u202e` {
		t.Errorf("got %s", got)
	}
}
