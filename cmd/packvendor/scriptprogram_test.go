package main

import (
	"encoding/binary"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/lockfile"
)

func programCommands() map[string]func(*testscript.TestScript, []string) {
	return map[string]func(*testscript.TestScript, []string){
		"program":   cmdProgram,
		"universal": cmdUniversal,
	}
}

// program FILE IMPORTPATH=DIR... [NAME:FATE...] writes a file that has the format of an
// executable and the packs of these projects: of each the marker, and the bytes in DIR/packs.
// A pack that is unlinked has neither, one that is absent has no bytes, and the last byte of
// one that is patched is another one. Scripts that build a program take longer.
func cmdProgram(ts *testscript.TestScript, args []string) {
	file := []byte("\x7fELF")
	fates := map[string]string{}
	for _, arg := range args[1:] {
		if name, fate, ok := strings.Cut(arg, ":"); ok {
			fates[name] = fate
		}
	}
	for _, arg := range args[1:] {
		importPath, dir, ok := strings.Cut(arg, "=")
		if !ok {
			continue
		}
		lock, err := lockfile.Parse(dir+"/packs.lock", []byte(ts.ReadFile(dir+"/packs.lock")))
		ts.Check(err)
		for _, entry := range lock.Entries {
			pack := []byte(ts.ReadFile(dir + "/packs/" + entry.Name + ".gtpack"))
			file = append(file, programPart(importPath, entry, pack, fates[entry.Name])...)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file, 0o777))
}

// programPart is what a program has of one pack.
func programPart(importPath string, entry lockfile.Entry, pack []byte, fate string) []byte {
	m := marker.Marker{
		Package: importPath, Name: entry.Name, Ref: entry.Ref, ManifestDigest: entry.ManifestDigest,
		LayerDigest: entry.LayerDigest, Size: entry.Size, MediaType: entry.MediaType,
	}
	if entry.Path != "" {
		m.Ref = marker.FileRef(entry.Path)
	}
	m.Sample = marker.SampleOf(pack)
	switch fate {
	case "unlinked":
		return nil
	case "absent":
		pack = nil
	case "patched":
		pack[len(pack)-1] ^= 1
	}
	return append([]byte(marker.Format(m)), pack...)
}

// universal FILE MACHO... writes a universal Mach-O file of these programs, as lipo does.
func cmdUniversal(ts *testscript.TestScript, args []string) {
	const page = 1 << 14
	file := binary.BigEndian.AppendUint32([]byte("\xca\xfe\xba\xbe"), uint32(len(args)-1))
	var images []byte
	for _, name := range args[1:] {
		image := []byte(ts.ReadFile(name))
		processor, variant := binary.LittleEndian.Uint32(image[4:]), binary.LittleEndian.Uint32(image[8:])
		for _, field := range []uint32{processor, variant, uint32(page + len(images)), uint32(len(image)), 14} {
			file = binary.BigEndian.AppendUint32(file, field)
		}
		images = append(images, image...)
		images = append(images, make([]byte, -len(images)&(page-1))...)
	}
	file = append(file, make([]byte, page-len(file))...)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), append(file, images...), 0o777))
}
