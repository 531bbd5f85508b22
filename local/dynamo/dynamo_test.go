package dynamo_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lambda-authorizer/local/dynamo"
)

func TestServersKeepAnItemUntilTheyAreClosed(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]dynamo.Options{
		"the default": {},
		"dynalite":    {Dynalite: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := dynamo.Start(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			roundTrip(t, s)

			s.Close()
			address := strings.TrimPrefix(s.Endpoint(), "http://")
			if c, err := net.Dial("tcp", address); err == nil {
				c.Close()
				t.Errorf("%s still answers after Close", address)
			}
		})
	}
}

func roundTrip(t *testing.T, s *dynamo.Server) {
	t.Helper()
	client, table := s.Client(), aws.String(s.TableName())
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            table,
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
	})
	if err != nil {
		t.Fatal(err)
	}
	waiter := dynamodb.NewTableExistsWaiter(client)
	if err := waiter.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: table}, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	item := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "a"}}
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: item}); err != nil {
		t.Fatal(err)
	}
	got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: table, Key: item})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Item) != 1 {
		t.Errorf("GetItem = %v, want the item put", got.Item)
	}
}

func TestAnotherServerIsUsedWhereOneIsNamed(t *testing.T) {
	t.Parallel()
	s, err := dynamo.Start(t.Context(), dynamo.Options{Endpoint: "http://127.0.0.1:8000/"})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if s.Endpoint() != "http://127.0.0.1:8000" {
		t.Errorf("Endpoint() = %q", s.Endpoint())
	}
}

func TestMissingServerSaysHowToGetOne(t *testing.T) {
	t.Parallel()
	_, err := dynamo.Start(t.Context(), dynamo.Options{Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "make setup") {
		t.Errorf("Start without node_modules: %v, want a hint to `make setup`", err)
	}
}

func TestServerThatEndsAtOnceSaysWhy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	module := filepath.Join(dir, "node_modules", "dynalite")
	if err := os.MkdirAll(module, 0o755); err != nil {
		t.Fatal(err)
	}
	script := "throw new Error('no such luck')"
	if err := os.WriteFile(filepath.Join(module, "index.js"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := dynamo.Start(t.Context(), dynamo.Options{Dir: dir, Dynalite: true})
	if err == nil || !strings.Contains(err.Error(), "no such luck") {
		t.Errorf("Start = %v, want what the server said", err)
	}
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, err := dynamo.Start(ctx, dynamo.Options{Dynalite: true})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Start = %v, %v, want context.Canceled", s, err)
	}
}
