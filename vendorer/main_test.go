package vendorer_test

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/vendorer"
)

// childProject, in the environment, makes of the test binary a program that
// vendors the packs.toml it names, with the cache that childCache names. Then it
// prints the file that childTells names, such as one that tells of itself.
const (
	childProject = "VENDORER_TEST_PROJECT"
	childCache   = "VENDORER_TEST_CACHE"
	childTells   = "VENDORER_TEST_TELLS"
)

// authority signs the certificates of all registries here. The system's trust
// is set to it alone, so that what is tested is the default transport.
var authority *packtest.Authority

func TestMain(m *testing.M) {
	if file := os.Getenv(childProject); file != "" {
		os.Exit(child(file))
	}
	os.Exit(parent(m))
}

func parent(m *testing.M) int {
	dir, err := os.MkdirTemp("", "vendorer-test-")
	if err == nil {
		defer os.RemoveAll(dir)
		authority, err = packtest.NewAuthority()
	}
	var file string
	if err == nil {
		file, err = authority.WriteFile(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv("SSL_CERT_FILE", file)
	os.Setenv("SSL_CERT_DIR", dir)
	debug.SetGCPercent(800) // there is memory for the garbage of hundreds of runs
	return m.Run()
}

// child is one run in a process of its own. It prints its events.
func child(file string) int {
	o := vendorer.Options{File: file, CacheDir: os.Getenv(childCache)}
	o.Events = func(e vendorer.Event) { fmt.Println(eventText(e)) }
	if _, err := vendorer.Run(context.Background(), o); err != nil {
		fmt.Println(err)
		return 1
	}
	if file := os.Getenv(childTells); file != "" {
		told, _ := os.ReadFile(file)
		os.Stdout.Write(told)
	}
	return 0
}
