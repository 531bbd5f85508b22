package local_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lambda-authorizer/apikey"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/local/gateway"
)

// Keys are revoked by the operator's least: an item with pk alone, and none
// after that.
func TestRevokedKeyIsRefusedAndARestoredOneIsNot(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	secret := t.Name()
	// Ids of this test's own: others share the table.
	key := with("X-Api-Key", s.apiKey(t, secret, apikey.Grant{ID: "stolenone", Principal: "acme"}))
	signer := s.signer(t, secret+"-signing", httpsig.Grant{ID: "stolen.one", Principal: "machine"})
	config := `
gateway: {cache_ttl: 0s, identity_sources: []}
tables: {revocations: local-revocations, nonces: local-nonces}
api_keys: {secrets: [` + secret + `]}
signatures: {secrets: [` + secret + `-signing]}
revocation: {cache_ttl: 100ms, timeout: 4s}
routes: [{route: GET /items, require: [{api_key: {}}, {signature: {}}]}]
`
	client := dynamodb.New(dynamodb.Options{BaseEndpoint: aws.String(s.DynamoDB()), Region: "eu-central-1", Credentials: madeUp})
	for _, kind := range []gateway.Kind{gateway.RESTRequest, gateway.HTTP2IAM} {
		d := s.deploy(t, kind, config)
		for pk, credential := range map[string]part{"api_key#stolenone": key, "signing_key#stolen.one": signer.Sign} {
			entry := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}}
			d.walk(t, step{"GET /items", []part{credential}, 200, gateway.Invoked, ""})
			if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("local-revocations"), Item: entry}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(120 * time.Millisecond) // revocation.cache_ttl
			d.walk(t, step{"GET /items", []part{credential}, 401, gateway.Invoked, "revoked"})
			if _, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("local-revocations"), Key: entry}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(120 * time.Millisecond)
			d.walk(t, step{"GET /items", []part{credential}, 200, gateway.Invoked, ""})
		}
	}
}
