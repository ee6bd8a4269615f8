package main

import (
	"fmt"
	"html"
	"image/color"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A bar is packvendor's time as a part of another command's.
type bar struct {
	what, against string
	ratio         float64
	low, high     float64 // the least and the greatest ratio
	limit         float64 // 0 if there is none
}

// A barChart has a bar for each comparison, and a mark where its target is.
type barChart struct {
	title, label string
	bars         []bar
}

// A mark is the cost of each of so many packs.
type mark struct {
	packs           int
	cost, low, high float64
}

// A lineChart shows how the cost of each pack goes as there are more of them, both
// axes logarithmic.
type lineChart struct {
	title string
	label string // of the packs
	marks []mark // by packs
	from  int    // the number of packs of which each costs 1
	limit float64
}

var (
	black  = color.Gray{0x1f}
	grey   = color.Gray{0x8b}
	pale   = color.Gray{0xd9}
	blue   = color.RGBA{0x09, 0x69, 0xda, 0xff}
	orange = color.RGBA{0xbc, 0x4c, 0x00, 0xff}
)

// A spreadOf is a row of points, and how far each reaches to either side.
type spreadOf struct {
	plotter.XYs
	reach []struct{ Low, High float64 }
}

func (s *spreadOf) add(x, y, low, high float64) {
	s.XYs = append(s.XYs, plotter.XY{X: x, Y: y})
	s.reach = append(s.reach, struct{ Low, High float64 }{low, high})
}

func (s spreadOf) XError(i int) (low, high float64) { return s.reach[i].Low, s.reach[i].High }
func (s spreadOf) YError(i int) (low, high float64) { return s.XError(i) }

// across and along draw spreads of the second and the first coordinate.
func (s spreadOf) across(c color.Color, width vg.Length) *plotter.YErrorBars {
	bars := must(plotter.NewYErrorBars(s))
	bars.Color, bars.Width, bars.CapWidth = c, width, 0
	return bars
}

func (s spreadOf) along(c color.Color, width vg.Length) *plotter.XErrorBars {
	bars := must(plotter.NewXErrorBars(s))
	bars.Color, bars.Width, bars.CapWidth = c, width, 0
	return bars
}

func (b barChart) svg() string {
	p := newPlot(b.title)
	most, names := 1.5, []string{}
	var spreads, limits spreadOf
	colours := map[color.Color]plotter.Values{blue: nil, orange: nil, grey: nil}
	var ratios plotter.XYLabels
	for i := range b.bars { // the axis counts from below
		row := b.bars[len(b.bars)-1-i]
		most = max(most, row.ratio, row.high, row.limit)
		names = append(names, row.what+"\nagainst "+row.against)
		for c := range colours {
			colours[c] = append(colours[c], map[bool]float64{true: row.ratio}[c == row.colour()])
		}
		spreads.add(row.ratio, float64(i), row.low-row.ratio, row.high-row.ratio)
		if row.limit > 0 {
			limits.add(row.limit, float64(i), -0.35, 0.35)
		}
		ratios.Labels = append(ratios.Labels, fmt.Sprintf("%.2f", row.ratio))
	}
	step := map[bool]float64{true: 1, false: 0.25}[most > 4]
	p.X.Min, p.X.Max = 0, math.Ceil(most/step)*step
	p.X.Label.Text, p.X.Tick.Marker = b.label, ticks(0, p.X.Max, step)
	p.X.Max *= 1.1 // the figures stand there
	for i := range b.bars {
		ratios.XYs = append(ratios.XYs, plotter.XY{X: p.X.Max, Y: float64(i)})
	}
	p.NominalY(names...)
	p.Y.Label.Text = " "                 // room at the left
	p.Y.Max = float64(len(b.bars)) + 0.5 // the legend stands there
	p.Add(&plotter.Grid{Vertical: draw.LineStyle{Color: pale, Width: 1}}, must(plotter.NewLine(plotter.XYs{{X: 1, Y: -0.5}, {X: 1, Y: float64(len(b.bars)) - 0.5}})))
	for _, c := range []color.Color{blue, orange, grey} {
		bars := must(plotter.NewBarChart(colours[c], 14))
		bars.Color, bars.LineStyle.Width, bars.Horizontal = c, 0, true
		p.Add(bars)
	}
	spread := spreads.along(black, 1.5)
	p.Add(spread)
	if limits.XYs != nil {
		p.Add(limits.across(orange, 2))
	}
	values := must(plotter.NewLabels(ratios))
	for i := range values.TextStyle {
		values.TextStyle[i].XAlign, values.TextStyle[i].YAlign = text.XRight, text.YCenter
	}
	p.Add(values)
	p.Legend.Add("target: at most", lineKey{orange, 2})
	p.Legend.Add("least to greatest", lineKey{black, 1.5})
	return svg(p, 820, vg.Length(118+44*len(b.bars)))
}

func (r bar) colour() color.Color {
	switch {
	case r.limit == 0:
		return grey
	case r.ratio > r.limit:
		return orange
	}
	return blue
}

func (l lineChart) svg() string {
	p := newPlot(l.title)
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.Y.Min, p.Y.Max = 0.5, 2
	var spreads spreadOf
	var costs plotter.XYLabels
	var packs []plot.Tick
	for _, m := range l.marks {
		for m.low < p.Y.Min*1.25 { // a label is below
			p.Y.Min /= 2
		}
		for m.high > p.Y.Max/1.25 {
			p.Y.Max *= 2
		}
		at := float64(m.packs)
		spreads.add(at, m.cost, m.low-m.cost, m.high-m.cost)
		packs = append(packs, plot.Tick{Value: at, Label: humanize.Comma(int64(m.packs))})
		costs.XYs = append(costs.XYs, plotter.XY{X: at, Y: m.low})
		costs.Labels = append(costs.Labels, fmt.Sprintf("%.2f", m.cost))
	}
	most := l.marks[len(l.marks)-1].packs
	p.X.Min, p.X.Max = float64(l.marks[0].packs)/1.7, float64(most)*1.7
	p.X.Label.Text, p.X.Tick.Marker = l.label, plot.ConstantTicks(packs)
	p.Y.Label.Text, p.Y.Tick.Marker = fmt.Sprintf("cost of each pack, of %s: 1", humanize.Comma(int64(l.from))), doublings(p.Y.Min, p.Y.Max)
	target := must(plotter.NewLine(plotter.XYs{{X: float64(l.from), Y: l.limit}, {X: float64(most), Y: l.limit}}))
	target.Color, target.Width, target.Dashes = orange, 2, []vg.Length{6, 4}
	path, points, err := plotter.NewLinePoints(spreads)
	if err != nil {
		panic(err)
	}
	path.Color, path.Width = blue, 2.5
	points.GlyphStyle = draw.GlyphStyle{Color: blue, Radius: 4.5, Shape: draw.CircleGlyph{}}
	labels := must(plotter.NewLabels(costs))
	labels.Offset.Y = -8
	for i := range labels.TextStyle {
		labels.TextStyle[i].XAlign, labels.TextStyle[i].YAlign = text.XCenter, text.YTop
	}
	p.Add(&plotter.Grid{Horizontal: draw.LineStyle{Color: pale, Width: 1}}, target, path, spreads.across(blue, 1.5), points, labels)
	p.Legend.Add(fmt.Sprintf("target for %s: at most %g", humanize.Comma(int64(most)), l.limit), lineKey{orange, 2})
	return svg(p, 720, 400)
}

// A lineKey is a line as the key in a legend.
type lineKey struct {
	color.Color
	width vg.Length
}

func (l lineKey) Thumbnail(c *draw.Canvas) {
	c.StrokeLine2(draw.LineStyle{Color: l.Color, Width: l.width}, c.Min.X, c.Center().Y, c.Max.X, c.Center().Y)
}

func newPlot(title string) *plot.Plot {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	plotter.DefaultFont = plot.DefaultFont
	p := plot.New()
	p.Title.Text, p.Title.Padding, p.Legend.Top, p.Legend.Padding = title, 12, true, 4
	p.Title.TextStyle.Font.Size = 16
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Padding, axis.LineStyle.Color = 0, grey
		axis.Label.TextStyle.Font.Size, axis.Tick.Label.Font.Size = 12, 12
	}
	p.Legend.TextStyle.Font.Size = 12
	return p
}

