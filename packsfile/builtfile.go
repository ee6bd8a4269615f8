package packsfile

import (
	"slices"
	"strings"
)

// platforms are the last words of the names of Go files that are built for one operating
// system or architecture alone. They are those of go/build, which would cost every run its
// start-up: https://pkg.go.dev/cmd/go#hdr-Build_constraints
var platforms = []string{
	"aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux",
	"nacl", "netbsd", "openbsd", "plan9", "solaris", "wasip1", "windows", "zos",
	"386", "amd64", "amd64p32", "arm", "arm64", "arm64be", "armbe", "loong64", "mips", "mips64",
	"mips64le", "mips64p32", "mips64p32le", "mipsle", "ppc", "ppc64", "ppc64le", "riscv",
	"riscv64", "s390", "s390x", "sparc", "sparc64", "wasm",
}

// isBuiltEverywhere reports whether the go command builds a file of this name, which is no
// test's, for every system.
func isBuiltEverywhere(file string) bool {
	stem, _, _ := strings.Cut(file, ".")
	stem = strings.TrimSuffix(stem, "_test") // as in x_linux_test.y.go
	last := strings.LastIndexByte(stem, '_')
	return last < 0 || !slices.Contains(platforms, stem[last+1:])
}
