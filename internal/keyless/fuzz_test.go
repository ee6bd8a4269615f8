package keyless

import (
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
)

// FuzzReply: no reply makes the reader panic, and none is read that is about another
// question, or says both or neither.
func FuzzReply(f *testing.F) {
	var keys []key
	for _, name := range []string{"workflow", "person", "invalid"} {
		q, _, reply := document(f, name)
		keys = append(keys, key{ociref.DigestOf(q.Bundle), q.Digest, ociref.DigestOf(q.Root)})
		f.Add([]byte(reply))
	}
	f.Fuzz(func(t *testing.T, reply []byte) {
		read := 0
		for _, k := range keys {
			answer, reason, err := readReply(reply, k)
			if (err == nil) != ((answer != nil) != (reason != "")) {
				t.Fatalf("%+v, %q, %v", answer, reason, err)
			}
			if err != nil {
				continue
			}
			read++
			if answer != nil && (len(answer.Payload) == 0 || answer.Identity.Subject == "" || answer.Identity.Issuer == "") {
				t.Fatalf("%+v", answer)
			}
		}
		if read > 1 {
			t.Fatalf("it answers %d questions", read)
		}
	})
}
