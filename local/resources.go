package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"lambda-authorizer/items"
	"lambda-authorizer/local/dynamo"
	"lambda-authorizer/local/runtimeapi"
	"lambda-authorizer/local/secretsmanager"
	"lambda-authorizer/nonces"
	"lambda-authorizer/revocation"
)

// The names of what the deploy parts create in an account.
const (
	itemsTable       = "local-items"
	revocationsTable = "local-revocations"
	noncesTable      = "local-nonces"
	cursorSecret     = "local/items-cursor"
)

// makeSecrets creates the secret that the items function reads. Those of the
// configuration are made by makeKeys.
func (s *Stack) makeSecrets(context.Context) error {
	s.secrets = secretsmanager.New(runtimeapi.Region, runtimeapi.Account)
	return s.secrets.Create(cursorSecret, rand.Text()+rand.Text())
}

// startDynamo starts the server and creates the tables.
func (s *Stack) startDynamo(ctx context.Context) (err error) {
	if s.dynamo, err = dynamo.Start(ctx, s.options.DynamoDB); err != nil {
		return err
	}
	client := s.dynamo.Client()
	tables := s.base.Tables
	revocations, used := s.table(tables.Revocations, revocationsTable), s.table(tables.Nonces, noncesTable)
	for _, t := range []struct {
		create *dynamodb.CreateTableInput
		ttl    *dynamodb.UpdateTimeToLiveInput
	}{
		{items.TableInput(itemsTable), ttl(itemsTable, items.TTLAttribute)},
		{revocation.TableInput(revocations), revocation.TTLInput(revocations)},
		{nonces.TableInput(used), ttl(used, nonces.TTLAttribute)},
	} {
		if err := createTable(ctx, client, t.create, t.ttl); err != nil {
			return err
		}
	}
	return nil
}

// A table's name, which CreateTable takes.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
var tableName = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)

// table is the name that the configuration has for a table, or the stack's own
// where it has none that can be one.
func (s *Stack) table(raw, own string) string {
	if name := s.expand(raw); name != "none" && tableName.MatchString(name) {
		return name
	}
	return own
}

func ttl(table, attribute string) *dynamodb.UpdateTimeToLiveInput {
	return &dynamodb.UpdateTimeToLiveInput{
		TableName:               aws.String(table),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(attribute), Enabled: aws.Bool(true)},
	}
}

// createTable creates a table, or takes the one that a server of the user's
// own has kept.
func createTable(ctx context.Context, client *dynamodb.Client, create *dynamodb.CreateTableInput, ttl *dynamodb.UpdateTimeToLiveInput) error {
	name := aws.ToString(create.TableName)
	_, err := client.CreateTable(ctx, create)
	if exists := new(types.ResourceInUseException); errors.As(err, &exists) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create table %s: %w", name, err)
	}
	waiter := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: create.TableName}, 30*time.Second); err != nil {
		return fmt.Errorf("create table %s: %w", name, err)
	}
	// dynalite does not know the call.
	var unknown smithy.APIError
	if _, err = client.UpdateTimeToLive(ctx, ttl); err != nil && !(errors.As(err, &unknown) && unknown.ErrorCode() == "UnknownOperationException") {
		return fmt.Errorf("table %s: time to live: %w", name, err)
	}
	return nil
}