func ticks(from, to, step float64) (all plot.ConstantTicks) {
	for at := from; at <= to+1e-9; at += step {
		all = append(all, plot.Tick{Value: at, Label: fmt.Sprintf("%g", at)})
	}
	return all
}

func doublings(from, to float64) (all plot.ConstantTicks) {
	for at := from; at <= to; at *= 2 {
		all = append(all, plot.Tick{Value: at, Label: fmt.Sprintf("%g", at)})
	}
	return all
}

func svg(p *plot.Plot, width, height vg.Length) string {
	var b strings.Builder
	must(must(p.WriterTo(width*vg.Inch/96, height*vg.Inch/96, "svg")).WriteTo(&b))
	// Readers rarely have that font. Another has to fit into the same widths.
	named := strings.ReplaceAll(b.String(), "font-family:Liberation Sans;", "font-family:Liberation Sans,Arial,Helvetica,sans-serif;")
	return textElement.ReplaceAllStringFunc(named, fit)
}

// textElement is a text in a picture: its attributes with its size, and itself.
var textElement = regexp.MustCompile(`<text ([^>]*font-size:(\d+)px">)([^<]*)</text>`)

// fit gives a text its width in the font that the picture is laid out for.
func fit(element string) string {
	found := textElement.FindStringSubmatch(element)
	face := font.From(plot.DefaultFont, vg.Length(must(strconv.Atoi(found[2]))))
	width, _, _ := plot.DefaultTextHandler.Box(html.UnescapeString(found[3]), face)
	return fmt.Sprintf(`<text textLength="%.2f" lengthAdjust="spacingAndGlyphs" %s%s</text>`, width.Points(), found[1], found[3])
}

