package doctor

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// policyOf is the policy that the first command of a fix sets.
func policyOf(t *testing.T, fix []string) string {
	t.Helper()
	m := regexp.MustCompile(`--patch-operations '(.*?)'`).FindStringSubmatch(fix[0])
	if m == nil {
		t.Fatalf("%s sets no policy", fix[0])
	}
	var patches []patch
	if err := json.Unmarshal([]byte(m[1]), &patches); err != nil {
		t.Fatal(err)
	}
	return patches[0].Value
}

func TestPrivateAPIKeepsItsCallersAndAPolicy(t *testing.T) {
	t.Parallel()
	for name, allow := range map[string]string{
		"an endpoint":   `{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*","Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}}`,
		"two endpoints": `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:sourceVpce":["vpce-1","vpce-2"]}}}`,
		"a VPC":         `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}`,
	} {
		c := soundREST(t)
		c.API.Private = true
		c.API.ResourcePolicy = `{"Version":"2012-10-17","Statement":[` + allow + `]}`
		_, findings := c.resourcePolicy()
		if len(findings) == 0 {
			t.Fatalf("%s: nothing found", name)
		}
		c.API.ResourcePolicy = policyOf(t, findings[0].Fix)
		if !strings.Contains(c.API.ResourcePolicy, `"StringNotEquals":{"aws:`) || !strings.Contains(c.API.ResourcePolicy, `-1"`) {
			t.Errorf("%s: the fix sets %s", name, c.API.ResourcePolicy)
		}
		if _, left := c.resourcePolicy(); len(left) > 0 {
			t.Errorf("%s: after the fix: %+v", name, left)
		}
	}
}

func TestPrivateAPIIsNeverToldToEmptyItsPolicy(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]string{
		"none":                 "",
		"an Allow of all":      `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`,
		"two conditions":       `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1","aws:PrincipalOrgID":"o-1"}}}]}`,
		"an account's Allow":   `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}}]}`,
		"an endpoint and open": `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}},{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`,
	} {
		c := soundREST(t)
		c.API.Private, c.API.ResourcePolicy = true, policy
		_, findings := c.resourcePolicy()
		if len(findings) == 0 {
			t.Fatalf("%s: nothing found", name)
		}
		if policy == "" && findings[0].Severity != Error {
			t.Errorf("%s: %+v", name, findings[0])
		}
		for _, f := range findings {
			if fix := strings.Join(f.Fix, "\n"); strings.Contains(fix, "update-rest-api") || !strings.Contains(fix, "StringNotEquals aws:SourceVpce") {
				t.Errorf("%s: fix %s", name, fix)
			}
		}
	}
}
