package authorizer_test

import (
	"strings"
	"testing"
	"time"

	"lambda-authorizer/apikey"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/network"
	"lambda-authorizer/reason"
)

func forwardedFor(chain string) part { return header("X-Forwarded-For", chain) }

// The gateway adds the connection's address to X-Forwarded-For, as API Gateway
// does. 130.176.0.0/16 is trusted.
func TestAddressIsJudgedOverTheWire(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := p.connect(t, everything)
	alice := bearer(mint(t, nil))
	const office, proxy, denied = "203.0.113.9", "130.176.1.2", "198.51.100.7"
	s.run(t, map[string]trial{
		"from the office":                               {get("GET /office", alice, from(office)), ""},
		"from the office's IPv6":                        {get("GET /office", alice, from("2001:db8:1::7")), ""},
		"from the office, IPv4 in IPv6 clothes":         {get("GET /office", alice, from("::ffff:203.0.113.9")), ""},
		"from elsewhere":                                {get("GET /office", alice), reason.AddressNotAllowed},
		"from elsewhere in IPv6":                        {get("GET /office", alice, from("2001:db9::1")), reason.AddressNotAllowed},
		"from elsewhere, where no place is asked for":   {get("GET /items", alice), ""},
		"from elsewhere, claiming the office":           {get("GET /office", alice, forwardedFor(office)), reason.AddressNotAllowed},
		"from the office, claiming a denied address":    {get("GET /office", alice, from(office), forwardedFor(denied)), ""},
		"through a proxy from the office":               {get("GET /office", alice, from(proxy), forwardedFor(office)), ""},
		"through two proxies from the office":           {get("GET /office", alice, from(proxy), forwardedFor(office+", 130.176.9.9")), ""},
		"through a proxy, claiming the office":          {get("GET /office", alice, from(proxy), forwardedFor(office+", 192.0.2.1")), reason.AddressNotAllowed},
		"through a proxy from nobody":                   {get("GET /office", alice, from(proxy)), reason.AddressNotAllowed},
		"through a proxy, no address at the right":      {get("GET /office", alice, from(proxy), forwardedFor(office+", unknown")), reason.AddressNotAllowed},
		"from a denied address":                         {get("GET /items", alice, from(denied)), reason.AddressDenied},
		"from a denied address in IPv6 clothes":         {get("GET /items", alice, from("::ffff:"+denied)), reason.AddressDenied},
		"through a proxy from a denied address":         {get("GET /items", alice, from(proxy), forwardedFor(denied)), reason.AddressDenied},
		"through a proxy from nobody, while some deny":  {get("GET /items", alice, from(proxy)), reason.AddressNotAllowed},
		"from a denied address, to a route not there":   {get("PUT /items", alice, from(denied)), reason.AddressDenied},
		"from a denied address, without a credential":   {get("GET /items", from(denied)), reason.CredentialMissing},
		"from the office, without the scope for it all": {get("GET /vault", alice, from(office)), reason.CredentialKindNotAccepted},
	})
}

func TestListInTheTableDecidesWithinItsBound(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	client := server.Client()
	lists, err := network.NewStore(client, p.revocations, network.StoreOptions{Now: p.Now})
	if err != nil {
		t.Fatal(err)
	}
	s := p.connect(t, everything)
	alice := bearer(mint(t, nil))
	bound := key(p.apiKey(t, apikey.Grant{ID: "bound", Principal: "acme", Scopes: reads, Networks: []string{"partners"}}))
	partner := from("192.0.2.77")
	try := func(code reason.Code) {
		t.Helper()
		for _, kind := range everyAPI {
			s.wants(t, kind, request(t, "GET /partners", alice, partner), code)
			s.wants(t, kind, request(t, "GET /items", bound, partner), code)
			s.wants(t, kind, request(t, "GET /items", alice, partner), "")
		}
		p.Add(time.Second) // revocation.cache_ttl
	}
	try(reason.AddressNotAllowed)
	if _, err := lists.Add(t.Context(), "partners", "192.0.2.77/32"); err != nil {
		t.Fatal(err)
	}
	try("")
	if _, err := lists.Remove(t.Context(), "partners", "192.0.2.77/32"); err != nil {
		t.Fatal(err)
	}
	try(reason.AddressNotAllowed)
}

