package program_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"

	packs "github.com/greenticai/packvendor/internal/program"
)

func TestBuildInfo(t *testing.T) {
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := packs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.BuildInfo()
	if err != nil || info.GoVersion != runtime.Version() || info.Main.Path != "github.com/greenticai/packvendor" {
		t.Errorf("got %v, %v", info, err)
	}
}

// An executable may say that it has gigabytes of symbols, or of build information.
func TestHostileBuildInfo(t *testing.T) {
	const size = 4 << 30
	pe := make([]byte, 4096)
	copy(pe, "MZ")
	binary.LittleEndian.PutUint32(pe[0x3c:], 64)
	copy(pe[64:], "PE\x00\x00\x64\x86\x01\x00")            // amd64, one section
	binary.LittleEndian.PutUint32(pe[64+12:], 4096)        // the symbol table
	binary.LittleEndian.PutUint32(pe[64+16:], 200_000_000) // its symbols
	binary.LittleEndian.PutUint16(pe[64+20:], 240)         // the optional header
	binary.LittleEndian.PutUint16(pe[64+24:], 0x20b)       // which is that of a 64-bit program
	binary.LittleEndian.PutUint32(pe[64+24+108:], 16)      // its directories
	copy(pe[64+24+240:], "/4\x00\x00")                     // the section, with a long name
	macho := append([]byte("\xcf\xfa\xed\xfe\x07\x00\x00\x01"), make([]byte, 4096)...)
	binary.LittleEndian.PutUint32(macho[16:], 1)             // a load command
	binary.LittleEndian.PutUint32(macho[20:], 24)            // of that size
	binary.LittleEndian.PutUint32(macho[32:], 2)             // LC_SYMTAB
	binary.LittleEndian.PutUint32(macho[36:], 24)            // the same size
	binary.LittleEndian.PutUint32(macho[40:], 4096)          // the symbol table
	binary.LittleEndian.PutUint32(macho[44:], 100_000_000)   // its symbols
	binary.LittleEndian.PutUint32(macho[48:], 4096)          // the strings
	binary.LittleEndian.PutUint32(macho[52:], 2_000_000_000) // their size
	for name, head := range map[string][]byte{"PE": pe, "Mach-O": macho, "many commands": bytes.Replace(macho, []byte{1, 0, 0, 0, 24}, []byte{0xff, 0xff, 0xff, 0xff, 0xff}, 1), "ELF": hostileELF(size)} {
		var err error
		used := peak(t, func() {
			f, openErr := packs.New(huge{head: head, filling: make([]byte, 4096), size: size}, size)
			if openErr != nil {
				t.Fatal(name, openErr)
			}
			_, err = f.BuildInfo()
		})
		var none *packs.NoBuildInfoError
		if !errors.As(err, &none) {
			t.Errorf("%s: got %v", name, err)
		}
		if used > maxMemory {
			t.Errorf("%s: %d MiB of memory", name, used>>20)
		}
	}
}

// hostileELF returns the beginning of an ELF file whose build information has that size.
func hostileELF(size int64) []byte {
	file := make([]byte, 4096)
	copy(file, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(file[16:], 2)  // an executable
	binary.LittleEndian.PutUint16(file[18:], 62) // for amd64
	binary.LittleEndian.PutUint32(file[20:], 1)
	binary.LittleEndian.PutUint64(file[32:], 64) // its program headers
	binary.LittleEndian.PutUint16(file[52:], 64)
	binary.LittleEndian.PutUint16(file[54:], 56)
	binary.LittleEndian.PutUint16(file[56:], 1)
	binary.LittleEndian.PutUint16(file[58:], 64)
	binary.LittleEndian.PutUint32(file[64:], 1)                 // a segment that is loaded
	binary.LittleEndian.PutUint32(file[68:], 6)                 // and written
	binary.LittleEndian.PutUint64(file[72:], 1024)              // from there
	binary.LittleEndian.PutUint64(file[80:], 1024)              // to there
	binary.LittleEndian.PutUint64(file[96:], uint64(size)-1024) // with that size
	binary.LittleEndian.PutUint64(file[104:], uint64(size)-1024)
	copy(file[1024:], "\xff Go buildinf:\x08\x02")
	at := 1024 + 32
	at += copy(file[at:], "\x06go1.26")
	binary.PutUvarint(file[at:], 2_000_000_000)
	return file
}

// FuzzNew reads what may be a program of any format: it ends, and does not panic.
func FuzzNew(f *testing.F) {
	pack := archive(f, noise(10, 300), make([]byte, 100))
	m := text(markerOf("a", pack))
	f.Add(elf(m, pack))
	f.Add(wasm(append(sparse(1000, pack), data{64 << 10, m})...))
	f.Add(universal(map[uint32][]byte{7: elf(m), 12: elf(pack)}, 7, 12))
	f.Add(hostileELF(1 << 20))
	f.Fuzz(func(t *testing.T, file []byte) {
		program, err := packs.New(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		program.BuildInfo()
		found, _, err := program.Packs(t.Context())
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%v", err)
		}
		for _, p := range found {
			if p.State == packs.Present && p.Size > int64(len(file))+p.Size/2 && program.Format != packs.Wasm {
				t.Errorf("%s of %d bytes is in a file of %d", p.Name, p.Size, len(file))
			}
		}
	})
}
