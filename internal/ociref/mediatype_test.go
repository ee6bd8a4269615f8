package ociref

import (
	"regexp"
	"strings"
	"testing"
)

// mediaTypeRule is the type-name and subtype-name of RFC 6838, section 4.2.
var mediaTypeRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$`)

func TestIsMediaType(t *testing.T) {
	for s, want := range map[string]bool{
		"application/vnd.greentic.gtpack.v1+zip": true,
		"a/b":                                    true,
		"X-1/!":                                  false,
		"a/b!#$&^_.+-":                           true,
		strings.Repeat("a", 127) + "/" + strings.Repeat("b", 127): true,
		strings.Repeat("a", 128) + "/b":                           false,
		"a/" + strings.Repeat("b", 128):                           false,
		"":                                                        false,
		"a":                                                       false,
		"/b":                                                      false,
		"a/":                                                      false,
		"a/b/c":                                                   false,
		"a/b; charset=utf-8":                                      false,
		"a/b\n":                                                   false,
		"\u0430/b":                                                false,
		"application/vnd.greentic.gtpack.v1+zip\n//go:embed /etc/pas": false,
	} {
		if got := IsMediaType(s); got != want || got != mediaTypeRule.MatchString(s) {
			t.Errorf("IsMediaType(%q) = %t, want %t", s, got, want)
		}
	}
}

func TestCheckTag(t *testing.T) {
	for s, want := range map[string]string{
		"1.2.3":                  "",
		"_x-Y.z":                 "",
		strings.Repeat("t", 128): "",
		strings.Repeat("t", 129): "is longer than 128 characters",
		"":                       "is empty",
		".1":                     "is not letters, digits, '_', '.' and '-'",
		"-1":                     "is not letters, digits, '_', '.' and '-'",
		"a/b":                    "is not letters, digits, '_', '.' and '-'",
		"a\n":                    "is not letters, digits, '_', '.' and '-'",
	} {
		if got := message(CheckTag(s)); got != want {
			t.Errorf("CheckTag(%q) = %s, want %s", s, got, want)
		}
	}
}
