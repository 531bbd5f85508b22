package deploy_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/items"
	"lambda-authorizer/revocation"
)

// shape is a table's, as a template says it.
func shape(in *dynamodb.CreateTableInput, ttl string) object {
	keys := func(schema []types.KeySchemaElement) (out []any) {
		for _, k := range schema {
			out = append(out, object{"AttributeName": *k.AttributeName, "KeyType": string(k.KeyType)})
		}
		return out
	}
	var attributes []any
	for _, a := range in.AttributeDefinitions {
		attributes = append(attributes, object{"AttributeName": *a.AttributeName, "AttributeType": string(a.AttributeType)})
	}
	out := object{
		"BillingMode": string(in.BillingMode), "AttributeDefinitions": attributes, "KeySchema": keys(in.KeySchema),
		"TimeToLiveSpecification":          object{"AttributeName": ttl, "Enabled": true},
		"PointInTimeRecoverySpecification": object{"PointInTimeRecoveryEnabled": true},
		"SSESpecification":                 object{"SSEEnabled": true, "SSEType": "KMS"},
		"DeletionProtectionEnabled":        true,
	}
	var indexes []any
	for _, i := range in.GlobalSecondaryIndexes {
		indexes = append(indexes, object{
			"IndexName": *i.IndexName, "KeySchema": keys(i.KeySchema),
			"Projection": object{"ProjectionType": string(i.Projection.ProjectionType)},
		})
	}
	if indexes != nil {
		out["GlobalSecondaryIndexes"] = indexes
	}
	return out
}

// nonces is the contract's: a key and a TTL, and no sort key, for a
// conditional put on the key alone must be unique.
var nonces = &dynamodb.CreateTableInput{
	BillingMode:          types.BillingModePayPerRequest,
	AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
	KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
}

func TestTablesAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	template := read(t, "sam/template.yaml")
	plain := deployed(t, template, nil)
	for name, want := range map[string]object{
		"RevocationsTable": shape(revocation.TableInput(""), *revocation.TTLInput("").TimeToLiveSpecification.AttributeName),
		"ItemsTable":       shape(items.TableInput(""), items.TTLAttribute),
		"NoncesTable":      shape(nonces, "expires_at"),
	} {
		if diff := cmp.Diff(any(want), at(plain, "Resources", name, "Properties")); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		for _, policy := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
			if got := at(template, "Resources", name, policy); got != "Retain" {
				t.Errorf("%s: %s is %v", name, policy, got)
			}
		}
	}
	own := deployed(t, template, everything["sam/template.yaml"])
	for name := range of(own, "AWS::DynamoDB::Table") {
		if key := at(own, "Resources", name, "Properties", "SSESpecification", "KMSMasterKeyId"); key != everything["sam/template.yaml"]["TableKeyArn"] {
			t.Errorf("%s: the customer key is %v", name, key)
		}
	}
}
