package main

import (
	"fmt"
	"math"
)

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

// Places in the picture.
const (
	lineWidth, lineHeight = 720.0, 400.0
	lineLeft, lineRight   = 80.0, lineWidth - 24
	lineTop, lineBottom   = 52.0, lineHeight - 62
	lineInset             = 44.0 // between the axes and the first and last mark
)

func (l lineChart) svg() string {
	c := newCanvas(lineWidth, lineHeight, l.title)
	c.text("title", 16, 28, l.title)
	l.axes(c)
	c.line("limit dashed", l.x(l.from), l.y(l.limit), l.x(l.most()), l.y(l.limit))
	var points []point
	for _, m := range l.marks {
		points = append(points, point{l.x(m.packs), l.y(m.cost)})
	}
	c.path("line", points)
	for i, m := range l.marks {
		c.line("whisker", points[i].x, l.y(m.low), points[i].x, l.y(m.high))
		c.dot("met", points[i].x, points[i].y)
		label := l.y(m.low) + 22 // below, where the target is not
		if m.cost > l.limit {
			label = l.y(m.high) - 12
		}
		c.text("middle", points[i].x, label, fmt.Sprintf("%.2f", m.cost))
	}
	c.text("small", l.x(l.from)+12, l.y(l.limit)-8, fmt.Sprintf("target for %s: at most %g", thousands(int64(l.most())), l.limit))
	return c.svg()
}

// most is the greatest number of packs.
func (l lineChart) most() int { return l.marks[len(l.marks)-1].packs }

func (l lineChart) axes(c *canvas) {
	low, high := l.costs()
	for tick := low; tick <= high; tick *= 2 {
		c.line("grid", lineLeft, l.y(tick), lineRight, l.y(tick))
		c.text("small end", lineLeft-8, l.y(tick)+4, fmt.Sprintf("%g", tick))
	}
	c.line("axis", lineLeft, l.y(1), lineRight, l.y(1))
	c.line("axis", lineLeft, lineBottom, lineRight, lineBottom)
	for _, m := range l.marks {
		c.line("axis", l.x(m.packs), lineBottom, l.x(m.packs), lineBottom+5)
		c.text("small middle", l.x(m.packs), lineBottom+20, thousands(int64(m.packs)))
	}
	c.text("small middle", (lineLeft+lineRight)/2, lineBottom+44, l.label)
	c.upwards("small middle", 24, (lineTop+lineBottom)/2, fmt.Sprintf("cost of each pack, of %s: 1", thousands(int64(l.from))))
}

// costs are the powers of two that the axis goes from and to.
func (l lineChart) costs() (low, high float64) {
	low, high = 0.5, 2
	for _, m := range l.marks {
		for m.low < low*1.25 { // a label is below
			low /= 2
		}
		for m.high > high/1.25 {
			high *= 2
		}
	}
	return low, high
}

func (l lineChart) x(packs int) float64 {
	few := float64(l.marks[0].packs)
	part := math.Log(float64(packs)/few) / math.Log(float64(l.most())/few)
	return lineLeft + lineInset + (lineRight-lineLeft-2*lineInset)*part
}

func (l lineChart) y(cost float64) float64 {
	low, high := l.costs()
	return lineBottom - (lineBottom-lineTop)*math.Log(cost/low)/math.Log(high/low)
}

// scalingChart is the chart of a race by the number of packs.
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
