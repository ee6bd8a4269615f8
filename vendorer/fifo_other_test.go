//go:build !unix

package vendorer_test

func (p *project) fifo(string) {
	p.t.Helper()
	p.t.Skip("there are no FIFOs in folders here")
}
