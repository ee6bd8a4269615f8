package packtest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
)

// Resolver returns a resolver that knows the names of hosts, in lower case, with
// their addresses, and answers that any other does not exist. It asks a server
// in this process and nobody else; names in the machine's hosts file, such as
// localhost, come from there. Addresses that are none end the test.
func Resolver(tb TB, hosts map[string][]string) *net.Resolver {
	tb.Helper()
	zone := zone{}
	for name, texts := range hosts {
		zone[name] = []netip.Addr{}
		for _, text := range texts {
			address, err := netip.ParseAddr(text)
			if err != nil {
				tb.Fatalf("test resolver: %v", err)
				return nil
			}
			zone[name] = append(zone[name], address)
		}
	}
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go zone.serve(server)
		return client, nil
	}}
}

// A zone answers questions as https://www.rfc-editor.org/rfc/rfc1035#section-4
// has it, in the form for TCP: net takes what is no net.PacketConn for that.
type zone map[string][]netip.Addr

func (z zone) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		answer := z.answer(query)
		if answer == nil {
			return
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

const (
	dnsHeader     = 12
	dnsA, dnsAAAA = 1, 28
	dnsInternet   = 1
	dnsNoSuchName = 3
	dnsResponse   = 0x8480 // a response, with authority, and recursion is available
)

// answer returns nil for what is no question.
func (z zone) answer(query []byte) []byte {
	name, question := parseQuestion(query)
	if question == nil {
		return nil
	}
	addresses, known := z[strings.ToLower(name)]
	kind := binary.BigEndian.Uint16(question[len(question)-4:])
	var records []byte
	var count uint16
	for _, address := range addresses {
		if kind == dnsA && address.Is4() || kind == dnsAAAA && address.Is6() {
			records = append(records, record(kind, address)...)
			count++
		}
	}
	flags := uint16(dnsResponse)
	if !known {
		flags |= dnsNoSuchName
	}
	b := query[:2:2] // the number by which the answer is known
	for _, field := range []uint16{flags, 1, count, 0, 0} {
		b = binary.BigEndian.AppendUint16(b, field)
	}
	return append(append(b, question...), records...)
}

// parseQuestion returns the name that the first question is about, and the
// question as it stands, or nil.
func parseQuestion(query []byte) (name string, question []byte) {
	var labels []string
	for at := dnsHeader; at < len(query); {
		size := int(query[at])
		at++
		if size == 0 && at+4 <= len(query) {
			return strings.Join(labels, "."), query[dnsHeader : at+4]
		}
		if size == 0 || at+size > len(query) {
			return "", nil
		}
		labels = append(labels, string(query[at:at+size]))
		at += size
	}
	return "", nil
}

// record is one answer about the name of the question.
func record(kind uint16, address netip.Addr) []byte {
	b := []byte{0xc0, dnsHeader} // "the name that stands there"
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, dnsInternet)
	b = binary.BigEndian.AppendUint32(b, 0) // seconds to remember it
	data := address.AsSlice()
	return append(binary.BigEndian.AppendUint16(b, uint16(len(data))), data...)
}
