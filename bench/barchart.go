package main

import (
	"fmt"
	"math"
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

// Places in the picture.
const (
	barWidth   = 820.0
	barLeft    = 330.0 // where bars begin
	barRight   = barWidth - 60
	barTop     = 56.0
	barRow     = 44.0
	barThick   = 16.0
	barBelow   = 62.0 // below the rows: the axis, its label, the key
	barMinimum = 1.5  // the least that the axis goes to
)

func (b barChart) svg() string {
	bottom := barTop + barRow*float64(len(b.bars))
	c := newCanvas(barWidth, bottom+barBelow, b.title)
	c.text("title", 16, 28, b.title)
	most := b.most()
	at := func(ratio float64) float64 { return barLeft + (barRight-barLeft)*ratio/most }
	for tick := 0.0; tick <= most+1e-9; tick += b.step() {
		c.line("grid", at(tick), barTop, at(tick), bottom)
		c.text("small middle", at(tick), bottom+18, fmt.Sprintf("%g", math.Round(tick*100)/100))
	}
	c.line("axis", at(1), barTop-6, at(1), bottom)
	for i, row := range b.bars {
		row.draw(c, barTop+barRow*float64(i), at)
	}
	c.text("small middle", (barLeft+barRight)/2, bottom+40, b.label)
	c.line("limit", 16, bottom+28, 16, bottom+46)
	c.text("small", 24, bottom+41, "target: at most")
	c.line("range", 136, bottom+37, 160, bottom+37)
	c.text("small", 168, bottom+41, "least to greatest")
	return c.svg()
}

func (r bar) draw(c *canvas, top float64, at func(float64) float64) {
	class := "met"
	switch {
	case r.limit == 0:
		class = "plain"
	case r.ratio > r.limit:
		class = "missed"
	}
	middle := top + barRow/2
	c.text("end", barLeft-12, middle-3, r.what)
	c.text("small end", barLeft-12, middle+13, "against "+r.against)
	c.rect(class, barLeft, middle-barThick/2, at(r.ratio)-barLeft, barThick)
	c.line("range", at(r.low), middle, at(r.high), middle)
	if r.limit > 0 {
		c.line("limit", at(r.limit), middle-barThick/2-5, at(r.limit), middle+barThick/2+5)
	}
	c.text("end", barWidth-16, middle+5, fmt.Sprintf("%.2f", r.ratio))
}

// most is where the axis ends.
func (b barChart) most() float64 {
	most := barMinimum
	for _, row := range b.bars {
		most = max(most, row.ratio, row.high, row.limit)
	}
	return math.Ceil(most/b.step()) * b.step()
}

// step is how far apart the ticks are.
func (b barChart) step() float64 {
	for _, row := range b.bars {
		if max(row.high, row.limit) > 4 {
			return 1
		}
	}
	return 0.25
}

// bars is the chart of all comparisons of time but those of scaling.
func (r *report) bars() barChart {
	chart := barChart{
		title: "packvendor's time, as a part of the other command's",
		label: "ratio of times: left of 1 packvendor is faster",
	}
	for _, res := range r.results {
		for _, v := range res.verdicts {
			if v.ratios.values != nil && res.contestants[0].units == 0 {
				chart.bars = append(chart.bars, bar{
					what: res.short, against: v.short, limit: v.limit,
					ratio: v.ratios.median(), low: v.ratios.min(), high: v.ratios.max(),
				})
			}
		}
	}
	return chart
}
