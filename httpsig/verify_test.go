package httpsig

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"lambda-authorizer/reason"
)

func TestUntamperedCraftedRequestVerifies(t *testing.T) {
	t.Parallel()
	m := defaults().sign(t)
	got, err := verifier(t, Config{}, partner(t, ""), testNow).Verify(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if got.Key.Principal != "acme" || !got.Created.Equal(testNow) || got.Digest != "" || got.Label != "sig" {
		t.Errorf("got %+v", got)
	}
}

func TestConfiguredComponentMustBeCovered(t *testing.T) {
	t.Parallel()
	conf := Config{Components: append([]string{"content-type"}, leastComponents...)}
	c := defaults()
	c.header.Set("Content-Type", "application/json")
	_, err := verifier(t, conf, partner(t, ""), testNow).Verify(t.Context(), c.sign(t))
	wantCode(t, err, reason.SignatureIncomplete)
	c.components += ` "content-type"`
	if _, err := verifier(t, conf, partner(t, ""), testNow).Verify(t.Context(), c.sign(t)); err != nil {
		t.Fatal(err)
	}
}

func TestLeastComponentsAreRequiredWhateverIsConfigured(t *testing.T) {
	t.Parallel()
	c := defaults()
	c.components = `"@method"`
	_, err := verifier(t, Config{Components: []string{"@method"}}, partner(t, ""), testNow).Verify(t.Context(), c.sign(t))
	wantCode(t, err, reason.SignatureIncomplete)
}

func TestSkewEdges(t *testing.T) {
	t.Parallel()
	const maxAge = 5 * time.Minute
	for _, c := range []struct {
		name string
		now  time.Time
		more string
		ok   bool
	}{
		{"as old as it may be", testNow.Add(maxAge), "", true},
		{"a nanosecond older", testNow.Add(maxAge + 1), "", false},
		{"as far ahead as it may be", testNow.Add(-30 * time.Second), "", true},
		{"a nanosecond further ahead", testNow.Add(-30*time.Second - 1), "", false},
		{"just before expires", testNow.Add(10*time.Second - 1), fmt.Sprintf(";expires=%d", testNow.Unix()+10), true},
		{"at expires", testNow.Add(10 * time.Second), fmt.Sprintf(";expires=%d", testNow.Unix()+10), false},
		{"expires before created", testNow, fmt.Sprintf(";expires=%d", testNow.Unix()-1), false},
		{"expires does not stretch max_age", testNow.Add(maxAge + 1), fmt.Sprintf(";expires=%d", testNow.Unix()+9999), false},
		{"created before the epoch", testNow, ";expires=-1", false},
		{"expires as late as a number can say", testNow, ";expires=999999999999999", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			plan := defaults()
			plan.params += c.more
			_, err := verifier(t, Config{MaxAge: maxAge}, partner(t, ""), c.now).Verify(t.Context(), plan.sign(t))
			if c.ok && err != nil {
				t.Fatal(err)
			}
			if !c.ok {
				wantCode(t, err, reason.SignatureExpired)
			}
		})
	}
}

func TestCreatedFarFromNowIsRefused(t *testing.T) {
	t.Parallel()
	for _, created := range []string{"-999999999999999", "0", "999999999999999"} {
		c := defaults()
		c.params = ";created=" + created + `;keyid="partner";nonce="n1"`
		_, err := verifier(t, Config{}, partner(t, ""), testNow).Verify(t.Context(), c.sign(t))
		wantCode(t, err, reason.SignatureExpired)
	}
}

func TestKeyState(t *testing.T) {
	t.Parallel()
	stamp := func(d time.Duration) string { return testNow.Add(d).Format(time.RFC3339Nano) }
	for _, c := range []struct {
		name, record, secret string
		want                 reason.Code
	}{
		{"disabled", `, "disabled": true`, testSecret, reason.SigningKeyDisabled},
		{"disabled, and the caller has not the secret", `, "disabled": true`, otherSecret, reason.SignatureInvalid},
		{"expires now", `, "expires_at": "` + stamp(0) + `"`, testSecret, reason.SigningKeyExpired},
		{"expires in a nanosecond", `, "expires_at": "` + stamp(1) + `"`, testSecret, ""},
		{"previous secret until now", `, "previous": {"secret": "` + otherSecret + `", "until": "` + stamp(0) + `"}`, otherSecret, reason.SignatureInvalid},
		{"previous secret for a nanosecond more", `, "previous": {"secret": "` + otherSecret + `", "until": "` + stamp(1) + `"}`, otherSecret, ""},
		{"current secret beside a previous one", `, "previous": {"secret": "` + otherSecret + `", "until": "` + stamp(time.Hour) + `"}`, testSecret, ""},
		{"previous secret of a disabled key", `, "disabled": true, "previous": {"secret": "` + otherSecret + `", "until": "` + stamp(time.Hour) + `"}`, otherSecret, reason.SigningKeyDisabled},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			plan := defaults()
			plan.secret = c.secret
			_, err := verifier(t, Config{}, partner(t, c.record), testNow).Verify(t.Context(), plan.sign(t))
			if c.want == "" && err != nil {
				t.Fatal(err)
			}
			if c.want != "" {
				wantCode(t, err, c.want)
			}
		})
	}
}