func TestListIsReadOnlyWhereItMayDecide(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := p.connect(t, everything)
	alice := bearer(mint(t, nil))
	s.wants(t, gateway.RESTRequest, request(t, "GET /items", alice), "")
	s.wants(t, gateway.RESTRequest, request(t, "GET /office", alice), reason.AddressNotAllowed)
	if n := p.count("GetItem"); n != 0 {
		t.Errorf("%d reads of lists for routes that ask for none", n)
	}
	for range 3 {
		s.wants(t, gateway.RESTRequest, request(t, "GET /partners", alice), reason.AddressNotAllowed)
	}
	if n := p.count("GetItem"); n != 1 {
		t.Errorf("%d reads of one list within its bound", n)
	}
}

// A list that was read serves for 15 minutes; one that never was is a fault,
// for those alone who need it.
func TestTableOutOfReachIsAFaultWhereAListIsNeeded(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	lists, err := network.NewStore(server.Client(), p.revocations, network.StoreOptions{Now: p.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lists.Add(t.Context(), "partners", "192.0.2.77/32"); err != nil {
		t.Fatal(err)
	}
	const open = `
gateway: {cache_ttl: 0s, identity_sources: []}
tables: {revocations: "${REVOCATIONS}"}
issuers: [{name: main, issuer: "https://idp.example.com/", audiences: ["https://api.example.com"], jwks_file: jwks.json}]
networks: {partners: dynamodb}
revocation: {cache_ttl: 1s, timeout: 300ms, on_error: allow}
routes:
  - route: GET /partners
    require: [{jwt: {}, networks: [partners]}]
  - route: GET /items
    require: [{jwt: {}, networks: [partners]}, {jwt: {}}]
`
	warm, cold := p.connect(t, open), p.connect(t, open)
	alice := bearer(mint(t, claims{"exp": noon.Add(2 * time.Hour).Unix()}))
	partner := from("192.0.2.77")
	warm.wants(t, gateway.RESTRequest, request(t, "GET /partners", alice, partner), "")
	p.tablesDown.Store(true)
	p.Add(2 * time.Second)
	warm.wants(t, gateway.RESTRequest, request(t, "GET /partners", alice, partner), "")
	got := warm.wants(t, gateway.RESTRequest, request(t, "GET /partners", alice), reason.AddressNotAllowed)
	if got.line["networks_stale"] != 1.0 || got.line["DependencyFault"] != 1.0 {
		t.Errorf("an old list decided, and the line says %v", got.line)
	}
	cold.wants(t, gateway.RESTRequest, request(t, "GET /partners", alice, partner), reason.NetworksUnavailable)
	cold.wants(t, gateway.RESTRequest, request(t, "GET /items", alice, partner), "") // another entry lets it in
	p.Add(15 * time.Minute)
	warm.wants(t, gateway.RESTRequest, request(t, "GET /partners", alice, partner), reason.NetworksUnavailable)
}

// From right to left is an order of lines, too: where an event does not tell it,
// there is no address, and where answers are kept under one of them neither.
func TestSeveralLinesOfForwardedForAreReadOnlyInAKnownOrder(t *testing.T) {
	t.Parallel()
	const routes = `
tables: {revocations: none}
issuers: [{name: main, issuer: "https://idp.example.com/", audiences: ["https://api.example.com"], jwks_file: jwks.json}]
networks: {office: [203.0.113.0/24]}
trusted_proxies: [130.176.0.0/16]
routes: [{route: GET /office, require: [{jwt: {}, networks: [office]}]}]
`
	p := newPlace(t)
	uncached := p.connect(t, "gateway: {cache_ttl: 0s, identity_sources: []}"+routes)
	cached := p.connect(t, "gateway: {identity_sources: [method.request.header.Authorization, context.identity.sourceIp, method.request.header.X-Forwarded-For]}"+routes)
	event := string(uncached.event(t, api, request(t, "GET /office", bearer(mint(t, nil)), from("130.176.1.2"), forwardedFor("LINES"))))
	with := func(multi string) []byte {
		return []byte(strings.Replace(strings.Replace(event, `"X-Forwarded-For":["LINES, 130.176.1.2"]`, multi, 1),
			`"X-Forwarded-For":"LINES, 130.176.1.2"`, `"X-Forwarded-For":"130.176.1.2"`, 1))
	}
	for name, c := range map[string]struct {
		lines            string
		uncached, cached bool
	}{
		"one line from the office":         {`"X-Forwarded-For":["203.0.113.9, 130.176.1.2"]`, true, false}, // the two tellings differ
		"two lines from the office":        {`"X-Forwarded-For":["203.0.113.9","130.176.1.2"]`, true, false},
		"two lines, the left one claims":   {`"X-Forwarded-For":["203.0.113.9","192.0.2.1","130.176.1.2"]`, false, false},
		"two spellings, in no known order": {`"X-Forwarded-For":["203.0.113.9","130.176.1.2"],"x-forwarded-for":["192.0.2.1"]`, false, false},
	} {
		payload := with(c.lines)
		if strings.Contains(string(payload), "LINES") {
			t.Fatalf("the event has another form: %s", payload)
		}
		for n := range 20 { // as often as the order of maps may matter
			s, want := uncached, c.uncached
			if n%2 == 1 {
				s, want = cached, c.cached
			}
			if answer := s.ask(payload); strings.Contains(answer, `"Allow"`) != want || strings.HasPrefix(answer, "error") {
				t.Errorf("%s, cached for %v: %s", name, s.config.Gateway.CacheTTL, answer)
			}
		}
	}
}

// A cached answer that leaves a route out because a list could not be read
// would lock its callers out.
func TestListOutOfReachIsAFaultOfEveryCachedAnswer(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := p.connect(t, `
gateway: {identity_sources: [$request.header.Authorization, $context.identity.sourceIp]}
tables: {revocations: "${REVOCATIONS}"}
issuers: [{name: main, issuer: "https://idp.example.com/", audiences: ["https://api.example.com"], jwks_file: jwks.json}]
networks: {partners: dynamodb}
revocation: {timeout: 300ms, on_error: allow}
routes: [{route: GET /partners, require: [{jwt: {}, networks: [partners]}]}, {route: GET /items, require: [{jwt: {}}]}]
`)
	alice := bearer(mint(t, nil))
	p.tablesDown.Store(true)
	s.wants(t, gateway.HTTP2IAM, request(t, "GET /items", alice), reason.NetworksUnavailable)
	p.tablesDown.Store(false)
	p.Add(10 * time.Second)
	s.wants(t, gateway.HTTP2IAM, request(t, "GET /items", alice), "")
}

// A denied address is refused whatever the route, and so its cached no decides
// no other one wrongly.
func TestDeniedAddressGetsACachedSimpleNo(t *testing.T) {
	t.Parallel()
	s := newPlace(t).connect(t, `
gateway: {identity_sources: [$request.header.Authorization, $context.routeKey, $context.identity.sourceIp]}
tables: {revocations: none}
issuers: [{name: main, issuer: "https://idp.example.com/", audiences: ["https://api.example.com"], jwks_file: jwks.json}]
deny_networks: [198.51.100.0/24]
response: {http_api: simple}
routes: [{route: GET /items, require: [{jwt: {}}]}]
`)
	alice := bearer(mint(t, nil))
	s.wants(t, gateway.HTTP2Simple, request(t, "GET /items", alice, from("198.51.100.7")), reason.AddressDenied)
	s.wants(t, gateway.HTTP2Simple, request(t, "GET /items", alice), "")
}
