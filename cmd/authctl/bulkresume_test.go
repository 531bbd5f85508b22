package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// refusing is the address of the stand's DynamoDB, which refuses to write a
// subject of that name while on.
func (s *stand) refusing(t *testing.T, name string, on *atomic.Bool) string {
	t.Helper()
	at, err := url.Parse(s.server.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(at)
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if on.Load() && bytes.Contains(body, []byte(`/#`+name+`"`)) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException","message":"no more"}`)
			return
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p.URL
}

// A table of the same name is in every Region and account: what is done in one
// is not done in another.
func TestBulkGoesOnOnlyWhereItBegan(t *testing.T) {
	t.Parallel()
	s := newStand(startDynamo(t))
	var on atomic.Bool
	here := s.refusing(t, "c", &on)
	s.dynamo = here
	o := newOperator(t, s, bulkConfig)
	o.write("other.yaml", strings.Replace(bulkConfig, "https://idp.example.com/", "https://idp2.example.com/", 1))
	o.write("leaked.csv", "value\na\nb\nc\nd\n")
	revoke := []string{"revoke", "subject", "--issuer", "main", "--file", "leaked.csv"}

	on.Store(true)
	_, stderr := o.runs(3, "", revoke...)
	says(t, stderr, "stopped after line 3: .*AccessDeniedException")
	on.Store(false)

	refused := func(what string, more ...string) {
		_, stderr := o.runs(2, "", append(revoke, more...)...)
		if !strings.Contains(stderr, "was left by another run, authctl revoke") {
			t.Errorf("%s: %s", what, stderr)
		}
	}
	refused("another Region", "--region", "us-east-1")
	refused("another issuer of that name", "--config", "other.yaml")
	s.dynamo = s.server.Endpoint()
	refused("another endpoint")
	s.dynamo = here
	s.in("999999999999")
	refused("another account")
	s.in("")
	if have := o.inTable(); !have["a"] || !have["b"] || have["c"] {
		t.Errorf("in the table: %v", have)
	}

	// An account that nobody asks for is no other account.
	_, stderr = o.runs(0, "", append(revoke, "--by", "alice")...)
	says(t, stderr, "^going on after line 3, ")
	if have := o.inTable(); len(have) != 4 {
		t.Errorf("in the table: %v", have)
	}
}

// What is pasted into the wrong field of a line fails the line. Neither a
// person nor the state file sees it.
func TestBulkKeepsNoSecretOfALineThatFails(t *testing.T) {
	t.Parallel()
	s := newStand(startDynamo(t))
	var on atomic.Bool
	on.Store(true)
	s.dynamo = s.refusing(t, "bob", &on)
	o := newOperator(t, s, bulkConfig)
	token, key := tokenOf([]string{"jti=stolen"}), "ak_7f3a9c_"+strings.Repeat("s3cret", 8)+"1"
	var input strings.Builder
	input.WriteString("kind,value,issuer,not_before\n")
	for _, secret := range []string{token, key} {
		fmt.Fprintf(&input, "subject,alice,%s,\n%s,alice,main,\nsubject,alice,main,%s\napi-key,7f,%s,\n", secret, secret, secret, secret)
	}
	input.WriteString("subject,bob,main,\n")
	o.write("leaked.csv", input.String())
	stdout, stderr := o.runs(3, "", "revoke", "--file", "leaked.csv")
	state, err := os.ReadFile(filepath.Join(o.dir, "leaked.csv.authctl-state"))
	if err != nil || !strings.Contains(string(state), "is not configured") {
		t.Fatalf("%v: the state file is %s", err, state)
	}
	for _, secret := range []string{token, key} {
		if end := secret[len(secret)-16:]; strings.Contains(stdout+stderr+string(state), end) {
			t.Errorf("a secret is in\n%s%s%s", stdout, stderr, state)
		}
	}
}

// Every write of a bulk is tried for two minutes: where there is no table to be
// reached none is begun.
func TestBulkWithoutATableSaysSoBeforeTheFirstWrite(t *testing.T) {
	t.Parallel()
	s := newStand(startDynamo(t))
	o := newOperator(t, s, bulkConfig)
	o.write("leaked.csv", "value\na\nb\n")
	var writes atomic.Int64
	broken := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutItem") && writes.Add(1) > 20 {
			t.Error("it goes on writing")
		}
		panic(http.ErrAbortHandler) // closes the connection
	}))
	t.Cleanup(broken.Close)
	s.dynamo = broken.URL
	_, stderr := o.runs(3, "", "revoke", "subject", "--issuer", "main", "--file", "leaked.csv")
	says(t, stderr, "^authctl: read table .*: check the table's name, the region and the credentials, then run the same command again")
	if n := writes.Load(); n != 0 {
		t.Errorf("%d writes", n)
	}
}
