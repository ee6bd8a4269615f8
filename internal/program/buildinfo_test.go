package program_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
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

// Why there is no build information.
func TestNoBuildInfo(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	none := bytes.ReplaceAll(whole, []byte("\xff Go buildinf:"), []byte("\xff No buildinf:"))
	const notRecorded, notReadable = "the go command recorded none", "it cannot be read"
	type row struct {
		name, want string
		file       []byte
	}
	var own []row
	if runtime.GOOS != "windows" { // there the header of a program is not at its beginning, and packvendor does not look through all of its data
		own = []row{{"none", notRecorded, none}, {"a short one", notReadable, whole[:60]}}
	}
	for _, test := range append(own, []row{
		{"cut", notReadable, whole[:100_000]},
		{"no header", notReadable, elf()},
		{"Wasm", "Wasm files have none", wasm()},
		{"an archive", "ar archive files have none", []byte(ar("/"))},
	}...) {
		f, err := packs.New(bytes.NewReader(test.file), int64(len(test.file)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.BuildInfo()
		var no *packs.NoBuildInfoError
		if !errors.As(err, &no) || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}

// A small executable may say that it has gigabytes of symbols, of names or of build information.
func TestHostileBuildInfo(t *testing.T) {
	for _, test := range []struct {
		name string
		file []byte
	}{
		{"PE, symbols", hostilePE(64)},
		{"PE, a header behind", hostilePE(64 << 10)},
		{"Mach-O, symbols", hostileMachO(0)},
		{"Mach-O, symbols behind", hostileMachO(64 << 10)},
		{"Mach-O, long command", bytes.Replace(hostileMachO(0), []byte{2, 0, 0, 0, 24}, []byte{2, 0, 0, 0, 0xff}, 1)},
		{"Mach-O in itself", universal(map[uint32][]byte{7: universal(map[uint32][]byte{7: hostileMachO(0)}, 7)}, 7)},
		{"ELF, names of sections", hostileSections()},
		{"XCOFF, symbols", hostileXCOFF()},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBoundedMemory(t, func(t *testing.T) {
				f, err := packs.New(bytes.NewReader(test.file), int64(len(test.file)))
				if err != nil {
					t.Fatal(err)
				}
				_, err = f.BuildInfo()
				var none *packs.NoBuildInfoError
				if !errors.As(err, &none) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// A small program may have so much build information that it takes much memory to return it.
func TestManyDependencies(t *testing.T) {
	inBoundedMemory(t, func(t *testing.T) {
		file := manyDependencies()
		f, err := packs.New(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		if info, err := f.BuildInfo(); err != nil || len(info.Deps) < 200_000 {
			t.Errorf("got %v", err)
		}
	})
}

// A build information of gigabytes is not read.
func TestLargeBuildInfo(t *testing.T) {
	const size = 4 << 30
	inBoundedMemory(t, func(t *testing.T) {
		f, err := packs.New(huge{head: hostileELF(size), filling: make([]byte, 4096), size: size}, size)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = f.BuildInfo(); err == nil || err.Error() != "it cannot be read" {
			t.Errorf("got %v", err)
		}
	})
}

// longName is one name for many sections or symbols: a reader may copy it for each.
var longName = bytes.Repeat([]byte("x"), 1<<20)

// hostilePE returns a PE file with the header there.
func hostilePE(at int) []byte {
	const symbols, symbolSize = 20_000, 18
	pe := make([]byte, at+4096+symbols*symbolSize)
	copy(pe, "MZ")
	binary.LittleEndian.PutUint32(pe[0x3c:], uint32(at))
	header := pe[at:]
	copy(header, "PE\x00\x00\x64\x86\x01\x00")                  // amd64, one section
	binary.LittleEndian.PutUint32(header[12:], uint32(at+4096)) // the symbol table
	binary.LittleEndian.PutUint32(header[16:], symbols)
	binary.LittleEndian.PutUint16(header[20:], 240)    // the optional header
	binary.LittleEndian.PutUint16(header[24:], 0x20b)  // which is that of a 64-bit program
	binary.LittleEndian.PutUint32(header[24+108:], 16) // its directories
	copy(header[24+240:], "/4\x00\x00")                // the section, with a long name
	for symbol := range slices.Chunk(pe[at+4096:], symbolSize) {
		symbol[4] = 4 // the place of its name
	}
	return append(binary.LittleEndian.AppendUint32(pe, 4+uint32(len(longName))), longName...)
}

// hostileMachO returns a Mach-O file with a symbol table, behind a load command of that size.
func hostileMachO(unknown int) []byte {
	const symbols, symbolSize = 50_000, 16
	at := 4096 + unknown
	macho := make([]byte, at+symbols*symbolSize)
	copy(macho, "\xcf\xfa\xed\xfe\x07\x00\x00\x01")
	macho[16] = 1                                                 // load command
	binary.LittleEndian.PutUint32(macho[20:], uint32(24+unknown)) // of that size
	commands := macho[32:]
	if unknown > 0 {
		macho[16] = 2
		commands[0] = 0x77
		binary.LittleEndian.PutUint32(commands[4:], uint32(unknown))
		commands = commands[unknown:]
	}
	for i, n := range []int{2, 24, at, symbols, len(macho), len(longName)} { // LC_SYMTAB
		binary.LittleEndian.PutUint32(commands[4*i:], uint32(n))
	}
	return append(macho, longName...)
}

// hostileXCOFF returns an XCOFF file with many symbols.
func hostileXCOFF() []byte {
	const symbols, symbolSize = 40_000, 18
	file := make([]byte, 4096+symbols*symbolSize)
	copy(file, "\x01\xf7\x00\x00")
	binary.BigEndian.PutUint64(file[8:], 4096)
	binary.BigEndian.PutUint32(file[20:], symbols)
	for symbol := range slices.Chunk(file[4096:], 2*symbolSize) {
		symbol[11], symbol[16], symbol[17] = 4, 2, 1 // the place of its name, C_EXT, an auxiliary entry
	}
	return append(binary.BigEndian.AppendUint32(file, 4+uint32(len(longName))), longName...)
}

// hostileSections returns an ELF file with many sections.
func hostileSections() []byte {
	const sections, size = 20_000, 64
	file := hostileELF(4096)
	binary.LittleEndian.PutUint64(file[40:], uint64(len(file)))
	binary.LittleEndian.PutUint16(file[60:], sections)
	binary.LittleEndian.PutUint16(file[62:], 1)
	table := make([]byte, size*sections)
	names := table[size:]
	names[4] = 3 // SHT_STRTAB
	binary.LittleEndian.PutUint64(names[24:], uint64(len(file)+len(table)))
	binary.LittleEndian.PutUint64(names[32:], uint64(len(longName))+1)
	return append(append(append(file, table...), longName...), 0)
}

// manyDependencies returns an ELF file whose build information has as many dependencies as are
// read.
func manyDependencies() []byte {
	const size = 2<<20 - 8<<10
	file := hostileELF(4 << 20)
	at := 1024 + 32 + len("\x06go1.26")
	text := bytes.Repeat([]byte("dep\ta\tb\n"), size/8)
	file = append(binary.AppendUvarint(file[:at], uint64(len(text))), "0123456789abcdef"...)
	return append(append(append(file, text[:len(text)-33]...), "\n0123456789abcdef"...), make([]byte, 2<<20)...)
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
