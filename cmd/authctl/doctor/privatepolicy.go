package doctor

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A private API must have a resource policy. The usual one allows everything
// that comes through its VPC endpoints, and what the authorizer's policy is
// silent about with it. A Deny of what comes another way keeps the same
// callers, and leaves the word to the authorizer; the routes that have none
// need an Allow (deploy/sam/template.yaml has that policy).
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-api-create.html

// throughEndpoints replaces the Allows in open, and keeps the rest. Where they
// are not about endpoints alone, what they are meant to keep out is not known,
// and the fix is in words.
func (c *Case) throughEndpoints(document map[string]json.RawMessage, rest []json.RawMessage, open []statement) []string {
	key, values, ok := endpoints(open)
	if !ok {
		return c.inWords()
	}
	all := append(rest, marshalled(map[string]any{
		"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*",
		"Condition": map[string]any{"StringNotEquals": map[string]any{key: values}},
	}))
	if public := c.public(); public != nil {
		all = append(all, marshalled(map[string]any{
			"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": public,
		}))
	}
	return c.setStatements(document, all)
}

// endpoints are those through which the Allows let anybody in, and by which
// key of IAM's.
func endpoints(open []statement) (key string, values []string, ok bool) {
	for _, s := range open {
		var is struct {
			Principal any
			Condition map[string]map[string]json.RawMessage
		}
		if json.Unmarshal(s.raw, &is) != nil || len(is.Condition) != 1 || len(is.Condition["StringEquals"]) != 1 {
			return "", nil, false
		}
		if p, _ := json.Marshal(is.Principal); string(p) != `"*"` && string(p) != `{"AWS":"*"}` && string(p) != `{"AWS":["*"]}` {
			return "", nil, false // it keeps others out as well
		}
		for k, raw := range is.Condition["StringEquals"] {
			known := strings.EqualFold(k, "aws:SourceVpce") || strings.EqualFold(k, "aws:SourceVpc")
			list, err := listed[string](raw)
			if !known || err != nil || key != "" && !strings.EqualFold(key, k) {
				return "", nil, false
			}
			key, values = k, append(values, list...)
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	return key, values, len(values) > 0
}

// public are the Resources of the methods without an authorizer, as far as
// they take in none that has it.
func (c *Case) public() []string {
	var out []string
	for _, m := range c.API.Methods {
		resource := "execute-api:/" + c.API.Stage + "/" + glob(m.Route)
		if _, meets := c.reached(statement{actions: []string{"execute-api:Invoke"}, resources: []string{resource}}); m.Authorization == "NONE" && !meets {
			out = append(out, resource)
		}
	}
	return out
}

// inWords is the policy for which the endpoints must be known.
func (c *Case) inWords() []string {
	fix := []string{"give the API this policy: a Deny of execute-api:/* with the Condition StringNotEquals aws:SourceVpce and the ids of your VPC endpoints"}
	if public := c.public(); public != nil {
		fix = append(fix, fmt.Sprintf("and in it an Allow with the Resource %s, which have no authorizer, and nothing wider", strings.Join(public, ", ")))
	}
	return append(fix, "never leave it empty: a private API cannot be deployed without one")
}
