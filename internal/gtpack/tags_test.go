package gtpack

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// bignum is a positive number of n bytes: tag 2, as in RFC 8949, section 3.4.3.
func bignum(n int) []byte {
	head := binary.BigEndian.AppendUint32([]byte{0xc2, 0x5a}, uint32(n))
	return append(head, bytes.Repeat([]byte{0x77}, n)...)
}

// nested are n tags around a number.
func nested(n int) []byte { return append(bytes.Repeat([]byte{0xd8, 0xff}, n), 1) }

// mapOf is a map of CBOR values: text keys are turned into CBOR.
func mapOf(pairs ...[2][]byte) []byte {
	b := []byte{0xa0 + byte(len(pairs))}
	for _, pair := range pairs {
		b = append(append(b, pair[0]...), pair[1]...)
	}
	return b
}

func text(s string) []byte { return append([]byte{0x60 + byte(len(s))}, s...) }

// TestFault58_Tags: packs have no tags in their documents, and numbers that take
// minutes to compute are not computed.
func TestFault58_Tags(t *testing.T) {
	big := bignum(15 << 20)
	manifest := v1(t, nil)
	for name, files := range map[string][]file{
		"the manifest":          {{"manifest.cbor", big}},
		"a field":               {{"manifest.cbor", mapOf([2][]byte{text("schema_version"), big})}},
		"an unknown field":      {{"manifest.cbor", mapOf([2][]byte{text("meta"), mapOf()}, [2][]byte{text("x"), big})}},
		"a number":              {{"manifest.cbor", mapOf([2][]byte{text("schema_version"), text("pack-v1")}, [2][]byte{text("pack_id"), big})}},
		"a key":                 {{"manifest.cbor", mapOf([2][]byte{big, text("x")})}},
		"after the first tag":   {{"manifest.cbor", append([]byte{0xd9, 0xd9, 0xf7}, big...)}},
		"the first tag twice":   {{"manifest.cbor", append([]byte{0xd9, 0xd9, 0xf7, 0xd9, 0xd9, 0xf7}, manifest.data...)}},
		"a key twice":           {{"manifest.cbor", mapOf([2][]byte{bignum(7 << 20), text("x")}, [2][]byte{bignum(7 << 20), text("x")})}},
		"tags in tags":          {{"manifest.cbor", nested(8 << 20)}},
		"a few tags in a field": {{"manifest.cbor", mapOf([2][]byte{text("meta"), nested(9)})}},
		"the pack's lock":       {manifest, {"pack.lock.cbor", mapOf([2][]byte{text("components"), big})}},
		"the bill of materials": {manifest, {"sbom.cbor", mapOf([2][]byte{text("files"), big})}},
	} {
		t.Run(name, func(t *testing.T) {
			src := archiveOf(t, zip.Deflate, files...)
			began := time.Now()
			p, err := Read(context.Background(), src)
			if took := time.Since(began); took > time.Minute { // if tags were read: minutes for each
				t.Errorf("took %s", took)
			}
			if p != nil {
				err = p.SBOM.Err
			}
			var malformed *MalformedError
			isHint := strings.HasPrefix(name, "the pack's lock")
			if !isHint && (!errors.As(err, &malformed) || len(err.Error()) > 200) {
				t.Errorf("error %.300s", fmt.Sprint(err))
			}
		})
	}
}
