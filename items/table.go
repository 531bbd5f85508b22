package items

import (
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/oklog/ulid/v2"
)

// TTLAttribute is the table's time-to-live attribute: epoch seconds. Only
// idempotency records have it.
const TTLAttribute = "expires_at"

// TableInput is the items table: on-demand, one key, no index. What the deploy
// templates and the local stack create must equal it; time-to-live on
// TTLAttribute is set apart, as DynamoDB wants it.
func TableInput(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName:   aws.String(name),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
	}
}

const itemPrefix = "ITEM#"

// attributes are what one DynamoDB item is made of.
type attributes = map[string]types.AttributeValue

// row is an item as the table holds it.
type row struct {
	PK string `dynamodbav:"pk"`
	SK string `dynamodbav:"sk"`
	Content
	CreatedAt time.Time `dynamodbav:"created_at"`
	UpdatedAt time.Time `dynamodbav:"updated_at"`
	Version   int64     `dynamodbav:"version"`
	// Write names the write that made this version. A write whose answer was
	// lost on the way finds itself by it.
	Write string `dynamodbav:"write"`
}

// projection is what a row needs to become an Item.
const projection = "sk, #name, description, metadata, created_at, updated_at, version"

func partition(owner string) string { return "OWNER#" + owner }

func itemKey(owner string, id ulid.ULID) attributes { return rowKey(owner, itemPrefix+id.String()) }

func rowKey(owner, sk string) attributes {
	return attributes{"pk": str(partition(owner)), "sk": str(sk)}
}

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func toRow(owner string, i Item, write string) (attributes, error) {
	return attributevalue.MarshalMap(row{
		PK: partition(owner), SK: itemPrefix + i.ID.String(), Content: i.Content,
		CreatedAt: i.CreatedAt, UpdatedAt: i.UpdatedAt, Version: i.Version, Write: write,
	})
}

var errRow = errors.New("the table holds a row that is not an item")

func fromRow(a attributes) (Item, error) {
	var r row
	if err := attributevalue.UnmarshalMap(a, &r); err != nil {
		return Item{}, errors.Join(errRow, err)
	}
	suffix, ok := strings.CutPrefix(r.SK, itemPrefix)
	id, valid := parseID(suffix)
	if !ok || !valid {
		return Item{}, errRow
	}
	return Item{ID: id, Content: r.Content, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, Version: r.Version}, nil
}
