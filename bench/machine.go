package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// A machine is what the figures were measured on.
type machine struct {
	Cores      int
	Processor  string
	Memory     int64 // bytes
	Kernel     string
	FileSystem string
}

// thisMachine describes this machine, and the file system that dir is on.
func thisMachine(dir string) machine {
	m := machine{
		Cores:      runtime.NumCPU(),
		Processor:  procValue("/proc/cpuinfo", "model name"),
		Kernel:     strings.TrimSpace(procText("/proc/sys/kernel/osrelease")),
		FileSystem: "unknown",
	}
	fmt.Sscan(procValue("/proc/meminfo", "MemTotal"), &m.Memory)
	m.Memory <<= 10
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err == nil {
		m.FileSystem = fileSystem(int64(stat.Type))
	}
	return m
}

// fileSystem is the name of a number of statfs(2).
func fileSystem(magic int64) string {
	for name, number := range map[string]int64{
		"ext4": 0xef53, "xfs": 0x58465342, "btrfs": 0x9123683e, "tmpfs": 0x01021994, "overlayfs": 0x794c7630, "zfs": 0x2fc12fc1,
	} {
		if number == magic {
			return name
		}
	}
	return fmt.Sprintf("%#x", magic)
}

func procText(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return string(data)
}

// procValue is the value of the first line "key : value".
func procValue(file, key string) string {
	for line := range strings.Lines(procText(file)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (m machine) String() string {
	return fmt.Sprintf("%d cores (%s), %.0f GiB of memory, Linux %s, %s", m.Cores, m.Processor, float64(m.Memory)/(1<<30), m.Kernel, m.FileSystem)
}
