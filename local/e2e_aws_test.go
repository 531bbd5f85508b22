package local_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"lambda-authorizer/local"
	"lambda-authorizer/local/dynamo"
)

var madeUp = credentials.NewStaticCredentialsProvider("local", "local", "")

func TestAWSClientsWorkOnTheEndpointsOfTheStack(t *testing.T) {
	t.Parallel()
	s := theStack(t)
	endpoint, region := aws.String(s.URL()+"/aws"), "eu-central-1"
	secrets := secretsmanager.New(secretsmanager.Options{BaseEndpoint: endpoint, Region: region, Credentials: madeUp})
	secret, err := secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("local/items-cursor")})
	if err != nil || len(*secret.SecretString) < 32 {
		t.Errorf("GetSecretValue: %v", err)
	}
	who, err := sts.New(sts.Options{BaseEndpoint: endpoint, Region: region, Credentials: madeUp}).
		GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || *who.Arn != "arn:aws:iam::123456789012:user/operator" {
		t.Errorf("GetCallerIdentity: %+v, %v", who, err)
	}
}

func TestTablesAreThereWithEitherServer(t *testing.T) {
	t.Parallel()
	for _, dynalite := range []bool{false, true} {
		server, err := dynamo.Start(t.Context(), dynamo.Options{Dynalite: dynalite})
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		for range 2 { // the second finds the tables there
			s := ownStack(t, "", func(o *local.Options) { o.DynamoDB.Endpoint = server.Endpoint() })
			s.wants(t, 201, "POST", "/rest/items", s.token(t, "items:write"), `{"name":"x"}`)
			s.Close()
		}
		out, err := server.Client().ListTables(t.Context(), &dynamodb.ListTablesInput{})
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"local-items", "local-nonces", "local-revocations"}; !slices.Equal(out.TableNames, want) {
			t.Errorf("tables %q", out.TableNames)
		}
	}
}
