package items

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/oklog/ulid/v2"
)

// maxPageBytes bounds a page's strings. Every byte may grow sevenfold on its
// way (a control character as \u0000 inside Lambda's own JSON string), and
// Lambda answers at most 6 MB.
const maxPageBytes = 512 << 10

// List reads up to limit items of owner in the order of their creation, those
// after the id after (zero: from the start), and says whether there are more.
// It may return fewer than limit when they are large. after need not exist any
// more. The read is consistent.
func (s *Store) List(ctx context.Context, owner string, after ulid.ULID, limit int) (page []Item, more bool, err error) {
	in := &dynamodb.QueryInput{
		TableName:                s.table,
		ConsistentRead:           aws.Bool(true),
		KeyConditionExpression:   aws.String("pk = :pk AND begins_with(sk, :prefix)"),
		ProjectionExpression:     aws.String(projection),
		ExpressionAttributeNames: map[string]string{"#name": "name"},
		ExpressionAttributeValues: attributes{
			":pk": str(partition(owner)), ":prefix": str(itemPrefix),
		},
		// One more than asked for tells a last page from one that only
		// happens to be full.
		Limit: aws.Int32(int32(limit) + 1),
	}
	if after != (ulid.ULID{}) {
		in.ExclusiveStartKey = itemKey(owner, after)
	}
	out, err := s.db.Query(ctx, in)
	if err != nil {
		return nil, false, classify(err)
	}
	size := 0
	for _, attrs := range out.Items {
		item, err := fromRow(attrs)
		if err != nil {
			return nil, false, err
		}
		size += item.size()
		if len(page) == limit || len(page) > 0 && size > maxPageBytes {
			return page, true, nil
		}
		page = append(page, item)
	}
	return page, len(out.LastEvaluatedKey) > 0, nil
}
