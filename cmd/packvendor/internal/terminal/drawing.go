package terminal

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/vendorer"
)

// Widths of the bar, in columns between its brackets.
const (
	wideBar   = 20
	narrowBar = 10
)

// progressLine says in at most so many columns how far a run is: the more there are,
// the more it says.
func progressLine(p vendorer.Progress, perSecond float64, columns int) string {
	phase := string(p.Phase)
	switch {
	case p.Packs == 0:
		return ""
	case p.Packs == 1 && p.Bytes == 0:
		return fitting(columns, phase) // the one step is done or not
	}
	counted, short := phase, phase
	if p.Packs > 1 {
		short = fmt.Sprintf("%s %d/%d", phase, p.Done, p.Packs)
		counted = short + " packs"
	}
	wide, narrow := barOf(p, wideBar), barOf(p, narrowBar)
	amount, speed, left := amounts(p), speedText(perSecond), leftText(p, perSecond)
	return fitting(columns,
		counted+wide+listed(amount, speed, left),
		counted+narrow+listed(amount, speed, left),
		short+narrow+listed(amount, speed, left),
		short+narrow+listed(speed, left),
		short+narrow+listed(left),
		short+narrow,
		short,
	)
}

// fitting is the first of texts that has room; nothing if none has.
func fitting(columns int, texts ...string) string {
	for _, text := range texts {
		if len(text) <= columns {
			return text
		}
	}
	return ""
}

// listed joins the words that follow a bar, without empty ones.
func listed(words ...string) string {
	if text := phrase.Join(", ", words...); text != "" {
		return " " + text
	}
	return ""
}

// barOf is a percentage and a bar, of bytes if their number is known, else of packs.
func barOf(p vendorer.Progress, width int) string {
	done, all := int64(p.Done), int64(p.Packs)
	if p.Bytes > 0 {
		done, all = p.BytesDone, p.Bytes
	}
	percent := int(min(max(done, 0), all) * 100 / all)
	bar := strings.Repeat("=", width*percent/100)
	if n := len(bar); n > 0 && n < width {
		bar = bar[1:] + ">"
	}
	return fmt.Sprintf(" %3d%% [%-*s]", percent, width, bar)
}

// amounts are the bytes done of all, with one unit where that is the same.
func amounts(p vendorer.Progress) string {
	if p.Bytes == 0 {
		return ""
	}
	done, all := humanize.BytesN(uint64(min(max(p.BytesDone, 0), p.Bytes)), 3), humanize.BytesN(uint64(p.Bytes), 3)
	number, unit, _ := strings.Cut(done, " ")
	if strings.HasSuffix(all, " "+unit) {
		done = number
	}
	return done + "/" + all
}

func speedText(perSecond float64) string {
	if perSecond < 1 {
		return ""
	}
	return humanize.BytesN(uint64(perSecond), 3) + "/s"
}

// leftText is the time left at the present speed; "" if it is not known, or absurd.
func leftText(p vendorer.Progress, perSecond float64) string {
	left := float64(p.Bytes-p.BytesDone) / perSecond // seconds
	if p.Bytes == 0 || perSecond < 1 || left <= 0 || left > (24*time.Hour).Seconds() {
		return ""
	}
	return max(time.Duration(left)*time.Second, time.Second).String() + " left"
}
