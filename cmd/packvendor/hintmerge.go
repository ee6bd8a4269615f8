package main

import (
	"slices"
	"strconv"
	"strings"
)

// The beginnings of hints of which one must do for several packs.
const (
	updateHint = "packvendor update "
	listHint   = "at the top of packs.toml: insecure_registries = ["
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
		case strings.HasPrefix(p.hint, listHint):
			if hosts = add(hosts, hostsOf(p.hint)...); list < 0 {
				list, hints = len(hints), append(hints, "")
			}
			hints[list] = insecureHint(hosts)
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

// insecureHint is the line of packs.toml that lists these hosts.
func insecureHint(hosts []string) string { return listHint + quotedList(hosts) + "]" }

// hostsOf are the hosts that an insecureHint lists.
func hostsOf(hint string) []string {
	var hosts []string
	for word := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(hint, listHint), "]"), ", ") {
		if host, err := strconv.Unquote(word); err == nil {
			hosts = append(hosts, host)
		}
	}
	return hosts
}
