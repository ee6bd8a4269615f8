package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// What the go command records of a program depends on how it built it.
func TestNewVersionJSON(t *testing.T) {
	const sum, commit = "h1:mN5pbHuFGOvrXkfNvzRRl8vGXzKvQPpDGn5vAcFEMcs=", "0d5c5a92d2b8f7f3b4d8a5c1e6f7a8b9c0d1e2f3"
	for _, test := range []struct {
		name string
		info *debug.BuildInfo
		want versionJSON
	}{
		{"nothing", nil, versionJSON{Version: "(devel)"}},
		{"no version", &debug.BuildInfo{}, versionJSON{Version: "(devel)"}},
		{"a tool of go.mod", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3", Sum: sum}}, versionJSON{Version: "v1.2.3", Sum: sum}},
		{"a checkout", &debug.BuildInfo{
			Main:     debug.Module{Version: "v1.2.4-0.20260131080000-0d5c5a92d2b8+dirty"},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: commit}, {Key: "vcs.modified", Value: "true"}},
		}, versionJSON{Version: "v1.2.4-0.20260131080000-0d5c5a92d2b8+dirty", Revision: commit, Modified: true}},
		{"a clean checkout", &debug.BuildInfo{
			Main:     debug.Module{Version: "v1.2.3"},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: commit}, {Key: "vcs.modified", Value: "false"}},
		}, versionJSON{Version: "v1.2.3", Revision: commit}},
	} {
		test.want.Go, test.want.OS, test.want.Arch = runtime.Version(), runtime.GOOS, runtime.GOARCH
		if got := newVersionJSON(test.info); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}
