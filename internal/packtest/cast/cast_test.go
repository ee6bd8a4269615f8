package cast

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	for _, test := range []struct{ received, want string }{
		{"one\r\ntwo\r\n", "one|two"},
		{"no end", "no end"},
		{"\r\n\r\nx\r\n", "||x"},
		{"50%\r\x1b[Kdone\r\n", "done"},
		{"50%\r100%\r\n", "100%"},
		{"\tx\r\nab\tc\r\n", "        x|ab      c"},
		{"a \x1b[1;31merror:\x1b[0m b\x1b[31mc\x1b[md\r\n", "a <1;31>error:</> b<31>c</>d"},
	} {
		lines, err := read(test.received)
		if err != nil {
			t.Errorf("%q: %v", test.received, err)
		}
		var got []string
		for _, line := range lines {
			escaped := strings.NewReplacer("\x1b[0m", "</>", "\x1b[", "<", "m", ">").Replace(line.escaped())
			got = append(got, escaped)
		}
		if strings.Join(got, "|") != test.want {
			t.Errorf("%q gives %q, want %q", test.received, got, test.want)
		}
	}
	for _, received := range []string{"\x1b[2J", "\x1b[A", "\x07", "\x1b]0;title\x07"} {
		if _, err := read(received); err == nil {
			t.Errorf("%q is no error", received)
		}
	}
}

var session = &Recording{Title: "a <session>", Columns: 20, Steps: []Step{
	{"ls -l", "total 0\r\n\x1b[1;31merror:\x1b[0m <none> &\r\n"},
	{"true", ""},
}}

func TestAsciicast(t *testing.T) {
	got, err := session.Asciicast()
	want := `{"version":2,"width":20,"height":4,"title":"a <session>"}
[0.600,"o","$ "]
[0.600,"o","l"]
[0.625,"o","s"]
[0.650,"o"," "]
[0.675,"o","-"]
[0.700,"o","l"]
[1.025,"o","\r\n"]
[1.025,"o","total 0\r\n"]
[1.105,"o","\u001b[1;31merror:\u001b[0m <none> &\r\n"]
[2.225,"o","$ "]
[2.225,"o","t"]
[2.250,"o","r"]
[2.275,"o","u"]
[2.300,"o","e"]
[2.625,"o","\r\n"]
`
	if err != nil || string(got) != want {
		t.Errorf("error %v, got\n%s\nwant\n%s", err, got, want)
	}
}

// A picture is XML that shows the whole text, and has nothing that a code host removes.
func TestSVG(t *testing.T) {
	picture, err := session.SVG(Themes["dark"])
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	decoder, in := xml.NewDecoder(strings.NewReader(string(picture))), ""
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, picture)
		}
		switch token := token.(type) {
		case xml.StartElement:
			in = token.Name.Local
			if in == "script" || in == "foreignObject" || in == "image" {
				t.Errorf("the picture has an element %s", in)
			}
		case xml.CharData:
			if in == "text" {
				text.WriteString(string(token) + "\n")
			}
		case xml.EndElement:
			in = ""
		}
	}
	want := "$\nls -l\ntotal 0\nerror:\n<none> &\n$\ntrue\n"
	if got := text.String(); got != want {
		t.Errorf("the picture shows\n%q\nwant\n%q", got, want)
	}
	if !strings.Contains(string(picture), `fill="#ff7b72" class="b">error:<`) {
		t.Errorf("the error is not red in\n%s", picture)
	}
}

// The first frame and a still picture show the whole session: whatever hides a line begins
// after the preview, and ends when its turn has come.
func TestSVGPreview(t *testing.T) {
	picture, err := session.SVG(Themes["light"])
	if err != nil {
		t.Fatal(err)
	}
	text := string(picture)
	if !strings.Contains(text, "\n.l{animation:l 1ms 1.5s}\n") || strings.Contains(text, "backwards") {
		t.Errorf("something is hidden at the beginning of\n%s", text)
	}
	var got []string
	for _, found := range regexp.MustCompile(`class="[lc]" style="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		got = append(got, found[1])
	}
	want := []string{
		"animation-duration:0.6s", "animation:k0 0.125s steps(5) 2.1s",
		"animation-duration:1.025s", "animation-duration:1.105s",
		"animation-duration:2.225s", "animation:k1 0.1s steps(4) 3.725s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the picture plays\n%q\nwant\n%q", got, want)
	}
}

func TestTooWide(t *testing.T) {
	wide := &Recording{Columns: 10, Steps: []Step{{"echo", "12345678901\r\n"}}}
	if _, err := wide.SVG(Themes["light"]); err == nil || !strings.Contains(err.Error(), "11 columns") {
		t.Errorf("error %v", err)
	}
}
