package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lambda-authorizer/network"
)

func TestIdentitySourceIsReadAsItIsWrittenInTheSettings(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]IdentitySource{
		"method.request.header.Authorization": {REST, "header", "Authorization"},
		"method.request.querystring.token":    {REST, "querystring", "token"},
		"context.identity.sourceIp":           {REST, "context", "identity.sourceIp"},
		"stageVariables.env":                  {REST, "stageVariables", "env"},
		"$request.header.X-Api-Key":           {HTTP, "header", "X-Api-Key"},
		"$request.querystring.token":          {HTTP, "querystring", "token"},
		"$context.routeKey":                   {HTTP, "context", "routeKey"},
		"$stageVariables.env":                 {HTTP, "stageVariables", "env"},
		"route.request.header.Authorization":  {WebSocket, "header", "Authorization"},
		"route.request.querystring.token":     {WebSocket, "querystring", "token"},
	} {
		got, err := ParseIdentitySource(in)
		if err != nil || got != want {
			t.Errorf("%s is read as %+v, %v; want %+v", in, got, err, want)
		}
		if got.String() != in {
			t.Errorf("%s is written as %s", in, got)
		}
	}
	for _, in := range []string{
		"", "$", "Authorization", "method.request.header", "method.request.header.", "method.request.header.X Y",
		"Method.request.header.X", "method.request.body.x", "method.request.path.id", "request.header.X", "$request.path.id",
		"$request.body.x", "$method.request.header.X", "$request.header.", "$request.header.X,$request.header.Y",
		"context.", "context.a b", "$context.authorizer.", "stageVariables.", "method.request.header.X:", "method.request.querystring.a=b",
		"method.request.multivalueheader.X",
	} {
		if got, err := ParseIdentitySource(in); err == nil && in != "$context.authorizer." {
			t.Errorf("%q is read as %+v", in, got)
		}
	}
}

func FuzzParseIdentitySource(f *testing.F) {
	for _, form := range sourceForms {
		f.Add(form.prefix + "X")
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := ParseIdentitySource(in)
		if err == nil && s.String() != in {
			t.Errorf("%q is written as %q", in, s)
		}
	})
}

func TestCIDRThatIsNoMistakeIsRead(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"203.0.113.0/24": "", "198.51.100.7/32": "", "0.0.0.0/0": "", "2001:db8::/32": "", "::/0": "", "::1/128": "",
		"":                       "must be a CIDR such as 203.0.113.0/24 or 2001:db8::/32",
		"office":                 "must be a CIDR such as 203.0.113.0/24 or 2001:db8::/32",
		"203.0.113.0/33":         "must be a CIDR such as 203.0.113.0/24 or 2001:db8::/32",
		"203.0.113.0/024":        "must be a CIDR such as 203.0.113.0/24 or 2001:db8::/32",
		"203.0.113.00/24":        "must be a CIDR such as 203.0.113.0/24 or 2001:db8::/32",
		"203.0.113/24":           "must be a CIDR such as 203.0.113.0/24 or 2001:db8::/32",
		"203.0.113.0/24 ":        "must be a CIDR such as 203.0.113.0/24 or 2001:db8::/32",
		"fe80::1%eth0/64":        "must be a CIDR such as 203.0.113.0/24 or 2001:db8::/32",
		"fe80::1%eth0":           "must be a CIDR such as 203.0.113.0/24 or 2001:db8::/32",
		"2001:db8::1":            "must be a CIDR; for one address write 2001:db8::1/128",
		"203.0.113.9/24":         "has bits set beyond its length: write 203.0.113.0/24, or one address with /32",
		"2001:db8::1/32":         "has bits set beyond its length: write 2001:db8::/32, or one address with /128",
		"::ffff:203.0.113.7/128": "must be written as IPv4: 203.0.113.7/32",
		"::ffff:0:0/90":          "must be written as IPv4",
		"::ffff:203.0.113.7":     "must be a CIDR; for one address write 203.0.113.7/32",
	} {
		p, err := network.ParseCIDR(in)
		switch {
		case want == "" && (err != nil || p.String() != in):
			t.Errorf("%s is read as %v, %v", in, p, err)
		case want != "" && (err == nil || err.Error() != want):
			t.Errorf("%s: %v, want %q", in, err, want)
		}
	}
}

func TestContextKeyHoldsLettersDigitsAndUnderscores(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"email": "email", "custom:tenant": "custom_tenant", "cognito:groups": "cognito_groups", "X-1": "X_1",
		"https://example.com/roles": "https___example_com_roles", "größe": "gr__e", "": "",
	} {
		if got := ContextKey(in); got != want {
			t.Errorf("the claim %s becomes %s, want %s", in, got, want)
		}
	}
}

func TestMisspeltNameIsRecognised(t *testing.T) {
	t.Parallel()
	known := []string{"cache_ttl", "identity_sources", "apis"}
	for in, want := range map[string]string{
		"cache_tll": "cache_ttl", "cacheTTL": "cache_ttl", "cache-ttl": "cache_ttl", "cachettl": "cache_ttl", "cahce_ttl": "cache_ttl",
		"ttl": "", "identitySource": "identity_sources", "api": "apis", "apsi": "apis", "x": "", "": "", "route": "",
	} {
		if got := suggest(in, known); got != want {
			t.Errorf("%q is taken for %q, want %q", in, got, want)
		}
	}
}

func TestDistanceIsAMetricOfSpelling(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"mian", "main", 1}, {"ca", "abc", 3}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("from %q to %q it is %d steps, want %d", c.a, c.b, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.StringMatching(`[a-c]{0,6}`).Draw(t, "a"), rapid.StringMatching(`[a-c]{0,6}`).Draw(t, "b")
		if distance(a, b) != distance(b, a) || (distance(a, b) == 0) != (a == b) {
			t.Errorf("distance(%q, %q) = %d, %d", a, b, distance(a, b), distance(b, a))
		}
	})
}

func TestProblemIsOneLine(t *testing.T) {
	t.Parallel()
	r := newReport("f.yaml")
	r.add(3, "a\nb", "c\r\nd\u2028e %s", "0123456789abcdef0123456789abcdef0123456789")
	if diff := cmp.Diff("f.yaml:3: a b: c  d e …", r.err().Error()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
