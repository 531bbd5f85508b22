package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"lambda-authorizer/reason"
)

// Document is an IAM policy document. It is immutable.
type Document struct {
	// JSON is the document as API Gateway takes it: shared, read only.
	JSON []byte

	stage       string // what allow and deny go on from
	allow, deny []string
	every       string // what never goes on from
	never       []string
	exact       bool // stage has no wildcard
	api         int  // where API/STAGE/ begins in it
}

// MaxResource is API Gateway's bound on the characters of a Resource.
const MaxResource = 512

func newDocument(a ARN, p plan) (*Document, error) {
	d := &Document{
		stage: a.resourceStage(), allow: p.allow, deny: p.deny,
		every: everyAPI(a.Partition), never: p.never,
		exact: a.Stage != anyStage,
	}
	d.api = len(d.stage) - len(a.API+"/"+a.Stage+"/")
	for _, tail := range slices.Concat(d.allow, d.deny) {
		if n := len(d.stage) + len(tail); n > MaxResource {
			return nil, fmt.Errorf("%w: a Resource of %d characters, at most %d are accepted", reason.PolicyTooLarge, n, MaxResource)
		}
	}
	d.JSON = d.render()
	return d, nil
}

const (
	documentStart  = `{"Version":"2012-10-17","Statement":[`
	statementStart = `{"Action":"execute-api:Invoke","Effect":"`
)

func (d *Document) render() []byte {
	out := make([]byte, 0, 200+(len(d.allow)+len(d.deny))*(len(d.stage)+20)+len(d.never)*(len(d.every)+10))
	out = append(out, documentStart...)
	if len(d.allow) > 0 {
		out = append(out, statementStart...)
		out = append(out, `Allow","Resource":[`...)
		out = resources(out, d.stage, d.allow)
		out = append(out, "]}"...)
	}
	if len(d.allow) > 0 && len(d.deny)+len(d.never) > 0 {
		out = append(out, ',')
	}
	if len(d.deny)+len(d.never) > 0 {
		out = append(out, statementStart...)
		out = append(out, `Deny","Resource":[`...)
		out = resources(out, d.stage, d.deny)
		if len(d.deny) > 0 && len(d.never) > 0 {
			out = append(out, ',')
		}
		out = resources(out, d.every, d.never)
		out = append(out, "]}"...)
	}
	return append(out, "]}"...)
}

func resources(out []byte, before string, tails []string) []byte {
	for i, tail := range tails {
		if i > 0 {
			out = append(out, ',')
		}
		out, _ = jsontext.AppendQuote(out, before+tail)
	}
	return out
}

// Allows evaluates the document for a request as IAM does: an explicit Deny
// wins, and what no Allow names is closed.
func (d *Document) Allows(a ARN) bool {
	arn := a.String()
	if !d.exact {
		return d.takes(d.stage, d.allow, arn) && !d.takes(d.stage, d.deny, arn) && !d.takes(d.every, d.never, arn)
	}
	tail, ok := strings.CutPrefix(arn, d.stage)
	// What never names begins with a run, so that the API and stage are as
	// good to begin with as the whole ARN.
	return ok && takenByAny(d.allow, tail) && !takenByAny(d.deny, tail) && !takenByAny(d.never, arn[d.api:])
}

func (d *Document) takes(before string, tails []string, arn string) bool {
	return slices.ContainsFunc(tails, func(tail string) bool { return matchText(before+tail, arn) })
}

// Single is the document where nothing is cached: one statement about this
// request. It allows the pattern of the route that decides on it, or denies
// the stage. A route that does not decide on it is the fault internal.
func (t *Table) Single(form PathForm, a ARN, id RouteID, allow bool) (*Document, error) {
	if !allow {
		return newDocument(a, plan{deny: []string{anyText}})
	}
	if decides, ok := t.Match(form, a.Method, a.Path); !ok || decides != id {
		return nil, fmt.Errorf("%w: asked to allow a route that does not decide on the request", reason.Internal)
	}
	if a.WebSocket() {
		return newDocument(a, plan{allow: []string{connectPath}})
	}
	v, _ := verbOf(a.Method)
	return newDocument(a, plan{allow: []string{t.allowText(form, t.widened(v, t.templates[id]))}})
}

// Cached is the document that API Gateway may keep and apply to any other
// request of the same caller: it says what the set of routes opens on the API
// and stage of a, and depends on nothing else of the request. An empty set
// gets Deny on everything.
//
// It never allows what the table refuses. It allows what the set holds, but
// for what Inexpressible lists; so the one that answers must ask Allows about
// the request at hand. The error is the fault policy_too_large: a Resource
// over 512 characters.
func (t *Table) Cached(form PathForm, a ARN, s Set) (*Document, error) {
	if a.WebSocket() {
		if s.Has(t.connect) {
			return newDocument(a, plan{allow: []string{connectPath}})
		}
		return newDocument(a, plan{deny: []string{anyText}})
	}
	return newDocument(a, t.plan(form, s))
}
