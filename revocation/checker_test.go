package revocation_test

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

// nobody is a table that must not be asked.
type nobody struct{ t testing.TB }

func (n nobody) BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	n.t.Error("the table was asked")
	return nil, errors.New("nobody is here")
}

// hash is the SHA-256 of some signing input.
var hash = strings.Repeat("ab", 32)

func TestEveryKindRevokesItsCredentialsAndNoOthers(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	with := func(change func(*revocation.Credential)) revocation.Credential {
		c := token("t1")
		change(&c)
		return c
	}
	long := strings.Repeat("long", 200)
	apiKey := func(id string) revocation.Credential {
		return revocation.Credential{Kind: revocation.KindAPIKey, ID: id}
	}
	signingKey := func(id string) revocation.Credential {
		return revocation.Credential{Kind: revocation.KindSigningKey, ID: id}
	}
	for name, c := range map[string]struct {
		entry revocation.Key
		yes   revocation.Credential
		no    revocation.Credential
	}{
		"token": {
			revocation.Key{Kind: revocation.KindToken, Issuer: issuer, Value: "k-token"},
			with(func(c *revocation.Credential) { c.ID = "k-token" }),
			with(func(c *revocation.Credential) { c.ID, c.Issuer = "k-token", another }),
		},
		"token without jti": {
			revocation.Key{Kind: revocation.KindToken, Issuer: issuer, Value: revocation.TokenValue(hash)},
			with(func(c *revocation.Credential) { c.ID, c.SigningInputSHA256 = "", hash }),
			with(func(c *revocation.Credential) { c.ID, c.SigningInputSHA256 = "k-other", hash }),
		},
		"session": {
			revocation.Key{Kind: revocation.KindSession, Issuer: issuer, Value: "k-session"},
			with(func(c *revocation.Credential) { c.Session = "k-session" }),
			with(func(c *revocation.Credential) { c.Session, c.Subject = "", "k-session" }),
		},
		"subject": {
			revocation.Key{Kind: revocation.KindSubject, Issuer: issuer, Value: "k-subject"},
			with(func(c *revocation.Credential) { c.Subject = "k-subject" }),
			with(func(c *revocation.Credential) { c.Subject, c.Issuer = "k-subject", another }),
		},
		"subject over 512 bytes": {
			revocation.Key{Kind: revocation.KindSubject, Issuer: issuer, Value: long},
			with(func(c *revocation.Credential) { c.Subject = long }),
			with(func(c *revocation.Credential) { c.Subject = long + "r" }),
		},
		"client": {
			revocation.Key{Kind: revocation.KindClient, Issuer: issuer, Value: "k-client"},
			with(func(c *revocation.Credential) { c.Client = "k-client" }),
			with(func(c *revocation.Credential) { c.Client = "K-CLIENT" }),
		},
		"key": {
			revocation.Key{Kind: revocation.KindKey, Issuer: issuer, Value: "k-key"},
			with(func(c *revocation.Credential) { c.KeyID = "k-key" }),
			with(func(c *revocation.Credential) { c.KeyID = "" }),
		},
		"issuer": {
			revocation.Key{Kind: revocation.KindIssuer, Issuer: "https://k-issuer/"},
			with(func(c *revocation.Credential) { c.Issuer = "https://k-issuer/" }),
			with(func(c *revocation.Credential) { c.Issuer = "https://k-issuer" }),
		},
		"api key": {
			revocation.Key{Kind: revocation.KindAPIKey, Value: "k7f3a9c"}, apiKey("k7f3a9c"), signingKey("k7f3a9c"),
		},
		"signing key": {
			revocation.Key{Kind: revocation.KindSigningKey, Value: "k-acme"}, signingKey("k-acme"), apiKey("k-acme"),
		},
	} {
		b.put(t, revocation.Entry{Kind: c.entry.Kind, Issuer: c.entry.Issuer, Value: c.entry.Value})
		res, err := b.Check(t.Context(), c.yes)
		want(t, name, err, reason.Revoked)
		if res.Revoked != c.entry.Kind {
			t.Errorf("%s: refused by a %q entry, want %q", name, res.Revoked, c.entry.Kind)
		}
		_, err = b.Check(t.Context(), c.no)
		want(t, name+", of somebody else", err, nil)
	}
}

