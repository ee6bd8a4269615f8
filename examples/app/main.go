// App is an HTTP server for the packs that are built into it.
//
//	app [-addr HOST:PORT]
//
// It checks every pack before it listens.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/app/internal/packs"
)

func main() {
	addr := flag.String("addr", ":8080", "listen on `HOST:PORT`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx is done, and then lets open requests end.
func run(ctx context.Context, addr string) error {
	all := packs.Packs()
	for _, pack := range all {
		if err := pack.Verify(); err != nil {
			return err
		}
	}
	handler, err := newHandler(all)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		ended <- server.Shutdown(patience)
	}()
	log.Printf("serving %d packs on http://%s", len(all), listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}
