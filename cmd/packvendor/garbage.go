package main

import (
	"runtime"
	"runtime/debug"
)

// delayGarbageCollection has the first garbage collection come at a heap of 16 MiB, four times
// as large as usual, unless the user chose another pace. Most runs end before, and a collection
// is a part of their time that counts. All later ones are as ever.
func delayGarbageCollection() {
	const usual = 100
	if set := debug.SetGCPercent(4 * usual); set != usual {
		debug.SetGCPercent(set)
		return
	}
	runtime.AddCleanup(new(int64), func(int) { debug.SetGCPercent(usual) }, 0)
}
