package program

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// A Format is the format of an executable, or of an archive with one. "" is none of these.
type Format string

const (
	ELF       Format = "ELF"
	MachO     Format = "Mach-O"
	Universal Format = "universal Mach-O"
	PE        Format = "PE"
	Wasm      Format = "Wasm"
	XCOFF     Format = "XCOFF"
	Plan9     Format = "Plan 9 a.out"
	Archive   Format = "ar archive" // as -buildmode=c-archive writes it
)

// magics begin the files of the formats. FormatOf looks more closely at some.
var magics = []struct {
	magic  string
	format Format
}{
	{"\x7fELF", ELF},
	{"\xfe\xed\xfa\xce", MachO},
	{"\xfe\xed\xfa\xcf", MachO},
	{"\xce\xfa\xed\xfe", MachO},
	{"\xcf\xfa\xed\xfe", MachO},
	{"\xca\xfe\xba\xbe", Universal},
	{"\xca\xfe\xba\xbf", Universal},
	{"MZ", PE},
	{"\x00asm\x01\x00\x00\x00", Wasm}, // a module; a component has another version
	{"\x01\xf7", XCOFF},               // 64 bits
	{"\x00\x00\x01\xeb", Plan9},       // 386
	{"\x00\x00\x8a\x97", Plan9},       // amd64
	{"\x00\x00\x06\x47", Plan9},       // arm
	{"!<arch>\n", Archive},
}

// headSize is how much of a file FormatOf looks at.
const headSize = 64

// FormatOf returns the format of a file by its first bytes; "" if Go links no such file. The
// error is r's.
func FormatOf(r io.ReaderAt) (Format, error) {
	head := make([]byte, headSize)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	head = head[:n]
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.format.confirmed(r, head)
		}
	}
	return "", nil
}

// confirmed returns "" if a file with these first bytes may be something else: some magic
// numbers are short, and that of Universal also begins Java classes.
func (f Format) confirmed(r io.ReaderAt, head []byte) (Format, error) {
	switch {
	case f == PE:
		return peFormat(r, head)
	case f == Archive:
		return archiveFormat(r)
	case f == Universal && (len(head) < 8 || imageCount(head) > maxImages):
		return "", nil
	}
	return f, nil
}

// peFormat looks for the header that PE files have after that for DOS.
func peFormat(r io.ReaderAt, head []byte) (Format, error) {
	at, ok := peHeader(head)
	if !ok {
		return "", nil
	}
	magic := make([]byte, 4)
	if _, err := r.ReadAt(magic, at); err != nil {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return "", err
	}
	if string(magic) != "PE\x00\x00" {
		return "", nil
	}
	return PE, nil
}

// archiveFormat looks at the name of an archive's first member: with -buildmode=c-archive that is
// a table of symbols, of GNU's or BSD's ar, or the first object file. Debian packages, for
// example, are such archives as well.
func archiveFormat(r io.ReaderAt) (Format, error) {
	const magic, nameSize, headerSize = 8, 16, 60
	member := make([]byte, headerSize+nameSize)
	n, err := r.ReadAt(member, magic)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if n < headerSize {
		return "", nil
	}
	name := string(member[:nameSize])
	if strings.HasPrefix(name, "#1/") { // BSD's ar has a long name behind the header
		name = string(member[headerSize:])
	}
	for _, first := range []string{"/ ", "/SYM64/ ", "__.SYMDEF", "go.o"} {
		if strings.HasPrefix(name, first) {
			return Archive, nil
		}
	}
	return "", nil
}
