package gateway

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decision is what a policy says of one ARN.
type decision int

const (
	deniedImplicitly decision = iota // no statement allows it
	allowed
	deniedExplicitly
)

// maxResource is the longest Resource in an authorizer's policy, in
// characters.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
const maxResource = 512

// document is an IAM policy, in so far as authorizers use it.
type document struct {
	statements []statement
}

type statement struct {
	allow     bool
	actions   []string
	resources []string
}

// parsePolicy reads a policy document. Elements that change what a statement
// means and that this evaluator does not know (Condition, NotAction,
// NotResource) are errors, never ignored.
func parsePolicy(raw jsontext.Value) (*document, error) {
	var p struct {
		Version   string
		ID        string `json:"Id"`
		Statement jsontext.Value
	}
	if err := strict(raw, &p); err != nil {
		return nil, fmt.Errorf("policyDocument: %w", err)
	}
	list := []jsontext.Value{p.Statement}
	if p.Statement.Kind() != '{' {
		if err := json.Unmarshal(p.Statement, &list); err != nil {
			return nil, errors.New("policyDocument: Statement is neither an object nor an array")
		}
	}
	d := &document{}
	for n, raw := range list {
		s, err := parseStatement(raw)
		if err != nil {
			return nil, fmt.Errorf("policyDocument.Statement[%d]: %w", n, err)
		}
		d.statements = append(d.statements, s)
	}
	return d, nil
}

func parseStatement(raw jsontext.Value) (statement, error) {
	var s struct {
		SID              string `json:"Sid"`
		Effect           string
		Action, Resource oneOrMore
	}
	if err := strict(raw, &s); err != nil {
		return statement{}, err
	}
	if s.Effect != "Allow" && s.Effect != "Deny" {
		return statement{}, fmt.Errorf("effect is %q", s.Effect)
	}
	if len(s.Action) == 0 || len(s.Resource) == 0 {
		return statement{}, errors.New("no Action or no Resource")
	}
	for _, r := range s.Resource {
		if n := len([]rune(r)); n > maxResource {
			return statement{}, fmt.Errorf("a Resource of %d characters, at most %d", n, maxResource)
		}
	}
	return statement{s.Effect == "Allow", s.Action, s.Resource}, nil
}

// oneOrMore is a string, or an array of them.
type oneOrMore []string

// UnmarshalJSON reads either.
func (o *oneOrMore) UnmarshalJSON(raw []byte) error {
	if jsontext.Value(raw).Kind() == '"' {
		*o = oneOrMore{""}
		return json.Unmarshal(raw, &(*o)[0])
	}
	return json.Unmarshal(raw, (*[]string)(o))
}

// evaluate applies IAM's order: an explicit Deny wins, then an Allow, and what
// nothing allows is denied.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (d *document) evaluate(arn string) decision {
	result := deniedImplicitly
	for _, s := range d.statements {
		if !s.covers(arn) {
			continue
		}
		if !s.allow {
			return deniedExplicitly
		}
		result = allowed
	}
	return result
}

func (s statement) covers(arn string) bool {
	invoke := false
	for _, action := range s.actions {
		// Action names are not case-sensitive, resources are.
		invoke = invoke || glob(strings.ToLower(action), "execute-api:invoke")
	}
	if !invoke {
		return false
	}
	for _, resource := range s.resources {
		if glob(resource, arn) {
			return true
		}
	}
	return false
}

// glob matches IAM's wildcards: * is any run of characters, / and none
// included, ? is any one character.
func glob(pattern, text string) bool {
	t := []rune(text)
	// reach[i] tells whether what was read of the pattern can match t[:i].
	reach := make([]bool, len(t)+1)
	reach[0] = true
	for _, c := range pattern {
		next := make([]bool, len(t)+1)
		for i := range next {
			switch {
			case c == '*':
				next[i] = reach[i] || i > 0 && next[i-1]
			case i > 0:
				next[i] = reach[i-1] && (c == '?' || c == t[i-1])
			}
		}
		reach = next
	}
	return reach[len(t)]
}

// strict decodes one JSON value that has no member v does not know.
func strict(raw []byte, v any) error {
	return json.Unmarshal(raw, v, json.RejectUnknownMembers(true))
}
