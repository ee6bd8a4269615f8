package packcache

import (
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
)

// usedInterval is how far an entry's time of last use may lag behind, so that
// hardly any hit writes to the disk, as in the go command's build cache.
const usedInterval = time.Hour

// markUsed records a hit, as the modification time of manifest.json, which is
// ours alone, or of the pack where there is none. It fails silently: in a cache
// that cannot be written the entry merely seems older than it is.
func (c *Cache) markUsed(manifest ociref.Digest) {
	entry, err := c.entry(manifest)
	if err != nil {
		return
	}
	defer entry.Close()
	for _, name := range []string{manifestFile, packFile} {
		info, err := entry.Lstat(name)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if now := c.now(); now.Sub(info.ModTime()) >= usedInterval {
			entry.Chtimes(name, time.Time{}, now)
		}
		return
	}
}
