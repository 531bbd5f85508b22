package revocation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// errUnprocessed is DynamoDB leaving keys unread until the deadline, which it
// does when it throttles:
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
var errUnprocessed = errors.New("keys left unprocessed until the deadline")

// errSilent is a reply without the one part that DynamoDB never leaves out: a
// proxy's, or another service's. What it does not mention is not absent, and
// what it does not refuse is not written.
var errSilent = errors.New("the reply says nothing about the table")

// read asks the table for f's keys.
func (c *Checker) read(ctx context.Context, f *flight) error {
	b := batch{
		client: c.client, table: c.table, tune: c.tune, pause: pauses(c.timeout),
		// All that a decision needs.
		projection: aws.String("pk, not_before, expires_at"),
		calls:      func() { f.reads.Add(1) },
	}
	return b.get(ctx, f.keys, func(k Key, item map[string]types.AttributeValue) {
		s := state{read: f.began}
		if item != nil {
			s.entry = decode(item)
		}
		f.found[k] = s
	})
}

// batch reads entries with BatchGetItem until DynamoDB has processed all.
type batch struct {
	client     Reader
	table      string
	projection *string
	tune       func(*dynamodb.Options)
	pause      func(attempt int) time.Duration
	calls      func()
}

// get calls found once for each key, as soon as it is known, with nil for an
// item that is not in the table.
func (b batch) get(ctx context.Context, keys []Key, found func(Key, map[string]types.AttributeValue)) error {
	open := make(map[string]Key, len(keys))
	for _, k := range keys {
		pk, err := k.PK()
		if err != nil {
			return err
		}
		open[pk] = k
	}
	for attempt := 1; ; attempt++ {
		b.calls()
		out, err := b.client.BatchGetItem(ctx, b.input(open), b.tune)
		if err != nil {
			return err
		}
		if open, err = b.answered(open, out, found); err != nil || len(open) == 0 {
			return err
		}
		select {
		case <-time.After(b.pause(attempt)):
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", errUnprocessed, ctx.Err())
		}
	}
}

func (b batch) input(open map[string]Key) *dynamodb.BatchGetItemInput {
	keys := make([]map[string]types.AttributeValue, 0, len(open))
	for pk := range open {
		keys = append(keys, map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}})
	}
	return &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		b.table: {Keys: keys, ConsistentRead: aws.Bool(true), ProjectionExpression: b.projection},
	}}
}

// answered hands over what one reply tells and returns the keys it left open.
// A reply about other keys than were asked for is an error: an item that is
// not recognised must not be taken for one that is absent. So is one that says
// nothing about the table, such as an empty body, which the SDK reads as a
// reply without members: DynamoDB names each table that it has looked at, with
// an empty list where it found nothing.
func (b batch) answered(open map[string]Key, out *dynamodb.BatchGetItemOutput, found func(Key, map[string]types.AttributeValue)) (map[string]Key, error) {
	if out == nil {
		return nil, errors.New("no reply")
	}
	left, err := unprocessed(open, out)
	if err != nil {
		return nil, err
	}
	items, told := b.items(out)
	if !told && len(left) < len(open) {
		return nil, errSilent
	}
	present := make(map[string]bool)
	for _, item := range items {
		pk, ok := text(item["pk"])
		k, asked := open[pk]
		if !ok || !asked {
			return nil, errors.New("the reply holds an item that was not asked for")
		}
		present[pk] = true
		found(k, item)
	}
	for pk, k := range open {
		if _, again := left[pk]; !again && !present[pk] {
			found(k, nil)
		}
	}
	return left, nil
}

func unprocessed(open map[string]Key, out *dynamodb.BatchGetItemOutput) (map[string]Key, error) {
	left := make(map[string]Key)
	for _, u := range out.UnprocessedKeys { // by table; one was asked
		for _, key := range u.Keys {
			pk, ok := text(key["pk"])
			k, asked := open[pk]
			if !ok || !asked {
				return nil, errors.New("the reply leaves a key unprocessed that was not asked for")
			}
			left[pk] = k
		}
	}
	return left, nil
}

// items are what the reply says about the table. It stands there under its
// name or its ARN, whichever was asked for:
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
func (b batch) items(out *dynamodb.BatchGetItemOutput) (items []map[string]types.AttributeValue, told bool) {
	for table, list := range out.Responses {
		if path.Base(table) == path.Base(b.table) {
			return list, true
		}
	}
	return nil, false
}

func text(v types.AttributeValue) (string, bool) {
	s, ok := v.(*types.AttributeValueMemberS)
	if !ok {
		return "", false
	}
	return s.Value, true
}

// pauses is how long to wait before try after try: full jitter over a bound
// that doubles, small enough that several fit into timeout. The SDK's own
// first pause is up to two seconds.
func pauses(timeout time.Duration) func(attempt int) time.Duration {
	return func(attempt int) time.Duration {
		bound := timeout / 20 << min(max(attempt-1, 0), 3)
		return rand.N(bound) + time.Millisecond
	}
}

// tuned makes a client of whatever make retry within timeout.
func tuned(timeout time.Duration) func(*dynamodb.Options) {
	pause := pauses(timeout)
	// One for all calls: its quota of retries is shared, so an outage is not
	// made worse by three tries of everything.
	retryer := retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 3
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return pause(attempt), nil
		})
	})
	return func(o *dynamodb.Options) { o.Retryer = retryer }
}
