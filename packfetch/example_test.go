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

func ExampleSignedBy() {
	file, err := os.ReadFile("publisher.pub")
	if err != nil {
		log.Fatal(err)
	}
	key, err := packfetch.ParsePublicKey(file)
	if err != nil {
		log.Fatal(err)
	}
	fetcher, err := packfetch.New(packfetch.Options{Verifier: packfetch.SignedBy(key)})
	if err != nil {
		log.Fatal(err)
	}
	const reference = "ghcr.io/greenticai/greentic-packs/state-redis@sha256:af4e96980bd169cabe7f0e419cd89e038aed6dd610b36afe977e81f4597c35fa"
	pack, err := fetcher.Fetch(context.Background(), reference)
	var unsigned *packfetch.UnsignedError
	switch {
	case errors.As(err, &unsigned):
		log.Fatalf("the publisher has not signed it: %v", err)
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println(len(pack), "bytes")
}
