package items

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/oklog/ulid/v2"
)

// Replace gives an item of owner new content if it meets c. Without conditions
// the last writer wins.
func (s *Store) Replace(ctx context.Context, owner string, id ulid.ULID, content Content, c Conditions) (Item, error) {
	in, write, err := s.replacement(owner, id, content)
	if err != nil {
		return Item{}, err
	}
	condition, values := c.expression()
	in.ConditionExpression = aws.String(condition)
	for name, v := range values {
		in.ExpressionAttributeValues[name] = v
	}
	out, err := s.db.UpdateItem(ctx, in)
	if err == nil {
		return fromRow(out.Attributes)
	}
	met, err := s.met(ctx, err, in.Key)
	// The SDK sends a write again whose answer was lost. The second one then
	// fails on what the first one did.
	if w, ok := met["write"].(*types.AttributeValueMemberS); ok && w.Value == write {
		return fromRow(met)
	}
	return Item{}, err
}

// replacement is the write itself, without a condition, and its name.
func (s *Store) replacement(owner string, id ulid.ULID, content Content) (*dynamodb.UpdateItemInput, string, error) {
	write := rand.Text()
	updated, err := attributevalue.Marshal(s.now())
	if err != nil {
		return nil, "", err
	}
	set := "SET #name = :name, updated_at = :updated, #write = :write, version = version + :one"
	remove := ""
	values := attributes{":name": str(content.Name), ":updated": updated, ":write": str(write), ":one": number(1)}
	if content.Description != "" {
		set += ", description = :description"
		values[":description"] = str(content.Description)
	} else {
		remove = " REMOVE description"
	}
	if len(content.Metadata) > 0 {
		set += ", metadata = :metadata"
		if values[":metadata"], err = attributevalue.Marshal(content.Metadata); err != nil {
			return nil, "", err
		}
	} else if remove == "" {
		remove = " REMOVE metadata"
	} else {
		remove += ", metadata"
	}
	return &dynamodb.UpdateItemInput{
		TableName:                           s.table,
		Key:                                 itemKey(owner, id),
		UpdateExpression:                    aws.String(set + remove),
		ExpressionAttributeNames:            map[string]string{"#name": "name", "#write": "write"},
		ExpressionAttributeValues:           values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, write, nil
}

// patchTries bounds how often a patch without If-Match starts over when other
// writers are faster.
const patchTries = 8

// Patch changes an item of owner, if it meets c, by what change makes of its
// content. An error of change ends it.
func (s *Store) Patch(ctx context.Context, owner string, id ulid.ULID, c Conditions, change func(Content) (Content, error)) (Item, error) {
	for range patchTries {
		item, err := s.Get(ctx, owner, id)
		if err != nil {
			return Item{}, err
		}
		if !c.hold(item.Version) {
			return Item{}, ErrPrecondition
		}
		content, err := change(item.Content)
		if err != nil {
			return Item{}, err
		}
		read := Conditions{match: tags{present: true, versions: []int64{item.Version}}}
		item, err = s.Replace(ctx, owner, id, content, read)
		if !errors.Is(err, ErrPrecondition) {
			return item, err
		}
	}
	return Item{}, ErrConflict
}
