package main

import (
	"cmp"
	"fmt"
)

// A verdict is a line of the report: what was measured against a target.
type verdict struct {
	Case, Against string
	Target        string // "" where there is none
	Measured      string
	Spread        string // "" where one measurement tells all
	Met           bool

	// For the picture, where times were compared.
	ratios spread
	limit  float64 // 0 if there is none
	short  string  // what it was compared with
}

// met is the last column.
func (v verdict) met() string {
	switch {
	case v.Target == "":
		return "reported"
	case v.Met:
		return "yes"
	}
	return "**no**"
}

// byTime compares the first tool's time with that of each other.
func (r result) byTime() []verdict {
	var verdicts []verdict
	self := r.outcomes[0]
	for _, other := range r.outcomes[1:] {
		ratios := self.wall.over(other.wall)
		v := verdict{
			Case: r.title, Against: cmp.Or(other.about, other.name),
			Measured: fmt.Sprintf("%.2f", ratios.median()), Spread: ratios.String(),
			ratios: ratios, limit: other.target, short: other.name,
		}
		if other.target > 0 {
			v.Target = fmt.Sprintf("≤ %.2f", other.target)
			v.Met = ratios.median() <= other.target
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// counted is the verdict on a number that must be exact.
func counted(title, against string, got, want int) verdict {
	return verdict{Case: title, Against: against, Target: fmt.Sprintf("= %d", want), Measured: fmt.Sprint(got), Met: got == want}
}

// byMemory holds peak memory against a limit, all tools, and that of the
// second against the first: within a quarter, or 4 MiB.
func (r result) byMemory(limit float64) []verdict {
	var verdicts []verdict
	for _, o := range r.outcomes {
		peak := o.memory.max()
		verdicts = append(verdicts, verdict{
			Case: r.title + ", " + o.name, Against: "—", Target: fmt.Sprintf("≤ %.0f MiB", limit),
			Measured: fmt.Sprintf("%.1f MiB", peak), Spread: o.memory.String(), Met: peak <= limit,
		})
	}
	small, large := r.outcomes[0], r.outcomes[1]
	more := large.memory.median() - small.memory.median()
	return append(verdicts, verdict{
		Case: r.title + ", " + large.name, Against: small.name, Target: "≤ 1.25, or 4 MiB more",
		Measured: fmt.Sprintf("%.2f, %+.1f MiB", large.memory.median()/small.memory.median(), more),
		Met:      more <= max(4, small.memory.median()/4),
	})
}
