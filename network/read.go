package network

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/gaissmai/bart"

	"lambda-authorizer/fault"
)

// ReadEvent is one finished read of a list.
type ReadEvent struct {
	// List is its name.
	List string
	// Began is when the read began, Took how long it lasted.
	Began time.Time
	Took  time.Duration
	// Err is nil after success. It is safe to log. After an error the list
	// serves as it was read before, for at most 15 minutes from then.
	Err error
	// Missing: the table has no such list, so nobody is in it.
	Missing bool
	// CIDRs counts the blocks that are in use.
	CIDRs int
	// Skipped says which entries let nobody in and why, at most 20 of them;
	// SkippedCount counts them all.
	Skipped      []string
	SkippedCount int
	// Changed is unset where the list is as it was read before: what was
	// said of it then need not be said again.
	Changed bool
}

// maxSkippedTold bounds what one event quotes of the table.
const maxSkippedTold = 20

func (l *list) event(f *flight, known *contents, now time.Time) ReadEvent {
	e := ReadEvent{List: l.name, Began: f.began, Took: now.Sub(f.began), Err: f.err}
	if c := f.got; c != nil {
		e.Missing, e.CIDRs, e.SkippedCount = c.raw.missing, c.prefixes.Size(), len(c.skipped)
		e.Skipped = c.skipped[:min(len(c.skipped), maxSkippedTold)]
		e.Changed = known == nil || c.prefixes != known.prefixes
	}
	return e
}

// read asks the table. A list that has no item is known to be empty: nobody is
// in it. known is what is known already, or nil.
//
// The read is consistent: an eventually consistent one may return what was
// there before an address was removed, and that would count as new for another
// cache_ttl.
func (l *list) read(ctx context.Context, began time.Time, known *contents) (*contents, error) {
	out, err := l.rules.client.GetItem(ctx, getInput(l.rules.table, l.name), l.rules.tune)
	if err != nil {
		return nil, errors.New(fault.Text(err))
	}
	attributes, err := attributesOf(out)
	if err != nil {
		return nil, err
	}
	raw, err := decode(attributes, l.name, began)
	if err != nil {
		return nil, err
	}
	if known != nil && raw.equal(known.raw) {
		again := *known
		again.raw, again.read = raw, began // expires_at may be another
		return &again, nil
	}
	c := &contents{raw: raw, prefixes: new(bart.Lite), read: began}
	prefixes, skipped := raw.parse()
	c.skipped = skipped
	for _, p := range prefixes {
		c.prefixes.Insert(p)
	}
	return c, nil
}

// tuned makes a client of whatever make retry within timeout: the SDK's own
// first pause may be longer than that.
func tuned(timeout time.Duration) func(*dynamodb.Options) {
	// One for all calls: its quota of retries is shared, so an outage is not
	// made worse by three tries of everything.
	retryer := retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 3
		o.MaxBackoff = timeout / 10
	})
	return func(o *dynamodb.Options) { o.Retryer = retryer }
}
