package authorizer_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"lambda-authorizer/apikey"
	"lambda-authorizer/httpsig"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/reason"
)

const api = gateway.RESTRequest

func TestSecretsManagerDownAtTheStartClosesWhatNeedsItAlone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	legacySecret(t, p)
	acme := p.apiKey(t, apikey.Grant{ID: "acme", Principal: "acme", Scopes: reads})
	machine := p.signer(t, httpsig.Grant{ID: "machine", Principal: "machine", Scopes: reads})
	p.secretsDown.Store(true)
	s := p.connect(t, everything)
	old := mintHS(t, 'a', "", nil)

	s.wants(t, api, request(t, "GET /items", bearer(mint(t, nil))), "")
	s.wants(t, api, request(t, "GET /items"), reason.CredentialMissing)
	s.wants(t, api, request(t, "GET /items", bearer("junk")), reason.CredentialMalformed)
	for secret, credential := range map[string]part{"api-keys": key(acme), "legacy-jwt": bearer(old), "signing-keys": signed(machine)} {
		got := s.wants(t, api, request(t, "GET /items", credential), reason.SecretsUnavailable)
		want := "secrets_unavailable: secret " + secret + ": HTTP status 503"
		if detail := fmt.Sprint(got.line["detail"]); !strings.HasSuffix(detail, want) || got.line["DependencyFault"] != 1.0 {
			t.Errorf("the line says %q, want %q", detail, want)
		}
	}
	if log := s.log.String(); !strings.Contains(log, "secret not read: no key of it is known") || strings.Contains(log, "last good value") {
		t.Errorf("the log tells of a value that there never was:\n%s", log)
	}
	p.secretsDown.Store(false)
	p.Add(31 * time.Second) // a service that failed is left alone for 30 s
	s.wants(t, api, request(t, "GET /items", key(acme)), "")
	s.wants(t, api, request(t, "GET /items", bearer(old)), "")
	s.wants(t, api, request(t, "GET /items", signed(machine)), "")
}

func TestSecretsManagerDownLaterLeavesKnownKeysWorking(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	legacySecret(t, p)
	acme := p.apiKey(t, apikey.Grant{ID: "acme", Principal: "acme", Scopes: reads})
	machine := p.signer(t, httpsig.Grant{ID: "machine", Principal: "machine", Scopes: reads})
	s := p.connect(t, everything)
	far := claims{"exp": noon.Add(48 * time.Hour).Unix()}
	old := mintHS(t, 'a', "", far)
	known := func(code reason.Code) {
		t.Helper()
		s.wants(t, api, request(t, "GET /items", key(acme)), code)
		s.wants(t, api, request(t, "GET /items", bearer(old)), code)
		s.wants(t, api, request(t, "GET /items", signed(machine)), code)
	}
	known("")
	p.secretsDown.Store(true)
	late := p.apiKey(t, apikey.Grant{ID: "late", Principal: "acme", Scopes: reads})
	lateMachine := p.signer(t, httpsig.Grant{ID: "late", Principal: "machine", Scopes: reads})
	p.Add(6 * time.Minute) // past secrets.refresh
	known("")
	// Whether there is such a key nobody can say.
	s.wants(t, api, request(t, "GET /items", key(late)), reason.SecretsUnavailable)
	s.wants(t, api, request(t, "GET /items", signed(lateMachine)), reason.SecretsUnavailable)
	s.wants(t, api, request(t, "GET /items", bearer(mintHS(t, 'x', "", far))), reason.SecretsUnavailable)
	s.wants(t, api, request(t, "GET /items", bearer(mint(t, far))), "")
	if !strings.Contains(s.log.String(), "secret not read: the last good value goes on") {
		t.Errorf("the log does not tell of it:\n%s", s.log)
	}
	p.secretsDown.Store(false)
	p.Add(31 * time.Second)
	s.wants(t, api, request(t, "GET /items", key(late)), "")
	s.wants(t, api, request(t, "GET /items", signed(lateMachine)), "")

	p.secretsDown.Store(true)
	p.Add(24*time.Hour + 6*time.Minute)
	known(reason.SecretsUnavailable)
}

