package main

import (
	"net"
	"testing"
	"time"

	"github.com/greenticai/packvendor/bench/network"
)

// A result at a distance reports what of it can be counted.
func TestNetworkVerdicts(t *testing.T) {
	r := result{comparison: comparison{title: "cold, 50 ms away"}, outcomes: []outcome{
		{tool: tool{name: "packvendor"}, traffic: traffic{Connections: 9, Turns: 30}},
		{tool: tool{name: "curl"}, traffic: traffic{Connections: 1, Turns: 4}},
	}}
	const want = "cold, 50 ms away|connections||9, curl: 1||reported\n" +
		"cold, 50 ms away|round trips on the connection that has most||30, curl: 4||reported\n"
	if got := lines(r.byConnections()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Connections are counted since the last time, and the handshake is a round trip.
func TestNetworkConnections(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			echo := make([]byte, 1)
			for err == nil {
				if _, err = c.Read(echo); err == nil {
					c.Write(echo)
				}
			}
			c.Close()
		}
	}()
	b := &bench{link: network.New()}
	defer b.link.Close()
	b.link.Set(network.Path{Delay: time.Millisecond})
	address, err := b.link.To(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, asks := range []int{1, 3} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		for range asks {
			c.Write([]byte("x"))
			c.Read(make([]byte, 1))
		}
		c.Close()
	}
	if count, turns := b.connections(); count != 2 || turns != 4 {
		t.Errorf("%d connections, at most %d round trips, want 2 and 4", count, turns)
	}
	if count, turns := b.connections(); count != 0 || turns != 0 {
		t.Errorf("%d connections, %d round trips afterwards", count, turns)
	}
	if count, _ := (&bench{}).connections(); count != 0 {
		t.Errorf("without a link, %d connections", count)
	}
}
