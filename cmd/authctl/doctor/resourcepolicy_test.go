package doctor

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPolicyThatIsRepairedKeepsItsDenies(t *testing.T) {
	t.Parallel()
	c := soundREST(t)
	c.API.ResourcePolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/prod/*"}]}`
	_, findings := c.resourcePolicy()
	if len(findings) == 0 || len(findings[0].Fix) == 0 {
		t.Fatalf("found %+v", findings)
	}
	const want = `"value":"{\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"execute-api:Invoke\",\"Resource\":\"execute-api:/prod/*\"}],\"Version\":\"2012-10-17\"}"`
	if !strings.Contains(findings[0].Fix[0], want) {
		t.Errorf("fix %s", findings[0].Fix[0])
	}
}

func TestAllowBesideTheAuthorizersRoutesIsNotReported(t *testing.T) {
	t.Parallel()
	for resource, meets := range map[string]bool{
		"arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/health":  false,
		"arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/items":   true,
		"arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/items/x": true,
		"arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/dev/*":            false,
		"arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/*/GET/health":     true, // so does /admin/x/GET/health
		"arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/*":                true,
		"arn:aws:execute-api:*":               true,
		"*":                                   true,
		"execute-api:/prod/GET/health":        false,
		"execute-api:/prod/GET/ite?s":         true,
		"execute-api:/prod/*/health":          true, // /admin/x/health ends so
		"execute-api:/*/OPTIONS/items":        true, // so does /admin/OPTIONS/items
		"execute-api:/prod/DELETE/items":      false,
		"execute-api:/prod/PATCH/admin/users": true,
		"arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4*": true,
	} {
		c := soundREST(t)
		_, got := c.reached(statement{effect: "Allow", actions: []string{"execute-api:Invoke"}, resources: []string{resource}})
		if got != meets {
			t.Errorf("%s meets a route behind the authorizer: %t, want %t", resource, got, meets)
		}
	}
}

// What two patterns have in common, however it came about, they meet in.
func TestPatternsThatTakeTheSameTextMeet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab/")), 0, 8, -1).Draw(t, "text")
		a, b := widened(t, text), widened(t, text)
		if !globsMeet(a, b) || !globsMeet(b, a) {
			t.Fatalf("%q and %q both take %q", a, b, text)
		}
	})
}

// widened is a pattern that takes text: some of its characters became ?, some
// runs of them *.
func widened(t *rapid.T, text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		switch rapid.IntRange(0, 3).Draw(t, "wider") {
		case 0:
			b.WriteByte('?')
			i++
		case 1:
			b.WriteByte('*')
			i += rapid.IntRange(0, len(text)-i).Draw(t, "run")
		default:
			b.WriteByte(text[i])
			i++
		}
	}
	return b.String()
}

// Patterns that no text of a few characters has in common do not meet.
func TestPatternsMeetOnlyInATextThatBothTake(t *testing.T) {
	t.Parallel()
	alphabet := rapid.SampledFrom([]rune("ab*?"))
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.StringOfN(alphabet, 0, 4, -1).Draw(t, "a")
		b := rapid.StringOfN(alphabet, 0, 4, -1).Draw(t, "b")
		want := false
		for _, text := range texts(8) { // no shortest common text is longer
			want = want || takes(a, text) && takes(b, text)
		}
		if globsMeet(a, b) != want {
			t.Fatalf("%q and %q meet: %t", a, b, !want)
		}
	})
}

// texts are all of up to n characters of a and b.
func texts(n int) []string {
	out := []string{""}
	for i := 0; i < len(out) && len(out[i]) < n; i++ {
		out = append(out, out[i]+"a", out[i]+"b")
	}
	return out
}

// takes is IAM's matching, the plain way.
func takes(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		return takes(pattern[1:], text) || text != "" && takes(pattern, text[1:])
	}
	return text != "" && (pattern[0] == '?' || pattern[0] == text[0]) && takes(pattern[1:], text[1:])
}

// Whatever is in a policy, a Deny is never reported and an Allow of everything
// always is.
func FuzzResourcePolicy(f *testing.F) {
	f.Add(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	f.Add(`{"Statement":[{"Effect":"Deny","NotAction":"x","NotResource":["a","b"]}]}`)
	f.Add(`{\"Statement\":[]}`)
	f.Add(`{"Statement":[{"Effect":"Allow","Action":["execute-api:Invoke"],"Resource":"arn:aws:execute-api:*:*:*/*/GET/*"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		c := &Case{API: &API{Kind: REST, ID: "a1b2c3d4e5", Stage: "prod", Methods: []Method{{Route: "GET /items", Authorization: "CUSTOM", AuthorizerID: "x"}}}, Authorizer: &Authorizer{ID: "x"}}
		c.API.ResourcePolicy = plainPolicy(text)
		ok, findings := c.resourcePolicy()
		if ok == "" && len(findings) == 0 {
			t.Error("nothing said")
		}
		c.API.ResourcePolicy = `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
		if _, findings := c.resourcePolicy(); len(findings) != 1 || findings[0].Severity != Critical {
			t.Errorf("found %+v", findings)
		}
	})
}
