package main

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// An ageFlag is a duration, which may also be in days or weeks.
type ageFlag struct {
	text  string
	value *time.Duration
}

func (f *ageFlag) String() string { return f.text }
func (f *ageFlag) Type() string   { return "duration" }

func (f *ageFlag) Set(s string) error {
	age, err := parseAge(s)
	if err != nil || age < 0 {
		return errors.New("write a duration such as 30d or 12h")
	}
	f.text, f.value = s, &age
	return nil
}

// parseAge reads a duration as Go writes it, or a number of days or weeks.
func parseAge(s string) (time.Duration, error) {
	for unit, hours := range map[string]time.Duration{"d": 24, "w": 7 * 24} {
		number, ok := strings.CutSuffix(s, unit)
		if !ok {
			continue
		}
		one, err := time.ParseDuration(number + "h")
		if err != nil || strings.Trim(number, "0123456789.") != "" || one > math.MaxInt64/hours {
			return 0, errors.New("no number of days or weeks")
		}
		return one * hours, nil
	}
	return time.ParseDuration(s)
}

// A sizeFlag is a number of bytes, with or without a unit.
type sizeFlag struct {
	text  string
	value *int64
}

func (f *sizeFlag) String() string { return f.text }
func (f *sizeFlag) Type() string   { return "size" }

func (f *sizeFlag) Set(s string) error {
	n, err := humanize.ParseBytes(s)
	if err != nil || n > 1<<62 {
		return errors.New("write a size such as 2GB or 500MiB")
	}
	size := int64(n)
	f.text, f.value = s, &size
	return nil
}
