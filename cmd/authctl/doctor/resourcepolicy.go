package doctor

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// statement is one of a resource policy.
type statement struct {
	raw                 json.RawMessage
	effect              string
	actions, resources  []string
	notAction, notScope bool
}

// resourcePolicy: API Gateway lets in whom either policy allows and none
// denies. Where the authorizer's document is silent about a request, as about
// a route in nobody's table, an Allow there is the answer.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html#apigateway-resource-policies-iam-policies-interaction
func (c *Case) resourcePolicy() (string, []Finding) {
	if c.API.Kind != REST {
		return "", nil
	}
	if c.API.ResourcePolicy == "" {
		if c.API.Private {
			return "", []Finding{{Error, "the API is private and has no resource policy", "a private API without one cannot be deployed", c.inWords()}}
		}
		return "there is none", nil
	}
	var document map[string]json.RawMessage
	all, err := statements(c.API.ResourcePolicy, &document)
	if err != nil {
		return "", []Finding{{Error, fmt.Sprintf("the resource policy cannot be read: %v", err), "whether it lets anybody in past the authorizer is not known",
			[]string{c.aws("get-rest-api", append(c.api(), "--query", "policy", "--output", "text")...)}}}
	}
	var findings []Finding
	var denies, harmless []json.RawMessage
	var open []statement
	for i, s := range all {
		if s.effect == "Deny" {
			denies = append(denies, s.raw)
			continue
		}
		if m, meets := c.reached(s); meets {
			findings = append(findings, Finding{Severity: Critical, What: fmt.Sprintf("statement %d of the resource policy has an Allow that takes in %s", i+1, m.Route),
				Why: "where the authorizer's policy is silent about a request, that Allow lets it in"})
			open = append(open, s)
		} else {
			harmless = append(harmless, s.raw)
		}
	}
	if len(findings) > 0 {
		fix := c.denyOnly(document, denies)
		if c.API.Private {
			fix = c.throughEndpoints(document, append(denies, harmless...), open)
		}
		for i := range findings {
			findings[i].Fix = fix
		}
		return "", findings // who is shut out depends on what is left of it
	}
	findings = append(findings, c.shutOut(all)...)
	return "it allows nothing behind the authorizer", findings
}

// reached is a method behind the authorizer that an Allow may take in. What
// cannot be told apart counts as taken in.
func (c *Case) reached(s statement) (Method, bool) {
	invokes := func(action string) bool { return globsMeet(strings.ToLower(action), "execute-api:invoke") }
	for _, m := range c.API.Methods {
		if !m.Attached(c.Authorizer) {
			continue
		}
		target := c.API.Stage + "/" + glob(m.Route)
		takes := func(resource string) bool { return globsMeet(tail(resource), target) }
		if (s.notAction || slices.ContainsFunc(s.actions, invokes)) && (s.notScope || slices.ContainsFunc(s.resources, takes)) {
			return m, true
		}
	}
	return Method{}, false
}

// shutOut: a method without an authorizer needs an Allow as soon as there is a
// resource policy, or everybody is refused.
func (c *Case) shutOut(all []statement) []Finding {
	var findings []Finding
	for _, m := range c.API.Methods {
		target := c.API.Stage + "/" + glob(m.Route)
		allowed := slices.ContainsFunc(all, func(s statement) bool {
			return s.effect == "Allow" && (s.notScope || slices.ContainsFunc(s.resources, func(r string) bool { return globsMeet(tail(r), target) }))
		})
		if m.Authorization == "NONE" && !allowed {
			findings = append(findings, Finding{Warning, m.Route + " has no authorizer, and the resource policy allows it to nobody",
				"with a resource policy, a method without an authorizer is open only to whom the policy allows: it answers 403",
				[]string{fmt.Sprintf("add to the policy: an Allow with the Resource execute-api:/%s and nothing wider", target)}})
		}
	}
	return findings
}

// denyOnly is the command that leaves the Denies alone.
func (c *Case) denyOnly(document map[string]json.RawMessage, denies []json.RawMessage) []string {
	if len(denies) == 0 {
		return c.setPolicy("")
	}
	return c.setStatements(document, denies)
}

// setStatements replaces what the policy says.
func (c *Case) setStatements(document map[string]json.RawMessage, all []json.RawMessage) []string {
	document["Statement"] = marshalled(all)
	return append(c.setPolicy(string(marshalled(document))),
		"then run doctor again: with a resource policy, what has no authorizer needs an Allow of its own")
}

func (c *Case) setPolicy(value string) []string {
	patches := marshalled([]map[string]string{{"op": "replace", "path": "/policy", "value": value}})
	return c.deployed(c.aws("update-rest-api", append(c.api(), "--patch-operations", string(patches))...))
}

// marshalled is for what was JSON before, and strings.
func marshalled(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// statements reads a policy. One statement may stand without a list, and so
// may one action and one resource.
func statements(text string, document *map[string]json.RawMessage) ([]statement, error) {
	if err := json.Unmarshal([]byte(text), document); err != nil {
		return nil, err
	}
	raws, err := listed[json.RawMessage]((*document)["Statement"])
	if err != nil {
		return nil, err
	}
	var out []statement
	for _, raw := range raws {
		var s struct {
			Effect                                   string
			Action, NotAction, Resource, NotResource json.RawMessage
		}
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, err
		}
		parsed := statement{raw: raw, effect: s.Effect, notAction: s.NotAction != nil, notScope: s.NotResource != nil}
		if parsed.actions, err = listed[string](s.Action); err != nil {
			return nil, err
		}
		if parsed.resources, err = listed[string](s.Resource); err != nil {
			return nil, err
		}
		out = append(out, parsed)
	}
	return out, nil
}

func listed[T any](raw json.RawMessage) ([]T, error) {
	if raw == nil {
		return nil, nil
	}
	var one T
	if raw[0] != '[' {
		err := json.Unmarshal(raw, &one)
		return []T{one}, err
	}
	var all []T
	err := json.Unmarshal(raw, &all)
	return all, err
}

// tail is what a Resource says after the API: STAGE/METHOD/path. A Resource
// that does not get that far says anything.
func tail(resource string) string {
	parts := strings.SplitN(resource, ":", 6)
	last := parts[len(parts)-1]
	if _, rest, ok := strings.Cut(last, "/"); ok && (len(parts) == 6 || len(parts) == 2) {
		return rest
	}
	return "*"
}

// glob is a method and its template as a Resource would say it, or wider.
func glob(route string) string {
	verb, path, _ := strings.Cut(route, " ")
	if verb == "ANY" {
		verb = "*"
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = "*"
		}
	}
	return verb + strings.Join(segments, "/")
}

// globsMeet tells whether some text matches both patterns, where * is any
// text and ? any one character.
func globsMeet(a, b string) bool {
	meet := make([][]bool, len(a)+1) // by how much of each is left
	for i := len(a); i >= 0; i-- {
		meet[i] = make([]bool, len(b)+1)
		for j := len(b); j >= 0; j-- {
			switch moreA, moreB := i < len(a), j < len(b); {
			case !moreA && !moreB:
				meet[i][j] = true
			case moreA && a[i] == '*':
				meet[i][j] = meet[i+1][j] || moreB && meet[i][j+1]
			case moreB && b[j] == '*':
				meet[i][j] = meet[i][j+1] || moreA && meet[i+1][j]
			case moreA && moreB && (a[i] == '?' || b[j] == '?' || a[i] == b[j]):
				meet[i][j] = meet[i+1][j+1]
			}
		}
	}
	return meet[0][0]
}
