package invocation

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// look reads a process from /proc: proc(5).
func look(id int) Process {
	if id <= 0 {
		return Process{}
	}
	at := fmt.Sprintf("/proc/%d/", id)
	var p Process
	if line, err := os.ReadFile(at + "cmdline"); err == nil && len(line) > 0 {
		p.Args = strings.Split(string(bytes.TrimSuffix(line, []byte{0})), "\x00")
	}
	p.Dir, _ = os.Readlink(at + "cwd")
	if stat, err := os.ReadFile(at + "stat"); err == nil {
		p.Parent = parentOf(string(stat))
	}
	return p
}

// parentOf returns the fourth field of stat. The second is a name in parentheses, in
// which anything may stand.
func parentOf(stat string) int {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	id, _ := strconv.Atoi(fields[1])
	return id
}
