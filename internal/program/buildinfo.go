package program

import (
	"debug/buildinfo"
	"encoding/binary"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
)

// A NoBuildInfoError says why a program has no build information.
type NoBuildInfoError struct{ Why string }

func (e *NoBuildInfoError) Error() string { return e.Why }

const noBuildInfo = "the go command recorded none"

// maxBuildInfo bounds how much of an image is read for its build information, and with it the
// memory: debug/buildinfo does not bound what a hostile file makes it read.
const maxBuildInfo = 8 << 20

// withoutBuildInfo are the formats that debug/buildinfo does not read, or in which Go's linker
// writes none.
var withoutBuildInfo = []Format{Wasm, XCOFF, Plan9, Archive}

// BuildInfo returns what the go command recorded in the program; of a universal Mach-O file,
// in its first image. The error is *NoBuildInfoError.
func (f *File) BuildInfo() (info *debug.BuildInfo, err error) {
	if slices.Contains(withoutBuildInfo, f.Format) {
		return nil, &NoBuildInfoError{Why: fmt.Sprintf("%s files have none", f.Format)}
	}
	defer func() {
		// https://pkg.go.dev/debug/elf#hdr-Security says that it may panic.
		if p := recover(); p != nil {
			info, err = nil, &NoBuildInfoError{Why: noBuildInfo}
		}
	}()
	image := f.images[0].file
	head := withoutSymbols(image)
	info, err = buildinfo.Read(&boundedReader{r: &patchedReader{ReaderAt: image, head: head}, left: maxBuildInfo})
	if err != nil {
		return nil, &NoBuildInfoError{Why: noBuildInfo}
	}
	return info, nil
}

// A boundedReader fails after a number of bytes.
type boundedReader struct {
	r    io.ReaderAt
	left int64
}

func (b *boundedReader) ReadAt(p []byte, at int64) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	return b.r.ReadAt(p, at)
}

// A patchedReader reads other bytes at the beginning.
type patchedReader struct {
	io.ReaderAt
	head []byte
}

func (r *patchedReader) ReadAt(p []byte, at int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(p, at)
	if at < int64(len(r.head)) {
		copy(p[:n], r.head[at:])
	}
	return n, err
}

// withoutSymbols returns the beginning of an executable, as if it had no symbols: debug/pe and
// debug/macho read all of them, and they may be more than the rest.
func withoutSymbols(image io.ReaderAt) []byte {
	head := make([]byte, 64<<10)
	n, _ := image.ReadAt(head, 0)
	head = head[:n]
	if at, ok := peHeader(head); ok && at+peHeaderSize <= int64(n) {
		clearPESymbols(head[at:])
	}
	if order, commands := machoCommands(head); order != nil {
		clearSymbols(order, head[commands:])
	}
	return head
}

const (
	peHeaderSize  = 24 // with the magic number
	peSectionSize = 40 // of a section's header
)

// clearPESymbols empties the symbol table that a header names. Long names of sections are in
// the strings of that table, so these sections get other names.
func clearPESymbols(header []byte) {
	sections := int(binary.LittleEndian.Uint16(header[6:]))
	clear(header[12:20]) // PointerToSymbolTable, NumberOfSymbols
	table := header[min(len(header), peHeaderSize+int(binary.LittleEndian.Uint16(header[20:]))):]
	for i := 0; i < sections && len(table) >= peSectionSize; i++ {
		if table[0] == '/' {
			table[0] = '.'
		}
		table = table[peSectionSize:]
	}
}

// peHeader returns where the header of a PE file is; ok is false if the file is none.
func peHeader(head []byte) (at int64, ok bool) {
	if len(head) < headSize || string(head[:2]) != "MZ" {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint32(head[0x3c:])), true
}

// machoCommands returns where the load commands of a Mach-O file begin, and its byte order; nil
// if the file is none.
func machoCommands(head []byte) (order binary.ByteOrder, at int) {
	if len(head) < headSize {
		return nil, 0
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(head) {
		case 0xfeedface:
			return order, 28
		case 0xfeedfacf:
			return order, 32
		}
	}
	return nil, 0
}

// clearSymbols empties the symbol tables that load commands name.
func clearSymbols(order binary.ByteOrder, commands []byte) {
	for len(commands) >= 8 {
		size := order.Uint32(commands[4:])
		if size < 8 || uint64(size) > uint64(len(commands)) {
			return
		}
		switch command := commands[:size]; order.Uint32(command) {
		case 0x2: // LC_SYMTAB
			clear(command[8:])
		case 0xb: // LC_DYSYMTAB
			clear(command[8:])
		}
		commands = commands[size:]
	}
}
