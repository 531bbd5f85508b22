package httpsig

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCanonicalPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sent    string
		decoded bool
		want    string
	}{
		{"/", false, "/"},
		{"/prod/", false, "/prod/"},
		{"/items/a-b_c.d~e", false, "/items/a-b_c.d~e"},
		{"/items/%61", false, "/items/a"},
		{"/items/caf%c3%a9", false, "/items/caf%C3%A9"},
		{"/items/café", false, "/items/caf%C3%A9"},
		{"/items/café", true, "/items/caf%C3%A9"},
		{"/items/a:b@c,d;e=f&g+h!*'()$", false, "/items/a%3Ab%40c%2Cd%3Be%3Df%26g%2Bh%21%2A%27%28%29%24"},
		{"/items/a b", true, "/items/a%20b"},
		{"/items/100%", true, "/items/100%25"},
		{"/items/%2Fx", true, "/items/%252Fx"}, // an ordinary percent sign, sent as %252F
		{"/items/%252Fx", false, "/items/%252Fx"},
		{"/items/...", false, "/items/..."},
		{"/items/.%00", false, "/items/.%00"},
	} {
		got, err := canonicalPath(c.sent, c.decoded)
		if err != nil || got != c.want {
			t.Errorf("%q (decoded %v): got %q, %v; want %q", c.sent, c.decoded, got, err, c.want)
		}
	}
}

func TestPathIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sent    string
		decoded bool
	}{
		{"", false}, {"", true}, {"items", false}, {"*", false},
		{"//", false}, {"//items", false}, {"/a//b", true}, {"/a//", false},
		{"/.", false}, {"/..", true}, {"/a/./b", false}, {"/a/%2e", false}, {"/a/%2E./b", false}, {"/a/../b", true},
		{"/a%2fb", false}, {"/a%2Fb", false}, {`/a\b`, false}, {`/a\b`, true}, {"/a%5Cb", false},
		{"/%", false}, {"/%4", false}, {"/%zz", false}, {"/%FF", false}, {"/\xff", true},
	} {
		if got, err := canonicalPath(c.sent, c.decoded); err == nil {
			t.Errorf("%q (decoded %v) is accepted as %q", c.sent, c.decoded, got)
		}
	}
}

func TestCanonicalQuery(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"":                      "?",
		"&&":                    "?",
		"a":                     "?a=",
		"a=":                    "?a=",
		"a=1&&b=2&":             "?a=1&b=2",
		"b=2&a=1":               "?b=2&a=1",
		"a=b=c":                 "?a=b%3Dc",
		"a=1+2%2B3%202":         "?a=1%202%2B3%202",
		"a%5b0%5D=x&a[1]=y":     "?a%5B0%5D=x&a%5B1%5D=y",
		"q=a%26b%3Dc&r=%23":     "?q=a%26b%3Dc&r=%23",
		"q=~*!'()":              "?q=~%2A%21%27%28%29",
		"q=https://x/?y":        "?q=https%3A%2F%2Fx%2F%3Fy",
		"caf%C3%A9=%0A":         "?caf%C3%A9=%0A",
		"a=1%3Bb=2":             "?a=1%3Bb%3D2",
		"%61=1&a=2":             "?a=1&a=2",
		"a=%EF%BF%BD&=":         "",
		"a=1;b=2":               "",
		"=v":                    "",
		"a=%":                   "",
		"%zz=1":                 "",
		"a=%C3":                 "",
		"a=1&b=%F0%9F%98%80%80": "",
	} {
		params, err := parseParameters(sent)
		if want == "" {
			if err == nil {
				t.Errorf("%q is accepted as %q", sent, canonicalQuery(params))
			}
			continue
		}
		if got := canonicalQuery(params); err != nil || got != want {
			t.Errorf("%q: got %q, %v; want %q", sent, got, err, want)
		}
	}
}

