package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/aws/smithy-go"

	"lambda-authorizer/revocation"
)

// reach asks the table once. A write of a bulk is tried for two minutes, and a
// network that is not there should be told sooner. Whatever DynamoDB answers it
// is there: a role may write and not read.
func (b *bulk) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, _, err := b.store.Get(ctx, revocation.Key{Kind: revocation.KindSigningKey, Value: "-"})
	var api smithy.APIError
	if err == nil || errors.As(err, &api) {
		return nil
	}
	return tableFailure(err)
}

// run writes what is left of the input.
func (b *bulk) run(ctx context.Context, first *record, next func() (record, bool)) error {
	b.progress = newProgress(b.tool, b.size, b.at.Next)
	_, err := b.store.Bulk(ctx, b.entries(first, next), revocation.BulkOptions{
		WritesPerSecond: b.flags.rate, Restore: b.lines.restore, Settled: b.settled,
	})
	return err
}

// entries are what is left of the input, first first.
func (b *bulk) entries(first *record, next func() (record, bool)) iter.Seq2[revocation.Entry, error] {
	return func(yield func(revocation.Entry, error) bool) {
		for index := 0; ; index++ {
			r, ok := record{}, first != nil
			if ok {
				r, first = *first, nil
			} else if r, ok = next(); !ok {
				return
			}
			b.mu.Lock()
			b.marks[index] = mark{r.line, hex.EncodeToString(r.sum[:])}
			b.mu.Unlock()
			if !yield(b.lines.entry(r)) {
				return
			}
		}
	}
}

// settled is told of each record in the order of the input.
func (b *bulk) settled(s revocation.Settled) {
	b.mu.Lock()
	m := b.marks[s.Index]
	delete(b.marks, s.Index)
	b.mu.Unlock()
	b.at.Next, b.at.Line, b.at.Sum = b.skipped+s.Index+1, m.line, m.sum
	var f *failure
	if b.at.count(s); s.Err != nil && !errors.Is(s.Err, revocation.ErrExpired) {
		f = &failure{m.line, shown(s.Err.Error())} // it may quote a field of the line
		b.failures.add(*f)
	}
	now := b.tool.now()
	b.journal.settled(b.at, f, now, false)
	b.progress.show(b.at, now)
}

// count counts. A token that has expired is no failure: nothing was left to do.
func (c *counts) count(s revocation.Settled) {
	switch {
	case errors.Is(s.Err, revocation.ErrExpired):
		c.Expired++
	case s.Err != nil:
		c.Failed++
	case s.Outcome == revocation.Created:
		c.Created++
	case s.Outcome == revocation.Extended:
		c.Extended++
	case s.Outcome == revocation.Kept:
		c.Kept++
	case s.Outcome == revocation.Deleted:
		c.Deleted++
	case s.Outcome == revocation.Absent:
		c.Absent++
	}
}

// stopped says how to go on.
func (b *bulk) stopped(err error) error {
	again := "run the same command again to go on"
	if b.flags.state == "" {
		again = fmt.Sprintf("to go on, run it again with --resume-from %d", b.at.Line+1)
	}
	where := fmt.Sprintf("stopped after line %d", b.at.Line)
	if b.at.Next == 0 {
		where = "stopped before the first line was done"
	}
	if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), "entry ") {
		err = inner // which counts entries, and lines are said already
	}
	if errors.Is(err, context.Canceled) {
		return refused("%s: %s", where, again)
	}
	return failed("%s: %s: %s", where, tableText(err), again)
}
