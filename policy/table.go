package policy

import (
	"sync"

	"lambda-authorizer/problem"
)

// RouteID is a route's place in the table.
type RouteID int

const none = -1

// Table is a compiled route table. It is immutable and safe for concurrent
// use.
type Table struct {
	routes    []Route
	templates []template
	byKey     map[string]RouteID

	symbols map[string]symbol // static texts and verbs
	texts   []string          // by symbol
	encoded []string          // by symbol
	// Other spellings of static texts, and those of each symbol.
	spellings []spelling
	forms     []forms

	root    *node // below it, one node for each verb
	connect RouteID
	cells   []cell
	depth   int // of the longest template, the verb included
	longest runs

	classes []class
	classOf []int // by route
	issuers []string

	// overlaps are found when the first cached document is asked for: where
	// nothing is cached they are not needed.
	overlaps func() *overlaps
}

// A cell is one verb of one route: what a decision and a Resource are about.
type cell struct {
	route RouteID
	verb  verb
}

// node is a place in the tree of templates.
type node struct {
	static   map[symbol]*node
	order    []symbol // of static, so that walks are repeatable
	param    *node
	cell     int // of the template that ends here, or none
	greedy   int // of the template that goes on with {x+}, or none
	fallback int // of $default, on a verb's node, or none
}

func newNode() *node { return &node{cell: none, greedy: none, fallback: none} }

// Compile builds the table, or says everything that is wrong with routes.
// The problems' paths begin at the routes section: "[2].require[0].jwt".
//
// issuers are the names of all whose tokens are accepted. Without them callers
// of issuers that no route names count as possible too.
func Compile(routes []Route, issuers ...string) (*Table, []problem.Problem) {
	t := &Table{
		routes:  routes,
		byKey:   make(map[string]RouteID, len(routes)),
		symbols: map[string]symbol{},
		connect: none,
	}
	t.intern("") // takes the place of other
	if found := t.readRoutes(); len(found) > 0 {
		return nil, found
	}
	t.grow()
	t.longest = t.runs(t.everyCell())
	t.spell()
	t.classify()
	t.issuers = possibleIssuers(routes, issuers)
	t.overlaps = sync.OnceValue(t.findOverlaps)
	return t, nil
}

func (t *Table) readRoutes() []problem.Problem {
	var found []problem.Problem
	if len(t.routes) == 0 {
		found = append(found, problem.At("", "no route is listed, so every request would be refused"))
	}
	for i, r := range t.routes {
		at := index("", i)
		tpl, err := parseTemplate(r.Route)
		switch first, twice := t.byKey[tpl.key()]; {
		case err != nil:
			found = append(found, problem.At(at+".route", "%v", err))
		case twice:
			found = append(found, problem.At(at+".route", "%q is the same route as [%d] %q; put both into one require list", r.Route, first, t.routes[first].Route))
		default:
			t.byKey[tpl.key()] = RouteID(i)
			if n := tailLength(tpl); n > maxTail {
				found = append(found, problem.At(at+".route", "method and path take %d characters in a policy, at most %d fit into a Resource", n, maxTail))
			}
		}
		t.templates = append(t.templates, tpl)
		found = append(found, checkRequire(at+".require", r.Require)...)
	}
	return found
}

// intern gives the symbol of a static text.
func (t *Table) intern(text string) symbol {
	if s, ok := t.symbols[text]; ok {
		return s
	}
	s := symbol(len(t.texts))
	t.symbols[text] = s
	t.texts = append(t.texts, text)
	t.encoded = append(t.encoded, encodeSegment(text))
	return s
}

// grow plants every template below each of its verbs. Exact methods go
// first, so that ANY takes what they left.
func (t *Table) grow() {
	t.root = newNode()
	t.root.static = map[symbol]*node{}
	for _, any := range []bool{false, true} {
		for id, tpl := range t.templates {
			switch {
			case tpl.verb == connectVerb:
				t.connect = RouteID(id)
			case any && tpl.verb == anyVerb:
				for v := range verbs {
					t.plant(RouteID(id), verb(v), tpl)
				}
			case !any && tpl.verb != anyVerb:
				t.plant(RouteID(id), tpl.verb, tpl)
			}
		}
	}
}

func (t *Table) plant(id RouteID, v verb, tpl template) {
	n := t.root.child(t.intern(verbs[v]))
	slot := &n.cell
	if tpl.fallback {
		slot = &n.fallback
	}
	for _, s := range tpl.segments {
		switch s.kind {
		case static:
			n = n.child(t.intern(s.text))
		case param:
			if n.param == nil {
				n.param = newNode()
			}
			n = n.param
		}
		slot = &n.cell
		if s.kind == greedy {
			slot = &n.greedy
		}
	}
	t.depth = max(t.depth, 1+len(tpl.segments))
	if *slot == none {
		*slot = len(t.cells)
		t.cells = append(t.cells, cell{route: id, verb: v})
	}
}

func (n *node) child(s symbol) *node {
	c, ok := n.static[s]
	if !ok {
		if n.static == nil {
			n.static = map[symbol]*node{}
		}
		c = newNode()
		n.static[s] = c
		n.order = append(n.order, s)
	}
	return c
}

// Route gives the route as it was configured. Its slices are shared: read
// only.
func (t *Table) Route(id RouteID) Route { return t.routes[id] }

// Template gives the route as it was written, "GET /items/{id}".
func (t *Table) Template(id RouteID) string { return t.routes[id].Route }

// Len is the number of routes; their ids are 0 to Len-1.
func (t *Table) Len() int { return len(t.routes) }
