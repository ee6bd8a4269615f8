package main

import (
	"fmt"
	"html"
	"strings"
)

// A canvas is an SVG picture in the making. It has no background, and its colours
// are those of the reader's own light or dark scheme; texts stand out from lines by
// a rim in the colour that pages have there.
type canvas struct {
	width, height float64
	title         string
	body          strings.Builder
}

// palette is the style of every picture: GitHub's own colours, light and dark.
const palette = `
text { fill: #1f2328; font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round; paint-order: stroke }
.title { font-size: 16px; font-weight: 600 }
.small { font-size: 12px; fill: #59636e }
.end { text-anchor: end }
.middle { text-anchor: middle }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.axis { stroke: #59636e; stroke-width: 1 }
.met { fill: #0969da }
.missed { fill: #bc4c00 }
.plain { fill: #818b98 }
.line { stroke: #0969da; stroke-width: 2.5; fill: none; stroke-linejoin: round }
.whisker { stroke: #0969da; stroke-width: 1.5 }
.range { stroke: #1f2328; stroke-width: 1.5 }
.limit { stroke: #bc4c00; stroke-width: 2; fill: none }
.dashed { stroke-dasharray: 6 4 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; stroke: #0d1117 }
.small { fill: #9198a1 }
.grid { stroke: #3d444d }
.axis { stroke: #9198a1 }
.met { fill: #4493f8 }
.missed { fill: #db6d28 }
.plain { fill: #656c76 }
.line, .whisker { stroke: #4493f8 }
.range { stroke: #f0f6fc }
.limit { stroke: #db6d28 }
}
`

func newCanvas(width, height float64, title string) *canvas {
	return &canvas{width: width, height: height, title: title}
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(&c.body, "<line class=%q x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", class, x1, y1, x2, y2)
}

func (c *canvas) rect(class string, x, y, width, height float64) {
	fmt.Fprintf(&c.body, "<rect class=%q x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\"/>\n", class, x, y, width, height)
}

func (c *canvas) dot(class string, x, y float64) {
	fmt.Fprintf(&c.body, "<circle class=%q cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>\n", class, x, y)
}

func (c *canvas) path(class string, points []point) {
	var d strings.Builder
	for i, p := range points {
		fmt.Fprintf(&d, "%c%.1f %.1f", "ML"[min(i, 1)], p.x, p.y)
	}
	fmt.Fprintf(&c.body, "<path class=%q d=%q/>\n", class, d.String())
}

// text writes a text whose baseline begins at x, y; class may say otherwise.
func (c *canvas) text(class string, x, y float64, text string) {
	fmt.Fprintf(&c.body, "<text class=%q x=\"%.1f\" y=\"%.1f\">%s</text>\n", class, x, y, html.EscapeString(text))
}

// upwards is text that reads from below, around x, y.
func (c *canvas) upwards(class string, x, y float64, text string) {
	fmt.Fprintf(&c.body, "<text class=%q transform=\"translate(%.1f %.1f) rotate(-90)\">%s</text>\n", class, x, y, html.EscapeString(text))
}

func (c *canvas) svg() string {
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\" role=\"img\">\n<title>%s</title>\n<style>%s</style>\n%s</svg>\n",
		c.width, c.height, c.width, c.height, html.EscapeString(c.title), palette, c.body.String())
}

type point struct{ x, y float64 }
