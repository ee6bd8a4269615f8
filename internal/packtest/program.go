package packtest

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// InstallProgram puts the executable of the test into a folder under another name, with .exe
// where programs have it. TestMain finds that name in os.Args. It returns the file; one that is
// there already stays.
func InstallProgram(dir, name string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	file := filepath.Join(dir, name)
	if strings.HasSuffix(self, ".exe") {
		file += ".exe"
	}
	if _, err := os.Lstat(file); err == nil {
		return file, nil
	}
	if runtime.GOOS != "windows" && os.Link(self, file) == nil { // Windows deletes no link of a running program
		return file, nil
	}
	data, err := os.ReadFile(self)
	if err != nil {
		return "", err
	}
	return file, os.WriteFile(file, data, 0o777)
}
