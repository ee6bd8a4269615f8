package packtest

import (
	"errors"
	"net"
	"net/http"
	"reflect"
	"slices"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

func TestResolver(t *testing.T) {
	r := Resolver(t, map[string][]string{
		"four.example":     {"192.0.2.1", "192.0.2.2"},
		"six.example":      {"2001:db8::1"},
		"both.example":     {"192.0.2.3", "::1"},
		"metadata.example": {"169.254.169.254"},
		"none.example":     {},
	})
	for name, want := range map[string][]string{
		"four.example":     {"192.0.2.1", "192.0.2.2"},
		"FOUR.example":     {"192.0.2.1", "192.0.2.2"},
		"four.example.":    {"192.0.2.1", "192.0.2.2"},
		"six.example":      {"2001:db8::1"},
		"both.example":     {"192.0.2.3", "::1"},
		"metadata.example": {"169.254.169.254"},
	} {
		got, err := r.LookupHost(t.Context(), name)
		slices.Sort(got)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %q, %v; want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"unknown.example", "none.example", "example"} {
		var missing *net.DNSError
		if got, err := r.LookupHost(t.Context(), name); !errors.As(err, &missing) || !missing.IsNotFound {
			t.Errorf("%s = %q, %v; want that it does not exist", name, got, err)
		}
	}
	tb := &fatal{}
	if Resolver(tb, map[string][]string{"x": {"1.2.3"}}) != nil || len(tb.said) != 1 || tb.said[0] != `test resolver: ParseAddr("1.2.3"): IPv4 address too short` {
		t.Errorf("said %q", tb.said)
	}
}

// A registry may have any name where its address comes from the resolver.
func TestRegistryByName(t *testing.T) {
	ca, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(farFuture(), "registry.example")
	if err != nil {
		t.Fatal(err)
	}
	r, pushed := onePack(t, Options{CA: ca, Certificate: &cert})
	_, port, err := net.SplitHostPort(r.Host())
	if err != nil {
		t.Fatal(err)
	}
	client := r.Client()
	defer client.CloseIdleConnections()
	dialer := net.Dialer{Resolver: Resolver(t, map[string][]string{"registry.example": {"127.0.0.1"}})}
	client.Transport.(*http.Transport).DialContext = dialer.DialContext
	resp, err := reply.Begin(t, t.Context(), client, "https://registry.example:"+port+byTag)
	reply.WantRead(t, resp, err, string(pushed.Manifest))
}

func TestNoQuestion(t *testing.T) {
	full := append(make([]byte, dnsHeader), "\x01x\x00\x00\x01\x00\x01"...)
	if name, question := parseQuestion(full); name != "x" || len(question) != 7 {
		t.Errorf("question = %q, %q", name, question)
	}
	for n := range len(full) {
		if got := (zone{}).answer(full[:n]); got != nil {
			t.Errorf("%d bytes: answer %q", n, got)
		}
	}
}

// A name without an address of the kind asked for exists, one that is not in the
// zone does not.
func TestAnswerTellsMissingNames(t *testing.T) {
	query := append(make([]byte, dnsHeader), "\x01x\x00\x00\x01\x00\x01"...)
	for want, z := range map[byte]zone{0: {"x": nil}, dnsNoSuchName: {"y": nil}} {
		if got := z.answer(query); len(got) != len(query) || got[3]&0xf != want {
			t.Errorf("%v: answer %q, want code %d", z, got, want)
		}
	}
}
