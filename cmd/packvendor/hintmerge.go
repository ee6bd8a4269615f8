package main

import (
	"slices"
	"strconv"
	"strings"
)

// How hints begin of which one must do for several packs: a command, and a line after
// the name of its file.
const (
	updateHint = "packvendor update "
	topHint    = "at the top of "
	listHint   = ": insecure_registries = ["
)

// An updateCommand is a hint to update one pack, without that pack.
type updateCommand struct{ before, after string }

// mergedHints are the hints of problems, those of one kind made one: to update
// one pack would not help while another has the same problem, and packs.toml can
// have but one list of insecure registries.
func mergedHints(problems []problem) []string {
	var hints, hosts []string
	list, updates, names := -1, map[updateCommand]int{}, map[updateCommand][]string{}
	for _, p := range problems {
		command, name, isUpdate := updateOfOne(p.hint)
		switch {
		case isUpdate:
			if names[command] == nil {
				updates[command], hints = len(hints), append(hints, "")
			}
			names[command] = add(names[command], name)
			hints[updates[command]] = command.before + strings.Join(names[command], " ") + command.after
		case strings.HasPrefix(p.hint, topHint):
			file, listed := insecureIn(p.hint)
			if hosts = add(hosts, listed...); list < 0 {
				list, hints = len(hints), append(hints, "")
			}
			hints[list] = insecureHint(file, hosts)
		default:
			hints = append(hints, p.hint)
		}
	}
	return hints
}

// updateOfOne splits a hint to update one pack, which may have flags before and
// after it.
func updateOfOne(hint string) (command updateCommand, name string, ok bool) {
	rest, ok := strings.CutPrefix(hint, updateHint)
	rest = strings.TrimPrefix(rest, "--accept-retag ")
	name, flags, _ := strings.Cut(rest, " ")
	command.before = strings.TrimSuffix(hint, rest)
	command.after = strings.TrimPrefix(rest, name)
	return command, name, ok && !strings.HasPrefix(name, "-") && (flags == "" || strings.HasPrefix(flags, "-"))
}

// add adds words that are not yet in list.
func add(list []string, words ...string) []string {
	for _, word := range words {
		if !slices.Contains(list, word) {
			list = append(list, word)
		}
	}
	return list
}

// insecureHint is the line of a packs.toml that lists these hosts.
func insecureHint(file string, hosts []string) string {
	return topHint + file + listHint + quotedList(hosts) + "]"
}

// insecureIn returns the file of an insecureHint, and the hosts that it lists.
func insecureIn(hint string) (file string, hosts []string) {
	file, list, _ := strings.Cut(strings.TrimPrefix(hint, topHint), listHint)
	for word := range strings.SplitSeq(strings.TrimSuffix(list, "]"), ", ") {
		if host, err := strconv.Unquote(word); err == nil {
			hosts = append(hosts, host)
		}
	}
	return file, hosts
}
