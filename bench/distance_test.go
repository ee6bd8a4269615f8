package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/greenticai/packvendor/bench/network"
)

// The connections that the first tool has at once are held against a limit.
func TestNetworkVerdicts(t *testing.T) {
	r := result{comparison: comparison{title: "cold, 50 ms away"}, outcomes: []outcome{
		{traffic: traffic{Connections: connections{AtOnce: 16}}}, {traffic: traffic{Connections: connections{AtOnce: 64}}},
	}}
	got := lines([]verdict{r.byConnections()})
	r.outcomes[0].traffic.Connections.AtOnce = 17
	got += lines([]verdict{r.byConnections()})
	const want = "cold, 50 ms away|connections to one host at once|≤ 16|16||yes\n" +
		"cold, 50 ms away|connections to one host at once|≤ 16|17||**no**\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A network that is late by more than a twentieth of its delay says nothing, and one that is
// late by little always says something.
func TestNetworkSpoiled(t *testing.T) {
	for _, test := range []struct {
		delay, mean time.Duration
		want        string
		spoiled     bool
	}{
		{25 * time.Millisecond, 1250 * time.Microsecond, "1.25 ms (5.0 %)", false},
		{25 * time.Millisecond, 1300 * time.Microsecond, "1.30 ms (5.2 %)", true},
		{2500 * time.Microsecond, 250 * time.Microsecond, "0.25 ms (10.0 %)", false},
		{2500 * time.Microsecond, 251 * time.Microsecond, "0.25 ms (10.0 %)", true},
	} {
		r := result{path: network.Path{Delay: test.delay}, late: network.Lateness{Mean: test.mean}}
		if r.lateness() != test.want || r.spoiled() != test.spoiled {
			t.Errorf("%v of %v: %s, spoiled %v", test.mean, test.delay, r.lateness(), r.spoiled())
		}
	}
}

func TestConnectionsOf(t *testing.T) {
	past := []network.Connection{
		{Server: "a", Opened: 0, Closed: 10},
		{Server: "a", Opened: 5, Closed: 20},
		{Server: "b", Opened: 6, Closed: 9},
		{Server: "a", Opened: 10, Closed: 30},
		{Server: "a", Opened: 30, Closed: 40},
	}
	if got, want := connectionsOf(past), (connections{All: 5, AtOnce: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Connections are counted since the last time.
func TestNetworkConnections(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	b := &bench{line: &line{Link: network.New()}}
	defer b.line.close()
	b.line.Set(network.Path{Delay: time.Millisecond})
	address, err := b.line.to(server.Listener.Addr().String(), frontOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		transport := &http.Transport{}
		for range 3 {
			get(t, &http.Client{Transport: transport}, "http://"+address)
		}
		transport.CloseIdleConnections()
	}
	if got := b.connections(); got.All != 2 {
		t.Errorf("got %+v, want 2 connections", got)
	}
	if got := b.connections(); got != (connections{}) {
		t.Errorf("%+v afterwards", got)
	}
	if got := (&bench{}).connections(); got != (connections{}) {
		t.Errorf("without a line: %+v", got)
	}
}
