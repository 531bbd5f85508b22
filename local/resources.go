package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"lambda-authorizer/items"
	"lambda-authorizer/local/dynamo"
	"lambda-authorizer/local/runtimeapi"
	"lambda-authorizer/local/secretsmanager"
)

// The names of what the deploy parts create in an account.
const (
	itemsTable   = "local-items"
	cursorSecret = "local/items-cursor"
)

// makeSecrets creates the secrets that functions read.
func (s *Stack) makeSecrets(context.Context) error {
	s.secrets = secretsmanager.New(runtimeapi.Region, runtimeapi.Account)
	return s.secrets.Create(cursorSecret, rand.Text()+rand.Text())
}

// startDynamo starts the server and creates the tables.
func (s *Stack) startDynamo(ctx context.Context) (err error) {
	if s.dynamo, err = dynamo.Start(ctx, s.options.DynamoDB); err != nil {
		return err
	}
	return createTable(ctx, s.dynamo.Client(), items.TableInput(itemsTable), items.TTLAttribute)
}

// createTable creates a table, or takes the one that a server of the user's
// own has kept.
func createTable(ctx context.Context, client *dynamodb.Client, in *dynamodb.CreateTableInput, ttl string) error {
	name := aws.ToString(in.TableName)
	_, err := client.CreateTable(ctx, in)
	if exists := new(types.ResourceInUseException); errors.As(err, &exists) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create table %s: %w", name, err)
	}
	waiter := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: in.TableName}, 30*time.Second); err != nil {
		return fmt.Errorf("create table %s: %w", name, err)
	}
	_, err = client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               in.TableName,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(ttl), Enabled: aws.Bool(true)},
	})
	// dynalite does not know the call.
	var unknown smithy.APIError
	if err != nil && !(errors.As(err, &unknown) && unknown.ErrorCode() == "UnknownOperationException") {
		return fmt.Errorf("table %s: time to live: %w", name, err)
	}
	return nil
}
