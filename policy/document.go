package policy

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"lambda-authorizer/reason"
)

// Document is an IAM policy document. It is immutable.
type Document struct {
	// JSON is the document as API Gateway takes it: shared, read only.
	JSON []byte

	stage        string
	allow, deny  []string // after stage
	stageIsExact bool
}

// maxResource is API Gateway's bound on the characters of a Resource.
const maxResource = 512

func newDocument(a ARN, allow, deny []string) (*Document, error) {
	d := &Document{stage: a.resourceStage(), allow: allow, deny: deny, stageIsExact: a.Stage != anyStage}
	for _, tail := range slices.Concat(allow, deny) {
		if n := len(d.stage) + len(tail); n > maxResource {
			return nil, fmt.Errorf("%w: a Resource of %d characters, at most %d are accepted", reason.PolicyTooLarge, n, maxResource)
		}
	}
	d.JSON = d.render()
	return d, nil
}

func (d *Document) render() []byte {
	out := make([]byte, 0, 160+(len(d.allow)+len(d.deny))*(len(d.stage)+24))
	out = append(out, `{"Version":"2012-10-17","Statement":[`...)
	if len(d.allow) > 0 {
		out = d.statement(out, "Allow", d.allow)
	}
	if len(d.allow) > 0 && len(d.deny) > 0 {
		out = append(out, ',')
	}
	if len(d.deny) > 0 {
		out = d.statement(out, "Deny", d.deny)
	}
	return append(out, "]}"...)
}

func (d *Document) statement(out []byte, effect string, tails []string) []byte {
	out = append(out, `{"Action":"execute-api:Invoke","Effect":"`...)
	out = append(out, effect...)
	out = append(out, `","Resource":[`...)
	for i, tail := range tails {
		if i > 0 {
			out = append(out, ',')
		}
		out, _ = jsontext.AppendQuote(out, d.stage+tail)
	}
	return append(out, "]}"...)
}

// Allows evaluates the document for a request as IAM does: an explicit Deny
// wins, and what no Allow names is closed.
func (d *Document) Allows(a ARN) bool {
	s := a.String()
	return d.takes(d.allow, s) && !d.takes(d.deny, s)
}

func (d *Document) takes(tails []string, arn string) bool {
	if d.stageIsExact {
		if len(arn) < len(d.stage) || arn[:len(d.stage)] != d.stage {
			return false
		}
		rest := arn[len(d.stage):]
		return slices.ContainsFunc(tails, func(tail string) bool { return matchText(tail, rest) })
	}
	return slices.ContainsFunc(tails, func(tail string) bool { return matchText(d.stage+tail, arn) })
}

// Single is the document where nothing is cached: one statement about this
// request. It allows the matched route's own pattern, or denies the stage.
func (t *Table) Single(form PathForm, a ARN, id RouteID, allow bool) (*Document, error) {
	if !allow {
		return newDocument(a, nil, []string{anyText})
	}
	if a.WebSocket() {
		return newDocument(a, []string{connectPath}, nil)
	}
	v, ok := verbOf(a.Method)
	if !ok || int(id) < 0 || int(id) >= len(t.routes) {
		return nil, fmt.Errorf("%w: no route to allow", reason.Internal)
	}
	return newDocument(a, []string{t.text(form, t.widened(v, t.templates[id]), someText)}, nil)
}

// Cached is the document that API Gateway may keep and apply to any other
// request of the same caller: it lists what the set of routes opens on the
// API and stage of a, and depends on nothing else of the request.
func (t *Table) Cached(form PathForm, a ARN, s Set) (*Document, error) {
	if a.WebSocket() {
		if s.Has(t.connect) {
			return newDocument(a, []string{connectPath}, nil)
		}
		return newDocument(a, nil, []string{anyText})
	}
	whole := true
	for _, c := range t.cells {
		whole = whole && s.Has(c.route)
	}
	var allow []string
	for _, c := range t.cells {
		p := t.widened(c.verb, t.templates[c.route])
		if s.Has(c.route) && (whole || !slices.Contains(p, some) && !slices.Contains(p, rest)) {
			allow = append(allow, t.text(form, p, someText))
		}
	}
	if len(allow) == 0 {
		return newDocument(a, nil, []string{anyText})
	}
	return newDocument(a, allow, nil)
}
