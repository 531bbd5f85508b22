package revocation_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

// pointless are replies that some server gives and DynamoDB never does.
var pointless = map[string]string{
	"an empty body":   "",
	"an empty object": "{}",
	"a message":       `{"message":"hello"}`,
	"another table":   `{"Responses":{"other":[]}}`,
}

// answering is the address of a server that answers 200 and this.
func answering(t *testing.T, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestReplyThatSaysNothingRevokesNothingAndPassesNobody(t *testing.T) {
	t.Parallel()
	for name, body := range pointless {
		for _, cfg := range []revocation.Config{config(), allowing()} {
			db := client(answering(t, body), http.DefaultTransport)
			c := checkerOf(t, db, "revocations", cfg, at(today))
			for range 2 { // nothing of it is cached
				res, err := c.Check(t.Context(), token("t1"))
				want(t, name+", on_error: "+cfg.OnError, err, reason.RevocationUnavailable)
				if res.Cached != 0 {
					t.Errorf("%s: %d entries from the cache", name, res.Cached)
				}
			}
		}
	}
}

func TestOperatorIsNotToldThatASilentReplyMeansAnything(t *testing.T) {
	t.Parallel()
	entry := revocation.Entry{Kind: revocation.KindSubject, Issuer: issuer, Value: "alice"}
	for name, body := range pointless {
		s := storeOf(t, client(answering(t, body), http.DefaultTransport), "revocations", at(today))
		if _, found, err := s.Get(t.Context(), entry.Key()); err == nil {
			t.Errorf("%s: Get: found %t", name, found)
		}
		if all, err := s.Find(t.Context(), token("t1")); err == nil {
			t.Errorf("%s: Find: %v", name, all)
		}
		if _, outcome, err := s.Put(t.Context(), entry); err == nil {
			t.Errorf("%s: Put: %s", name, outcome)
		}
		if _, found, err := s.Delete(t.Context(), entry.Key()); err == nil {
			t.Errorf("%s: Delete: found %t", name, found)
		}
		listed, failed := 0, false
		for _, err := range s.List(t.Context(), revocation.Filter{}) {
			listed, failed = listed+1, failed || err != nil
		}
		if !failed {
			t.Errorf("%s: List: %d entries and no error", name, listed)
		}
	}
}

func TestTableNamedByItsARNIsReadUnderEitherName(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/revocations"
	for _, asked := range []string{"revocations", arn} {
		for _, answered := range []string{"revocations", arn} {
			db := client(answering(t, `{"Responses":{"`+answered+`":[{"pk":{"S":"subject#`+issuer+`#alice"}}]}}`), http.DefaultTransport)
			_, err := checkerOf(t, db, asked, config(), at(today)).Check(t.Context(), token("t1"))
			want(t, asked+" answered as "+answered, err, reason.Revoked)
		}
	}
}
