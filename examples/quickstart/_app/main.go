// Command quickstart prints the packs that are built into it.
package main

import (
	"archive/zip"
	"crypto/sha256"
	"fmt"
	"log"

	"example.com/quickstart/packs"
)

func main() {
	for _, p := range packs.Packs() {
		r, err := zip.NewReader(p.Reader(), p.Size())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %d bytes, sha256 %x\n ", p.Name(), p.Size(), sha256.Sum256(p.Bytes()))
		for _, f := range r.File {
			fmt.Printf(" %s", f.Name)
		}
		fmt.Println()
	}
}
