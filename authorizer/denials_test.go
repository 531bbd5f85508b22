package authorizer_test

import (
	"flag"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"

	"lambda-authorizer/local/gateway"
	"lambda-authorizer/reason"
)

// everything is a configuration with every kind of credential.
const everything = `
gateway: {cache_ttl: 0s, identity_sources: []}
tables: {revocations: "${REVOCATIONS}", nonces: "${NONCES}"}
issuers:
  - {name: main, issuer: "https://idp.example.com/", audiences: ["https://api.example.com"], jwks_file: jwks.json}
  - {name: legacy, issuer: legacy, audiences: ["https://api.example.com"], hmac_secret: legacy-jwt}
api_keys: {secrets: [api-keys]}
signatures: {secrets: [signing-keys]}
networks: {office: [203.0.113.0/24, "2001:db8::/32"], partners: dynamodb}
deny_networks: [198.51.100.7/32]
trusted_proxies: [130.176.0.0/16]
revocation: {cache_ttl: 1s, timeout: 4s}
routes:
  - route: GET /items
    require:
      - jwt: {scopes: [items:read]}
      - api_key: {scopes: [items:read]}
      - signature: {scopes: [items:read]}
  - route: POST /items
    require: [{signature: {scopes: [items:write]}}, {jwt: {issuer: main, scopes: [items:write]}}]
  - route: GET /office
    require: [{jwt: {}, networks: [office]}, {api_key: {}, networks: [office]}]
  - route: GET /partners
    require: [{jwt: {}, networks: [partners]}]
  - route: GET /vault
    require: [{jwt: {scopes: [items:read]}, api_key: {scopes: [vault]}}]
  - route: GET /signed
    require: [{signature: {}}]
  - route: GET /main
    require: [{jwt: {issuer: main}}]
  - route: GET /reports
    require: [{jwt: {claims: {department: [finance]}}}]
`

// trial is a request and the reason that the decision line gives for refusing
// it; none where it is let in.
type trial struct {
	request func(testing.TB) *http.Request
	reason  reason.Code
}

// get is a request for a route, made anew for each API.
func get(route string, parts ...part) func(testing.TB) *http.Request {
	return func(t testing.TB) *http.Request { return request(t, route, parts...) }
}

// run tries each request with every kind of API.
func (s *service) run(t *testing.T, trials map[string]trial) {
	t.Helper()
	for name, c := range trials {
		for _, kind := range everyAPI {
			t.Run(fmt.Sprintf("%s, %s", name, kind), func(t *testing.T) {
				s.wants(t, kind, c.request(t), c.reason)
			})
		}
	}
}

// wants sends a request and checks how it ends: the reason on the decision
// line, and the status that the contract has for it.
func (s *service) wants(t testing.TB, kind gateway.Kind, r *http.Request, code reason.Code) outcome {
	t.Helper()
	got := s.send(t, kind, r)
	status := http.StatusOK
	if code != "" {
		status = code.Status()
	}
	if got.reason() != string(code) || got.status != status {
		t.Errorf("%s %s: %d, reason %q, %v; want %d, %q", r.Method, r.URL, got.status, got.reason(), got.line["detail"], status, code)
		return got
	}
	produce(code)
	return got
}

// produced are the codes that some test has had.
var produced sync.Map

func produce(code reason.Code) { produced.Store(code, true) }

// missing are the codes of the contract that no test of this package has
// produced. It tells after a whole run: part of one produces part of them.
// There is no code that another package must produce for this one.
func missing() (codes []string) {
	whole := func(name, value string) bool { return flag.Lookup(name).Value.String() == value }
	if !whole("test.run", "") || !whole("test.skip", "") || !whole("test.list", "") || !whole("test.fuzz", "") || testing.Short() {
		return nil
	}
	for _, code := range reason.All() {
		if _, ok := produced.Load(code); !ok {
			codes = append(codes, string(code))
		}
	}
	slices.Sort(codes)
	return codes
}
