package layout

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
)

// Hostile archives are refused before anything is read from them.
func TestFault66_HostileArchives(t *testing.T) {
	regular := func(names ...string) (all []tar.Header) {
		for _, name := range names {
			all = append(all, tar.Header{Typeflag: tar.TypeReg, Name: name})
		}
		return all
	}
	typed := func(flag byte, name string) []tar.Header {
		return []tar.Header{{Typeflag: flag, Name: name, Linkname: "index.json"}}
	}
	const name, kind = ": no layout has such a name", " that is neither a regular file nor a folder"
	for _, test := range []struct {
		headers []tar.Header
		want    string
	}{
		{regular("../x"), `has a member "../x"` + name},
		{regular("blobs/../../x"), `has a member "blobs/../../x"` + name},
		{regular("blobs/../x"), `has a member "blobs/../x"` + name},
		{regular("/etc/passwd"), `has a member "/etc/passwd"` + name},
		{regular("././x"), `has a member "././x"` + name},
		{regular("blobs//x"), `has a member "blobs//x"` + name},
		{regular(`blobs\x`), `has a member "blobs\\x"` + name},
		{regular("C:x"), `has a member "C:x"` + name},
		{regular("a\nb"), `has a member "a\nb"` + name},
		{regular("caf\u00e9"), `has a member "caf\u00e9"` + name},
		{regular(strings.Repeat("x", maxName+1)), `has a member "` + strings.Repeat("x", maxQuoted) + `"...` + name},
		{regular("index.json", "index.json"), `has two members "index.json"`},
		{regular("index.json", "./index.json"), `has two members "./index.json"`},
		{append(regular("blobs"), typed(tar.TypeDir, "blobs/")...), `has two members "blobs/"`},
		{append(typed(tar.TypeDir, "blobs/"), regular("blobs")...), `has two members "blobs"`},
		{typed(tar.TypeSymlink, "oci-layout"), `has a member "oci-layout"` + kind},
		{typed(tar.TypeLink, "oci-layout"), `has a member "oci-layout"` + kind},
		{typed(tar.TypeChar, "oci-layout"), `has a member "oci-layout"` + kind},
		{typed(tar.TypeBlock, "oci-layout"), `has a member "oci-layout"` + kind},
		{typed(tar.TypeFifo, "oci-layout"), `has a member "oci-layout"` + kind},
		{typed(tar.TypeCont, "oci-layout"), `has a member "oci-layout"` + kind},
		{typed(tar.TypeDir, "oci-layout"), "has no regular file in the place of oci-layout"},
		{typed(tar.TypeSymlink, "unused"), `has a member "unused"` + kind},
	} {
		path := writeArchive(t, test.headers, nil, true)
		if l, err := Open(path); l != nil || fmt.Sprint(err) != path+" "+test.want || !errors.As(err, new(*FormatError)) {
			t.Errorf("%+v\n got: %v\nwant: %s", test.headers, err, test.want)
		}
	}
}

// A sparse member has other bytes than the archive shows. archive/tar reads such members, but
// writes none.
func TestFault66c_Sparse(t *testing.T) {
	records := ""
	for _, record := range []string{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=oci-layout", "GNU.sparse.realsize=1"} {
		records += fmt.Sprintf("%d %s\n", len(record)+4, record)
	}
	body := "1\n0\n1\n" + strings.Repeat("\x00", 512-6) + "x"
	headers := []tar.Header{{Typeflag: tar.TypeReg, Name: "records", Size: int64(len(records))}, {Typeflag: tar.TypeReg, Name: "data", Size: int64(len(body))}}
	path := writeArchive(t, headers, files{{"", records}, {"", body}}, true)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[156] = tar.TypeXHeader
	copy(data[148:156], fmt.Sprintf("%06o\x00 ", checksum(data[:512])))
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	if l, err := Open(path); l != nil || fmt.Sprint(err) != path+` has a member "oci-layout" that is neither a regular file nor a folder` {
		t.Errorf("got %v", err)
	}
}

// checksum is that of a header whose checksum is not filled in.
func checksum(header []byte) (sum int) {
	for i, c := range header {
		if i >= 148 && i < 156 {
			c = ' '
		}
		sum += int(c)
	}
	return sum
}

