package main

import (
	"context"
	"fmt"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/distribution"
)

// requests counts what a first run of a locked project asks of a registry that
// lets everybody read, and of one that wants a token for each repository.
func (b *bench) requests(ctx context.Context) (result, error) {
	s := b.sizes()
	d, err := b.dataset(ctx, s.manyShape())
	if err != nil {
		return result{}, err
	}
	b.tell("requests: counting")
	_, public, err := b.once(ctx, b.cold(d), true)
	if err != nil {
		return result{}, err
	}
	r := result{comparison: comparison{name: "requests"}}
	r.verdicts = asked("requests, cold and locked, "+packsText(s.many, s.pack), public, s.many, 0)
	guarded, count, err := b.guarded(ctx)
	r.verdicts = append(r.verdicts, asked("the same where each of its repositories asks for a token", guarded, count, count)...)
	return r, err
}

// asked holds what a first run asked for against 2 requests a pack, 1 ping and so
// many tokens.
func asked(title string, t traffic, packs, tokens int) []verdict {
	verdicts := []verdict{
		counted(title, "manifests and blobs, 2 a pack", t.Manifests+t.Blobs, 2*packs),
		counted(title, "pings, 1 a registry", t.Pings, 1),
	}
	if tokens > 0 {
		verdicts = append(verdicts, counted(title, "tokens, 1 a repository", t.Tokens, tokens))
	}
	return append(verdicts, counted(title, "others", t.Heads+t.Others, 0))
}

// guarded counts the requests of a first run where a registry wants tokens. The
// server is the same; the tokens are from one in this process.
func (b *bench) guarded(ctx context.Context) (t traffic, packs int, err error) {
	issuer, err := packtest.NewRegistry(packtest.Options{Token: true})
	if err != nil {
		return t, 0, err
	}
	defer issuer.Close()
	r, err := startRegistry(b.work, distribution.Options{Issuer: issuer})
	if err != nil {
		return t, 0, err
	}
	defer r.stop()
	other := *b // the same bench at another registry
	other.registry, other.plain, other.datasets = r, false, map[string]*dataset{}
	if other.env, err = b.environment(r); err != nil {
		return t, 0, err
	}
	packs = min(10, b.sizes().many)
	d, err := other.dataset(ctx, shape{name: "guarded", count: packs, size: b.sizes().small})
	if err != nil {
		return t, packs, fmt.Errorf("registry with tokens: %w", err)
	}
	issuer.ResetRequests()
	if _, t, err = other.once(ctx, other.cold(d), true); err != nil {
		return t, packs, err
	}
	t.Tokens = len(issuer.Requests())
	return t, packs, nil
}