func TestSecretThatHangsEndsWithTheInvocation(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	acme := p.apiKey(t, apikey.Grant{ID: "acme", Principal: "acme", Scopes: reads})
	s := p.connect(t, everything)
	p.secretsHang.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begun := time.Now()
	s.wants(t, api, request(t, "GET /items", key(acme)).WithContext(ctx), reason.DeadlineExceeded)
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestSecretThatStopsParsingKeepsItsKeys(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	acme := p.apiKey(t, apikey.Grant{ID: "acme", Principal: "acme", Scopes: reads})
	s := p.connect(t, everything)
	s.wants(t, api, request(t, "GET /items", key(acme)), "")
	p.put(t, "api-keys", "now it is only text, with "+acme+" in it")
	p.Add(6 * time.Minute)
	isFault(t, "the read that fails", s.wants(t, api, request(t, "GET /items", key(acme)), ""), true)
	isFault(t, "the decisions after it", s.wants(t, api, request(t, "GET /items", key(acme)), ""), false)
	if log := s.log.String(); !strings.Contains(log, "secret not read") || strings.Contains(log, acme) {
		t.Errorf("the log says\n%s", log)
	}
}

// isFault holds a line of an allowed request to what it counts.
func isFault(t *testing.T, what string, got outcome, fault bool) {
	t.Helper()
	if (got.line["DependencyFault"] == 1.0) != fault || (got.line["secret_faults"] == 1.0) != fault {
		t.Errorf("%s: the line says %v", what, got.line)
	}
}

// Nobody without a key may turn a 401 into a fault that pages.
func TestSignatureThatNoKeyCouldMakeGoodIsRefusedInAnOutageToo(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	machine := p.signer(t, httpsig.Grant{ID: "machine", Principal: "machine", Scopes: reads})
	p.secretsDown.Store(true)
	s := p.connect(t, everything)
	got := s.wants(t, gateway.HTTP2IAM, request(t, "GET /items", signed(machine), to("/items", "a;b")), reason.SignatureInvalid)
	if got.line["DependencyFault"] != nil || p.count("GetSecretValue") > 0 {
		t.Errorf("%d reads, and the line says %v", p.count("GetSecretValue"), got.line)
	}
	s.wants(t, gateway.HTTP2IAM, request(t, "GET /items", signed(machine)), reason.SecretsUnavailable)
}

func TestSecretOutOfReachIsACountedFaultThoughItsKeysGoOn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	acme := p.apiKey(t, apikey.Grant{ID: "acme", Principal: "acme", Scopes: reads})
	s := p.connect(t, everything)
	ask := func() outcome { return s.wants(t, api, request(t, "GET /items", key(acme)), "") }
	isFault(t, "the first read", ask(), false)
	p.secretsDown.Store(true)
	p.Add(6 * time.Minute) // past secrets.refresh
	isFault(t, "out of reach", ask(), true)
	isFault(t, "left alone for 30 s", ask(), false)
	p.Add(31 * time.Second)
	isFault(t, "still out of reach", ask(), true)
	p.secretsDown.Store(false)
	p.Add(31 * time.Second)
	isFault(t, "back", ask(), false)
}

func TestRecordThatIsSkippedIsCountedAndNoFault(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	acme := p.apiKey(t, apikey.Grant{ID: "acme", Principal: "acme", Scopes: reads})
	bad := func(r []byte) ([]byte, error) { return []byte(`{"sha256":"none","principal":"x"}`), nil }
	if err := p.writer(t).Edit(t.Context(), "api-keys", "bad", bad); err != nil {
		t.Fatal(err)
	}
	s := p.connect(t, everything)
	got := s.wants(t, api, request(t, "GET /items", key(acme)), "")
	isFault(t, "a record skipped", got, false)
	if got.line["secret_records_skipped"] != 1.0 || !strings.Contains(s.log.String(), "bad") {
		t.Errorf("the line says %v, the log\n%s", got.line, s.log)
	}
	if got = s.wants(t, api, request(t, "GET /items", key(acme)), ""); got.line["secret_records_skipped"] != nil {
		t.Errorf("without a read the line says %v", got.line)
	}
}

// put makes another text current, by hand.
func (p *place) put(t testing.TB, name, text string) {
	t.Helper()
	c, _ := p.aws(t.Context())
	_, err := secretsmanager.NewFromConfig(c).PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: aws.String(text)})
	if err != nil {
		t.Fatal(err)
	}
}

func TestKeyThatWasMadeAMomentAgoIsFound(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.apiKey(t, apikey.Grant{ID: "first", Principal: "acme", Scopes: reads})
	s := p.connect(t, everything)
	unknown, err := apikey.Generate("unknown")
	if err != nil {
		t.Fatal(err)
	}
	second := p.apiKey(t, apikey.Grant{ID: "second", Principal: "acme", Scopes: reads})
	s.wants(t, api, request(t, "GET /items", key(second)), "")
	third := p.apiKey(t, apikey.Grant{ID: "third", Principal: "acme", Scopes: reads})
	s.wants(t, api, request(t, "GET /items", key(third)), "") // one more read
	before := p.count("GetSecretValue")
	for range 20 {
		s.wants(t, api, request(t, "GET /items", key(unknown.Text)), reason.APIKeyUnknown)
	}
	if n := p.count("GetSecretValue") - before; n > 0 {
		t.Errorf("unknown keys caused %d reads within 30 s", n)
	}
}
