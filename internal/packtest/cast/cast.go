// Package cast records commands in a terminal, and makes asciicasts and pictures of the
// recording.
package cast

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A Recording is a session in a terminal: commands that were typed, and their output.
type Recording struct {
	Title   string
	Columns int
	Steps   []Step
}

// A Step is a command line and what the terminal received while it ran.
type Step struct {
	Command, Output string
}

const prompt = "$ "

// The pace of a session. It does not depend on how long a command took when it was
// recorded, so that two recordings are equal.
const (
	perKey    = 25 * time.Millisecond
	beforeRun = 300 * time.Millisecond
	perLine   = 80 * time.Millisecond
	toRead    = 600 * time.Millisecond // after a command, and lineRead for each line
	lineRead  = 220 * time.Millisecond
)

// A moment says when a step happens: when its prompt appears, when its first line of
// output does, and when the next step begins.
type moment struct{ prompt, output, next time.Duration }

func (m moment) line(n int) time.Duration { return m.output + time.Duration(n)*perLine }

// schedule returns the moments of all steps; lines are their lines of output.
func (r *Recording) schedule(lines [][]line) []moment {
	var moments []moment
	now := toRead
	for i, step := range r.Steps {
		m := moment{prompt: now}
		m.output = m.prompt + typing(step.Command) + beforeRun
		m.next = m.line(len(lines[i])) + toRead + time.Duration(len(lines[i]))*lineRead
		moments, now = append(moments, m), m.next
	}
	return moments
}

func typing(command string) time.Duration {
	return time.Duration(len([]rune(command))) * perKey
}

// Duration returns how long the session is.
func (r *Recording) Duration() (time.Duration, error) {
	lines, err := r.lines()
	if err != nil || len(lines) == 0 {
		return 0, err
	}
	moments := r.schedule(lines)
	return moments[len(moments)-1].next, nil
}

// Asciicast returns the recording in the format asciicast v2.
func (r *Recording) Asciicast() ([]byte, error) {
	lines, err := r.lines()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	header := struct {
		Version int    `json:"version"`
		Width   int    `json:"width"`
		Height  int    `json:"height"`
		Title   string `json:"title"`
	}{2, r.Columns, height(lines), r.Title}
	if err := encoder.Encode(header); err != nil {
		return nil, err
	}
	event := func(at time.Duration, text string) {
		seconds := json.RawMessage(fmt.Sprintf("%.3f", at.Seconds()))
		encoder.Encode([]any{seconds, "o", text}) // of a buffer and strings: no error
	}
	for i, m := range r.schedule(lines) {
		event(m.prompt, prompt)
		for n, key := range []rune(r.Steps[i].Command) {
			event(m.prompt+time.Duration(n)*perKey, string(key))
		}
		event(m.output, "\r\n")
		for n, line := range lines[i] {
			event(m.line(n), line.escaped()+"\r\n")
		}
	}
	return b.Bytes(), nil
}

// height returns how many lines there are with those of the prompts.
func height(lines [][]line) int {
	n := 0
	for _, output := range lines {
		n += 1 + len(output)
	}
	return n
}

// lines returns the lines of each step's output, as they were in the end.
func (r *Recording) lines() ([][]line, error) {
	var all [][]line
	for _, step := range r.Steps {
		lines, err := read(step.Output)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", step.Command, err)
		}
		for _, line := range append(lines, line{{text: prompt + step.Command}}) {
			if n := line.width(); n > r.Columns {
				return nil, fmt.Errorf("%s: a line has %d columns, and the terminal %d: %s", step.Command, n, r.Columns, strings.TrimSpace(line.String()))
			}
		}
		all = append(all, lines)
	}
	return all, nil
}
