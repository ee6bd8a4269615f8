package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFault58_Inspect inspects a pack of a few kilobytes whose manifest is one number
// of 15 MiB: tag 2 of CBOR, RFC 8949, section 3.4.3.
func TestFault58_Inspect(t *testing.T) {
	var pack bytes.Buffer
	archive := zip.NewWriter(&pack)
	manifest, err := archive.Create("manifest.cbor")
	if err != nil {
		t.Fatal(err)
	}
	manifest.Write([]byte{0xc2, 0x5a, 0, 0xf0, 0, 0}) // a byte string of 15 MiB
	manifest.Write(bytes.Repeat([]byte{0x77}, 15<<20))
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "big.gtpack")
	if err := os.WriteFile(name, pack.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	code, stdout, stderr := runWith(t, nil, "inspect", name)
	if took := time.Since(begun); code != exitUsage || stdout != "" || took > time.Minute {
		t.Errorf("exit code %d after %s, stdout %q", code, took, stdout)
	}
	if !strings.HasPrefix(stderr, "packvendor: error: "+name+": manifest.cbor") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("stderr %q", stderr)
	}
}
