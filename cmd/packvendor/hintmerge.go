package main

import (
	"slices"
	"strconv"
	"strings"
)

// The beginnings of hints of which one must do for several packs.
const (
	updateHint = "packvendor update "
	listHint   = "in packs.toml: insecure_registries = ["
)

// mergedHints are the hints of problems, those of one kind made one: to update
// one pack would not help while another has the same problem, and packs.toml can
// have but one list of insecure registries.
func mergedHints(problems []problem) []string {
	var hints, names, hosts []string
	update, list := -1, -1
	for _, p := range problems {
		switch {
		case isUpdateOfOne(p.hint):
			if names = add(names, strings.TrimPrefix(p.hint, updateHint)); update < 0 {
				update, hints = len(hints), append(hints, "")
			}
			hints[update] = updateHint + strings.Join(names, " ")
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

func isUpdateOfOne(hint string) bool {
	name, ok := strings.CutPrefix(hint, updateHint)
	return ok && !strings.ContainsAny(name, " -")
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
