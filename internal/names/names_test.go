package names

import (
	"strings"
	"testing"
)

func TestChecks(t *testing.T) {
	const (
		pack     = "must start with a-z and hold only a-z, 0-9, '_' and '-', 64 characters at most"
		reserved = "is reserved on Windows"
		package_ = "is not an ASCII Go identifier"
		chars    = "has characters besides A-Z, a-z, 0-9, '.', '_' and '-'"
	)
	for _, test := range []struct {
		what  string
		check func(string) error
		s     string
		want  string
	}{
		{"pack", CheckPack, "messaging-slack", ""},
		{"pack", CheckPack, "a" + strings.Repeat("1", 63), ""},
		{"pack", CheckPack, "a" + strings.Repeat("1", 64), pack},
		{"pack", CheckPack, "", pack},
		{"pack", CheckPack, "A", pack},
		{"pack", CheckPack, "1a", pack},
		{"pack", CheckPack, "a.b", pack},
		{"pack", CheckPack, "a\n", pack},
		{"pack", CheckPack, "\u0430", pack}, // a Cyrillic a
		{"pack", CheckPack, "con", reserved},
		{"pack", CheckPack, "lpt0", reserved},
		{"pack", CheckPack, "console", ""},
		{"pack", CheckPack, "com10", ""},
		{"package", CheckPackage, "packs", ""},
		{"package", CheckPackage, "main", ""},
		{"package", CheckPackage, "", package_},
		{"package", CheckPackage, "_", package_},
		{"package", CheckPackage, "func", package_},
		{"package", CheckPackage, "p\u00e4cks", package_},
		{"package", CheckPackage, "packs_test", "is the name of a test package"},
		{"package", CheckPackage, "documentation", "is a package name whose files the go command ignores"},
		{"data", CheckData, "packs", ""},
		{"data", CheckData, "a/b-1.0/c_d", ""},
		{"data", CheckData, "", chars},
		{"data", CheckData, "a//b", chars},
		{"data", CheckData, "a/*", chars},
		{"data", CheckData, "../b", "has an element that starts with '.'"},
		{"data", CheckData, "_a", "has an element that starts with '_'"},
		{"data", CheckData, "a.", "has an element that ends with '.'"},
		{"data", CheckData, "a/Aux.d", "has an element that is reserved on Windows"},
		{"data", CheckData, "k/go.mod", "has an element that the go command treats apart: go.mod"},
		{"data", CheckData, "Vendor", "has an element that the go command treats apart: Vendor"},
	} {
		got := ""
		if err := test.check(test.s); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s %q: got %q, want %q", test.what, test.s, got, test.want)
		}
	}
}

func TestIsIdentifier(t *testing.T) {
	for s, want := range map[string]bool{"A": true, "a1_": true, "": false, "1": false, "func": false, "\u00e9": false, "a-b": false} {
		if got := isIdentifier(s); got != want {
			t.Errorf("isIdentifier(%q) = %t, want %t", s, got, want)
		}
	}
}

func TestIsExported(t *testing.T) {
	for s, want := range map[string]bool{"A": true, "A_1": true, "": false, "a": false, "_A": false, "1A": false, "\u00c4": false, "A-b": false} {
		if got := IsExported(s); got != want {
			t.Errorf("%q: got %t", s, got)
		}
	}
}

func TestCheckLocalFile(t *testing.T) {
	for _, path := range []string{
		"a", "a.gtpack", "third_party/tools.gtpack", "../slack/dist/slack.gtpack", "../../a", "a b/c", "a/.b", "..a", "...a/b", "~a", strings.Repeat("a", 1024),
	} {
		if err := CheckLocalFile(path); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
	for path, want := range map[string]string{
		"":                        "is empty",
		strings.Repeat("a", 1025): "has more than 1024 characters",
		`a\b`:                     "has a backslash: separate with '/'",
		`\\host\share\a`:          "has a backslash: separate with '/'",
		"/a":                      "is not relative to packs.toml",
		"C:/a":                    "is not relative to packs.toml",
		"C:a":                     "is not relative to packs.toml",
		"a:stream":                "is not relative to packs.toml",
		"a\nb":                    "has a quotation mark, or a character that is not printable ASCII",
		"a\x00":                   "has a quotation mark, or a character that is not printable ASCII",
		"a\x7f":                   "has a quotation mark, or a character that is not printable ASCII",
		"\u00e4":                  "has a quotation mark, or a character that is not printable ASCII",
		`a"b`:                     "has a quotation mark, or a character that is not printable ASCII",
		"a'b":                     "has a quotation mark, or a character that is not printable ASCII",
		"./a":                     "has more than one spelling: write a",
		"a/../b":                  "has more than one spelling: write b",
		"../a/../../b":            "has more than one spelling: write ../../b",
		"a//b":                    "has more than one spelling: write a/b",
		"a/":                      "has more than one spelling: write a",
		".":                       "is a folder",
		"..":                      "is a folder",
		"../..":                   "is a folder",
		"a./b":                    "has an element that ends with '.' or a space",
		"a/b ":                    "has an element that ends with '.' or a space",
		"...":                     "has an element that ends with '.' or a space",
		"nul":                     "has an element that is reserved on Windows",
		"../a/COM1.gtpack":        "has an element that is reserved on Windows",
	} {
		if err := CheckLocalFile(path); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", path, err, want)
		}
	}
}

func TestStub(t *testing.T) {
	for file, want := range map[string]string{"packs_gen.go": "packs_gen_stub.go", "a.go.go": "a.go_stub.go"} {
		if got := Stub(file); got != want {
			t.Errorf("Stub(%q) = %q, want %q", file, got, want)
		}
	}
}
