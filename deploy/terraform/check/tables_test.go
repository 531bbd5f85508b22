//go:build terraform

package check

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lambda-authorizer/items"
	"lambda-authorizer/local/dynamo"
	"lambda-authorizer/nonces"
	"lambda-authorizer/revocation"
)

// TestTablesAreApplied makes the tables with the real provider on a real
// server, and compares what is there with what the code expects.
func TestTablesAreApplied(t *testing.T) {
	t.Parallel()
	server, err := dynamo.Start(t.Context(), dynamo.Options{Endpoint: os.Getenv(dynamo.EndpointVariable)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	const dir = module + "/check/testdata/tables-applied"
	if err := copyTree("testdata/tables", repository+"/"+dir); err != nil {
		t.Fatal(err)
	}
	withMadeUpCredentials(t, dir, "  endpoints {\n    dynamodb = \""+server.Endpoint()+"\"\n  }\n")
	initialise(t, dir)
	name := strings.ToLower(server.TableName())
	tables := []string{
		"-var=name=" + name,
		"-target=module.authorizer.module.revocations", "-target=module.authorizer.module.nonces", "-target=module.items.module.table",
	}
	terraform(t, dir, append([]string{"apply", "-no-color", "-input=false", "-auto-approve"}, tables...)...)

	client := server.Client()
	compareTable(t, client, revocation.TableInput(name+"-revocations"), revocation.TTLInput(""))
	compareTable(t, client, nonces.TableInput(name+"-nonces"), revocation.TTLInput(""))
	compareTable(t, client, items.TableInput(name+"-items"), &dynamodb.UpdateTimeToLiveInput{
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(items.TTLAttribute), Enabled: aws.Bool(true)},
	})
	unchanged(t, dir, tables)
}

// unchanged: a second plan wants nothing. Exit status 2 says that it would.
func unchanged(t *testing.T, dir string, tables []string) {
	t.Helper()
	out, err := try(dir, append([]string{"plan", "-no-color", "-input=false", "-detailed-exitcode"}, tables...)...)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 2 {
		t.Errorf("what was applied would be changed again:\n%s", out)
	} else if err != nil {
		t.Error(err)
	}
}

func compareTable(t *testing.T, client *dynamodb.Client, want *dynamodb.CreateTableInput, ttl *dynamodb.UpdateTimeToLiveInput) {
	t.Helper()
	name := aws.ToString(want.TableName)
	out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: want.TableName})
	if err != nil {
		t.Fatal(err)
	}
	got := &dynamodb.CreateTableInput{
		TableName: out.Table.TableName, KeySchema: out.Table.KeySchema, AttributeDefinitions: out.Table.AttributeDefinitions,
		DeletionProtectionEnabled: out.Table.DeletionProtectionEnabled,
	}
	if out.Table.BillingModeSummary != nil {
		got.BillingMode = out.Table.BillingModeSummary.BillingMode
	}
	if out.Table.SSEDescription != nil {
		got.SSESpecification = &types.SSESpecification{Enabled: aws.Bool(out.Table.SSEDescription.Status == types.SSEStatusEnabled), SSEType: out.Table.SSEDescription.SSEType}
	}
	for _, index := range out.Table.GlobalSecondaryIndexes {
		got.GlobalSecondaryIndexes = append(got.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: index.IndexName, KeySchema: index.KeySchema, Projection: index.Projection,
		})
	}
	// The module protects and encrypts every table, whatever its own code asks for.
	protected := *want
	protected.DeletionProtectionEnabled = aws.Bool(true)
	protected.SSESpecification = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms}
	byName := func(a, b types.AttributeDefinition) int { return strings.Compare(*a.AttributeName, *b.AttributeName) }
	slices.SortFunc(got.AttributeDefinitions, byName)
	slices.SortFunc(protected.AttributeDefinitions, byName)
	if diff := cmp.Diff(&protected, got, cmpopts.IgnoreUnexported(dynamodb.CreateTableInput{}, types.SSESpecification{}, types.AttributeDefinition{},
		types.KeySchemaElement{}, types.GlobalSecondaryIndex{}, types.Projection{})); diff != "" {
		t.Errorf("%s (-code +applied):\n%s", name, diff)
	}
	live, err := client.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: want.TableName})
	if err != nil {
		t.Fatal(err)
	}
	attribute := ttl.TimeToLiveSpecification.AttributeName
	if d := live.TimeToLiveDescription; d == nil || d.TimeToLiveStatus != types.TimeToLiveStatusEnabled || aws.ToString(d.AttributeName) != aws.ToString(attribute) {
		t.Errorf("%s: time to live %+v, want %s", name, d, aws.ToString(attribute))
	}
}
