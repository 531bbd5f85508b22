package revocation_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

// alice is a plain revocation of a subject.
var alice = revocation.Entry{
	Kind: revocation.KindSubject, Issuer: issuer, Value: "alice", Reason: "laptop stolen", RevokedBy: "ops@example.com",
}

func TestItemHasTheContractsAttributes(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	e := alice
	e.NotBefore, e.ExpiresAt = today.Add(1), today.Add(time.Hour) // rounded up
	b.put(t, e)
	pk := "subject#" + issuer + "#alice"
	want := map[string]string{
		"pk": pk, "kind": "subject", "issuer": issuer, "value": "alice", "reason": "laptop stolen",
		"revoked_by": "ops@example.com", "revoked_at": "n:1800000000", "not_before": "n:1800000001", "expires_at": "n:1800003600",
	}
	if diff := cmp.Diff(want, plain(b.item(t, pk))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	b.put(t, revocation.Entry{Kind: revocation.KindIssuer, Issuer: issuer})
	want = map[string]string{"pk": "issuer#" + issuer, "kind": "issuer", "value": issuer, "issuer": issuer, "revoked_at": "n:1800000000"}
	if diff := cmp.Diff(want, plain(b.item(t, "issuer#"+issuer))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// plain is an item as putByHand takes it.
func plain(item map[string]types.AttributeValue) map[string]string {
	out := make(map[string]string)
	for name, v := range item {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			out[name] = v.Value
		case *types.AttributeValueMemberN:
			out[name] = "n:" + v.Value
		}
	}
	return out
}

func TestEveryEntryIsReadBackAsWritten(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	for _, e := range []revocation.Entry{
		alice,
		{Kind: revocation.KindToken, Issuer: issuer, Value: revocation.TokenValue(hash), ExpiresAt: today.Add(time.Minute)},
		{Kind: revocation.KindSession, Issuer: issuer, Value: "a#b#c", NotBefore: today},
		{Kind: revocation.KindIssuer, Issuer: issuer},
		{Kind: revocation.KindAPIKey, Value: "7f3a9c"},
		{Kind: revocation.KindSigningKey, Value: "acme-1"},
	} {
		written, outcome, err := b.store.Put(t.Context(), e)
		if err != nil || outcome != revocation.Created {
			t.Fatalf("Put: %v, %v", outcome, err)
		}
		read, ok, err := b.store.Get(t.Context(), e.Key())
		if err != nil || !ok {
			t.Fatalf("Get: %v, %v", ok, err)
		}
		if diff := cmp.Diff(written, read); diff != "" {
			t.Errorf("(-written +read):\n%s", diff)
		}
		e.RevokedAt, e.PK = today, read.PK
		if diff := cmp.Diff(e, read); diff != "" {
			t.Errorf("(-put +read):\n%s", diff)
		}
	}
}

func TestLongValueIsStoredAndRestoredByItsHash(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	e := alice
	e.Value = strings.Repeat("long", 200)
	b.put(t, e)
	read, ok, err := b.store.Get(t.Context(), e.Key())
	if err != nil || !ok || !strings.HasPrefix(read.Value, "sha256:") {
		t.Fatalf("Get = %+v, %v, %v", read, ok, err)
	}
	if _, ok, err := b.store.Delete(t.Context(), read.Key()); err != nil || !ok {
		t.Errorf("Delete by what List shows: %v, %v", ok, err)
	}
}

func TestItemWrittenByHandIsSeenAndThenListed(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	b.putByHand(t, map[string]string{"pk": "subject#" + issuer + "#alice", "ticket": "INC-1"})
	e, ok, err := b.store.Get(t.Context(), alice.Key())
	if err != nil || !ok || !e.Unlisted || e.Value != "alice" {
		t.Fatalf("Get = %+v, %v, %v", e, ok, err)
	}
	limited := alice
	limited.NotBefore = today
	e, outcome, err := b.store.Put(t.Context(), limited)
	if err != nil || outcome != revocation.Extended || e.Unlisted || !e.NotBefore.IsZero() {
		t.Errorf("Put = %+v, %v, %v, want it listed and as strong as before", e, outcome, err)
	}
	if got := plain(b.item(t, e.PK))["ticket"]; got != "INC-1" {
		t.Errorf("ticket = %q: what else the item held is lost", got)
	}
	if _, outcome, _ = b.store.Put(t.Context(), limited); outcome != revocation.Kept {
		t.Errorf("a second Put = %v", outcome)
	}
}

func TestRestoreReturnsWhatItUndid(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	b.put(t, alice)
	e, ok, err := b.store.Delete(t.Context(), alice.Key())
	if err != nil || !ok || e.Reason != alice.Reason {
		t.Errorf("Delete = %+v, %v, %v", e, ok, err)
	}
	_, err = b.Check(t.Context(), token("t1"))
	want(t, "after the restore", err, nil)
	if _, ok, err := b.store.Delete(t.Context(), alice.Key()); ok || err != nil {
		t.Errorf("restoring what is not revoked: %v, %v", ok, err)
	}
	if _, ok, err := b.store.Get(t.Context(), alice.Key()); ok || err != nil {
		t.Errorf("Get: %v, %v", ok, err)
	}
}

func TestFindTellsEachEntryAndWhetherItRevokes(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	dated := alice
	dated.NotBefore = today.Add(-2 * time.Hour) // the token is younger
	b.put(t, dated)
	b.putByHand(t, map[string]string{"pk": "client#" + issuer + "#web"})
	b.putByHand(t, map[string]string{"pk": "issuer#" + issuer, "expires_at": epoch(today.Add(-time.Hour))})
	found, err := b.store.Find(t.Context(), token("t1"))
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[revocation.Kind]bool)
	for _, f := range found {
		got[f.Entry.Kind] = f.Revokes
	}
	want := map[revocation.Kind]bool{revocation.KindSubject: false, revocation.KindClient: true, revocation.KindIssuer: false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEntryAsJSONIsTheAuditRecord(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	e, _, err := b.store.Put(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	e.RevokedAt = e.RevokedAt.UTC()
	got, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"kind":"subject","issuer":"https://idp.example.com/","value":"alice","reason":"laptop stolen",` +
		`"revoked_by":"ops@example.com","revoked_at":"2027-01-15T08:00:00Z","pk":"subject#https://idp.example.com/#alice"}`
	if string(got) != want {
		t.Errorf("%s", got)
	}
}

func TestTableThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	s := storeOf(t, server.Client(), "no-such-table", at(today))
	_, _, put := s.Put(t.Context(), alice)
	_, _, get := s.Get(t.Context(), alice.Key())
	_, _, del := s.Delete(t.Context(), alice.Key())
	_, find := s.Find(t.Context(), token("t1"))
	errs := map[string]error{"put": put, "get": get, "delete": del, "find": find}
	for _, err := range s.List(t.Context(), revocation.Filter{}) {
		errs["list"] = err
	}
	for what, err := range errs {
		var missing *types.ResourceNotFoundException
		if !errors.As(err, &missing) || !strings.Contains(err.Error(), "no-such-table") {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := checkerOf(t, server.Client(), "no-such-table", config(), at(today)).Check(t.Context(), token("t1"))
	want(t, "check", err, reason.RevocationUnavailable)
}
