package main

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"
)

// A scriptMessage is an error or a warning that a script shows.
type scriptMessage struct {
	script    string
	isWarning bool
	lines     []string // the first without "packvendor: error: "
	hints     []string // of an output whose only message it is
	code      int      // of an output whose only error it is; -1 if the script does not say it
	vars      map[string]string
}

// scriptMessages returns the messages that the scripts show.
func scriptMessages() ([]*scriptMessage, error) {
	names, err := filepath.Glob(filepath.Join("..", "..", "testdata", "scripts", "*.txtar"))
	if err != nil {
		return nil, err
	}
	var all []*scriptMessage
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, messagesOf(filepath.Base(name), archive)...)
	}
	return all, nil
}

// messagesOf returns the messages of one script.
func messagesOf(script string, archive *txtar.Archive) []*scriptMessage {
	all := commandMessages(string(archive.Comment))
	codes := outputCodes(string(archive.Comment))
	for _, file := range archive.Files {
		all = append(all, outputMessages(string(file.Data), codes(file.Name))...)
		all = append(all, documentMessages(string(file.Data))...)
	}
	vars := digestVars(string(archive.Comment))
	for _, m := range all {
		m.script, m.vars = script, vars
	}
	return all
}

// outputCodes returns a function that returns the exit code of the command whose
// standard error a file is; -1 if the script does not say it, or says several.
func outputCodes(commands string) func(file string) int {
	codes, last := map[string]int{}, -1
	for line := range strings.Lines(commands) {
		words := strings.Fields(line)
		switch {
		case len(words) > 2 && words[0] == "exits":
			last = -1
			if words[2] == "packvendor" { // go generate has an exit code of its own
				last, _ = strconv.Atoi(words[1])
			}
		case len(words) > 0 && words[0] == "exec":
			last = 0
		case len(words) == 3 && strings.HasPrefix(words[0], "cmp") && words[1] == "stderr":
			name := filepath.Base(words[2])
			if known, ok := codes[name]; ok && known != last {
				codes[name] = -1
				continue
			}
			codes[name] = last
		}
	}
	return func(file string) int {
		if code, ok := codes[filepath.Base(file)]; ok {
			return code
		}
		return -1
	}
}

var (
	messageLine = regexp.MustCompile(`^packvendor: (error|warning): (.*)$`)
	caseLine    = regexp.MustCompile(`^.* => (packvendor: (?:error|warning): .*)$`)
	hintLine    = regexp.MustCompile(`^packvendor: hint: .*$`)
)

// outputMessages returns the messages of a file in a script: standard error, or cases of
// it.
func outputMessages(text string, code int) []*scriptMessage {
	var all []*scriptMessage
	var hints []string
	inMessage := false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if found := caseLine.FindStringSubmatch(line); found != nil {
			all = append(all, outputMessages(plainEscapes.Replace(found[1]), -1)...)
			continue
		}
		found := messageLine.FindStringSubmatch(line)
		switch {
		case found != nil:
			all = append(all, &scriptMessage{isWarning: found[1] == "warning", lines: []string{found[2]}, code: -1})
		case inMessage && strings.HasPrefix(line, "\t"):
			last := all[len(all)-1]
			last.lines = append(last.lines, line)
			continue
		case hintLine.MatchString(line):
			hints = append(hints, line)
		}
		inMessage = found != nil
	}
	if len(all) == 1 {
		all[0].hints = hints
	}
	onlyError(all, code)
	return all
}

// plainEscapes are those of cases that separate lines.
var plainEscapes = strings.NewReplacer(`\n`, "\n", `\t`, "\t")

// onlyError gives the code to the error that is the only one.
func onlyError(all []*scriptMessage, code int) {
	var failed []*scriptMessage
	for _, m := range all {
		if !m.isWarning {
			failed = append(failed, m)
		}
	}
	if len(failed) == 1 {
		failed[0].code = code
	}
}

var (
	documentRule = regexp.MustCompile(`"code": (\d+),\s+"message": ("(?:[^"\\]|\\.)*")`)
	isolatedRule = regexp.MustCompile(`'(\$[^' ]+)'`)
)

// documentMessages returns the messages of a JSON document, of which some are several.
func documentMessages(text string) []*scriptMessage {
	var all []*scriptMessage
	for _, found := range documentRule.FindAllStringSubmatch(text, -1) {
		var message string
		if json.Unmarshal([]byte(found[2]), &message) != nil {
			continue
		}
		var some []*scriptMessage
		for line := range strings.SplitSeq(message, "\n") {
			if strings.HasPrefix(line, "\t") && len(some) > 0 {
				last := some[len(some)-1]
				last.lines = append(last.lines, line)
				continue
			}
			some = append(some, &scriptMessage{lines: []string{line}, code: -1})
		}
		code, _ := strconv.Atoi(found[1])
		onlyError(some, code)
		all = append(all, some...)
	}
	return all
}

// wantedMessage is a message in an expression that a command of a script has for the whole
// line.
var wantedMessage = regexp.MustCompile(`packvendor: (error|warning): (.*?)(?:\$|\\n\\z|\\n\\t.*|\\n.*)?'`)

// commandMessages returns the messages that commands of a script look for as a whole, as
// far as they say literally what they look for.
func commandMessages(commands string) []*scriptMessage {
	var all []*scriptMessage
	for line := range strings.Lines(commands) {
		line = isolatedRule.ReplaceAllString(line, "$1")
		found := wantedMessage.FindStringSubmatch(line)
		if found == nil || !strings.HasPrefix(line, "stderr ") || !isWhole(line) || strings.ContainsAny(found[2], "*|") {
			continue
		}
		all = append(all, &scriptMessage{isWarning: found[1] == "warning", lines: []string{literal(found[2])}, code: -1})
	}
	return all
}

// isWhole reports whether an expression looks for the end of the line as well.
func isWhole(line string) bool {
	return slices.ContainsFunc([]string{`$'`, `\n`}, func(end string) bool { return strings.Contains(line, end) })
}

// literal removes the escapes of an expression, in which a dot stands for an apostrophe.
func literal(expression string) string {
	expression = regexp.MustCompile(`([a-z])\.s\b`).ReplaceAllString(expression, "$1's")
	return regexp.MustCompile(`\\(\W)`).ReplaceAllString(expression, "$1")
}

// digestVars returns the variables of a script that are digests of its artifacts.
func digestVars(commands string) map[string]string {
	vars := map[string]string{"REG": "ghcr.io", "WORK": "/home/me", "CACHE": "/home/me/.cache/greentic/packs"}
	for line := range strings.Lines(commands) {
		words := strings.Fields(line)
		if len(words) > 2 && slices.Contains([]string{"push", "raw", "index", "sha"}, words[0]) {
			vars[words[1]], vars[words[1]+"_LAYER"], vars[words[1]+"_SIZE"] = "sha256:…", "sha256:…", "1755"
		}
	}
	return vars
}
