package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/spf13/cobra"
)

// version returns packvendor's version as the go command recorded it: a tag, a
// pseudo-version, or "(devel)" for a build from a checkout.
func version() string { return currentVersion().Version }

// versionJSON is the document of version --json.
type versionJSON struct {
	Version string `json:"version"` // of packvendor; (devel) for a build from a checkout
	Go      string `json:"go"`      // the Go version that built it
	OS      string `json:"os"`      // as in GOOS
	Arch    string `json:"arch"`    // as in GOARCH
	// Sum is the module's line in go.sum; "" for a build from a checkout.
	Sum string `json:"sum,omitempty"`
	// Revision is the commit of a checkout, if the go command recorded it.
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"` // files of the checkout differed from that commit
}

// currentVersion describes the running program.
var currentVersion = sync.OnceValue(func() versionJSON {
	info, _ := debug.ReadBuildInfo()
	return newVersionJSON(info)
})

// newVersionJSON describes the program with that build information; nil means none.
func newVersionJSON(info *debug.BuildInfo) versionJSON {
	v := versionJSON{Version: "(devel)", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if info == nil {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	v.Sum = info.Main.Sum
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Revision = setting.Value
		case "vcs.modified":
			v.Modified = setting.Value == "true"
		}
	}
	return v
}

func (c *cli) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long: `Print the version, the Go release that built it, and its system. --json adds the
checksum of the module or the commit of the checkout, if the go command recorded
it.`,
		Example: "  packvendor version --json",
		Args:    c.noArguments,
		RunE:    func(*cobra.Command, []string) error { return c.reportVersion() },
	}
}

func (c *cli) reportVersion() error {
	v := currentVersion()
	return c.end(outcome{document: v, before: fmt.Sprintf("packvendor %s (%s %s/%s)\n", v.Version, v.Go, v.OS, v.Arch)})
}
