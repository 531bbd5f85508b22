package revocation

import (
	"context"
	"errors"
	"iter"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Filter says which entries List shows. The zero Filter is all in force.
type Filter struct {
	// Kinds are the kinds to show; none is all.
	Kinds []Kind
	// Issuer shows only entries of this issuer, compared byte for byte.
	Issuer string
	// Reason shows only entries whose reason holds this text.
	Reason string
	// Since and Until bound revoked_at, both included, in whole seconds; zero
	// is no bound.
	Since, Until time.Time
	// Expired shows expired entries too, for as long as the table has them.
	Expired bool
	// PageSize is how many entries DynamoDB looks at per call; 0 is as many
	// as fit into 1 MB.
	PageSize int32
}

// List reads entries kind by kind in the order of Kinds, the newest first. It
// reads as it is asked for more. An error is the last thing it yields.
//
// It reads kind-index, which follows the table within a moment and holds only
// what has `kind` and `revoked_at`: an item written by hand with `pk` alone
// revokes and is not listed.
func (s *Store) List(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if !f.Until.IsZero() && f.Since.After(f.Until) {
			yield(Entry{}, &InvalidError{errors.New("list: since is after until")})
			return
		}
		kinds := f.Kinds
		if len(kinds) == 0 {
			kinds = Kinds()
		}
		for _, kind := range kinds {
			pages := dynamodb.NewQueryPaginator(s.client, f.query(s.table, kind))
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err == nil && page.ConsumedCapacity == nil {
					err = errSilent
				}
				if err != nil {
					yield(Entry{}, s.failed("list", err))
					return
				}
				for _, item := range page.Items {
					e := entryOf(item)
					if (f.Expired || e.InForce(s.now())) && !yield(e, nil) {
						return
					}
				}
			}
		}
	}
}

func (f Filter) query(table string, kind Kind) *dynamodb.QueryInput {
	until := int64(math.MaxInt64)
	if !f.Until.IsZero() {
		until = f.Until.Unix()
	}
	since := int64(0)
	if !f.Since.IsZero() {
		since = f.Since.Unix()
	}
	q := &dynamodb.QueryInput{
		TableName: aws.String(table), IndexName: aws.String(indexName), ScanIndexForward: aws.Bool(false),
		ReturnConsumedCapacity:   capacity,
		KeyConditionExpression:   aws.String("#kind = :kind AND #at BETWEEN :since AND :until"),
		ExpressionAttributeNames: map[string]string{"#kind": "kind", "#at": "revoked_at"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":kind":  &types.AttributeValueMemberS{Value: string(kind)},
			":since": number(since), ":until": number(until),
		},
	}
	if f.PageSize > 0 {
		q.Limit = aws.Int32(f.PageSize)
	}
	var filters []string
	filter := func(expression, name, value string) {
		if value == "" {
			return
		}
		filters = append(filters, expression)
		q.ExpressionAttributeNames["#"+name] = name
		q.ExpressionAttributeValues[":"+name] = &types.AttributeValueMemberS{Value: value}
	}
	filter("#issuer = :issuer", "issuer", f.Issuer)
	filter("contains(#reason, :reason)", "reason", f.Reason)
	if len(filters) > 0 {
		q.FilterExpression = aws.String(strings.Join(filters, " AND "))
	}
	return q
}
