package gateway

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestPolicyEvaluation(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/"
	statement := func(effect, resource string) string {
		return `{"Effect":"` + effect + `","Action":"execute-api:Invoke","Resource":"` + resource + `"}`
	}
	for _, c := range []struct {
		statements string
		path       string
		want       decision
	}{
		{``, "GET/items", deniedImplicitly},
		{statement("Allow", arn+"GET/items"), "GET/items", allowed},
		{statement("Allow", arn+"GET/items"), "GET/items/", deniedImplicitly},
		{statement("Allow", arn+"GET/items"), "POST/items", deniedImplicitly},
		{statement("Allow", arn+"GET/items"), "GET/ITEMS", deniedImplicitly},
		{statement("Allow", arn+"GET/*"), "GET/items/1/2", allowed},              // * crosses /
		{statement("Allow", arn+"GET/items*"), "GET/items", allowed},             // and may match nothing
		{statement("Allow", arn+"GET/items/?*"), "GET/items/", deniedImplicitly}, // ? is one character
		{statement("Allow", arn+"GET/items/?"), "GET/items/é", allowed},          // not one byte
		{statement("Allow", arn+"GET/items/?"), "GET/items//", allowed},          // and may be /
		{statement("Allow", arn+"*/*"), "$connect", deniedImplicitly},            // stage/*/* has two slashes
		{statement("Allow", arn+"*"), "$connect", allowed},                       //
		{statement("Allow", "*"), "GET/items", allowed},                          //
		{statement("Allow", arn+"*") + "," + statement("Deny", arn+"GET/admin/*"), "GET/admin/x", deniedExplicitly},
		{statement("Deny", arn+"GET/admin/*") + "," + statement("Allow", arn+"*"), "GET/admin/x", deniedExplicitly},
		{statement("Deny", arn+"GET/admin/*") + "," + statement("Allow", arn+"*"), "GET/items", allowed},
		{`{"Effect":"Allow","Action":["s3:*","EXECUTE-API:inv*"],"Resource":["x","` + arn + `GET/items"]}`, "GET/items", allowed},
		{`{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"*"}`, "GET/items", deniedImplicitly},
		{`{"Effect":"Allow","Action":"*","Resource":"*"}`, "GET/items", allowed},
	} {
		d, err := parsePolicy([]byte(`{"Version":"2012-10-17","Statement":[` + c.statements + `]}`))
		if err != nil {
			t.Errorf("%s: %v", c.statements, err)
			continue
		}
		if got := d.evaluate(arn + c.path); got != c.want {
			t.Errorf("%s on %s: %d, want %d", c.statements, c.path, got, c.want)
		}
	}
}

func TestSingleStatementNeedsNoArray(t *testing.T) {
	t.Parallel()
	d, err := parsePolicy([]byte(`{"Version":"2012-10-17","Id":"x","Statement":{"Sid":"y","Effect":"Allow","Action":"*","Resource":"*"}}`))
	if err != nil || d.evaluate("arn") != allowed {
		t.Errorf("parsePolicy = %v, %v", d, err)
	}
}

// The oracle is a regular expression.
func TestGlobIsTheRegularExpression(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab/é*?.]{0,8}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[ab/é.]{0,8}`).Draw(t, "text")
		if got, want := glob(pattern, text), globByRegexp(pattern, text); got != want {
			t.Fatalf("glob(%q, %q) = %t", pattern, text, got)
		}
	})
}

func FuzzGlob(f *testing.F) {
	f.Add("arn:aws:*/GET/?*", "arn:aws:a/GET/items")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(text) || len(pattern)+len(text) > 1000 {
			return
		}
		if got, want := glob(pattern, text), globByRegexp(pattern, text); got != want {
			t.Errorf("glob(%q, %q) = %t", pattern, text, got)
		}
	})
}

func globByRegexp(pattern, text string) bool {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.ReplaceAll(strings.ReplaceAll(quoted, `\*`, `.*`), `\?`, `.`)
	return regexp.MustCompile(`(?s)^` + quoted + `$`).MatchString(text)
}

func FuzzPolicy(f *testing.F) {
	f.Add([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":["*"]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := parsePolicy(raw)
		if err != nil {
			return
		}
		for _, s := range d.statements {
			if len(s.actions) == 0 || len(s.resources) == 0 {
				t.Errorf("%s: a statement about nothing", raw)
			}
		}
	})
}
