package revocation_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/revocation"
)

// listed are the values of what List shows, the issuer's for a whole issuer.
func listed(t *testing.T, b *stand, f revocation.Filter) []string {
	t.Helper()
	var got []string
	for e, err := range b.store.List(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		name := e.Value
		if name == "" {
			name = e.Issuer
		}
		got = append(got, name)
	}
	return got
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	minute := func(n int) time.Time { return today.Add(time.Duration(n) * time.Minute) }
	for _, e := range []revocation.Entry{
		{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice", Reason: "laptop stolen", RevokedAt: minute(1)},
		{Kind: revocation.KindSubject, Issuer: another, Value: "bob", Reason: "left the company", RevokedAt: minute(2)},
		{Kind: revocation.KindSubject, Issuer: issuer, Value: "carol", Reason: "phone stolen", RevokedAt: minute(3)},
		{Kind: revocation.KindToken, Issuer: issuer, Value: "t1", RevokedAt: minute(2), ExpiresAt: minute(60)},
		{Kind: revocation.KindIssuer, Issuer: another, RevokedAt: minute(4)},
		{Kind: revocation.KindAPIKey, Value: "7f3a9c", Reason: "on a stolen laptop", RevokedAt: minute(5)},
	} {
		b.put(t, e)
	}
	b.putByHand(t, map[string]string{"pk": "subject#" + issuer + "#byhand"})
	b.putByHand(t, map[string]string{"pk": "network#office"})
	b.putByHand(t, map[string]string{"pk": "session#" + issuer + "#over", "kind": "session", "revoked_at": epoch(today), "expires_at": "n:1"})

	for name, c := range map[string]struct {
		filter revocation.Filter
		want   []string
	}{
		"everything, by kind, the newest first": {revocation.Filter{}, []string{"t1", "carol", "bob", "alice", another, "7f3a9c"}},
		"the expired too":                       {revocation.Filter{Expired: true}, []string{"t1", "over", "carol", "bob", "alice", another, "7f3a9c"}},
		"page by page":                          {revocation.Filter{PageSize: 1}, []string{"t1", "carol", "bob", "alice", another, "7f3a9c"}},
		"kinds":                                 {revocation.Filter{Kinds: []revocation.Kind{revocation.KindAPIKey, revocation.KindToken}}, []string{"7f3a9c", "t1"}},
		"issuer":                                {revocation.Filter{Issuer: another}, []string{"bob", another}},
		"reason":                                {revocation.Filter{Reason: "stolen", PageSize: 1}, []string{"carol", "alice", "7f3a9c"}},
		"issuer and reason":                     {revocation.Filter{Issuer: issuer, Reason: "laptop"}, []string{"alice"}},
		"since":                                 {revocation.Filter{Since: minute(3)}, []string{"carol", another, "7f3a9c"}},
		"until":                                 {revocation.Filter{Until: minute(2)}, []string{"t1", "bob", "alice"}},
		"one second":                            {revocation.Filter{Since: minute(2).Add(time.Millisecond), Until: minute(2).Add(2 * time.Millisecond)}, []string{"t1", "bob"}},
		"a kind without entries":                {revocation.Filter{Kinds: []revocation.Kind{revocation.KindClient}}, nil},
		"a kind that does not exist":            {revocation.Filter{Kinds: []revocation.Kind{"bogus"}}, nil},
		"nothing matches":                       {revocation.Filter{Reason: "no such reason"}, nil},
	} {
		if diff := cmp.Diff(c.want, listed(t, b, c.filter)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, err := range b.store.List(t.Context(), revocation.Filter{Since: minute(2), Until: minute(1)}) {
		if err == nil {
			t.Error("since after until: no error")
		}
	}
}

func TestListReadsNoFurtherThanAsked(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	for i := range 10 {
		b.put(t, revocation.Entry{Kind: revocation.KindToken, Issuer: issuer, Value: strconv.Itoa(i)})
	}
	store := storeOf(t, client(server.Endpoint(), b.wire), b.table, b.clock)
	n := b.requests(func() {
		for range store.List(t.Context(), revocation.Filter{PageSize: 2}) {
			break
		}
	})
	if n != 1 {
		t.Errorf("%d requests for one entry, want 1", n)
	}
}

func TestTableIsCreatedAsTheContractSays(t *testing.T) {
	t.Parallel()
	db := server.Client()
	name := table(t, db)
	if _, err := db.UpdateTimeToLive(t.Context(), revocation.TTLInput(name)); err != nil {
		t.Fatal(err)
	}
	ttl, err := db.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	if err != nil || *ttl.TimeToLiveDescription.AttributeName != "expires_at" {
		t.Errorf("DescribeTimeToLive = %+v, %v", ttl, err)
	}
	out, err := db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	got := out.Table
	if len(got.KeySchema) != 1 || *got.KeySchema[0].AttributeName != "pk" {
		t.Errorf("key schema %+v", got.KeySchema)
	}
	if len(got.GlobalSecondaryIndexes) != 1 || *got.GlobalSecondaryIndexes[0].IndexName != "kind-index" ||
		got.GlobalSecondaryIndexes[0].Projection.ProjectionType != types.ProjectionTypeAll {
		t.Errorf("indexes %+v", got.GlobalSecondaryIndexes)
	}
	// What this server does not describe is checked on the call itself.
	in := revocation.TableInput(name)
	if in.BillingMode != types.BillingModePayPerRequest || !*in.SSESpecification.Enabled || !*in.DeletionProtectionEnabled {
		t.Errorf("TableInput = %+v", in)
	}
	if !*revocation.BackupInput(name).PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled {
		t.Error("BackupInput turns nothing on")
	}
}
