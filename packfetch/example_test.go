package packfetch_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/greenticai/packvendor/packfetch"
)

// docs/library.md has programs like these, and their output.

func ExampleFetch() {
	const reference = "ghcr.io/greenticai/greentic-packs/state-redis@sha256:af4e96980bd169cabe7f0e419cd89e038aed6dd610b36afe977e81f4597c35fa"
	pack, err := packfetch.Fetch(context.Background(), reference)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(pack), "bytes")
}

func ExampleFetcher_FetchToCache() {
	fetcher, err := packfetch.New(packfetch.Options{
		AllowTags: true,
		Keychain:  packfetch.UserKeychain(os.Getenv, 0),
	})
	if err != nil {
		log.Fatal(err)
	}
	pack, err := fetcher.FetchToCache(context.Background(), "ghcr.io/greenticai/greentic-packs/state-redis:1.2.0")
	var registry *packfetch.RegistryError
	switch {
	case errors.As(err, &registry):
		log.Fatalf("the registry refuses: %v", err)
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println(pack.Path, "from the network:", pack.FetchedFromNetwork)
}
