package vendorer_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

func TestRunOffline(t *testing.T) {
	p := newVendored(t)
	p.options.Offline = true
	p.reg.ResetRequests()
	p.remove("app/packs")
	p.mustRun()
	p.wantPack("a", "$A_LAYER")

	// The Rust client leaves such an entry, without the manifest.
	p.remove("app/packs")
	p.must(os.Remove(filepath.Join(p.options.CacheDir, p.names["A"][7:], "manifest.json")))
	p.mustRun()
	p.wantPack("a", "$A_LAYER")

	// Without packs.lock nothing pins the layer.
	lock := p.read("app/packs.lock")
	p.remove("app/packs.lock")
	p.fails(p.runs(), "$DIR/packs.toml:2: packs.a: $REG/a@$A is cached without its manifest, so it cannot be verified offline")
	p.write("app/packs.lock", lock)

	p.remove("app/packs")
	p.coldCache()
	err := p.fails(p.runs(), "$DIR/packs.toml:2: packs.a: $REG/a@$A is not cached, and the network is off")
	var offline *packfetch.OfflineError
	var pack *vendorer.PackError
	if !errors.As(err, &offline) || !errors.As(err, &pack) || pack.Locked == nil || pack.Name != "a" {
		t.Errorf("error %#v", err)
	}
	p.packs(`a = { ref = "$REG/a:stable", allow_tags = true }`)
	p.fails(p.runs(), "$DIR/packs.toml:2: packs.a: $REG/a:stable is a tag, and the network is off")
	p.wantRequests()
}

func TestRunCorruptCache(t *testing.T) {
	p := newVendored(t)
	entry := filepath.Join(p.options.CacheDir, p.names["A"][7:], "pack.gtpack")
	p.must(os.WriteFile(entry, []byte("short"), 0o666))
	p.remove("app/packs")
	mismatch := entry + ": size mismatch\n\tgot:  5 bytes\n\twant: " + p.names["A_SIZE"] + " bytes"
	p.options.Offline = true
	p.fails(p.runs(), "$DIR/packs.toml:2: packs.a: "+mismatch)
	p.options.Offline = false
	p.mustRun()
	p.wantEvents("fetch.CorruptEntry{Reference:$REG/a@$A Err:" + mismatch + " Mended:true}")
	p.wantPack("a", "$A_LAYER")
}

func TestRunFromEnvironment(t *testing.T) {
	p := newProject(t)
	p.push("A", "a")
	p.packs(`a = "$REG/a@$A"`)
	cache := t.TempDir()
	p.options.CacheDir = ""
	p.options.Getenv = func(key string) string { return map[string]string{"GREENTIC_PACK_CACHE_DIR": cache}[key] }
	p.mustRun()
	if _, err := os.Stat(filepath.Join(cache, p.names["A"][7:], "pack.gtpack")); err != nil {
		t.Error(err)
	}
	// Without that variable the system's folder is used.
	p.remove("app/packs")
	home := t.TempDir()
	p.options.Getenv = func(key string) string {
		return map[string]string{"HOME": home, "LocalAppData": home}[key]
	}
	p.mustRun()
	system := packfetch.DefaultCacheDir(p.options.Getenv, p.dir)
	if _, err := os.Stat(filepath.Join(system, p.names["A"][7:], "pack.gtpack")); err != nil || !strings.HasPrefix(system, home) {
		t.Errorf("in %s: %v", system, err)
	}
}
