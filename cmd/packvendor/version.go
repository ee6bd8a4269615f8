package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version returns packvendor's version as the go command recorded it: a tag, a
// pseudo-version, or "(devel)" for a build from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// versionJSON is the document of version --json.
type versionJSON struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func (c *cli) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  packvendor version --json",
		Args:    c.noArguments,
		RunE:    func(*cobra.Command, []string) error { return c.reportVersion() },
	}
}

func (c *cli) reportVersion() error {
	v := versionJSON{Version: version(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	return c.end(outcome{document: v, before: fmt.Sprintf("packvendor %s (%s %s/%s)\n", v.Version, v.Go, v.OS, v.Arch)})
}
