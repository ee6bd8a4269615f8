package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// delayGarbageCollection has the first garbage collection come at a heap of 16 MiB, four times
// as large as usual. Most runs end before, and a collection is a part of their time that counts.
// All later ones are as ever.
func delayGarbageCollection() {
	if os.Getenv("GOGC") != "" {
		return // the user's
	}
	usual := debug.SetGCPercent(400)
	first := new(int64)
	runtime.AddCleanup(first, func(usual int) { debug.SetGCPercent(usual) }, usual)
}
