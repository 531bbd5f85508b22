package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// item is a list as the table has it.
type item struct {
	cidrs []string
	// missing: there is none.
	missing bool
	// ignored says why nothing in the item counts, if nothing does.
	ignored string
	// expires is when DynamoDB may delete the item; zero: never.
	expires time.Time
}

func (i item) equal(o item) bool {
	return i.missing == o.missing && i.ignored == o.ignored && slices.Equal(i.cidrs, o.cidrs)
}

// parse reads the blocks, and says what it skipped and why.
func (i item) parse() (prefixes []netip.Prefix, skipped []string) {
	if i.ignored != "" {
		skipped = []string{i.ignored}
	}
	for _, s := range i.cidrs {
		if p, err := ParseCIDR(s); err != nil {
			skipped = append(skipped, fmt.Sprintf("%.60q %v", s, err))
		} else {
			prefixes = append(prefixes, p)
		}
	}
	return prefixes, skipped
}

// expired items are deleted late; until then they count as gone.
func (i item) expired(now time.Time) bool { return !i.expires.IsZero() && !i.expires.After(now) }

// decode reads the item of a list; nil is none. An expired one is empty.
func decode(attributes map[string]types.AttributeValue, name string, now time.Time) (item, error) {
	var i item
	if len(attributes) == 0 {
		return item{missing: true}, nil
	}
	pk, ok := attributes["pk"].(*types.AttributeValueMemberS)
	if !ok || pk.Value != partitionKey(name) {
		return i, errors.New("the reply holds an item that was not asked for")
	}
	if n, ok := attributes["expires_at"].(*types.AttributeValueMemberN); ok {
		// What is not a whole number is no TTL to DynamoDB either.
		if seconds, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			i.expires = time.Unix(seconds, 0)
		}
	}
	switch v := attributes["cidrs"].(type) {
	case nil:
	case *types.AttributeValueMemberSS:
		i.cidrs = v.Value
	default:
		i.ignored = "cidrs is not a string set: nothing in it counts"
	}
	if i.expired(now) {
		i.cidrs, i.ignored = nil, "the list has expired: expires_at is "+i.expires.UTC().Format(time.RFC3339)
	}
	return i, nil
}

func partitionKey(name string) string { return "network#" + name }

func keyOf(name string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: partitionKey(name)}}
}

func getInput(table, name string) *dynamodb.GetItemInput {
	return &dynamodb.GetItemInput{
		TableName: aws.String(table), Key: keyOf(name), ConsistentRead: aws.Bool(true),
		ProjectionExpression: aws.String("pk, cidrs, expires_at"),
		// Else DynamoDB's reply about a list that is not there is an empty one.
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
}

// attributesOf are a reply's, nil where the table has no such list. An empty
// reply, which is no answer of DynamoDB's, must not empty a list.
func attributesOf(out *dynamodb.GetItemOutput) (map[string]types.AttributeValue, error) {
	if out == nil || out.Item == nil && out.ConsumedCapacity == nil {
		return nil, errors.New("the reply says nothing about the table")
	}
	return out.Item, nil
}
