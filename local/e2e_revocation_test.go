package local_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lambda-authorizer/local"
	"lambda-authorizer/local/dynamo"
)

// revocable is the shipped configuration with a bound that a test can wait for.
func revocable(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(defaultConfig)
	if err != nil {
		t.Fatal(err)
	}
	return "revocation: {cache_ttl: 1s}\n" + string(raw)
}

// revoke writes the least that revokes a token: pk alone, as by hand.
func revoke(t *testing.T, server *dynamo.Server, issuer, token string) {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ JTI string }
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	_, err = server.Client().PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: aws.String("local-revocations"),
		Item:      map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "token#" + issuer + "#" + claims.JTI}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// refused waits until a request is refused with 401: what was read of the table
// may be believed for a second.
func (s *stack) refused(t *testing.T, path, token string) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
		if s.send(t, "GET", path, token, "").status == http.StatusUnauthorized {
			return
		}
	}
	t.Errorf("%s: the revoked token still gets in", path)
}

func TestRevokedTokenIsRefusedAndCachedResultsLastUntilTheyAreFlushed(t *testing.T) {
	t.Parallel()
	server, err := dynamo.Start(t.Context(), dynamo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	s := ownStack(t, revocable(t), func(o *local.Options) { o.DynamoDB.Endpoint = server.Endpoint() })
	token, other := s.token(t, "items:read"), s.token(t, "items:read")
	for prefix := range prefixes {
		s.wants(t, 200, "GET", prefix+"/items", token, "")
	}
	revoke(t, server, s.Issuer().URL(), token)
	for _, prefix := range []string{"/rest", "/http"} {
		s.refused(t, prefix+"/items", token)
		s.wants(t, 200, "GET", prefix+"/items", other, "")
	}
	for prefix, call := range cachedPrefixes {
		s.wants(t, 200, "GET", prefix+"/items", token, "") // API Gateway's cache knows nothing of it
		s.flush(t, call)
		s.refused(t, prefix+"/items", token)
	}
	if got := s.decided(t, func(d decision) bool { return d.Reason == "revoked" }); got.Outcome != "unauthorized" {
		t.Errorf("decision line %+v", got)
	}
}
