package main

import (
	"fmt"
	"strings"
)

// network is the table of all cases at a distance, and what a distance is here.
func (r *report) network(w *strings.Builder) {
	head := `
## The network

All connections of these cases go through a proxy. It delays every byte by half of the given
time in each direction, and a handshake of TCP by all of it. All connections share 200 Mbit/s
in each direction. Each direction of a connection begins with 10 segments of 1460 bytes, and
doubles what it has on the way with each round trip. An idle connection loses this again.
Nothing is lost, and nothing is left to chance. TLS passes through the proxy untouched.

"At once" counts the connections to one host. The timers of a busy machine are late. "Late" is
by how much the proxy was, on average and as a part of the delay in one direction; then the
most of 99 in 100 deliveries. A case is spoiled if the average is more than 0.25 ms and more
than 5 %.

| case | command | connections | at once | late | at most |
|---|---|---|---|---|---|
`
	var spoiled []string
	for _, res := range r.results {
		if res.path.Delay == 0 {
			continue
		}
		w.WriteString(head)
		head = ""
		title, late, most := res.title, res.lateness(), fmt.Sprintf("%.2f ms", res.late.Most.Seconds()*1000)
		if res.spoiled() {
			late += ", **spoiled**"
			spoiled = append(spoiled, res.name)
		}
		for _, o := range res.outcomes {
			c := o.traffic.Connections
			fmt.Fprintf(w, "| %s | %s | %d | %d | %s | %s |\n", title, o.name, c.All, c.AtOnce, late, most)
			title, late, most = "", "", ""
		}
	}
	if spoiled != nil {
		fmt.Fprintf(w, "\n**The machine was too busy** for these cases; their figures say nothing: %s.\n", strings.Join(spoiled, ", "))
	}
}
