package program

import (
	"encoding/binary"
	"io"
	"slices"
)

// maxHead bounds the headers that are read for build information.
const maxHead = 64 << 10

// boundedHead returns the beginning of an executable as if it had no symbols: the packages
// debug/elf, debug/pe, debug/macho and internal/xcoff read all of them, and copy their names,
// so that a small file could take all memory. ok is false if its headers are not in the
// beginning: Go's linker writes none of that kind.
func boundedHead(image *io.SectionReader) (head []byte, ok bool) {
	head = make([]byte, min(maxHead, image.Size()))
	if _, err := image.ReadAt(head, 0); err != nil {
		return nil, false
	}
	format, err := FormatOf(image)
	switch {
	case err != nil || len(head) < headSize:
		return nil, false
	case format == ELF:
		boundSections(image, head)
		return head, true
	case format == PE:
		return head, clearPESymbols(head)
	case format == MachO:
		return head, clearMachOSymbols(head)
	case format == XCOFF:
		return head, clearXCOFFSymbols(head)
	}
	return nil, false
}

// debug/elf copies the rest of the table of names for each section. Go's linker writes about
// thirty sections, and names of some hundred bytes in all.
const (
	maxSections     = 256
	maxSectionNames = 16 << 10
)

// boundSections takes the sections from an ELF file that has too many, or too long names.
// debug/buildinfo then looks into the first segment that is writable, where they mostly are.
func boundSections(image io.ReaderAt, head []byte) {
	var order binary.ByteOrder = binary.LittleEndian
	if head[5] == 2 {
		order = binary.BigEndian
	}
	// Where the file's header says where those of the sections are, and how large one is; and
	// where one of these has the size.
	table, counts, size := head[0x28:0x30], head[0x3a:0x40], 32
	number := order.Uint64
	if head[4] == 1 { // 32 bits
		table, counts, size = head[0x20:0x24], head[0x2e:0x34], 20
		number = func(b []byte) uint64 { return uint64(order.Uint32(b)) }
	}
	entry, sections, names := int64(order.Uint16(counts)), order.Uint16(counts[2:]), int64(order.Uint16(counts[4:]))
	header := make([]byte, 40)
	_, err := image.ReadAt(header, int64(number(table))+names*entry)
	const flags, compressed = 8, 0x800
	if err != nil || sections == 0 || sections > maxSections || number(header[size:]) > maxSectionNames || number(header[flags:])&compressed != 0 {
		clear(table)
		clear(counts[2:])
	}
}

const (
	peHeaderSize  = 24 // with the magic number
	peSectionSize = 40 // of a section's header
)

// clearPESymbols empties the symbol table that the header names, and the relocations. Long names
// of sections are in the strings of that table, so these sections get other names.
func clearPESymbols(head []byte) bool {
	at, _ := peHeader(head)
	if at > int64(len(head)-peHeaderSize) {
		return false
	}
	header := head[at:]
	clear(header[12:20]) // PointerToSymbolTable, NumberOfSymbols
	table := header[min(len(header), peHeaderSize+int(binary.LittleEndian.Uint16(header[20:]))):]
	sections := int(binary.LittleEndian.Uint16(header[6:]))
	if sections*peSectionSize > len(table) {
		return false
	}
	for section := range slices.Chunk(table[:sections*peSectionSize], peSectionSize) {
		if section[0] == '/' {
			section[0] = '.'
		}
		clear(section[24:36]) // PointerToRelocations to NumberOfLinenumbers
	}
	return true
}

// peHeader returns where the header of a PE file is; ok is false if the file is none.
func peHeader(head []byte) (at int64, ok bool) {
	if len(head) < headSize || string(head[:2]) != "MZ" {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint32(head[0x3c:])), true
}

// clearMachOSymbols empties the symbol tables that load commands name.
func clearMachOSymbols(head []byte) bool {
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 0xfe {
		order = binary.BigEndian
	}
	commands := head[28:]
	if order.Uint32(head)&1 != 0 { // 64 bits
		commands = head[32:]
	}
	size := order.Uint32(head[20:])
	if uint64(size) > uint64(len(commands)) {
		return false
	}
	for commands = commands[:size]; len(commands) >= 8; {
		size := order.Uint32(commands[4:])
		if size < 8 || uint64(size) > uint64(len(commands)) {
			return false
		}
		switch command := commands[:size]; order.Uint32(command) {
		case 0x2, 0xb: // LC_SYMTAB, LC_DYSYMTAB
			clear(command[8:])
		}
		commands = commands[size:]
	}
	return true
}

const (
	xcoffHeaderSize  = 24 // of files with 64 bits
	xcoffSectionSize = 72
	xcoffSymbolSize  = 18
)

// clearXCOFFSymbols gives an XCOFF file another symbol table, since internal/xcoff reads no file
// without one: it has one symbol without a name, and no strings. It takes the relocations away.
func clearXCOFFSymbols(head []byte) bool {
	sections := int(binary.BigEndian.Uint16(head[2:]))
	table := head[min(len(head), xcoffHeaderSize+int(binary.BigEndian.Uint16(head[16:]))):]
	symbols := head[len(head)-xcoffSymbolSize-4:] // with the size of the strings: code is here in a program
	if sections*xcoffSectionSize > len(table)-len(symbols) {
		return false
	}
	clear(symbols)
	binary.BigEndian.PutUint64(head[8:], uint64(len(head)-len(symbols)))
	binary.BigEndian.PutUint32(head[20:], 1)
	for section := range slices.Chunk(table[:sections*xcoffSectionSize], xcoffSectionSize) {
		clear(section[40:48]) // s_relptr
	}
	return true
}
