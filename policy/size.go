package policy

import "slices"

// Size bounds the documents of a table.
type Size struct {
	// Bytes is the length of the largest document that any caller gets.
	Bytes int
	// Exact: there is such a caller. Otherwise the requirements are too many to
	// try, and no document is larger.
	Exact bool
	// Set is what that caller may use, where Exact.
	Set Set
}

// sizeBudget bounds the work of Largest in cells looked at: some
// milliseconds.
const sizeBudget = 20_000

// Largest gives the length of the largest document over all callers, for the
// API and stage of a, of which the method and path do not matter. max is what
// it is to be held against: where a simple bound is within it, that is the
// answer, so that a start-up does not pay for more.
func (t *Table) Largest(form PathForm, a ARN, max int) Size {
	bound := Size{Bytes: t.bound(form, a)}
	if bound.Bytes <= max {
		return bound
	}
	sets, all := t.grantable(sizeBudget / len(t.cells))
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

func (t *Table) size(form PathForm, a ARN, s Set) int {
	p := t.plan(form, s)
	d := Document{stage: a.resourceStage(), allow: p.allow, deny: p.deny, every: everyAPI(a.Partition), never: p.never}
	return len(d.render())
}

func (t *Table) bound(form PathForm, a ARN) int {
	stage, every := len(a.resourceStage()), len(everyAPI(a.Partition))
	const quoted = len(`"",`)
	n := len(documentStart) + 2*len(statementStart) + len(`Allow","Resource":[]},Deny","Resource":[]}]}`)
	letters := letterSet{}
	o := t.overlaps()
	for c := range t.cells {
		open := stage + len(t.allowText(form, t.pattern(c))) + quoted
		for _, v := range o.of[c] {
			open += stage + len(t.denyText(form, v.deny)) + quoted
			letters.addAll(v.letters)
		}
		n += max(open, stage+len(t.denyText(form, t.pattern(c)))+quoted)
	}
	for _, d := range slices.Concat(oddities, controls) {
		n += every + len(d.deny) + quoted
	}
	for c := range letters.all() {
		for _, e := range escapes(c) {
			n += every + len(e) + 2*len(anyText) + quoted
		}
	}
	// A Deny that replaces two is longer than both only for its runs.
	return n + (1+len(verbs))*(len(longestVerb)+len("/*")*(t.depth+1))
}

// grantable lists the sets of routes that callers may be granted, and whether
// these are all: at most limit callers are thought up.
func (t *Table) grantable(limit int) (sets []Set, all bool) {
	var needs []need
	for _, c := range t.classes {
		needs = append(needs, c.entries...)
	}
	queue := []person{{}}
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
