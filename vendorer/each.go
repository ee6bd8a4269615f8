package vendorer

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
)

// eachPack is forEach with the events of the packs told in their order, and
// counted as a phase.
func eachPack[T any](ctx context.Context, c *client, phase Phase, items []T, do func(context.Context, T) error) error {
	c.progress.begin(phase, len(items), 0)
	return eachCounted(ctx, c, items, do)
}

// eachFetched is eachPack for items whose bytes are copied.
func eachFetched(ctx context.Context, c *client, tasks []*task, do func(context.Context, *task) error) error {
	var bytes int64
	for _, t := range tasks {
		bytes += t.entry.Size
	}
	c.progress.begin(PhaseFetching, len(tasks), bytes)
	return eachCounted(ctx, c, tasks, do)
}

// eachCounted is eachPack within a phase that has begun.
func eachCounted[T any](ctx context.Context, c *client, items []T, do func(context.Context, T) error) error {
	err := forEach(ctx, c.o, items, func(ctx context.Context, item T) error {
		defer c.progress.done()
		return do(ctx, item)
	})
	c.events.flush()
	return err
}

// forEach calls do for every item, so many at once as Options.Jobs says, and
// returns all errors, in the items' order: a user is told of every pack that
// has a problem, not of the one that failed first.
func forEach[T any](ctx context.Context, o Options, items []T, do func(context.Context, T) error) error {
	errs := make([]error, len(items))
	var group errgroup.Group
	group.SetLimit(o.jobs())
	for i, item := range items {
		group.Go(func() error {
			if errs[i] = ctx.Err(); errs[i] == nil {
				errs[i] = do(ctx, item)
			}
			return nil
		})
	}
	group.Wait()
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return errors.Join(errs...)
}
