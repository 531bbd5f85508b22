package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// restoring is the address of the stand's DynamoDB for a role that may do
// nothing but delete.
func (s *stand) restoring(t *testing.T) string {
	t.Helper()
	at, err := url.Parse(s.server.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(at)
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DeleteItem") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException","message":"no"}`)
			return
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p.URL
}

func TestRestoreByARoleThatMayNotReadSaysThatItIsRestored(t *testing.T) {
	t.Parallel()
	s := newStand(startDynamo(t))
	o := newOperator(t, s, bulkConfig)
	o.runs(0, "", "revoke", "subject", "alice", "--issuer", "main", "--by", "alice")
	s.dynamo = s.restoring(t)
	stdout, stderr := o.runs(3, "", "restore", "subject", "alice", "--issuer", "main")
	says(t, stdout, "^restored +subject alice", "^in force +by 20", "^note: what else refuses it could not be read: .*AccessDeniedException")
	says(t, stderr, "^authctl: it is restored, but what else refuses it is not known: ")
	if strings.Contains(stderr, "run the same command again") {
		t.Error(stderr)
	}
	if have := o.inTable(); len(have) != 0 {
		t.Errorf("in the table: %v", have)
	}
	_, stderr = o.runs(3, "", "restore", "subject", "alice", "--issuer", "main")
	says(t, stderr, "there is no entry for it, but what else refuses it is not known")
}

// exp in milliseconds is of the year 58000, which JSON cannot tell.
func TestTokenThatNeverEndsIsRevokedAndTold(t *testing.T) {
	t.Parallel()
	s := newStand(startDynamo(t))
	o := newOperator(t, s, bulkConfig)
	raw := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	token := raw(`{"alg":"RS256","kid":"k"}`) + "." + raw(`{"iss":"https://idp.example.com/","aud":"x","sub":"alice","jti":"j-ms","iat":1767225600,"exp":1767225600000}`) + "." + raw("signature")
	for _, dry := range [][]string{{"--dry-run"}, nil} {
		stdout, _ := o.runs(0, token, append([]string{"revoke", "token", "--token", "-", "--by", "alice", "--output", "json"}, dry...)...)
		says(t, stdout, `"expires_at": "9999-12-01`)
	}
	stdout, _ := o.runs(1, token, "check", "token", "--token", "-", "--output", "json")
	says(t, stdout, "9999-12-01")
	stdout, _ = o.runs(0, "", "list", "--output", "json")
	says(t, stdout, "9999-12-01")
}
