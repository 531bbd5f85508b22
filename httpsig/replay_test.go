package httpsig

import (
	"context"
	"errors"
	"testing"
	"time"

	"lambda-authorizer/reason"
)

func TestNonceIsSpentOnce(t *testing.T) {
	t.Parallel()
	nonces := newTable()
	make := func() *Verifier { // two processes share the table alone
		v, err := New(Config{}, Options{Keys: partner(t, ""), Nonces: nonces, Now: at(testNow)})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	m := defaults().sign(t)
	spend := func(requestID string) error {
		v := make()
		s, err := v.Verify(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		return v.Spend(t.Context(), s, requestID)
	}
	if err := spend("first"); err != nil {
		t.Fatal(err)
	}
	if err := spend("first"); err != nil {
		t.Errorf("the same request tried again: %v", err)
	}
	wantCode(t, spend("second"), reason.SignatureReplayed)
	wantCode(t, spend(""), reason.SignatureReplayed)
	if _, ok := nonces.used["partner#n1"]; !ok || len(nonces.used) != 1 {
		t.Errorf("recorded %v", nonces.used)
	}
}

func TestRequestsWithoutAnIDAreNotTakenForOne(t *testing.T) {
	t.Parallel()
	v := verifier(t, Config{}, partner(t, ""), testNow)
	s, err := v.Verify(t.Context(), defaults().sign(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Spend(t.Context(), s, ""); err != nil {
		t.Fatal(err)
	}
	wantCode(t, v.Spend(t.Context(), s, ""), reason.SignatureReplayed)
}

// As long as any function's clock may accept the signature, its nonce is kept.
func TestNonceOutlivesItsSignature(t *testing.T) {
	t.Parallel()
	const maxAge = 10 * time.Minute
	nonces := newTable()
	v, err := New(Config{MaxAge: maxAge}, Options{Keys: partner(t, ""), Nonces: nonces, Now: at(testNow.Add(-maxAhead))})
	if err != nil {
		t.Fatal(err)
	}
	s, err := v.Verify(t.Context(), defaults().sign(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Spend(t.Context(), s, "r"); err != nil {
		t.Fatal(err)
	}
	if got, least := nonces.expires["partner#n1"], testNow.Add(maxAge); !got.After(least) {
		t.Errorf("kept until %v, accepted until %v", got, least)
	}
}

func TestNoncesOfTwoKeysDoNotMeet(t *testing.T) {
	t.Parallel()
	v := verifier(t, Config{}, mustKeys(t, `{"keys": {
		"a": {"secret": "`+testSecret+`", "principal": "a"}, "a.b": {"secret": "`+testSecret+`", "principal": "b"}}}`), testNow)
	for _, c := range []struct{ id, nonce string }{{"a", "x"}, {"a.b", "x"}, {"a", "x#x"}} {
		plan := defaults()
		plan.params = `;created=1794573296;keyid="` + c.id + `";nonce="` + c.nonce + `"`
		s, err := v.Verify(t.Context(), plan.sign(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Spend(t.Context(), s, c.id+c.nonce); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestNoncesThatCannotBeReachedAreAFault(t *testing.T) {
	t.Parallel()
	nonces := newTable()
	v, err := New(Config{}, Options{Keys: partner(t, ""), Nonces: nonces, Now: at(testNow)})
	if err != nil {
		t.Fatal(err)
	}
	s, err := v.Verify(t.Context(), defaults().sign(t))
	if err != nil {
		t.Fatal(err)
	}
	nonces.err = context.DeadlineExceeded
	err = v.Spend(t.Context(), s, "r")
	wantCode(t, err, reason.NoncesUnavailable)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v hides its cause", err)
	}
}

func TestReplayMayBeAllowed(t *testing.T) {
	t.Parallel()
	v, err := New(Config{Replay: "allow"}, Options{Keys: partner(t, ""), Now: at(testNow)})
	if err != nil {
		t.Fatal(err)
	}
	plan := defaults()
	plan.params = `;created=1794573296;keyid="partner"`
	m := plan.sign(t)
	for range 2 {
		s, err := v.Verify(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Spend(t.Context(), s, ""); err != nil {
			t.Fatal(err)
		}
	}
}