func TestRefusalNamesTheKindAndNothingOfTheCaller(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	b.put(t, revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice"})
	_, err := b.Check(t.Context(), token("t1"))
	if err == nil || err.Error() != "revoked: by a subject entry" {
		t.Errorf("Check = %v", err)
	}
}

func TestEdgesOfNotBefore(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	edge := today.Add(-time.Minute)
	b.put(t, revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice", NotBefore: edge})
	b.putByHand(t, map[string]string{"pk": "subject#" + issuer + "#fraction", "not_before": "n:1700000000.5"})
	b.putByHand(t, map[string]string{"pk": "subject#" + issuer + "#ancient", "not_before": "n:-1e100"})
	for name, c := range map[string]struct {
		subject string
		iat     time.Time
		want    error
	}{
		"iat before":                          {"alice", edge.Add(-time.Second), reason.Revoked},
		"iat a nanosecond before":             {"alice", edge.Add(-1), reason.Revoked},
		"iat equal":                           {"alice", edge, nil},
		"iat after":                           {"alice", edge.Add(time.Second), nil},
		"iat missing":                         {"alice", time.Time{}, reason.Revoked},
		"iat is the epoch":                    {"alice", time.Unix(0, 0), reason.Revoked},
		"missing, not_before before all time": {"ancient", time.Time{}, reason.Revoked},
		"before a fraction":                   {"fraction", time.Unix(1_700_000_000, 0), reason.Revoked},
		"equal to a fraction":                 {"fraction", time.UnixMilli(1_700_000_000_500), nil},
	} {
		cred := token("t1")
		cred.Subject, cred.IssuedAt = c.subject, c.iat
		_, err := b.Check(t.Context(), cred)
		want(t, name, err, c.want)
	}
}

func TestNotBeforeLimitsEveryKindThatHasManyTokens(t *testing.T) {
	t.Parallel()
	for _, kind := range revocation.Kinds() {
		if !kind.Dated() {
			continue
		}
		b := setUp(t, config())
		key := revocation.Key{Kind: kind, Issuer: issuer}
		keys, err := token("t1").Keys()
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			if k.Kind == kind {
				key = k
			}
		}
		b.put(t, revocation.Entry{Kind: kind, Issuer: issuer, Value: key.Value, NotBefore: today})
		older, newer := token("t1"), token("t2")
		newer.IssuedAt = today
		_, err = b.Check(t.Context(), older)
		want(t, string(kind)+", older token", err, reason.Revoked)
		_, err = b.Check(t.Context(), newer)
		want(t, string(kind)+", newer token", err, nil)
	}
}

func TestEntriesWrittenByHand(t *testing.T) {
	t.Parallel()
	subject := "subject#" + issuer + "#alice"
	for name, c := range map[string]struct {
		item map[string]string
		want error
	}{
		"pk alone":                            {map[string]string{"pk": subject}, reason.Revoked},
		"not_before after iat":                {map[string]string{"pk": subject, "not_before": epoch(today)}, reason.Revoked},
		"not_before before iat":               {map[string]string{"pk": subject, "not_before": epoch(today.Add(-2 * time.Hour))}, nil},
		"not_before as a string limits not":   {map[string]string{"pk": subject, "not_before": "1"}, reason.Revoked},
		"not_before beyond all time":          {map[string]string{"pk": subject, "not_before": "n:1e100"}, reason.Revoked},
		"not_before before all time":          {map[string]string{"pk": subject, "not_before": "n:-1e100"}, nil},
		"not_before on one token limits not":  {map[string]string{"pk": "token#" + issuer + "#t1", "not_before": "n:1"}, reason.Revoked},
		"expired, still in the table":         {map[string]string{"pk": subject, "expires_at": epoch(today.Add(-time.Second))}, nil},
		"expires this second":                 {map[string]string{"pk": subject, "expires_at": epoch(today)}, reason.Revoked},
		"expires later":                       {map[string]string{"pk": subject, "expires_at": epoch(today.Add(time.Second))}, reason.Revoked},
		"expires_at as a string ends nothing": {map[string]string{"pk": subject, "expires_at": "1"}, reason.Revoked},
		"expires_at in milliseconds":          {map[string]string{"pk": subject, "expires_at": "n:1800000000000"}, reason.Revoked},
		"attributes that contradict pk":       {map[string]string{"pk": subject, "kind": "token", "value": "bob"}, reason.Revoked},
		"another spelling of the kind":        {map[string]string{"pk": "Subject#" + issuer + "#alice"}, nil},
		"a network list of that name":         {map[string]string{"pk": "network#alice"}, nil},
		"attributes that match, pk that does not": {map[string]string{
			"pk": "subject#" + another + "#alice", "kind": "subject", "issuer": issuer, "value": "alice"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setUp(t, config())
			b.putByHand(t, c.item)
			_, err := b.Check(t.Context(), token("t1"))
			want(t, name, err, c.want)
		})
	}
}

func TestOneOfTwoEntriesIsEnough(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	b.put(t, revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice", NotBefore: today.Add(-2 * time.Hour)})
	b.put(t, revocation.Entry{Kind: revocation.KindClient, Issuer: issuer, Value: "web"})
	res, err := b.Check(t.Context(), token("t1"))
	want(t, "a subject entry that spares and a client entry that does not", err, reason.Revoked)
	if res.Revoked != revocation.KindClient {
		t.Errorf("refused by a %q entry", res.Revoked)
	}
}

func TestOneOfTwoCredentialsIsEnough(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	b.put(t, revocation.Entry{Kind: revocation.KindAPIKey, Value: "7f3a9c"})
	key := revocation.Credential{Kind: revocation.KindAPIKey, ID: "7f3a9c"}
	n := b.requests(func() {
		_, err := b.Check(t.Context(), token("t1"), key)
		want(t, "a good token and a revoked key", err, reason.Revoked)
	})
	if n != 1 {
		t.Errorf("%d requests for two credentials, want 1", n)
	}
}

func TestTwoTokensOfOneSubjectAreJudgedByTheirOwnAge(t *testing.T) {
	t.Parallel()
	b := setUp(t, config())
	b.put(t, revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice", NotBefore: today})
	older, newer := token("t1"), token("t2")
	newer.IssuedAt = today
	_, err := b.Check(t.Context(), newer)
	want(t, "newer", err, nil)
	_, err = b.Check(t.Context(), newer, older)
	want(t, "both", err, reason.Revoked)
}

func TestConfigurationThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*revocation.Config){
		"no cache":             func(c *revocation.Config) { c.CacheSize = 0 },
		"no time":              func(c *revocation.Config) { c.Timeout = 0 },
		"ttl under zero":       func(c *revocation.Config) { c.CacheTTL = -1 },
		"on_error neither way": func(c *revocation.Config) { c.OnError = "maybe" },
	} {
		cfg := config()
		change(&cfg)
		if _, err := revocation.New(nobody{t}, "t", cfg, revocation.Options{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := revocation.New(nil, "t", config(), revocation.Options{}); err == nil {
		t.Error("no client: no error")
	}
	if _, err := revocation.New(nobody{t}, "", config(), revocation.Options{}); err == nil {
		t.Error("no table: no error")
	}
}

// holds is a table with one item about every key.
type holds map[string]types.AttributeValue

func (h holds) BatchGetItem(_ context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	item := maps.Clone(h)
	maps.Copy(item, in.RequestItems["t"].Keys[0])
	return &dynamodb.BatchGetItemOutput{Responses: map[string][]map[string]types.AttributeValue{"t": {item}}}, nil
}

func FuzzNumbersInAnItemNeverFailACheck(f *testing.F) {
	f.Add("1800000000", "1800000000")
	f.Add("-1e126", "NaN")
	f.Add("1700000000.999999999", "0x10")
	f.Add("", "Inf")
	f.Fuzz(func(t *testing.T, notBefore, expires string) {
		item := holds{
			"not_before": &types.AttributeValueMemberN{Value: notBefore},
			"expires_at": &types.AttributeValueMemberN{Value: expires},
		}
		cred := revocation.Credential{Kind: revocation.KindAPIKey, ID: "k"}
		_, err := checkerOf(t, item, "t", config(), at(today)).Check(t.Context(), cred)
		if err != nil && !errors.Is(err, reason.Revoked) {
			t.Fatal(err)
		}
		end, err2 := strconv.ParseInt(expires, 10, 40)
		if err2 == nil && (err != nil) != (end >= today.Unix()) {
			t.Errorf("expires_at %q: %v", expires, err)
		}
	})
}
