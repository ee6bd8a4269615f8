package cast

import (
	"bytes"
	"fmt"
	"html"
	"strings"
	"time"
)

// A Theme has the colours of a picture.
type Theme struct {
	Background, Border, Text, Faint string
	Looks                           map[string]string // colours of text, by the parameters of SGR
}

// Themes has the themes for pages with a light and with a dark background.
var Themes = map[string]Theme{
	"light": {"#f6f8fa", "#d1d9e0", "#1f2328", "#59636e", map[string]string{"1;31": "#cf222e", "1;33": "#9a6700", "1;36": "#0a6c74"}},
	"dark":  {"#151b23", "#3d444d", "#f0f6fc", "#9198a1", map[string]string{"1;31": "#ff7b72", "1;33": "#e3b341", "1;36": "#56d4dd"}},
}

// Measures of a picture. Every text is made as wide as its columns, in any font.
const (
	columnWidth = 8.4
	lineHeight  = 20
	fontSize    = 14
	margin      = 18
	topBar      = 34
	gap         = 6 // above a command
)

// A picture begins with the whole session, for this long: its first frame is all that
// some viewers show. Then the session plays.
const preview = 1500 * time.Millisecond

// SVG draws the recording: after the preview its lines appear as they did on the terminal,
// and the last picture stays. A viewer without animation shows the last picture.
func (r *Recording) SVG(theme Theme) ([]byte, error) {
	lines, err := r.lines()
	if err != nil {
		return nil, err
	}
	d := &drawing{theme: theme, y: topBar}
	for i, m := range r.schedule(lines) {
		m.prompt, m.output = m.prompt+preview, m.output+preview
		d.command(i, r.Steps[i].Command, m.prompt)
		for n, line := range lines[i] {
			d.output(line, m.line(n))
		}
	}
	return d.finish(r.Title, int(float64(r.Columns)*columnWidth)+2*margin), nil
}

// A drawing is an SVG in the making.
type drawing struct {
	theme        Theme
	y            int // of the next line's top
	rules, marks bytes.Buffer
}

// command draws a line that is typed: a cover that moves off it, in steps of a key.
func (d *drawing) command(n int, command string, at time.Duration) {
	if n > 0 {
		d.y += gap
	}
	keys := len([]rune(command))
	wide := columns(keys)
	fmt.Fprintf(&d.rules, "@keyframes k%d{from{opacity:1}to{opacity:1;transform:translateX(%spx)}}\n", n, wide)
	d.appear(at)
	d.text(0, span{text: prompt}, d.theme.Faint, "")
	d.text(len(prompt), span{text: command}, d.theme.Text, ` class="b"`)
	fmt.Fprintf(&d.marks, `<svg x="%s" y="%d" width="%s" height="%d"><g class="c" style="animation:k%d %s steps(%d) %s">`,
		left(len(prompt)), d.y, columns(keys+1), lineHeight, n, seconds(typing(command)), keys, seconds(at))
	fmt.Fprintf(&d.marks, `<rect width="%s" height="%d" fill="%s"/><rect y="2" width="%s" height="%d" fill="%s"/></g></svg>`+"\n</g>\n",
		columns(keys+1), lineHeight, d.theme.Background, columns(1), lineHeight-4, d.theme.Faint)
	d.y += lineHeight
}

// appear begins a line that is hidden from the end of the preview until its moment.
func (d *drawing) appear(at time.Duration) {
	fmt.Fprintf(&d.marks, "<g class=\"l\" style=\"animation-duration:%s\">\n", seconds(at-preview))
}

// output draws a line that a command printed.
func (d *drawing) output(l line, at time.Duration) {
	d.appear(at)
	column := 0
	for _, s := range l {
		colour, class := d.theme.Text, ""
		if c, ok := d.theme.Looks[s.look]; ok {
			colour, class = c, ` class="b"`
		}
		d.text(column, s, colour, class)
		column += len([]rune(s.text))
	}
	d.marks.WriteString("</g>\n")
	d.y += lineHeight
}

// text draws a span, from a column on.
func (d *drawing) text(column int, s span, colour, class string) {
	text := strings.TrimRight(s.text, " ")
	inner := strings.TrimLeft(text, " ")
	if inner == "" {
		return
	}
	column += len(text) - len(inner)
	fmt.Fprintf(&d.marks, `<text x="%s" y="%d" textLength="%s" fill="%s"%s>%s</text>`+"\n",
		left(column), d.y+fontSize, columns(len([]rune(inner))), colour, class, html.EscapeString(inner))
}

// finish returns the whole picture.
func (d *drawing) finish(title string, width int) []byte {
	var b bytes.Buffer
	height := d.y + margin - 4
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n<style>\n", html.EscapeString(title))
	fmt.Fprintf(&b, "text{font:%dpx ui-monospace,SFMono-Regular,\"SF Mono\",Menlo,Consolas,\"Liberation Mono\",\"DejaVu Sans Mono\",monospace;white-space:pre}\n", fontSize)
	b.WriteString(".b{font-weight:600}\n.c{opacity:0}\n@keyframes l{from,to{opacity:0}}\n")
	fmt.Fprintf(&b, ".l{animation:l 1ms %s}\n", seconds(preview))
	b.Write(d.rules.Bytes())
	b.WriteString("@media (prefers-reduced-motion:reduce){.l,.c{animation:none!important}}\n</style>\n")
	fmt.Fprintf(&b, `<rect x=".5" y=".5" width="%d" height="%d" rx="8" fill="%s" stroke="%s"/>`+"\n", width-1, height-1, d.theme.Background, d.theme.Border)
	for i := range 3 {
		fmt.Fprintf(&b, `<circle cx="%d" cy="17" r="5" fill="%s"/>`+"\n", margin+5+16*i, d.theme.Border)
	}
	b.Write(d.marks.Bytes())
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func left(column int) string { return number(margin + float64(column)*columnWidth) }

func columns(n int) string { return number(float64(n) * columnWidth) }

func number(x float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.1f", x), "0"), ".")
}

func seconds(d time.Duration) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", d.Seconds()), "0"), ".") + "s"
}
