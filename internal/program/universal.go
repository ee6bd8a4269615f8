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
		arch := archName(binary.BigEndian.Uint32(table), binary.BigEndian.Uint32(table[4:]))
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

// checkDisjoint refuses images that share bytes, which would be read many times, and images with
// one name.
func checkDisjoint(images []image) error {
	for i, a := range images {
		for _, b := range images[:i] {
			_, aAt, aSize := a.file.Outer()
			_, bAt, bSize := b.file.Outer()
			if aAt < bAt+bSize && bAt < aAt+aSize {
				return malformed(Universal, "its images for %s and %s overlap", b.arch, a.arch)
			}
			if a.arch == b.arch {
				return malformed(Universal, "it has two images for %s", a.arch)
			}
		}
	}
	return nil
}

// archName returns a name for a processor and its variant: GOARCH, if Go builds for it.
func archName(cpu, variant uint32) string {
	const features, armE = 0xff << 24, 2
	variant &^= features
	name := fmt.Sprintf("processor %#x", cpu)
	switch macho.Cpu(cpu) {
	case macho.Cpu386:
		name = "386"
	case macho.CpuAmd64:
		name = "amd64"
	case macho.CpuArm:
		name = "arm"
	case macho.CpuArm64:
		if variant == armE {
			return "arm64e"
		}
		name = "arm64"
	}
	if isX86 := cpu&^(1<<24) == uint32(macho.Cpu386); isX86 && variant == 3 { // that for all
		return name
	}
	if variant != 0 {
		return fmt.Sprintf("%s (variant %d)", name, variant)
	}
	return name
}
