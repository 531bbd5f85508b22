package items

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// IdempotencyTTL is how long a key stands for the item it made. DynamoDB
// deletes late, so the code looks at the time itself.
const IdempotencyTTL = 24 * time.Hour

// claim is what a key stands for: the item, id and times included, fixed
// before the item is written. Whoever holds it can write the item again and
// again and will have made one, so a request that died halfway needs no
// transaction to be finished by its retry, and two at once meet in one item.
type claim struct {
	PK string `dynamodbav:"pk"`
	SK string `dynamodbav:"sk"`
	Content
	ItemID    string    `dynamodbav:"item_id"`
	CreatedAt time.Time `dynamodbav:"created_at"`
	// Done says that the item was written. From then on the key answers
	// without writing, so it does not bring back an item deleted since.
	Done      bool  `dynamodbav:"done"`
	ExpiresAt int64 `dynamodbav:"expires_at"`
}

func claimKey(idempotencyKey string) string {
	sum := sha256.Sum256([]byte(idempotencyKey))
	return "IDEMPOTENCY#" + hex.EncodeToString(sum[:])
}

// CreateOnce stores a new item, once for each key of owner within
// IdempotencyTTL: later calls return the item as it was made. Other content
// under the same key is ErrKeyReused.
//
// An attempt that wrote the item and could not note so fails, for its retry to
// do it. One case is left: such an attempt, then a delete of the item, which
// its caller can only have found in the list, then the retry. The retry makes
// the item again.
func (s *Store) CreateOnce(ctx context.Context, owner, key string, c Content) (Item, error) {
	fresh, err := s.newItem(c)
	if err != nil {
		return Item{}, err
	}
	made, err := s.claim(ctx, owner, key, fresh)
	if err != nil {
		return Item{}, err
	}
	item, err := made.item()
	switch {
	case err != nil:
		return Item{}, err
	case !item.Content.equal(c):
		return Item{}, ErrKeyReused
	case made.Done:
		return item, nil
	}
	if err := s.insert(ctx, owner, item); err != nil {
		return Item{}, err
	}
	return item, s.settle(ctx, owner, key, made.ItemID)
}

// claim takes the key for item, or returns what holds it already.
func (s *Store) claim(ctx context.Context, owner, key string, i Item) (claim, error) {
	mine := claim{
		PK: partition(owner), SK: claimKey(key), Content: i.Content,
		ItemID: i.ID.String(), CreatedAt: i.CreatedAt, ExpiresAt: i.CreatedAt.Add(IdempotencyTTL).Unix(),
	}
	attrs, err := attributevalue.MarshalMap(mine)
	if err != nil {
		return claim{}, err
	}
	_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           s.table,
		Item:                                attrs,
		ConditionExpression:                 aws.String("attribute_not_exists(pk) OR expires_at <= :now"),
		ExpressionAttributeValues:           attributes{":now": number(i.CreatedAt.Unix())},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err == nil {
		return mine, nil
	}
	taken, err := s.met(ctx, err, rowKey(owner, claimKey(key)))
	switch {
	case errors.Is(err, ErrNotFound): // it ended this very moment
		return claim{}, fmt.Errorf("%w: the idempotency key was taken and is free again", ErrBusy)
	case !errors.Is(err, ErrPrecondition):
		return claim{}, err
	}
	var theirs claim
	if err := attributevalue.UnmarshalMap(taken, &theirs); err != nil {
		return claim{}, errors.Join(errRow, err)
	}
	return theirs, nil
}

// settle notes that the key's item was written. A key that ended meanwhile
// stands for it no longer: there is nothing to note.
func (s *Store) settle(ctx context.Context, owner, key, id string) error {
	_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 s.table,
		Key:                       rowKey(owner, claimKey(key)),
		UpdateExpression:          aws.String("SET done = :true"),
		ConditionExpression:       aws.String("item_id = :id"),
		ExpressionAttributeValues: attributes{":true": &types.AttributeValueMemberBOOL{Value: true}, ":id": str(id)},
	})
	var ended *types.ConditionalCheckFailedException
	if errors.As(err, &ended) {
		return nil
	}
	return classify(err)
}

func (c claim) item() (Item, error) {
	id, ok := parseID(c.ItemID)
	if !ok {
		return Item{}, errRow
	}
	return Item{ID: id, Content: c.Content, CreatedAt: c.CreatedAt, UpdatedAt: c.CreatedAt, Version: 1}, nil
}

func (c Content) equal(other Content) bool {
	return c.Name == other.Name && c.Description == other.Description && maps.Equal(c.Metadata, other.Metadata)
}

const (
	idempotencyHeader = "Idempotency-Key"
	maxIdempotencyKey = 255
)

var errIdempotencyKey = errors.New("must be one value of 1 to 255 printable ASCII characters without a comma")

// idempotencyKey reads a request's key; empty where it has none. It is taken
// as it stands: quotes, which draft-ietf-httpapi-idempotency-key-header wants
// and many clients leave out, are part of it. An HTTP API joins repeated
// fields with a comma, so no key may have one.
func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values(idempotencyHeader)
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	if len(values) > 1 || key == "" || len(key) > maxIdempotencyKey {
		return "", errIdempotencyKey
	}
	for _, c := range []byte(key) {
		if c < ' ' || c > '~' || c == ',' {
			return "", errIdempotencyKey
		}
	}
	return key, nil
}
