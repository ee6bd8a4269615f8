package packtest

import (
	"io"
	"net"
	"net/http"
)

// Tunnel answers a CONNECT request as a proxy does: it connects the client with the
// server at address, and returns when the server has ended the connection. If it cannot
// connect, it answers 502.
func Tunnel(w http.ResponseWriter, address string) {
	server, err := net.Dial("tcp", address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer server.Close()
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		io.Copy(server, client)
		server.Close()
	}()
	io.Copy(client, server)
}