func TestAuthorities(t *testing.T) {
	t.Parallel()
	both := []string{"api.example.com", "api.example.org"}
	for _, c := range []struct {
		name         string
		accepted     []string
		signed, host string
		ok           bool
	}{
		{"any, the request's own", nil, "api.example.com", "api.example.com", true},
		{"any, but not another than the request's own", nil, "api.example.org", "api.example.com", false},
		{"case and default port do not count", nil, "api.example.com", "API.Example.com:443", true},
		{"another port does", nil, "api.example.com", "api.example.com:8443", false},
		{"listed", both, "api.example.com", "api.example.com", true},
		{"a listed host stands for itself alone", both, "api.example.org", "api.example.com", false},
		{"behind a CDN the client's view counts", both, "api.example.org", "abc.execute-api.eu-central-1.amazonaws.com", true},
		{"an unlisted host is not accepted for itself", both, "abc.example.net", "abc.example.net", false},
		{"listed, the event names none", both, "api.example.com", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			plan := defaults()
			plan.authority = c.signed
			m := plan.sign(t)
			m.Authority = c.host
			_, err := verifier(t, Config{Authorities: c.accepted}, partner(t, ""), testNow).Verify(t.Context(), m)
			if c.ok && err != nil {
				t.Fatal(err)
			}
			if !c.ok {
				wantCode(t, err, reason.SignatureInvalid)
			}
		})
	}
}

func TestSignatureOfAnotherIsPassedOver(t *testing.T) {
	t.Parallel()
	c := defaults()
	m := c.sign(t)
	// A proxy's, as in RFC 9421 appendix B.3.
	c.header.Add("Signature-Input", `proxy_sig=("@path" "signature";key="sig");created=1618884480;keyid="test-key-rsa";alg="rsa-v1_5-sha256"`)
	c.header.Add("Signature", "proxy_sig=:AAAA:")
	if _, err := verifier(t, Config{}, partner(t, ""), testNow).Verify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func TestQueryParametersByNameReplaceTheQueryInAnyOrder(t *testing.T) {
	t.Parallel()
	c := defaults()
	c.query = "b=2&a=1+%2B"
	c.components = `"@query-param";name="a" "@method" "@authority" "@query-param";name="b" "@path"`
	m := c.sign(t)
	v := verifier(t, Config{}, partner(t, ""), testNow)
	if _, err := v.Verify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	m.Params = map[string][]string{"a": {"1 +"}, "b": {"2"}}
	if _, err := v.Verify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	m.Params["c"] = []string{""}
	_, err := v.Verify(t.Context(), m)
	wantCode(t, err, reason.SignatureIncomplete)
}

func TestFaultOfTheKeysIsAFault(t *testing.T) {
	t.Parallel()
	v := verifier(t, Config{}, broken{}, testNow)
	_, err := v.Verify(t.Context(), defaults().sign(t))
	wantCode(t, err, reason.SecretsUnavailable)
}

type broken struct{}

func (broken) Key(context.Context, string) (*Key, error) {
	return nil, fmt.Errorf("%w: no answer", reason.SecretsUnavailable)
}

func TestVerifierIsNotMadeWithoutWhatItNeeds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config Config
		o      Options
	}{
		"keys":                        {Config{Replay: "allow"}, Options{}},
		"nonces":                      {Config{}, Options{Keys: keyring{}}},
		"nonces, replay misspelled":   {Config{Replay: "Allow"}, Options{Keys: keyring{}}},
		"nonces, and replay is given": {Config{Replay: "deny"}, Options{Keys: keyring{}}},
	} {
		if _, err := New(c.config, c.o); err == nil {
			t.Errorf("made without %s", name)
		}
	}
	if _, err := New(Config{Replay: "allow"}, Options{Keys: keyring{}}); err != nil {
		t.Error(err)
	}
}

func TestOnlyWhatHasASignatureInputIsPresent(t *testing.T) {
	t.Parallel()
	c := defaults()
	m := c.sign(t)
	if !Present(m) {
		t.Error("a signed request has no signature")
	}
	c.header.Del("Signature-Input")
	if Present(m) {
		t.Error("Signature alone is one")
	}
	_, err := verifier(t, Config{}, partner(t, ""), testNow).Verify(t.Context(), m)
	wantCode(t, err, reason.CredentialMalformed)
}

// Of many callers with one signature, one gets through.
func TestVerifierIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	v := verifier(t, Config{}, partner(t, ""), testNow)
	m := defaults().sign(t)
	const callers = 32
	results := make([]error, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			s, err := v.Verify(context.Background(), m)
			if err == nil {
				err = v.Spend(context.Background(), s, fmt.Sprint(i))
			}
			results[i] = err
		})
	}
	wg.Wait()
	through := 0
	for _, err := range results {
		if err == nil {
			through++
			continue
		}
		wantCode(t, err, reason.SignatureReplayed)
	}
	if through != 1 {
		t.Errorf("%d got through", through)
	}
}
