package revocation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lambda-authorizer/fault"
)

// Store is the operator's side of the table: it writes, deletes and lists
// entries. Safe for concurrent use.
type Store struct {
	client *dynamodb.Client
	table  string
	now    func() time.Time
}

// NewStore makes a Store. It calls nothing.
func NewStore(client *dynamodb.Client, table string, o Options) (*Store, error) {
	if client == nil || table == "" {
		return nil, errors.New("revocation: no client or no table")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{client: client, table: table, now: o.Now}, nil
}

// capacity makes DynamoDB say what a call has cost. Else its reply to a read
// that finds nothing, and to a write, is an empty one, and so is that of
// anything else which answers 200.
const capacity = types.ReturnConsumedCapacityTotal

// Get reads the entry of k, an expired one too, and tells whether there is
// one.
func (s *Store) Get(ctx context.Context, k Key) (Entry, bool, error) {
	pk, err := k.PK()
	if err != nil {
		return Entry{}, false, &InvalidError{err}
	}
	item, err := s.get(ctx, pk)
	if err != nil || item == nil {
		return Entry{}, false, err
	}
	return entryOf(item), true, nil
}

// get is nil where there is no item.
func (s *Store) get(ctx context.Context, pk string) (map[string]types.AttributeValue, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(s.table), Key: keyOf(pk), ConsistentRead: aws.Bool(true),
		ReturnConsumedCapacity: capacity,
	})
	if err == nil && out.Item == nil && out.ConsumedCapacity == nil {
		err = errSilent
	}
	if err != nil {
		return nil, s.failed("read", err)
	}
	return out.Item, nil
}

// Finding is an entry about a credential and whether it refuses it now.
type Finding struct {
	Entry   Entry `json:"entry"`
	Revokes bool  `json:"revokes"`
}

// Find reads all entries about a credential, those that do not refuse it too:
// the expired, and those that are for older tokens. The credential is revoked
// if any Finding revokes it.
func (s *Store) Find(ctx context.Context, c Credential) ([]Finding, error) {
	keys, err := c.Keys()
	if err != nil {
		return nil, &InvalidError{err}
	}
	found := make(map[Key]map[string]types.AttributeValue)
	b := batch{client: s.client, table: s.table, pause: pauses(time.Second), calls: func() {}, tune: func(*dynamodb.Options) {}}
	err = b.get(ctx, keys, func(k Key, item map[string]types.AttributeValue) { found[k] = item })
	if err != nil {
		return nil, s.failed("read", err)
	}
	var out []Finding
	for _, k := range keys {
		if item := found[k]; item != nil {
			out = append(out, Finding{Entry: entryOf(item), Revokes: decode(item).revokes(k.Kind, c.IssuedAt, s.now())})
		}
	}
	return out, nil
}

// Delete restores what k's entry revoked and returns that entry. Restoring
// what is not revoked is no error: the second result is false.
func (s *Store) Delete(ctx context.Context, k Key) (Entry, bool, error) {
	pk, err := k.PK()
	if err == nil && k.Kind == KindNetwork {
		err = errors.New("a network list is not a revocation")
	}
	if err != nil {
		return Entry{}, false, &InvalidError{err}
	}
	out, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String(s.table), Key: keyOf(pk), ReturnValues: types.ReturnValueAllOld,
		ReturnConsumedCapacity: capacity,
	})
	if err == nil && out.Attributes == nil && out.ConsumedCapacity == nil {
		err = errSilent
	}
	if err != nil {
		return Entry{}, false, s.failed("delete from", err)
	}
	if out.Attributes == nil {
		return Entry{}, false, nil
	}
	return entryOf(out.Attributes), true, nil
}

func keyOf(pk string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}}
}

// tableError is a call that failed. Its text is safe to show.
type tableError struct {
	text  string
	cause error
}

func (e *tableError) Error() string { return e.text }
func (e *tableError) Unwrap() error { return e.cause }

func (s *Store) failed(doing string, err error) error {
	return &tableError{fmt.Sprintf("%s table %s: %s", doing, s.table, fault.Text(err)), err}
}
