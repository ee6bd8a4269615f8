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

// childProject, in the environment, makes the test binary vendor the packs.toml that it
// names, with the cache of childCache. Then it prints the file that childTells names,
// such as one about itself.
const (
	childProject = "VENDORER_TEST_PROJECT"
	childCache   = "VENDORER_TEST_CACHE"
	childTells   = "VENDORER_TEST_TELLS"
)

// authority signs the certificates of all registries here. The system's trust holds
// only this authority, so the tests use the default transport.
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
	debug.SetGCPercent(800) // memory is plentiful
	return m.Run()
}

// child runs once in its own process. It prints its events.
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
