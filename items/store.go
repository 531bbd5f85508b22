package items

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/oklog/ulid/v2"
)

// Errors of the Store. Anything else is a fault.
var (
	ErrNotFound     = errors.New("no such item")
	ErrPrecondition = errors.New("the item is not in the required version")
	ErrConflict     = errors.New("the item changes faster than it can be patched")
	ErrKeyReused    = errors.New("the idempotency key was used with another body")
	ErrBusy         = errors.New("no usable answer in time")
)

// Store keeps items in one DynamoDB table. Every read of an item is
// consistent: what a caller wrote, its next request sees. Safe for concurrent
// use.
type Store struct {
	// Now is the clock. Set it before first use.
	Now func() time.Time

	db    *dynamodb.Client
	table *string

	mu  sync.Mutex
	ids io.Reader
}

// NewStore makes a Store over table. The client should retry within a
// request's time: see ClientOptions.
func NewStore(db *dynamodb.Client, table string) *Store {
	return &Store{Now: time.Now, db: db, table: aws.String(table), ids: ulid.Monotonic(rand.Reader, 0)}
}

// newItem gives content an id and its times.
func (s *Store) newItem(c Content) (Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	id, err := ulid.New(ulid.Timestamp(now), s.ids)
	if err != nil {
		return Item{}, err
	}
	return Item{ID: id, Content: c, CreatedAt: now, UpdatedAt: now, Version: 1}, nil
}

func (s *Store) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// Create stores a new item.
func (s *Store) Create(ctx context.Context, owner string, c Content) (Item, error) {
	item, err := s.newItem(c)
	if err != nil {
		return Item{}, err
	}
	return item, s.insert(ctx, owner, item)
}

// insert writes item unless its id is taken. Ids are random, so only an
// earlier try of the same request can have taken it: that is success too.
func (s *Store) insert(ctx context.Context, owner string, item Item) error {
	attrs, err := toRow(owner, item, rand.Text())
	if err != nil {
		return err
	}
	_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:           s.table,
		Item:                attrs,
		ConditionExpression: aws.String("attribute_not_exists(pk)"),
	})
	var exists *types.ConditionalCheckFailedException
	if errors.As(err, &exists) {
		return nil
	}
	return classify(err)
}

// Get reads an item of owner.
func (s *Store) Get(ctx context.Context, owner string, id ulid.ULID) (Item, error) {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      s.table,
		Key:            itemKey(owner, id),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return Item{}, classify(err)
	}
	if len(out.Item) == 0 {
		return Item{}, ErrNotFound
	}
	return fromRow(out.Item)
}

// Delete removes an item of owner if it meets c. An item that is not there any
// more after a reply was lost has been deleted: by this very request, as far as
// anybody can tell.
func (s *Store) Delete(ctx context.Context, owner string, id ulid.ULID, c Conditions) error {
	condition, values := c.expression()
	lost := false
	_, err := s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                           s.table,
		Key:                                 itemKey(owner, id),
		ConditionExpression:                 aws.String(condition),
		ExpressionAttributeValues:           values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, tellLost(&lost))
	_, err = s.met(ctx, err, itemKey(owner, id))
	if lost && errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// met tells what a conditional write met that failed: nothing (ErrNotFound), or
// the row that it returns (ErrPrecondition). Another error it passes on.
func (s *Store) met(ctx context.Context, err error, key attributes) (attributes, error) {
	var failed *types.ConditionalCheckFailedException
	switch {
	case !errors.As(err, &failed):
		return nil, classify(err)
	case len(failed.Item) > 0:
		return failed.Item, ErrPrecondition
	}
	// Nothing was there, or the server is one that does not tell, as dynalite
	// and the older DynamoDB Local. A read knows.
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: s.table, Key: key, ConsistentRead: aws.Bool(true)})
	switch {
	case err != nil:
		return nil, classify(err)
	case len(out.Item) == 0:
		return nil, ErrNotFound
	}
	return out.Item, ErrPrecondition
}
