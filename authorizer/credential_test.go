package authorizer

import (
	"errors"
	"testing"

	"lambda-authorizer/config"
	"lambda-authorizer/reason"
)

const jwsA, jwsB = "aaaa.bbbb.cccc", "dddd.eeee.ffff"

var anywhere = config.Bearer{Header: "Authorization", Query: "access_token", Cookie: "session", Subprotocol: true, Bare: true}
var headerOnly = config.Bearer{Header: "Authorization"}

func headers(pairs ...string) *Request {
	h := map[string][]string{}
	for i := 0; i < len(pairs); i += 2 {
		h[pairs[i]] = append(h[pairs[i]], pairs[i+1])
	}
	return &Request{Kind: RESTRequest, multiHeaders: h}
}

func TestCredentialIsFoundWhereTheConfigurationLetsItStand(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		req   *Request
		where config.Bearer
		want  string
		err   error
	}{
		"scheme as registered":             {headers("Authorization", "Bearer "+jwsA), headerOnly, jwsA, nil},
		"scheme in another case":           {headers("authorization", "bEARER "+jwsA), headerOnly, jwsA, nil},
		"several spaces and outer blanks":  {headers("Authorization", " \tBearer   "+jwsA+" \t"), headerOnly, jwsA, nil},
		"a header of one's own":            {headers("X-Token", "Bearer "+jwsA), config.Bearer{Header: "x-token"}, jwsA, nil},
		"nothing":                          {headers(), anywhere, "", reason.CredentialMissing},
		"another scheme":                   {headers("Authorization", "Basic dXNlcjpwYXNz"), anywhere, "", reason.CredentialMissing},
		"a tab is no separator":            {headers("Authorization", "Bearer\t"+jwsA), headerOnly, "", reason.CredentialMissing},
		"a scheme that only begins alike":  {headers("Authorization", "BearerX "+jwsA), headerOnly, "", reason.CredentialMissing},
		"the scheme alone is malformed":    {headers("Authorization", "Bearer"), headerOnly, "", nil},
		"bare where it is allowed":         {headers("Authorization", jwsA), anywhere, jwsA, nil},
		"another scheme beside bare":       {headers("Authorization", "DPoP "+jwsA), anywhere, "", reason.CredentialMissing},
		"bare where it is not":             {headers("Authorization", jwsA), headerOnly, "", reason.CredentialMissing},
		"two bearer values":                {headers("Authorization", "Bearer "+jwsA, "Authorization", "Bearer "+jwsB), headerOnly, "", reason.CredentialAmbiguous},
		"bearer and basic values":          {headers("Authorization", "Basic x", "Authorization", "Bearer "+jwsB), headerOnly, "", reason.CredentialAmbiguous},
		"two values, spelt differently":    {headers("Authorization", "Bearer "+jwsA, "authorization", "Bearer "+jwsB), headerOnly, "", reason.CredentialAmbiguous},
		"values that a proxy joined":       {headers("Authorization", "Bearer "+jwsA+", Bearer "+jwsB), headerOnly, "", reason.CredentialAmbiguous},
		"query":                            {&Request{Kind: HTTP2, multiQuery: map[string][]string{"access_token": {jwsA}}}, anywhere, jwsA, nil},
		"query where it is not allowed":    {&Request{Kind: HTTP2, multiQuery: map[string][]string{"access_token": {jwsA}}}, headerOnly, "", reason.CredentialMissing},
		"query parameter twice":            {&Request{Kind: HTTP2, multiQuery: map[string][]string{"access_token": {jwsA, jwsA}}}, anywhere, "", reason.CredentialAmbiguous},
		"query value that is no token":     {&Request{Kind: HTTP2, multiQuery: map[string][]string{"access_token": {"hello"}}}, anywhere, "", reason.CredentialMissing},
		"cookie header among others":       {headers("Cookie", "a=b; session="+jwsA+"; c=d"), anywhere, jwsA, nil},
		"cookies of HTTP API 2.0":          {&Request{Kind: HTTP2, cookies: []string{"a=b", "session=" + jwsA}}, anywhere, jwsA, nil},
		"cookie twice":                     {headers("Cookie", "session="+jwsA+"; session="+jwsB), anywhere, "", reason.CredentialAmbiguous},
		"opaque cookie is not ours":        {headers("Cookie", "session=12345"), anywhere, "", reason.CredentialMissing},
		"subprotocol":                      {headers("Sec-WebSocket-Protocol", "chat, bearer, "+jwsA), anywhere, jwsA, nil},
		"subprotocol on two lines":         {headers("Sec-WebSocket-Protocol", "bearer", "Sec-WebSocket-Protocol", jwsA), anywhere, jwsA, nil},
		"subprotocol without a token":      {headers("Sec-WebSocket-Protocol", "bearer"), anywhere, "", reason.CredentialMissing},
		"query told once and twice":        {&Request{Kind: RESTRequest, query: map[string]string{"access_token": jwsA}, multiQuery: map[string][]string{"access_token": {jwsA}}}, anywhere, jwsA, nil},
		"query told differently":           {&Request{Kind: RESTRequest, query: map[string]string{"access_token": jwsA}, multiQuery: map[string][]string{"access_token": {jwsB}}}, anywhere, "", reason.CredentialAmbiguous},
		"header told differently":          {&Request{Kind: RESTRequest, headers: map[string]string{"Authorization": "Bearer " + jwsA}, multiHeaders: map[string][]string{"authorization": {"Bearer " + jwsB}}}, headerOnly, "", reason.CredentialAmbiguous},
		"header and query":                 {&Request{Kind: HTTP2, headers: map[string]string{"authorization": "Bearer " + jwsA}, multiQuery: map[string][]string{"access_token": {jwsA}}}, anywhere, "", reason.CredentialAmbiguous},
		"header and cookie":                {headers("Authorization", "Bearer "+jwsA, "Cookie", "session="+jwsB), anywhere, "", reason.CredentialAmbiguous},
		"basic header and a token cookie":  {headers("Authorization", "Basic x", "Cookie", "session="+jwsB), anywhere, jwsB, nil},
		"TOKEN event":                      {&Request{Kind: RESTToken, Value: "Bearer " + jwsA}, headerOnly, jwsA, nil},
		"TOKEN event, bare":                {&Request{Kind: RESTToken, Value: jwsA}, anywhere, jwsA, nil},
		"TOKEN event, bare but not wanted": {&Request{Kind: RESTToken, Value: jwsA}, headerOnly, "", reason.CredentialMissing},
		"TOKEN event, empty":               {&Request{Kind: RESTToken}, anywhere, "", reason.CredentialMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := credential(tc.req, &config.Config{Bearer: tc.where})
			if !errors.Is(err, tc.err) || got.bearer.text != tc.want {
				t.Errorf("credential() = %q, %v; want %q, %v", got.bearer.text, err, tc.want, tc.err)
			}
		})
	}
}
