package main

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// A distanceChart shows how packvendor's time, as a part of another command's, goes with the
// distance from the registry.
type distanceChart struct {
	title, label string
	points       []distancePoint // by distance, evenly apart
}

type distancePoint struct {
	where            string
	ratio, low, high float64
	limit            float64 // 0 if there is none
}

func (c distanceChart) svg() string {
	p := newPlot(c.title)
	most := 1.5
	var ratios, limits spreadOf
	var places []plot.Tick
	for i, point := range c.points {
		at := float64(i)
		most = max(most, point.high, point.limit)
		ratios.add(at, point.ratio, point.low-point.ratio, point.high-point.ratio)
		places = append(places, plot.Tick{Value: at, Label: fmt.Sprintf("%s\n%.2f", point.where, point.ratio)})
		if point.limit > 0 {
			limits.add(at, point.limit, -0.18, 0.18)
		}
	}
	step := map[bool]float64{true: 1, false: 0.5}[most > 4]
	last := float64(len(c.points) - 1)
	p.X.Min, p.X.Max, p.X.Tick.Marker = -0.4, last+0.4, plot.ConstantTicks(places)
	p.Y.Min, p.Y.Max = 0, (math.Ceil(most/step)+1)*step // the legend stands above
	p.Y.Label.Text, p.Y.Tick.Marker = c.label, ticks(0, p.Y.Max-step, step)
	path, points, err := plotter.NewLinePoints(ratios)
	if err != nil {
		panic(err)
	}
	path.Color, path.Width = blue, 2.5
	points.GlyphStyle = draw.GlyphStyle{Color: blue, Radius: 4.5, Shape: draw.CircleGlyph{}}
	p.Add(&plotter.Grid{Horizontal: draw.LineStyle{Color: pale, Width: 1}}, must(plotter.NewLine(plotter.XYs{{X: -0.4, Y: 1}, {X: last + 0.4, Y: 1}})))
	if limits.XYs != nil {
		p.Add(limits.along(orange, 2))
		p.Legend.Add("target: at most", lineKey{orange, 2})
	}
	p.Legend.Add("least to greatest", lineKey{blue, 1.5})
	p.Add(path, ratios.across(blue, 1.5), points)
	return svg(p, 720, 400)
}

// byDistance is the chart of the first runs of many small packs.
func (r *report) byDistance() distanceChart {
	chart := distanceChart{label: "ratio of times: below 1 packvendor is faster"}
	for _, res := range r.results {
		if !strings.HasPrefix(res.name, "network-small-") {
			continue
		}
		v := res.verdicts[0]
		where := "loopback"
		if away := res.path.RoundTrip(); away > 0 {
			where = fmt.Sprintf("%d ms away", away.Milliseconds())
		}
		chart.title = fmt.Sprintf("Cold, %s, against %s", packsText(r.sizes.many, r.sizes.small), v.short)
		chart.points = append(chart.points, distancePoint{where: where, ratio: v.ratios.median(), low: v.ratios.min(), high: v.ratios.max(), limit: v.limit})
	}
	return chart
}
