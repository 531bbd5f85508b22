package items_test

import (
	"strings"

	"lambda-authorizer/items"
)

// call is a request that the document describes, and what comes of it.
type call struct {
	operation string
	status    int
	code      string // of a problem; empty: API Gateway's answer, or none
	target    string // {id} is an item that is there
	body      string
	headers   []string
	who       who
	// against marks a request that the document itself refuses.
	against bool
}

// who sends a call, and to a service in which state.
type who string

const (
	alice      who = "alice"
	stranger   who = "without credential"
	denied     who = "refused by the authorizer"
	powerless  who = "without scopes"
	signer     who = "with a signed digest of another body"
	unsigned   who = "with a signature that covers no digest"
	misrouted  who = "whose route lets pass a refusal"
	open       who = "whose route has no authorizer"
	toBusy     who = "to a busy table"
	toBroken   who = "to a table that is not there"
	toContends who = "to a table where others are always faster"
)

const missing = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

// calls cover every response of every operation.
func calls() []call {
	big := `{"name":"x","metadata":{"k":"` + strings.Repeat("v", items.MaxBody) + `"}}`
	out := []call{
		{operation: "health", status: 200, target: "/health", who: open},
		{operation: "createItem", status: 201, target: "/items", body: lamp},
		{operation: "createItem", status: 201, target: "/items", body: lamp, headers: []string{"Idempotency-Key", "k"}},
		{operation: "createItem", status: 422, code: "idempotency_key_reused", target: "/items", body: `{"name":"x"}`, headers: []string{"Idempotency-Key", "k"}},
		{operation: "createItem", status: 400, code: "header_invalid", target: "/items", body: lamp, headers: []string{"Idempotency-Key", "a,b"}, against: true},
		{operation: "listItems", status: 200, target: "/items"},
		{operation: "listItems", status: 200, target: "/items?limit=1"},
		{operation: "listItems", status: 400, code: "query_invalid", target: "/items?limit=101", against: true},
		{operation: "listItems", status: 400, code: "query_invalid", target: "/items?cursor=" + strings.Repeat("A", 44)},
		{operation: "readItem", status: 200, target: "/items/{id}"},
		{operation: "readItem", status: 304, target: "/items/{id}", headers: []string{"If-None-Match", `"1"`}},
		{operation: "patchItem", status: 200, target: "/items/{id}", body: `{"description":null,"metadata":{"colour":null,"k":"v"}}`},
		{operation: "patchItem", status: 200, target: "/items/{id}", body: `{"metadata":null}`, headers: []string{"Content-Type", "application/json"}},
		{operation: "patchItem", status: 409, code: "edit_conflict", target: "/items/{id}", body: `{"name":"x"}`, who: toContends},
		{operation: "replaceItem", status: 200, target: "/items/{id}", body: lamp, headers: []string{"If-Match", `"1", W/"9"`}},
		{operation: "deleteItem", status: 204, target: "/items/{id}", headers: []string{"If-Match", "*"}},
	}
	for operation, item := range map[string]struct {
		target, body  string
		scoped, reads bool
	}{
		"listItems":   {"/items", "", false, true},
		"createItem":  {"/items", lamp, false, true},
		"readItem":    {"/items/{id}", "", true, true},
		"replaceItem": {"/items/{id}", lamp, true, true},
		"patchItem":   {"/items/{id}", lamp, true, true},
		"deleteItem":  {"/items/{id}", "", true, false},
	} {
		add := func(status int, code string, change func(*call)) {
			c := call{operation: operation, status: status, code: code, target: item.target, body: item.body}
			change(&c)
			out = append(out, c)
		}
		as := func(w who) func(*call) { return func(c *call) { c.who = w } }
		with := func(against bool, headers ...string) func(*call) {
			return func(c *call) { c.headers, c.against = headers, against }
		}
		add(401, "", func(c *call) { c.who, c.against = stranger, true })
		add(403, "", as(denied))
		add(403, "scope_insufficient", as(powerless))
		add(500, "context_missing", as(open))
		add(500, "context_refused", as(misrouted))
		add(500, "internal", as(toBroken))
		add(503, "busy", as(toBusy))
		if item.reads {
			add(406, "not_acceptable", with(false, "Accept", "text/html"))
		}
		if item.scoped {
			add(404, "item_not_found", func(c *call) { c.target = "/items/" + missing })
			add(412, "precondition_failed", with(false, "If-Match", `"99"`))
			add(400, "header_invalid", with(true, "If-Match", `99`))
		}
		add(413, "body_too_large", func(c *call) { c.body = big })
		if item.body == "" {
			continue
		}
		add(400, "json_malformed", func(c *call) { c.body, c.against = `{"name":`, true })
		add(400, "digest_mismatch", as(signer))
		add(400, "digest_missing", as(unsigned))
		add(415, "media_type_unsupported", with(true, "Content-Type", "text/plain"))
		for _, body := range invalidContents(operation == "patchItem") {
			add(422, "item_invalid", func(c *call) { c.body, c.against = body, true })
		}
	}
	return out
}

// invalidContents are bodies that document and service both refuse.
func invalidContents(patch bool) []string {
	bodies := []string{
		`{"name":""}`, `{"name":null}`, `{"name":1}`, `{"name":"x","owner":"y"}`, `{"name":"x","id":"y"}`, `[]`,
		`{"name":"x","metadata":[]}`, `{"name":"x","metadata":{"k":1}}`, `{"name":"x","metadata":{"":"y"}}`, `{"name":"x","description":1}`,
		`{"name":"` + strings.Repeat("ü", 101) + `"}`, `{"name":"x","description":"` + strings.Repeat("d", 1001) + `"}`,
	}
	if patch {
		return bodies
	}
	return append(bodies, `{}`, `{"name":"x","description":null}`, `{"name":"x","metadata":null}`, `{"name":"x","metadata":{"k":null}}`,
		`{"name":"x","metadata":{`+manyMembers(51)+`}}`)
}
