package policy

// Size bounds the documents of a table.
type Size struct {
	// Bytes is the length of the largest document that any caller gets.
	Bytes int
	// Exact: there is such a caller. Otherwise no document is larger, and there
	// were too many kinds of callers to try them all.
	Exact bool
	// Set is what that caller may use, where Exact.
	Set Set
}

// sizeBudget bounds the work of an exact answer, in cells and overlaps looked
// at by each caller. One takes 1 to 5 µs of CPU, the more the longer the
// documents are: 3 s in the worst of the tables that were tried (40 ANY routes
// over ten scopes, 21 KB), of the 10 s that Lambda has for a start.
const sizeBudget = 1_000_000

// Largest gives the length of the largest document over all callers, for the
// API and stage of a, of which the method and path do not matter. max is what
// it is to be held against: where a simple bound is within it, that is the
// answer, so that a start-up does not pay for more.
func (t *Table) Largest(form PathForm, a ARN, max int) Size {
	bound := Size{Bytes: t.bound(form, a, max)}
	if bound.Bytes <= max || len(t.cells) == 0 {
		return bound
	}
	sets, all := t.grantable(t.classes, sizeBudget/t.overlaps().work(t.everyCell()))
	if !all {
		return bound
	}
	worst := Size{Exact: true}
	for _, s := range sets {
		if n := t.size(form, a, s); n > worst.Bytes {
			worst.Bytes, worst.Set = n, s
		}
	}
	return worst
}

// Resource is one that documents of a table may hold.
type Resource struct {
	// Characters are counted with all that stands before the method.
	Characters int
	// Route is what it is for.
	Route RouteID
	// Within is another route, out of whose paths it takes Route, or negative.
	Within RouteID
}

// LongestResource is the longest one that any caller may need, for the API and
// stage of a. Where nothing is cached there are no Denies of single routes.
func (t *Table) LongestResource(form PathForm, a ARN, cached bool) Resource {
	stage := len(a.resourceStage())
	longest := Resource{Route: none, Within: none}
	consider := func(tail string, route, within RouteID) {
		if n := stage + len(tail); n > longest.Characters {
			longest = Resource{n, route, within}
		}
	}
	for c, cell := range t.cells {
		consider(t.allowText(form, t.pattern(c)), cell.route, none)
	}
	if !cached {
		return longest
	}
	for c, of := range t.overlaps().of {
		for _, o := range of {
			if o.long || o.many || o.encodedOnly && form == Decoded {
				continue // not said
			}
			if wide := t.cells[c].route; o.owner == none {
				consider(t.denyText(form, o.deny), wide, none)
			} else {
				consider(t.denyText(form, o.deny), t.cells[o.owner].route, wide)
			}
		}
	}
	return longest
}

func (t *Table) size(form PathForm, a ARN, s Set) int {
	p := t.plan(form, s)
	d := Document{stage: a.resourceStage(), allow: p.allow, deny: p.deny, every: everyAPI(a.Partition), never: p.never}
	return len(d.render())
}

// grantable lists the sets of routes that callers may be granted, as far as
// the classes tell, and whether these are all: at most limit callers are
// thought up.
func (t *Table) grantable(classes []class, limit int) (sets []Set, all bool) {
	var needs []need
	for _, c := range classes {
		needs = append(needs, c.entries...)
	}
	queue := []person{{issuers: t.issuers}}
	seen := map[string]bool{person{}.key(): true}
	known := map[Set]bool{}
	for i := 0; i < len(queue); i++ {
		if len(queue) > limit {
			return nil, false
		}
		p := queue[i]
		if s := t.Granted(p.caller()); !known[s] {
			known[s] = true
			sets = append(sets, s)
		}
		for _, n := range needs {
			if n.reach(p.caller()) == granted {
				continue
			}
			p.with(n, func(q person) {
				if key := q.key(); !seen[key] {
					seen[key] = true
					queue = append(queue, q)
				}
			})
		}
	}
	return sets, true
}
