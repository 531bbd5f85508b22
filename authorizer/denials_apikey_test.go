package authorizer_test

import (
	"strings"
	"testing"
	"time"

	"lambda-authorizer/apikey"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/reason"
)

var reads = []string{"items:read"}

// madeBefore is when the keys of these tests were made.
const madeBefore = 2 * time.Hour

func TestAPIKeyIsJudgedByItsRecordOverTheWire(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.Add(-madeBefore)
	good := p.apiKey(t, apikey.Grant{ID: "good", Principal: "acme", Scopes: reads})
	expired := p.apiKey(t, apikey.Grant{ID: "expired", Principal: "acme", Scopes: reads, ExpiresAt: noon})
	lasting := p.apiKey(t, apikey.Grant{ID: "lasting", Principal: "acme", Scopes: reads, ExpiresAt: noon.Add(time.Second)})
	future := p.apiKey(t, apikey.Grant{ID: "future", Principal: "acme", Scopes: reads, NotBefore: noon.Add(time.Second)})
	begun := p.apiKey(t, apikey.Grant{ID: "begun", Principal: "acme", Scopes: reads, NotBefore: noon})
	disabled := p.apiKey(t, apikey.Grant{ID: "disabled", Principal: "acme", Scopes: reads})
	enabled := p.apiKey(t, apikey.Grant{ID: "enabled", Principal: "acme", Scopes: reads})
	stolen := p.apiKey(t, apikey.Grant{ID: "stolen", Principal: "acme", Scopes: reads})
	unscoped := p.apiKey(t, apikey.Grant{ID: "unscoped", Principal: "acme"})
	office := p.apiKey(t, apikey.Grant{ID: "office", Principal: "acme", Scopes: reads, Networks: []string{"office"}})
	// These two no operator with this configuration would have written.
	nowhere := p.apiKey(t, apikey.Grant{ID: "nowhere", Principal: "acme", Scopes: reads, Networks: []string{"moon"}})
	reserved := p.apiKey(t, apikey.Grant{ID: "reserved", Principal: "acme", Scopes: reads, Context: map[string]any{"principal": "root"}})
	replaced := p.apiKey(t, apikey.Grant{ID: "replaced", Principal: "acme", Scopes: reads})
	graced := p.apiKey(t, apikey.Grant{ID: "graced", Principal: "acme", Scopes: reads})
	operator := p.apiKeys(t)
	for _, err := range []error{
		operator.Disable(t.Context(), "api-keys", "disabled"),
		operator.Disable(t.Context(), "api-keys", "enabled"),
		operator.Enable(t.Context(), "api-keys", "enabled"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for id, grace := range map[string]time.Duration{"replaced": madeBefore, "graced": madeBefore + time.Second} {
		if _, err := operator.Rotate(t.Context(), "api-keys", id, grace); err != nil {
			t.Fatal(err)
		}
	}
	p.revoke(t, "api_key#stolen")
	p.Add(madeBefore)

	other, err := apikey.Generate("good") // its id, another secret
	if err != nil {
		t.Fatal(err)
	}
	nobodys, err := apikey.Generate("nobody")
	if err != nil {
		t.Fatal(err)
	}
	mistyped := good[:20] + strings.Map(func(c rune) rune {
		if c == 'x' {
			return 'y'
		}
		return 'x'
	}, good[20:21]) + good[21:]

	p.connect(t, everything).run(t, map[string]trial{
		"a key":                                      {get("GET /items", key(good)), ""},
		"a key that was enabled again":               {get("GET /items", key(enabled)), ""},
		"a key on its first moment":                  {get("GET /items", key(begun)), ""},
		"a key on its last second":                   {get("GET /items", key(lasting)), ""},
		"a replaced secret within its grace":         {get("GET /items", key(graced)), ""},
		"a key in the place it is bound to":          {get("GET /items", key(office), from("203.0.113.9")), ""},
		"nobody's key":                               {get("GET /items", key(nobodys.Text)), reason.APIKeyUnknown},
		"a key with another secret":                  {get("GET /items", key(other.Text)), reason.APIKeyUnknown},
		"a mistyped key":                             {get("GET /items", key(mistyped)), reason.CredentialMalformed},
		"half a key":                                 {get("GET /items", key(good[:30])), reason.CredentialMalformed},
		"two keys":                                   {get("GET /items", key(good), key(graced)), reason.CredentialAmbiguous},
		"one key twice":                              {get("GET /items", key(good), key(good)), reason.CredentialAmbiguous},
		"two keys that a proxy has joined":           {get("GET /items", key(good+", "+graced)), reason.CredentialAmbiguous},
		"somebody else's kind of key":                {get("GET /items", key("d41d8cd98f00b204e9800998ecf8427e")), reason.CredentialMissing},
		"a key as a bearer token":                    {get("GET /items", bearer(good)), reason.CredentialMalformed},
		"a key in another header":                    {get("GET /items", header("Authorization", good)), reason.CredentialMissing},
		"an expired key":                             {get("GET /items", key(expired)), reason.APIKeyExpired},
		"a key that is not valid yet":                {get("GET /items", key(future)), reason.APIKeyNotYetValid},
		"a disabled key":                             {get("GET /items", key(disabled)), reason.APIKeyDisabled},
		"a replaced secret after its grace":          {get("GET /items", key(replaced)), reason.APIKeyExpired},
		"a revoked key":                              {get("GET /items", key(stolen)), reason.Revoked},
		"a key without the scope":                    {get("GET /items", key(unscoped)), reason.ScopeInsufficient},
		"a key where only tokens are taken":          {get("GET /reports", key(good)), reason.CredentialKindNotAccepted},
		"a key alone where a token must be with it":  {get("GET /vault", key(good)), reason.CredentialKindNotAccepted},
		"a key away from the place it is bound to":   {get("GET /items", key(office)), reason.AddressNotAllowed},
		"a key from elsewhere on a route of places":  {get("GET /office", key(good)), reason.AddressNotAllowed},
		"a key whose record names an unknown place":  {get("GET /items", key(nowhere), from("203.0.113.9")), reason.APIKeyUnknown},
		"a key whose record claims a reserved name":  {get("GET /items", key(reserved)), reason.APIKeyUnknown},
		"a revoked key that the route does not take": {get("GET /reports", key(stolen)), reason.Revoked},
	})
}

// A TOKEN authorizer hands over one value. It may be a key, whatever header the
// configuration names for keys; bound to a place, it is of no use there.
func TestAPIKeyAsTheValueOfATokenEvent(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	good := p.apiKey(t, apikey.Grant{ID: "good", Principal: "acme", Scopes: reads})
	office := p.apiKey(t, apikey.Grant{ID: "office", Principal: "acme", Scopes: reads, Networks: []string{"office"}})
	s := p.connect(t, strings.Replace(everything, "deny_networks: [198.51.100.7/32]\n", "", 1))
	authorization := func(value string) part { return header("Authorization", value) }
	for name, c := range map[string]trial{
		"a key":                            {get("GET /items", authorization(good)), ""},
		"a key with blanks around it":      {get("GET /items", authorization(" "+good+" ")), ""},
		"a key bound to a place, in it":    {get("GET /items", authorization(office), from("203.0.113.9")), reason.AddressNotAllowed},
		"a key with the scheme of a token": {get("GET /items", authorization("Bearer "+good)), reason.CredentialMalformed},
		"two keys in one value":            {get("GET /items", authorization(good+","+good)), reason.CredentialAmbiguous},
		"half a key":                       {get("GET /items", authorization(good[:20])), reason.CredentialMalformed},
		"a key in the header of keys":      {get("GET /items", authorization("Basic eA=="), key(good)), reason.CredentialMissing},
	} {
		t.Run(name, func(t *testing.T) { s.wants(t, gateway.RESTToken, c.request(t), c.reason) })
	}
}
