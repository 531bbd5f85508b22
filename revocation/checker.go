package revocation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/sony/gobreaker/v2"

	"lambda-authorizer/reason"
)

// Reader is the one call a check makes. *dynamodb.Client is one.
type Reader interface {
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
}

// Options are what a Checker needs besides its configuration.
type Options struct {
	// Now is the clock; nil is time.Now. Deadlines and the circuit breaker
	// keep real time.
	Now func() time.Time
}

// Checker tells whether credentials are revoked. It is safe for concurrent
// use.
type Checker struct {
	client  Reader
	table   string
	ttl     time.Duration
	timeout time.Duration
	allow   bool // on_error
	now     func() time.Time
	tune    func(*dynamodb.Options)
	breaker *gobreaker.CircuitBreaker[struct{}]
	cache   *lru.Cache[Key, state]

	mu     sync.Mutex
	flying map[Key]*flight // the reads under way
	last   error           // the last failure that the breaker counted
}

// New makes a Checker of table for a configuration with its defaults set. It
// calls nothing.
func New(client Reader, table string, cfg Config, o Options) (*Checker, error) {
	if client == nil || table == "" {
		return nil, errors.New("revocation: no client or no table")
	}
	for _, p := range cfg.Validate() {
		return nil, fmt.Errorf("revocation.%s: %s", p.Path, p.Text)
	}
	cache, err := lru.New[Key, state](cfg.CacheSize)
	if err != nil {
		return nil, err
	}
	c := &Checker{
		client: client, table: table, now: o.Now,
		ttl: cfg.CacheTTL, timeout: cfg.Timeout, allow: cfg.OnError == "allow",
		tune: tuned(cfg.Timeout), breaker: newBreaker(openFor),
		cache: cache, flying: make(map[Key]*flight),
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// Result tells what a check did. Nothing in it identifies a caller: it may be
// logged.
type Result struct {
	// Revoked is the kind of the entry that refused; empty where none did.
	Revoked Kind
	// Asked is how many entries could revoke the credentials, Cached how many
	// of them the cache held, Joined how many came with another check's read.
	Asked, Cached, Joined int
	// Reads counts the calls of BatchGetItem that this check made: 0 or 1,
	// more where DynamoDB left keys unprocessed. The SDK's retries of one call
	// do not count.
	Reads int
	// BreakerOpen says that the table was not asked, because it has failed
	// before.
	BreakerOpen bool
	// PassedDespite is the failure despite which on_error: allow let the caller
	// through; nil where nothing failed or the caller was refused. Whoever
	// calls Check counts and logs it.
	PassedDespite error
}

// Check refuses credentials of which any is revoked. Its error is nil,
// reason.Revoked, or a fault: reason.RevocationUnavailable where the table
// could not be read, reason.DeadlineExceeded where ctx ended first,
// reason.Internal where a credential cannot be looked up at all.
//
// It costs at most one read, and at most revocation.timeout or what is left of
// ctx. What the cache holds costs neither.
func (c *Checker) Check(ctx context.Context, creds ...Credential) (Result, error) {
	var few [8]question // a token and two keys: no allocation
	asked, err := questions(few[:0], creds)
	if err != nil {
		return Result{}, fmt.Errorf("%w: revocation: %v", reason.Internal, err)
	}
	now := c.now()
	res := Result{Asked: len(asked)}
	missing := 0
	for i := range asked {
		q := &asked[i]
		if q.state, q.known = c.cached(q.key, now); q.known {
			res.Cached++
		} else {
			missing++
		}
	}
	// One entry that revokes is enough: no need to read the others.
	if refused(asked, now, &res) || missing == 0 {
		return res, verdict(res)
	}
	if err := ctx.Err(); err != nil {
		return res, fmt.Errorf("%w: before the revocation check: %w", reason.DeadlineExceeded, err)
	}
	failure := c.fetch(ctx, asked, now, &res)
	// What part of a failed read has told counts.
	if refused(asked, c.now(), &res) || failure == nil {
		return res, verdict(res)
	}
	return c.failed(ctx, asked, res, failure)
}

// failed decides what becomes of a caller whose entries could not all be read.
func (c *Checker) failed(ctx context.Context, asked []question, res Result, failure error) (Result, error) {
	res.BreakerOpen = isOpen(failure)
	switch {
	case ctx.Err() != nil:
		// The table had less than its time: on_error is not about that.
		return res, fmt.Errorf("%w: during the revocation check: %w", reason.DeadlineExceeded, ctx.Err())
	case !c.allow || !covered(failure):
		return res, c.fault(failure)
	}
	// Nobody passes who was known to be revoked, however long ago that was
	// read. A restore cannot be seen now, but then nothing can.
	for i := range asked {
		if q := &asked[i]; !q.known {
			q.state, q.known = c.cache.Peek(q.key)
		}
	}
	if refused(asked, c.now(), &res) {
		return res, verdict(res)
	}
	res.PassedDespite = c.fault(failure)
	return res, nil
}

// question is one entry that would revoke a credential, and what is known of
// it.
type question struct {
	key      Key
	issuedAt time.Time
	state    state
	known    bool
	flight   *flight // the read that will tell
}

// maxQuestions is what one BatchGetItem takes.
const maxQuestions = 100

func questions(out []question, creds []Credential) ([]question, error) {
	if len(creds) == 0 {
		return nil, errors.New("no credential to check")
	}
	for i := range creds {
		var few [6]Key
		keys, err := creds[i].appendKeys(few[:0])
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			out = append(out, question{key: k, issuedAt: creds[i].IssuedAt})
		}
	}
	if len(out) > maxQuestions {
		return nil, fmt.Errorf("%d entries to look at, at most %d are possible", len(out), maxQuestions)
	}
	return out, nil
}

// refused tells whether a known entry revokes, and notes which.
func refused(asked []question, now time.Time, res *Result) bool {
	for i := range asked {
		q := &asked[i]
		if q.known && q.state.entry.revokes(q.key.Kind, q.issuedAt, now) {
			res.Revoked = q.key.Kind
			return true
		}
	}
	return false
}

func verdict(res Result) error {
	if res.Revoked == "" {
		return nil
	}
	return fmt.Errorf("%w: by a %s entry", reason.Revoked, res.Revoked)
}
