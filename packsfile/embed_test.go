package packsfile

import (
	"strconv"
	"testing"
)

// TestFault56_EmbedValues holds what each key of the embed table takes ("" for no
// error) and what it says about the rest.
func TestFault56_EmbedValues(t *testing.T) {
	const (
		badChars = "has characters besides A-Z, a-z, 0-9, '.', '_' and '-'"
		reserved = "has an element that is reserved on Windows"
		unclean  = "is not a clean path to a folder below dir"
		someOnly = "is built on some systems only"
		noIdent  = "is not an ASCII Go identifier"
		absolute = "is not relative to this file"
	)
	tests := []struct{ key, value, want string }{
		{"dir", ".", ""},
		{"dir", "../other/./packs/", ""},
		{"dir", "Gr\u00f6\u00dfe mit Leerzeichen", ""},
		{"dir", "", `is empty: write "." for the directory of this file`},
		{"dir", "/abs", absolute},
		{"dir", "C:/abs", absolute},
		{"dir", `a\b`, "has a backslash: separate with '/'"},
		{"dir", "a\nb", "has a character that cannot be printed"},
		{"dir", "a\u202eb", "has a character that cannot be printed"},
		{"package", "main", ""},
		{"package", "packs_2", ""},
		{"package", "", noIdent},
		{"package", "_", noIdent},
		{"package", "func", noIdent},
		{"package", "a-b", noIdent},
		{"package", "x_test", "is the name of a test package"},
		{"package", "documentation", "is a package name whose files the go command ignores"},
		{"file", "x.go", ""},
		{"file", "X-1_gen.go", ""},
		{"file", "windows.go", ""}, // without an underscore it is no constraint
		{"file", "x_unix.go", ""},
		{"file", "x_test.go", "is the name of a test file"},
		{"file", "x_windows_test.go", "is the name of a test file"},
		{"file", "x_windows.go", someOnly},
		{"file", "x_arm64.go", someOnly},
		{"file", "x_linux_amd64.go", someOnly},
		{"file", "x_wasip1.go", someOnly},
		{"file", "x_android.go", someOnly},
		{"file", "x.txt", "does not end in .go"},
		{"file", "x.GO", "does not end in .go"},
		{"file", "", badChars},
		{"file", "a/x.go", badChars},
		{"file", `a\x.go`, badChars},
		{"file", "\u00e4.go", badChars},
		{"file", "\u017f.go", badChars}, // its low byte is a DEL
		{"file", "\u0161.go", badChars}, // its low byte is an 'a'
		{"file", ".go", "has an element that starts with '.'"},
		{"file", "_x.go", "has an element that starts with '_'"},
		{"file", "con.go", reserved},
		{"file", "COM1.x.go", reserved},
		{"data", "packs", ""},
		{"data", "a/b-1/c_d.e", ""},
		{"data", "vendored", ""},
		{"data", "", unclean},
		{"data", ".", unclean},
		{"data", "a/", unclean},
		{"data", "./a", unclean},
		{"data", "a/../b", unclean},
		{"data", "a//b", unclean},
		{"data", "..", "has an element that starts with '.'"},
		{"data", "../a", "has an element that starts with '.'"},
		{"data", "/a", badChars},
		{"data", "a b", badChars},
		{"data", "a\nb", badChars},
		{"data", ".git", "has an element that starts with '.'"},
		{"data", "a/_b", "has an element that starts with '_'"},
		{"data", "a./b", "has an element that ends with '.'"},
		{"data", "a/vendor/b", "has an element that the go command treats apart: vendor"},
		{"data", "a/nul.d/b", reserved},
		{"data", "lpt9", reserved},
	}
	for _, tt := range tests {
		text := "\n[embed]\n" + tt.key + " = " + strconv.QuoteToASCII(tt.value) + "\n"
		want := ""
		if tt.want != "" {
			want = "packs.toml:3: embed." + tt.key + ": " + strconv.QuoteToASCII(tt.value) + " " + tt.want
		}
		f, err := Parse("packs.toml", []byte(text))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s = %q: got %s\nwant %s", tt.key, tt.value, got, want)
		}
		if err == nil && f.Embed.Line != 2 {
			t.Errorf("line %d of the embed table", f.Embed.Line)
		}
	}
}

func TestEmbedDirIsCleaned(t *testing.T) {
	f, err := Parse("packs.toml", []byte("embed.dir = '../x/./y/../'"))
	if err != nil {
		t.Fatal(err)
	}
	want := Embed{Dir: "../x", File: "packs_gen.go", Data: "packs", Line: 1}
	if f.Embed != want {
		t.Errorf("got %+v, want %+v", f.Embed, want)
	}
}