func TestParametersWithoutOrderAreSortedByNameAndKeepTheirValuesOrder(t *testing.T) {
	t.Parallel()
	params, err := sortedParameters(map[string][]string{
		"b": {"2", "1"}, "a": {"", "x"}, "B": {"up"}, "é": {"e"}, "flag": nil, "a b": {"+"},
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = "?B=up&a=&a=x&a%20b=%2B&b=2&b=1&flag=&%C3%A9=e"
	if got := canonicalQuery(params); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := sortedParameters(map[string][]string{"": {"x"}}); err == nil {
		t.Error("a parameter without a name is accepted")
	}
}

// However the client spells a path and a query, the canonical form is that of
// what they say.
func TestCanonicalFormDoesNotDependOnTheSpelling(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		segments := rapid.SliceOfN(segment(), 1, 4).Draw(t, "segments")
		spelled := make([]string, len(segments))
		for i, s := range segments {
			spelled[i] = spell(t, s, false)
		}
		encoded, err := canonicalPath("/"+strings.Join(spelled, "/"), false)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := canonicalPath("/"+strings.Join(segments, "/"), true)
		if err != nil {
			t.Fatal(err)
		}
		if encoded != decoded {
			t.Fatalf("%q and %q", encoded, decoded)
		}
		params := queryParams().Draw(t, "params")
		raw := spellQuery(t, params)
		got, err := parseParameters(raw)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, params) {
			t.Fatalf("%q is read as %q, want %q", raw, got, params)
		}
		canonical := canonicalQuery(got)
		again, err := parseParameters(canonical[1:])
		if err != nil || !slices.Equal(again, params) {
			t.Fatalf("%q says %q, %v; want %q", canonical, again, err, params)
		}
		if !printable(canonical) || !printable(encoded) {
			t.Fatalf("%q %q", canonical, encoded)
		}
	})
}

// hostile are the runes that readers of URLs disagree about.
var hostile = []rune("ab09%%%+ ?#&=;:@,!*'()[]{}|<>\"^`~-._$\u00a0é\n\t\x00\x7f\u202e😀\ufeff2FfCc")

func segment() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.SampledFrom(hostile), 1, 8, -1).Filter(func(s string) bool { return s != "." && s != ".." })
}

func queryParams() *rapid.Generator[[]parameter] {
	text := func(least int) *rapid.Generator[string] {
		return rapid.StringOfN(rapid.SampledFrom(append(slices.Clone(hostile), '/', '\\')), least, 8, -1)
	}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) parameter {
		return parameter{text(1).Draw(t, "name"), text(0).Draw(t, "value")}
	}), 0, 5)
}

// spell writes s as some client might: what must be encoded is, the rest by
// chance, in either case of hex digits.
func spell(t *rapid.T, s string, query bool) string {
	const raw = "-._~!$'()*,:@"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		plain := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(raw, c) >= 0
		if !query {
			plain = plain || strings.IndexByte("+&=;", c) >= 0
		} else {
			plain = plain || strings.IndexByte("/?[]{}", c) >= 0
		}
		switch {
		case query && c == ' ' && rapid.Bool().Draw(t, "plus"):
			b.WriteByte('+')
		case plain && rapid.Bool().Draw(t, "plain"):
			b.WriteByte(c)
		default:
			escaped := "%" + hexByte(c)
			if rapid.Bool().Draw(t, "lower") {
				escaped = strings.ToLower(escaped)
			}
			b.WriteString(escaped)
		}
	}
	return b.String()
}

func hexByte(c byte) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{digits[c>>4], digits[c&15]})
}

func spellQuery(t *rapid.T, params []parameter) string {
	parts := make([]string, len(params))
	for i, p := range params {
		parts[i] = spell(t, p.name, true)
		if p.value != "" || rapid.Bool().Draw(t, "equals") {
			parts[i] += "=" + spell(t, p.value, true)
		}
	}
	raw := strings.Join(parts, "&")
	if _, err := url.ParseQuery(raw); err != nil {
		t.Fatalf("the test spells %q wrong: %v", raw, err)
	}
	return raw
}
