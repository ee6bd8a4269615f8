package registry_test

import (
	"flag"
	"os"
	"testing"
)

// Tests here wait for a registry that is silent, most of the time: a dozen may do so at
// once.
func TestMain(m *testing.M) {
	flag.Parse()
	if n := flag.Lookup("test.parallel"); n.Value.String() == n.DefValue {
		n.Value.Set("12")
	}
	os.Exit(m.Run())
}
