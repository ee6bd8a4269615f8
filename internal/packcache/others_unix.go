//go:build unix

package packcache

import (
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// Permissions to write, of others and of the group.
const (
	everyoneWrites fs.FileMode = 0o002
	groupWrites    fs.FileMode = 0o020
)

// othersOf returns the others that can write a directory. Many systems give each user a
// group of the same name, which has no other members.
func othersOf(info fs.FileInfo) Others {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Others{}
	}
	owner, group := userName(stat.Uid), groupName(stat.Gid)
	others := Others{Everyone: info.Mode()&everyoneWrites != 0}
	if stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		others.Owner = owner
	}
	if info.Mode()&groupWrites != 0 && group != owner {
		others.Group = group
	}
	return others
}

// userName returns a user's name, or the number where the system knows none.
func userName(id uint32) string {
	number := strconv.FormatUint(uint64(id), 10)
	if u, err := user.LookupId(number); err == nil {
		return u.Username
	}
	return number
}

// groupName returns a group's name, or the number where the system knows none.
func groupName(id uint32) string {
	number := strconv.FormatUint(uint64(id), 10)
	if g, err := user.LookupGroupId(number); err == nil {
		return g.Name
	}
	return number
}
