package program

import (
	"debug/macho"
	"encoding/binary"
	"fmt"
	"io"
)

// maxImages bounds the architectures of a universal Mach-O file. The file of a Java class has
// its version in the place of their number, which is larger.
const maxImages = 32

// imageCount returns how many images the header of a universal file counts.
func imageCount(head []byte) uint32 { return binary.BigEndian.Uint32(head[4:]) }

// universalImages returns the images of a universal Mach-O file.
func universalImages(file *io.SectionReader) ([]image, error) {
	head := make([]byte, 8)
	if _, err := file.ReadAt(head, 0); err != nil {
		return nil, err
	}
	entry := 20 // bytes: processor, its variant, offset, size, alignment
	wide := head[3] == 0xbf
	if wide {
		entry = 32 // with offset and size in 64 bits
	}
	table := make([]byte, entry*int(imageCount(head)))
	if _, err := file.ReadAt(table, int64(len(head))); err != nil {
		return nil, malformed(Universal, "it ends within its header")
	}
	var images []image
	for ; len(table) > 0; table = table[entry:] {
		at, size := uint64(binary.BigEndian.Uint32(table[8:])), uint64(binary.BigEndian.Uint32(table[12:]))
		if wide {
			at, size = binary.BigEndian.Uint64(table[8:]), binary.BigEndian.Uint64(table[16:])
		}
		arch := archName(binary.BigEndian.Uint32(table))
		if end := uint64(file.Size()); at > end || size > end-at {
			return nil, malformed(Universal, "its image for %s reaches beyond the end of the file", arch)
		}
		part := io.NewSectionReader(file, int64(at), int64(size))
		images = append(images, image{arch: arch, bytes: flat{part}, file: part})
	}
	if len(images) == 0 {
		return nil, malformed(Universal, "it has no image")
	}
	return images, checkDisjoint(images)
}

// checkDisjoint refuses images that share bytes: they would be read many times.
func checkDisjoint(images []image) error {
	for i, a := range images {
		for _, b := range images[:i] {
			_, aAt, aSize := a.file.Outer()
			_, bAt, bSize := b.file.Outer()
			if aAt < bAt+bSize && bAt < aAt+aSize {
				return malformed(Universal, "its images for %s and %s overlap", b.arch, a.arch)
			}
		}
	}
	return nil
}

// archName returns GOARCH for a processor.
func archName(cpu uint32) string {
	switch macho.Cpu(cpu) {
	case macho.Cpu386:
		return "386"
	case macho.CpuAmd64:
		return "amd64"
	case macho.CpuArm:
		return "arm"
	case macho.CpuArm64:
		return "arm64"
	}
	return fmt.Sprintf("processor %#x", cpu)
}
