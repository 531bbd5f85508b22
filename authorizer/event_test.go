package authorizer

import (
	"errors"
	"strings"
	"testing"

	"lambda-authorizer/config"
	"lambda-authorizer/reason"
)

func TestWhatIsNoAuthorizerEventIsAFaultThatSaysWhatCame(t *testing.T) {
	t.Parallel()
	const arn = `"arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/GET/items"`
	for name, tc := range map[string]struct{ payload, says string }{
		"nothing":            {``, "not JSON at byte 0"},
		"an array":           {`[]`, "holds a JSON ["},
		"an empty object":    {`{}`, `version "", type "", no ARN`},
		"half an object":     {`{"type":"TOKEN",`, "not JSON at byte"},
		"a proxy event":      {`{"version":"2.0","routeKey":"GET /items"}`, `version "2.0", type "", no ARN`},
		"a later version":    {`{"version":"3.0","type":"REQUEST","methodArn":` + arn + `}`, `version "3.0"`},
		"another type":       {`{"type":"CUSTOM","methodArn":` + arn + `}`, `type "CUSTOM"`},
		"a queue's event":    {`{"Records":[{"eventSource":"aws:sqs"}]}`, "no ARN"},
		"another ARN":        {`{"type":"TOKEN","methodArn":"arn:aws:lambda:eu-west-1:123456789012:function:f"}`, ""},
		"a wrong type":       {`{"type":"REQUEST","methodArn":` + arn + `,"headers":"x"}`, "/headers holds a JSON string"},
		"a member twice":     {`{"type":"TOKEN","type":"REQUEST","methodArn":` + arn + `}`, "a JSON member occurs twice"},
		"a header twice":     {`{"type":"REQUEST","methodArn":` + arn + `,"headers":{"A":"1","A":"2"}}`, "a JSON member occurs twice"},
		"two events":         {`{"type":"TOKEN","methodArn":` + arn + `}{}`, "not JSON at byte"},
		"invalid UTF-8":      {"{\"type\":\"TOKEN\xff\"}", "not JSON at byte"},
		"2.0 without a verb": {`{"version":"2.0","type":"REQUEST","routeArn":"arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/$connect"}`, "no authorizer event"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseEvent([]byte(tc.payload))
			if !errors.Is(err, reason.EventUnsupported) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("ParseEvent() says %v; want event_unsupported with %q", err, tc.says)
			}
		})
	}
}

// A decoding error must not carry the value it stopped at: a credential may
// stand there.
func TestAnEventThatCannotBeReadIsNotQuoted(t *testing.T) {
	t.Parallel()
	const secret = "c2VjcmV0"
	for _, payload := range []string{
		`{"headers":"Bearer ` + secret + `"}`,
		`{"authorizationToken":{"a":"` + secret + `"}}`,
		`{"headers":{"Authorization":["` + secret + `"]}}`,
		`{"headers":{"` + secret + `":1}}`,
		`{"multiValueHeaders":{"x":{"` + secret + `":1}}}`,
		`{"queryStringParameters":{"access_token=` + secret + `":1}}`,
		`{"multiValueQueryStringParameters":{"` + secret + `":1}}`,
		`{"authorizationToken":"` + secret,
		`{"` + secret + `":1,"` + secret + `":2}`,
	} {
		if _, err := ParseEvent([]byte(payload)); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("ParseEvent(%s) says %v", payload, err)
		}
	}
}

func FuzzParseEvent(f *testing.F) {
	for _, seed := range []string{
		`{"type":"TOKEN","authorizationToken":"Bearer a.b.c","methodArn":"arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/GET/items/a:b"}`,
		`{"version":"2.0","type":"REQUEST","routeArn":"arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/$default/GET/items","identitySource":["a"],"rawQueryString":"a=b&a=%zz","cookies":["s=a.b.c"],"requestContext":{"http":{"sourceIp":"::ffff:1.2.3.4"}}}`,
		`{"version":"1.0","type":"REQUEST","methodArn":"arn:aws-cn:execute-api:cn-north-1:123456789012:abcdef1234/prod/GET/","resource":"$default"}`,
		`{"type":"REQUEST","methodArn":"arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/$connect","headers":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		req, err := ParseEvent(payload)
		if err != nil {
			if reason.Of(err) != reason.EventUnsupported {
				t.Fatalf("error without its code: %v", err)
			}
			return
		}
		if req.ARN.API == "" || req.ARN.Stage == "" {
			t.Fatalf("an event without a stage was taken: %+v", req.ARN)
		}
		if c, err := credential(req, &config.Config{Bearer: anywhere}); err == nil && !c.bearer.given {
			t.Fatal("a credential out of nothing")
		}
	})
}
