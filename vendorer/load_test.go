package vendorer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// Bounds of what a run has in flight to one host.
const (
	mostRequests    = 64
	mostConnections = 16
)

// onEachProtocol runs a test with registries over HTTP/1.1 and over HTTP/2.
func onEachProtocol(t *testing.T, o packtest.Options, test func(*testing.T, packtest.Options)) {
	t.Run("HTTP/1.1", func(t *testing.T) { test(t, o) })
	o.HTTP2 = true
	t.Run("HTTP/2", func(t *testing.T) { test(t, o) })
}

// newLoaded is newMany without the connections of its run. The registry's Single counts from
// then on.
func newLoaded(t *testing.T, o packtest.Options, packs, size int) *project {
	t.Helper()
	single := o.Single
	o.Single = packtest.AnyNumber
	p := newMany(t, o, packs, size)
	p.must(p.reg.Stop())
	p.reg.Restrict(single)
	p.must(p.reg.Start())
	return p
}

// untouched is a keychain that must not be asked.
type untouched struct{ t testing.TB }

func (u untouched) Find(_ context.Context, host string) (*credentials.Credentials, error) {
	u.t.Errorf("credentials for %s were looked for", host)
	return nil, nil
}

// wantUntroubled wants a cold run to succeed at once: without credentials, words about it or
// tries, and within the bounds.
func (p *project) wantUntroubled() {
	p.t.Helper()
	p.options.Fetch.Keychain = untouched{p.t}
	p.must(cold(p))
	load := p.reg.Load()
	if load.Requests > mostRequests || load.Connections > mostConnections {
		p.t.Errorf("%d requests and %d connections at once, want at most %d and %d", load.Requests, load.Connections, mostRequests, mostConnections)
	}
	for _, event := range p.events {
		if strings.Contains(event, "Warning") || strings.Contains(event, "Retrying") {
			p.t.Errorf("told: %s", event)
		}
	}
	p.wantFound(false)
}

// A registry that refuses more than ten requests at once gets them all, in time.
func TestFault68_ManyAtOnce(t *testing.T) {
	for _, token := range []bool{false, true} {
		onEachProtocol(t, packtest.Options{Token: token}, func(t *testing.T, o packtest.Options) {
			p := newLoaded(t, o, 100, 16<<10)
			p.reg.Inject(fault.Busy("/", 10, ""))
			p.wantUntroubled()
			needed := 201
			if token {
				needed += 100
			}
			if refused := len(p.reg.Requests()) - needed; refused < 1 || refused > needed/2 {
				t.Errorf("%d of %d requests were refused, want some, and not many", refused, needed)
			}
		})
	}
}

// A connection with HTTP/2 may carry few requests at once. All are sent once.
func TestFault72_FewStreams(t *testing.T) {
	for _, streams := range []int{1, 10} {
		for _, redirected := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d, redirected %t", streams, redirected), func(t *testing.T) {
				p := newLoaded(t, packtest.Options{HTTP2: true, Streams: streams}, 40, 16<<10)
				other := packtest.StartRegistry(t, packtest.Options{CA: authority, HTTP2: true, Streams: streams})
				if redirected {
					for n := range 40 {
						other.PutBlob("p", packtest.Zip("many", fmt.Sprintf("p%d", n), 16<<10))
					}
					p.reg.Inject(fault.PresignBlob("", other.URL()))
				}
				p.wantUntroubled()
				if n, want := len(p.reg.Requests()), 81; n != want {
					t.Errorf("%d requests, want %d", n, want)
				}
				if n, load := len(other.Requests()), other.Load(); n != map[bool]int{true: 40}[redirected] || load.Connections > mostConnections {
					t.Errorf("%d requests to the other host, %+v", n, load)
				}
			})
		}
	}
}

// A run ends its connections, so that runs of many projects in one process do not add up.
func TestFault68_RunsAfterEachOther(t *testing.T) {
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, o packtest.Options) {
		p := newMany(t, o, 40, 100<<10)
		giveUp := time.Now().Add(5 * time.Second)
		for p.reg.Load().Open > 0 {
			if time.Now().After(giveUp) {
				t.Fatalf("%d connections are open after the run", p.reg.Load().Open)
			}
			time.Sleep(time.Millisecond)
		}
	})
}

// tries returns the events about tries of a cold run, which succeeds, and the requests for each
// path.
func (p *project) tries() (told []string, requests map[string]int) {
	p.t.Helper()
	p.must(cold(p))
	requests = map[string]int{}
	for _, r := range p.reg.Requests() {
		requests[r.Path]++
	}
	told = slices.DeleteFunc(slices.Clone(p.events), func(event string) bool { return !strings.Contains(event, "Retrying") })
	p.wantFound(false)
	return told, requests
}

// wantTries wants a run with n requests that share the fate of a connection: each is sent again,
// once, and no other.
func (p *project) wantTries(n int) {
	p.t.Helper()
	_, requests := p.tries()
	again := 0
	for path, times := range requests {
		if times > 2 {
			p.t.Errorf("%s was asked for %d times", path, times)
		}
		again += times - 1
	}
	if again > n {
		p.t.Errorf("%d requests were sent again, want at most %d", again, n)
	}
	if load := p.reg.Load(); load.Requests > mostRequests || load.Connections > mostConnections {
		p.t.Errorf("%+v at once", load)
	}
}

// A server ends connections when it has answered, as load balancers do.
func TestFault69_GoAwayGracefully(t *testing.T) {
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, o packtest.Options) {
		p := newLoaded(t, o, 40, 16<<10)
		p.reg.Inject(fault.GoAway("/v2/p"))
		told, requests := p.tries()
		if len(told) > 0 || len(requests) != 81 {
			t.Errorf("%d different requests, want 81; told %q", len(requests), told)
		}
	})
}

// A server ends a connection without looking at the requests that it carries.
func TestFault69_GoAwayAtOnce(t *testing.T) {
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, o packtest.Options) {
		p := newLoaded(t, o, 40, 16<<10)
		p.reg.Inject(fault.Together(10, fault.GoAwayNow("/v2/p")))
		p.wantTries(40)
	})
}

// A connection that many requests share is reset.
func TestFault70_SharedConnectionReset(t *testing.T) {
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, o packtest.Options) {
		for name, f := range map[string]packtest.Fault{
			"manifests": fault.Drop("/v2/p"), "blobs": fault.ResetBlob("", 100),
		} {
			t.Run(name, func(t *testing.T) {
				p := newLoaded(t, o, 40, 16<<10)
				p.reg.Inject(fault.Together(10, f))
				p.wantTries(40)
			})
		}
	})
}

// A host allows one connection at a time. Where further ones are just not accepted, a run waits
// for one of them, once.
func TestFault71_OneConnection(t *testing.T) {
	for name, single := range map[string]packtest.Single{
		"refuses": packtest.RefuseOthers, "resets": packtest.ResetOthers, "ignores": packtest.IgnoreOthers,
	} {
		t.Run(name, func(t *testing.T) {
			onEachProtocol(t, packtest.Options{Single: single}, func(t *testing.T, o packtest.Options) {
				p := newLoaded(t, o, 40, 100<<10)
				transport := registry.NewTransport()
				transport.TLSHandshakeTimeout = 2 * time.Second
				p.options.Fetch.Transport = transport
				begun := time.Now()
				p.wantUntroubled()
				if took := time.Since(begun); took > 3*transport.TLSHandshakeTimeout {
					t.Errorf("%s, want little more than one wait for a handshake, %s", took, transport.TLSHandshakeTimeout)
				}
			})
		})
	}
}
