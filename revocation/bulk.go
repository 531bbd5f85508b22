package revocation

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/time/rate"
)

// BulkOptions says how Bulk writes.
type BulkOptions struct {
	// WritesPerSecond bounds the calls that write. It must be over 0. All
	// entries of a kind share one partition of kind-index, and a partition
	// takes 1,000 writes/s; a failed condition counts as a write too:
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
	WritesPerSecond int
	// Workers is how many entries may be under way at once; 0 is 16.
	Workers int
	// Restore deletes the entries instead. Only their keys count.
	Restore bool
	// Skip is how many entries at the head an earlier run has settled: the
	// Next of its Summary, or one over the last Index it reported.
	Skip int
	// Settled is told of each entry, in the order of the input and from one
	// goroutine. Whatever came before that entry is settled as well, so a run
	// that was killed resumes after the last Index it was told.
	Settled func(Settled)
}

// Settled is an entry that needs no more work.
type Settled struct {
	Index   int // from 0, skipped entries included
	Key     Key // empty where the input could not be read as an entry
	Outcome Outcome
	Err     error // why it cannot be; nil when it is done
}

// Summary counts what Bulk did.
type Summary struct {
	Created, Extended, Kept, Failed int
	Deleted, Absent                 int // with Restore
	// Next is the Skip with which to resume: the number of entries settled,
	// those skipped included.
	Next int
}

// Bulk puts entries, or deletes them, at most so many a second. An entry that the sequence
// could not read or that cannot be written counts as failed and the others go
// on; a table that fails, or ctx, stops it. Then what was under way is not
// settled: Put and Delete are idempotent, so resuming at Summary.Next loses nothing and
// weakens nothing.
//
// The sequence is read in the calling goroutine, Settled called in another
// until Bulk returns.
func (s *Store) Bulk(ctx context.Context, entries iter.Seq2[Entry, error], o BulkOptions) (Summary, error) {
	if o.WritesPerSecond < 1 || o.Skip < 0 || o.Workers < 0 {
		return Summary{}, errors.New("bulk: the rate must be over 0, workers and skip not under it")
	}
	if o.Workers == 0 {
		o.Workers = 16
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	patient := *s
	patient.client = dynamodb.New(s.client.Options(), func(c *dynamodb.Options) {
		c.Retryer = retry.AddWithMaxAttempts(c.Retryer, bulkAttempts)
	})
	b := &bulk{
		store: &patient, options: o, pace: rate.NewLimiter(rate.Limit(o.WritesPerSecond), 1),
		// The queue holds the jobs in order, and settle one more: so many run.
		queue: make(chan *job, o.Workers-1), summary: Summary{Next: o.Skip},
	}
	var settling sync.WaitGroup
	settling.Go(func() { b.settle(stop) })
	b.feed(ctx, entries)
	close(b.queue)
	settling.Wait()
	return b.summary, context.Cause(ctx)
}

// bulkAttempts is how often one write of a bulk is tried: nobody waits for it,
// and going on is better than stopping.
const bulkAttempts = 10

type bulk struct {
	store   *Store
	options BulkOptions
	pace    *rate.Limiter
	queue   chan *job
	summary Summary // settle's alone
}

// job is one entry under way.
type job struct {
	Settled
	done chan struct{}
}

// feed starts a job for each entry until ctx ends.
func (b *bulk) feed(ctx context.Context, entries iter.Seq2[Entry, error]) {
	index := -1
	for e, err := range entries {
		if index++; index < b.options.Skip {
			continue
		}
		j := &job{Settled: Settled{Index: index}, done: make(chan struct{})}
		select {
		case b.queue <- j:
		case <-ctx.Done():
			return
		}
		if err != nil {
			j.Err = &InvalidError{err}
			close(j.done)
			continue
		}
		j.Key = e.Key()
		go func() {
			defer close(j.done)
			j.Outcome, j.Err = b.do(ctx, e)
		}()
	}
}

func (b *bulk) do(ctx context.Context, e Entry) (Outcome, error) {
	if !b.options.Restore {
		_, outcome, err := b.store.put(ctx, e, b.pace.Wait)
		return outcome, err
	}
	if err := b.pace.Wait(ctx); err != nil {
		return "", err
	}
	_, found, err := b.store.Delete(ctx, e.Key())
	switch {
	case err != nil:
		return "", err
	case found:
		return Deleted, nil
	}
	return Absent, nil
}

// settle takes the jobs in order, and stops everything when one fails for a
// reason that is not its own.
func (b *bulk) settle(stop context.CancelCauseFunc) {
	stopped := false
	for j := range b.queue {
		<-j.done
		var own *InvalidError
		if stopped || j.Err != nil && !errors.As(j.Err, &own) {
			if !stopped {
				stop(fmt.Errorf("entry %d: %w", j.Index, j.Err))
			}
			stopped = true
			continue
		}
		b.summary.count(j.Settled)
		if b.options.Settled != nil {
			b.options.Settled(j.Settled)
		}
	}
}

func (s *Summary) count(e Settled) {
	s.Next = e.Index + 1
	switch {
	case e.Err != nil:
		s.Failed++
	case e.Outcome == Created:
		s.Created++
	case e.Outcome == Extended:
		s.Extended++
	case e.Outcome == Kept:
		s.Kept++
	case e.Outcome == Deleted:
		s.Deleted++
	case e.Outcome == Absent:
		s.Absent++
	}
}
