package main

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/lockfile"
)

func programCommands() map[string]func(*testscript.TestScript, []string) {
	return map[string]func(*testscript.TestScript, []string){
		"program":   cmdProgram,
		"universal": cmdUniversal,
		"markers":   cmdMarkers,
		"patch":     cmdPatch,
		"cut":       cmdCut,
		"pressed":   cmdPressed,
	}
}

// program FILE IMPORTPATH=DIR... [NAME:FATE...] writes a file that has the format of an
// executable and the packs of these projects: of each the marker, and the bytes in DIR/packs.
// A pack that is unlinked has neither, one that is absent has no bytes, the last byte of one that
// is patched is another one, and one that is unknown may begin at too many places. Scripts that
// build a program take longer.
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
	case "unknown":
		pack = bytes.Repeat(pack[:marker.HeadSize], 600_000)
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

// markers FILE N TEXT appends N markers to a file that has the format of an executable. TEXT is
// what a marker has between its beginning and its end, where # stands for the number of each.
func cmdMarkers(ts *testscript.TestScript, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	name := ts.MkAbs(args[0])
	file, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		file, err = []byte("\x7fELF"), nil
	}
	ts.Check(err)
	for i := range n {
		text := strings.ReplaceAll(args[2], "#", strconv.Itoa(i))
		file = append(append(append(file, marker.Start()...), text...), 0x03)
	}
	ts.Check(os.WriteFile(name, file, 0o777))
}

// patch FILE PACK inverts one bit in the middle of a pack that is in a program.
func cmdPatch(ts *testscript.TestScript, args []string) {
	file, pack := []byte(ts.ReadFile(args[0])), []byte(ts.ReadFile(args[1]))
	file[middle(ts, file, pack)] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file, 0o777))
}

// cut FILE TO [PACK] writes the first half of a file, or a program up to the middle of a pack that
// is in it.
func cmdCut(ts *testscript.TestScript, args []string) {
	file := []byte(ts.ReadFile(args[0]))
	end := len(file) / 2
	if len(args) > 2 {
		end = middle(ts, file, []byte(ts.ReadFile(args[2])))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), file[:end], 0o777))
}

// middle returns where the middle of a pack is in a program.
func middle(ts *testscript.TestScript, file, pack []byte) int {
	at := bytes.Index(file, pack)
	if at < 0 {
		ts.Fatalf("the program does not have the bytes of the pack")
	}
	return at + len(pack)/2
}

// pressed FILE TO writes a program as packers such as UPX do: its header, and the rest compressed.
func cmdPressed(ts *testscript.TestScript, args []string) {
	const header = 64
	file := []byte(ts.ReadFile(args[0]))
	to := bytes.NewBuffer(file[:header:header])
	w, err := flate.NewWriter(to, flate.DefaultCompression)
	ts.Check(err)
	_, err = w.Write(file[header:])
	ts.Check(err)
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), to.Bytes(), 0o777))
}
