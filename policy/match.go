package policy

import "strings"

// Match finds the route that decides on a request: path is what follows
// STAGE/METHOD/ in its ARN. Among the routes whose method fits, segments are
// compared left to right, static before {x} before {x+}; then an exact method
// is before ANY; $default is last. An empty method with $connect is a
// WebSocket connection.
//
// A path that could be read in two ways matches nothing, $default included:
// empty and dot segments, encoded slashes, backslashes and unreserved
// characters, invalid escapes, control characters, invalid UTF-8, and a static
// segment in another spelling than its own.
func (t *Table) Match(form PathForm, method, path string) (RouteID, bool) {
	if method == "" {
		return t.connect, path == connectPath && t.connect != none
	}
	if _, ok := verbOf(method); !ok {
		return none, false
	}
	var buf [maxSegments + 2]symbol
	var odd uint64 // positions whose spelling is not a static segment's own
	word, n := buf[:1], 1
	word[0] = t.symbols[method]
	for rest, more := path, path != ""; more; n++ {
		var raw string
		raw, rest, more = strings.Cut(rest, "/")
		text, ok := readSegment(form, raw)
		if !ok {
			return none, false
		}
		if n < len(buf) {
			s := t.symbols[text]
			word = append(word, s)
			if form == Encoded && t.encoded[s] != raw {
				odd |= 1 << n
			}
		}
	}
	if word[0] == other {
		return none, false
	}
	c := t.decide(word, n)
	if c == none {
		return none, false
	}
	id := t.cells[c].route
	if odd&t.templates[id].statics() != 0 {
		return none, false
	}
	return id, true
}

// decide finds the cell that decides on a word of n symbols, of which those
// within the reach of a template are given.
func (t *Table) decide(word []symbol, n int) int {
	top := t.root.static[word[0]]
	if top == nil {
		return none
	}
	if c := top.find(word, 1, n); c != none {
		return c
	}
	return top.fallback
}

// find visits a node once at most: in a tree, one way leads to each.
func (n *node) find(word []symbol, i, total int) int {
	if i == total {
		return n.cell
	}
	if child := n.static[word[i]]; child != nil {
		if c := child.find(word, i+1, total); c != none {
			return c
		}
	}
	if n.param != nil {
		if c := n.param.find(word, i+1, total); c != none {
			return c
		}
	}
	return n.greedy
}

// statics has a bit for the place of each static segment in a word.
func (t template) statics() uint64 {
	var bits uint64
	for i, s := range t.segments {
		if s.kind == static {
			bits |= 1 << (i + 1)
		}
	}
	return bits
}

// Lookup finds the configured route for a template that API Gateway names:
// an HTTP API's routeKey, or a REST method and resource as "GET /items/{id}".
// Parameter names do not count. A method that has no route of its own at that
// template finds its ANY route, as a request would.
func (t *Table) Lookup(routeKey string) (RouteID, bool) {
	tpl, err := parseTemplate(routeKey)
	if err != nil {
		return none, false
	}
	if id, ok := t.byKey[tpl.key()]; ok || tpl.verb == connectVerb {
		return id, ok
	}
	tpl.verb = anyVerb
	id, ok := t.byKey[tpl.key()]
	return id, ok
}
