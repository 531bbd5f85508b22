package authorizer_test

import (
	"fmt"
	"net/http"
	"testing"

	"lambda-authorizer/apikey"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/reason"
)

// The API has as many identity sources as gateway.identity_sources says, and
// they are others: HTTP API events tell, and nothing is let into the cache.
func TestAnswerIsNotKeptUnderOtherSourcesThanDeclared(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	alice := bearer(mint(t, nil))
	acme := key(p.apiKey(t, apikey.Grant{ID: "second", Principal: "acme", Scopes: reads}))
	const authorization, keyHeader, sourceIP = "$request.header.Authorization", "$request.header.X-Api-Key", "$context.identity.sourceIp"
	const both = "\napi_keys: {secrets: [api-keys]}\nroutes: [{route: GET /items, require: [{jwt: {}, api_key: {}}]}]"
	const office = "\nnetworks: {office: [203.0.113.0/24]}\nroutes: [{route: GET /items, require: [{jwt: {}, networks: [office]}]}]"
	const proxies = office + "\ntrusted_proxies: [130.176.0.0/16]"
	const forwarded = "$request.header.X-Forwarded-For"
	behind := []part{alice, from("130.176.1.2"), forwardedFor("203.0.113.9")}
	for name, c := range map[string]struct {
		rest        string
		declared    []string
		api         []string
		first, then []part
		want        reason.Code
	}{
		"the declared ones":                          {both, []string{authorization, keyHeader}, []string{authorization, keyHeader}, []part{alice, acme}, []part{alice, acme}, ""},
		"the declared ones in another order":         {both, []string{authorization, keyHeader}, []string{keyHeader, authorization}, []part{alice, acme}, []part{alice, acme}, ""},
		"a header that is not the second key's":      {both, []string{authorization, keyHeader}, []string{authorization, "$request.header.X-Other"}, []part{alice, acme, header("X-Other", "x")}, []part{alice, header("X-Other", "x")}, reason.CacheUnsafe},
		"a header that is not the token's":           {both, []string{authorization, keyHeader}, []string{keyHeader, "$request.header.X-Other"}, []part{alice, acme, header("X-Other", "x")}, []part{acme, header("X-Other", "x")}, reason.CacheUnsafe},
		"the declared address":                       {office, []string{authorization, sourceIP}, []string{authorization, sourceIP}, []part{alice, from("203.0.113.9")}, []part{alice, from("203.0.113.9")}, ""},
		"the declared address, IPv4 in IPv6 clothes": {office, []string{authorization, sourceIP}, []string{authorization, sourceIP}, []part{alice, from("::ffff:203.0.113.9")}, []part{alice, from("::ffff:203.0.113.9")}, ""},
		"the path in place of the address":           {office, []string{authorization, sourceIP}, []string{authorization, "$context.path"}, []part{alice, from("203.0.113.9")}, []part{alice}, reason.CacheUnsafe},
		"the declared proxy's header":                {proxies, []string{authorization, sourceIP, forwarded}, []string{authorization, sourceIP, forwarded}, behind, behind, ""},
		"no header of the proxy's":                   {proxies, []string{authorization, sourceIP, forwarded}, []string{authorization, sourceIP, "$context.path"}, behind, []part{alice, from("130.176.1.2"), forwardedFor("192.0.2.1")}, reason.CacheUnsafe},
	} {
		for _, kind := range []gateway.Kind{gateway.HTTP1, gateway.HTTP2IAM} {
			t.Run(fmt.Sprint(name, ", ", kind), func(t *testing.T) {
				t.Parallel()
				s := p.connect(t, "gateway: {identity_sources: ["+join(c.declared)+"]}"+usual+c.rest)
				stage, err := s.deploy(kind, c.api)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(stage.Close)
				first := s.through(t, stage, request(t, "GET /items", c.first...))
				if got := reason.Code(first.reason()); got != c.want {
					t.Errorf("first: %d %q, want %q", first.status, got, c.want)
				}
				then := s.through(t, stage, request(t, "GET /items", c.then...))
				if c.want != "" && then.status == http.StatusOK {
					t.Error("another request is let in by the answer that was kept")
				}
				if c.want == "" && then.status != http.StatusOK {
					t.Errorf("then: %d %q", then.status, then.reason())
				}
			})
		}
	}
}

func join(sources []string) string {
	text := ""
	for _, s := range sources {
		text += fmt.Sprintf("%q,", s)
	}
	return text
}
