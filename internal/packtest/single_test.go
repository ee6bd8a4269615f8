package packtest

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

func TestSingle(t *testing.T) {
	for name, single := range map[string]Single{"refuses": RefuseOthers, "resets": ResetOthers, "ignores": IgnoreOthers} {
		t.Run(name, func(t *testing.T) {
			r := StartRegistry(t, Options{Single: single})
			config := &tls.Config{RootCAs: r.CA().Pool()}
			first, err := tls.Dial("tcp", r.Host(), config)
			if err != nil {
				t.Fatal(err)
			}
			second, err := net.Dial("tcp", r.Host())
			switch single {
			case RefuseOthers:
				if !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("a second connection: %v, want it refused", err)
				}
			case ResetOthers:
				if err == nil {
					_, err = second.Read(make([]byte, 1))
				}
				if !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("a second connection: %v, want it reset", err)
				}
			case IgnoreOthers:
				if err != nil {
					t.Fatal(err)
				}
				second.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
				secured := tls.Client(second, &tls.Config{RootCAs: r.CA().Pool(), ServerName: "127.0.0.1"})
				if err := secured.Handshake(); !errors.Is(err, syscall.ETIMEDOUT) && !isTimeout(err) {
					t.Errorf("a second connection: %v, want silence", err)
				}
			}
			if load := r.Load(); load.Connections != 1 {
				t.Errorf("%+v, want one connection", load)
			}
			if second != nil {
				second.Close()
			}
			first.Close()
			if single == RefuseOthers { // it listens again a moment later
				for {
					conn, err := net.Dial("tcp", r.Host())
					if err == nil {
						conn.Close()
						break
					}
				}
			}
			got, err := reply.Try(t, r, "GET", "/v2/")
			for errors.Is(err, io.EOF) || err != nil && single != IgnoreOthers { // the one before is not gone yet
				got, err = reply.Try(t, r, "GET", "/v2/")
			}
			if err != nil {
				t.Fatal(err)
			}
			reply.Want(t, got, 200, "")
			if err := r.Stop(); err != nil {
				t.Error(err)
			}
			if err := r.Start(); err != nil {
				t.Error(err)
			}
		})
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