// dark is a picture for readers whose screen is dark.
func dark(svg string) string {
	return strings.NewReplacer(
		"<text ", `<text fill="#E6EDF3" `, "#000000", "#E6EDF3", "#1F1F1F", "#E6EDF3", "#FFFFFF", "#0D1117",
		"#D9D9D9", "#30363D", "#8B8B8B", "#8B949E", "#0969DA", "#4493F8", "#BC4C00", "#F0883E",
	).Replace(svg)
}

// must is for what only fails on figures that are none.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// bars is a chart of the comparisons of time that are at a distance, or of those that are not,
// without those of scaling.
func (r *report) bars(far bool) barChart {
	chart := barChart{
		title: "packvendor's time, as a part of the other command's",
		label: "ratio of times: left of 1 packvendor is faster",
	}
	if far {
		chart.title = "packvendor's time at a distance, as a part of the other command's"
	}
	for _, res := range r.results {
		for _, v := range res.verdicts {
			if v.ratios.values != nil && res.tools[0].units == 0 && (res.path.Delay > 0) == far {
				chart.bars = append(chart.bars, bar{
					what: res.short, against: v.short, limit: v.limit,
					ratio: v.ratios.median(), low: v.ratios.min(), high: v.ratios.max(),
				})
			}
		}
	}
	return chart
}

// scalingChart is the chart of a comparison by the number of packs.
func (r *report) scalingChart(res result) lineChart {
	chart := lineChart{
		title: "Cost of each pack, " + res.short,
		label: fmt.Sprintf("packs of %s", sizeText(r.sizes.small)),
		from:  r.sizes.against,
	}
	var reference outcome
	for _, o := range res.outcomes {
		if o.units == r.sizes.against {
			reference, chart.limit = o, o.target
		}
	}
	for i := len(res.outcomes) - 1; i >= 0; i-- { // the greatest number came first
		o := res.outcomes[i]
		ratios := o.wall.over(reference.wall)
		chart.marks = append(chart.marks, mark{packs: o.units, cost: ratios.median(), low: ratios.min(), high: ratios.max()})
	}
	return chart
}
