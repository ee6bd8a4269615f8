package packcache

import (
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
)

// usedInterval bounds the error of an entry's last use, so that hardly any hit writes to
// the disk, as in the go command's build cache.
const usedInterval = time.Hour

// markUsed records a hit as the modification time of manifest.json, which no other
// program writes, or of the pack if there is none. It reports no failure: in a read-only
// cache the entry merely seems older than it is.
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
