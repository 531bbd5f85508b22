// Package nonces remembers in DynamoDB which nonces of request signatures were
// used. It has a table of its own, so that signing traffic never throttles
// revocation. It does not know what a signature is.
package nonces

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lambda-authorizer/fault"
)

// TTLAttribute is when DynamoDB may delete an item, in epoch seconds.
const TTLAttribute = "expires_at"

// timeout bounds one write, retries included: a caller waits for it.
const timeout = time.Second

// Writer is the one call that is made. *dynamodb.Client is one.
type Writer interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
}

// Table is the table of used nonces. It is safe for concurrent use.
type Table struct {
	client Writer
	name   string
}

// New makes a Table of the DynamoDB table called name. It calls nothing.
func New(client Writer, name string) *Table { return &Table{client, name} }

// Use records key and tells whether this is its first use, in this process or
// any other. A second use with the same requestID is the first one tried
// again, and as fresh: a write may have arrived although its answer was lost.
// An item that has expired and is still there is not fresh either. An error is
// safe to log.
func (t *Table) Use(ctx context.Context, key, requestID string, expires time.Time) (fresh bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err = t.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(t.name),
		Item: map[string]types.AttributeValue{
			"pk":         &types.AttributeValueMemberS{Value: key},
			"request_id": &types.AttributeValueMemberS{Value: requestID},
			TTLAttribute: &types.AttributeValueMemberN{Value: strconv.FormatInt(expires.Unix()+1, 10)},
		},
		ConditionExpression:       aws.String("attribute_not_exists(pk) OR request_id = :r"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":r": &types.AttributeValueMemberS{Value: requestID}},
	}, quickly)
	if used := new(types.ConditionalCheckFailedException); errors.As(err, &used) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("table %s: %s", t.name, fault.Text(err))
	}
	return true, nil
}

// quickly lets two more tries fit into timeout: the SDK's own first pause is up
// to a second.
func quickly(o *dynamodb.Options) {
	o.Retryer = retry.AddWithMaxBackoffDelay(retry.NewStandard(), timeout/10)
}

// TableInput creates the table.
func TableInput(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName:            aws.String(name),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		SSESpecification:     &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms},
	}
}