// An archive that is cut off anywhere is refused, or has what it shows.
func TestFault66c_CutOff(t *testing.T) {
	c, layers := packs(t)
	path, data := archived(t, c)
	for n := 0; n < len(data); n += 256 {
		if n > 10_000 && n < len(data)-10_000 {
			n = len(data) - 10_000
		}
		if err := os.WriteFile(path, data[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		l, err := Open(path)
		if err != nil {
			if !errors.As(err, new(*FormatError)) {
				t.Errorf("%d bytes: %T %v", n, err, err)
			}
			continue
		}
		for _, layer := range layers {
			if err := l.Copy(t.Context(), io.Discard, contentOf(layer)); err != nil {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
		l.Close()
	}
	last := writeArchive(t, []tar.Header{{Typeflag: tar.TypeReg, Name: "a", Size: 1}}, files{{"", "x"}}, false)
	if err := os.Truncate(last, 512); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(last); fmt.Sprint(err) != last+" is a broken tar archive: it is cut off" {
		t.Errorf("got %v", err)
	}
}

// An archive cannot have more members than memory.
func TestFault66c_ManyMembers(t *testing.T) {
	a := &archive{members: map[string]member{}}
	for i := range maxMembers {
		if err := a.add(&tar.Header{Typeflag: tar.TypeReg, Name: fmt.Sprint(i)}, member{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.add(&tar.Header{Typeflag: tar.TypeReg, Name: "x"}, member{}); fmt.Sprint(err) != "has more than 200000 members" {
		t.Errorf("got %v", err)
	}
}

// An endless is a file that repeats its beginning.
type endless []byte

func (e endless) ReadAt(p []byte, at int64) (n int, err error) {
	for n < len(p) {
		n += copy(p[n:], e[(at+int64(n))%int64(len(e)):])
	}
	return n, nil
}

// An archive of headers without end is given up: of folders that are there already, of headers
// about all members, of names that no member follows.
func TestFault66c_ManyHeaders(t *testing.T) {
	headerOf := func(h tar.Header, text string) endless {
		t.Helper()
		data, err := os.ReadFile(writeArchive(t, []tar.Header{h}, files{{"", text}}, false))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	long := headerOf(tar.Header{Typeflag: tar.TypeReg, Name: "x", Size: 1 << 20}, strings.Repeat("x", 1<<20))
	long[156] = tar.TypeGNULongName
	copy(long[148:156], fmt.Sprintf("%06o\x00 ", checksum(long[:512])))
	for name, file := range map[string]endless{
		"folders": headerOf(tar.Header{Typeflag: tar.TypeDir, Name: "blobs/"}, ""),
		"records": headerOf(tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": strings.Repeat("x", 1<<19)}}, ""),
		"names":   long,
	} {
		a := &archive{members: map[string]member{}}
		if err := a.scan(file, 1<<62); fmt.Sprint(err) != "has more than 134217728 bytes of headers" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A member is as large as its header says, and is not read for that.
func TestFault66c_Sizes(t *testing.T) {
	digest := ociref.DigestOf(nil)
	huge := func(name string, size int64) string {
		t.Helper()
		file, err := os.Create(filepath.Join(t.TempDir(), "x.tar"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		w := tar.NewWriter(file)
		write := func(name string, size int64, text string) {
			t.Helper()
			if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size}); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, text); err != nil {
				t.Fatal(err)
			}
		}
		for _, one := range minimal() {
			if one.name != name {
				write(one.name, int64(len(one.text)), one.text)
			}
		}
		write(name, size, "")
		at, err := file.Seek(0, io.SeekCurrent)
		if err == nil {
			err = file.Truncate(at + min(size, 2<<30)) // a hole
		}
		if err != nil {
			t.Fatal(err)
		}
		return file.Name()
	}
	for _, test := range []struct {
		name string
		size int64
		want string
	}{
		{indexName, 1 << 30, " has a file index.json of more than 16777216 bytes"},
		{markerName, 1 << 30, " has a file oci-layout of more than 4096 bytes"},
		{indexName, 1 << 41, " is a broken tar archive: it is cut off"},
		{"x", 1<<63 - 1, " is a broken tar archive: it is cut off"},
		{blobName(digest), 1 << 30, ": " + blobName(digest) + ": the file is larger than 4194304 bytes"},
	} {
		path := huge(test.name, test.size)
		l, err := Open(path)
		if err == nil {
			_, err = l.Manifest(digest)
			l.Close()
		}
		if fmt.Sprint(err) != path+test.want {
			t.Errorf("%s of %d bytes: got %v, want %s", test.name, test.size, err, test.want)
		}
	}
}

// An archive that grows while it is read ends where it ended at first.
func TestFault66f_Grows(t *testing.T) {
	path := writeArchive(t, []tar.Header{{Typeflag: tar.TypeReg, Name: "a"}, {Typeflag: tar.TypeReg, Name: "b"}}, nil, true)
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	a := &archive{members: map[string]member{}}
	if err := a.scan(file, 512); err != nil || len(a.members) != 1 || a.members["a"] != (member{offset: 512}) {
		t.Errorf("%+v, %v", a.members, err)
	}
}
