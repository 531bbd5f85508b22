package httpsig

import (
	"encoding/json"
	"net/http"
	"os"
	"testing"
)

// The requests are signed by the npm package http-message-signatures
// (testdata/sign.mjs), all in canonical form; the last one covers unsorted
// parameters by name.
func TestRequestsOfAnIndependentClientVerify(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/http-message-signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	var requests []struct {
		Method, URL string
		Headers     map[string]string
	}
	if err := json.Unmarshal(text, &requests); err != nil {
		t.Fatal(err)
	}
	if len(requests) != 7 {
		t.Fatalf("%d requests, want 7", len(requests))
	}
	v := verifier(t, Config{}, partner(t, ""), testNow)
	for _, signed := range requests {
		r, err := http.NewRequest(signed.Method, signed.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range signed.Headers {
			r.Header.Set(name, value)
		}
		for form, leave := range forms {
			got, err := v.Verify(t.Context(), leave(t, r))
			if err != nil {
				t.Errorf("%s %s as %s: %v", signed.Method, signed.URL, form, err)
				continue
			}
			if got.Key.ID != "partner" || got.Tag != "test" || (got.Digest != "") != (signed.Method != "GET") {
				t.Errorf("%s %s as %s: %+v", signed.Method, signed.URL, form, got)
			}
		}
	}
}
