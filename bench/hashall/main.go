// Command hashall prints the SHA-256 of each file it is given, on all cores:
// what any program that looks at every byte has to do, and nothing else.
package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"sync"
)

func main() {
	names := make(chan string)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for name := range names {
				file, err := os.Open(name)
				if err != nil {
					log.Fatal(err)
				}
				hash := sha256.New()
				if _, err := io.Copy(hash, file); err != nil {
					log.Fatal(err)
				}
				file.Close()
				fmt.Printf("%x  %s\n", hash.Sum(nil), name)
			}
		})
	}
	for _, name := range os.Args[1:] {
		names <- name
	}
	close(names)
	group.Wait()
}
