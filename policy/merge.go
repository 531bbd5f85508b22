package policy

import "slices"

// merge says more with fewer Denies: what is longer than all that is allowed
// at once, and what differs by method alone at once. Which goes first matters,
// and what is shorter is taken. The second way goes first by what the table
// could allow, as bound does.
func (p *planner) merge() {
	needed := p.needed
	p.mergeRuns(p.t.runs(p.kept))
	p.mergeVerbs(p.kept)
	first := p.needed
	p.needed = needed
	p.mergeRuns(p.t.longest)
	p.mergeVerbs(p.kept)
	p.mergeRuns(p.t.runs(p.kept))
	if p.length(first) <= p.length(p.needed) {
		p.needed = first
	}
}

func (p *planner) length(patterns []pattern) int {
	n := 0
	for _, q := range patterns {
		n += 60 + len(p.t.denyText(p.form, q)) // with what stands before the method
	}
	return n
}

// runs are the lengths of the longest words, of each verb's and of all cells.
type runs struct {
	ofVerb [len(verbs)]int
	all    int
}

func (t *Table) runs(cells cellSet) runs {
	var r runs
	for c := range cells.all() {
		n, v := t.reach(c), t.cells[c].verb
		r.ofVerb[v] = max(r.ofVerb[v], n)
		r.all = max(r.all, n)
	}
	return r
}

// mergeRuns replaces several Denies by one against everything that is longer,
// for all methods or for one.
func (p *planner) mergeRuns(r runs) {
	if r.all < endless {
		p.replace(slices.Repeat(pattern{some}, r.all+1))
	}
	for v, n := range r.ofVerb {
		if n > 0 && n < endless {
			p.replace(append(pattern{token(p.t.symbols[verbs[v]])}, slices.Repeat(pattern{some}, n)...))
		}
	}
}

// replace takes wide in place of the Denies it covers, if there are several.
func (p *planner) replace(wide pattern) {
	rest := slices.DeleteFunc(slices.Clone(p.needed), wide.covers)
	if len(p.needed)-len(rest) > 1 {
		p.needed = append(rest, wide)
	}
}

// endless is the reach of a template that takes paths of any length.
const endless = 1 << 20

// reach is the length of a cell's longest word.
func (t *Table) reach(c int) int {
	tpl := t.templates[t.cells[c].route]
	if n := len(tpl.segments); !tpl.fallback && (n == 0 || tpl.segments[n-1].kind != greedy) {
		return 1 + n
	}
	return endless
}

// mergeVerbs makes one Deny of those that differ by method alone, where that
// takes nothing from the cells given. A run for the method takes in segments
// too.
func (p *planner) mergeVerbs(cells cellSet) {
	tails := map[string]int{}
	for _, q := range p.needed {
		tails[q[1:].key()]++
	}
	for _, q := range slices.Clone(p.needed) {
		if tail := q[1:].key(); q[0] != some && tails[tail] > 1 {
			tails[tail] = 0
			if wide := append(pattern{some}, q[1:]...); !p.widelyHits(wide).meets(cells) {
				p.replace(wide)
			}
		}
	}
}

// widelyHits is hits, remembered: plans of one table ask for the same.
func (p *planner) widelyHits(wide pattern) cellSet {
	if hits, ok := p.o.wide.Load(wide.key()); ok {
		return hits.(cellSet)
	}
	budget := mergeBudget
	hits := p.t.hits(wide, &budget)
	p.o.wide.Store(wide.key(), hits)
	return hits
}
