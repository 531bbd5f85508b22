package policy

import "slices"

// islandBudget bounds how many kinds of callers are tried for an island.
const islandBudget = 64

// measure adds up what a document of an island says.
type measure struct {
	t            *Table
	o            *overlaps
	form         PathForm
	stage, every int // what a Resource takes besides its text
}

// option is what a document may say of an island.
type option struct {
	bytes int
	// letters are closed in every encoding, and odd texts by their places in
	// odd: both once for all islands.
	letters letterSet
	odd     uint64
}

// bound is at least the length of any cached document. It is the sum of all
// that might have to be said, if that is no more than enough.
func (t *Table) bound(form PathForm, a ARN, enough int) int {
	const quoted = len(`"",`)
	m := measure{t: t, o: t.overlaps(), form: form, stage: len(a.resourceStage()) + quoted, every: len(everyAPI(a.Partition)) + quoted}
	n := len(documentStart) + 2*len(statementStart) + len(`Allow","Resource":[]},Deny","Resource":[]}]}`)
	n += m.longRuns()
	whole := [][]option{m.everything(island{cells: t.everyCell()})}
	if most := n + m.odd(whole) + m.most(whole); most <= enough {
		return most
	}
	islands := t.islands()
	options := make([][]option, len(islands))
	for i := range islands {
		options[i] = m.options(islands[i])
	}
	return n + m.odd(options) + m.most(options)
}

// most is the most that options of all islands add up to. Letters may be
// counted once, or with each island that needs them: both are bounds, and so
// is any division, of which some are tried.
func (m measure) most(options [][]option) int {
	var all, once letterSet
	for _, of := range options {
		for _, o := range of {
			all.addAll(o.letters)
		}
	}
	sum := func(once letterSet) int {
		n := m.letters(once)
		for _, of := range options {
			most := 0
			for _, o := range of {
				most = max(most, o.bytes+m.letters(o.letters.without(once)))
			}
			n += most
		}
		return n
	}
	best := min(sum(once), sum(all))
	for c := range all.all() {
		more := once
		more.addText(string(rune(c)))
		if n := sum(more); n < best {
			best, once = n, more
		}
	}
	return best
}

func (m measure) letters(s letterSet) int {
	n := 0
	for c := range s.all() {
		for _, e := range escapes(c) {
			n += m.every + len(e) + 2*len(anyText)
		}
	}
	return n
}

// odd is what the Denies of odd texts take.
func (m measure) odd(options [][]option) int {
	var needed uint64
	for _, of := range options {
		for _, o := range of {
			needed |= o.odd
		}
	}
	n := 0
	for i, d := range odd(m.form) {
		if needed&(1<<i) != 0 {
			n += m.every + len(d.deny)
		}
	}
	return n
}

// options are what a document may say of an island, over all callers.
func (m measure) options(i island) []option {
	var classes []class
	known := map[int]bool{}
	for c := range i.cells.all() {
		if k := m.t.classIndex(c); !known[k] {
			known[k] = true
			classes = append(classes, m.t.classes[k])
		}
		if m.o.tangled[c] {
			return m.everything(i)
		}
	}
	sets, all := m.t.grantable(classes, min(islandBudget, sizeBudget/m.o.work(i.cells)))
	if !all {
		return m.everything(i)
	}
	var out []option
	for _, s := range sets {
		granted := newCellSet(len(m.t.cells))
		for c := range i.cells.all() {
			if s.Has(m.t.cells[c].route) {
				granted.add(c)
			}
		}
		out = append(out, m.said(i, granted))
	}
	return out
}

// everything is the one option that is enough for all.
func (m measure) everything(i island) []option {
	o := option{odd: ^uint64(0)}
	for c := range i.cells.all() {
		o.bytes += m.stage + len(m.t.allowText(m.form, m.t.pattern(c)))
		o.bytes += m.stage + len(m.t.denyText(m.form, m.t.pattern(c)))
		for _, v := range m.o.of[c] {
			o.bytes += m.stage + len(m.t.denyText(m.form, v.deny))
			o.letters.addAll(v.letters)
		}
	}
	return []option{o}
}

// said is what a document says of an island for what is granted there.
func (m measure) said(i island, granted cellSet) option {
	p := planner{t: m.t, o: m.o, plan: plan{form: m.form, granted: granted}}
	p.kept, _ = m.o.resolve(m.form, granted)
	p.allows()
	p.closeOverlaps()
	long := func(q pattern) bool { return len(q) > m.t.longest.ofVerb[m.t.verbOf(q)] }
	closed := slices.DeleteFunc(slices.Clone(p.needed), func(q pattern) bool { return !long(q) })
	p.needed = slices.DeleteFunc(p.needed, long)
	// Other islands may allow anything.
	others := i.outside.clone()
	for c := range p.kept.all() {
		others.add(c)
	}
	p.mergeVerbs(others)
	p.writeNeeded()
	var o option
	for _, text := range slices.Concat(p.allow, p.deny) {
		o.bytes += m.stage + len(text)
	}
	// What longRuns counts is closed as well.
	p.needed = closed
	p.writeNeeded()
	o.letters = p.letters()
	for i, d := range odd(m.form) {
		if p.leaveOpen(d) {
			o.odd |= 1 << i
		}
	}
	for v := range verbs {
		o.bytes += m.refused(p, i, verb(v))
	}
	return o
}

// refused is the most that refusing cells of an island takes for one verb. If
// none is allowed, it is enough to refuse each name and what is below it.
func (m measure) refused(p planner, i island, v verb) int {
	apart, together := 0, 0
	names, kept, rooted := map[token]bool{}, false, true
	for c := range i.cells.all() {
		if m.t.cells[c].verb != v {
			continue
		}
		q := m.t.pattern(c)
		kept = kept || p.kept.has(c)
		if !p.refused(c) || m.o.hits[c].meets(p.kept) || takenByAny(p.deny, m.t.probeText(m.form, q)) {
			continue
		}
		apart += m.stage + len(m.t.denyText(m.form, q))
		name := m.t.first(c)
		rooted = rooted && name >= 0
		if names[name] {
			continue
		}
		names[name] = true
		together += 2*(m.stage+len(m.t.denyText(m.form, q[:min(2, len(q))]))) + len("/*")
	}
	if kept || !rooted {
		return apart
	}
	return min(apart, together)
}

// longRuns is what the Denies against words longer than any take: one for all
// verbs, and one for each that has shorter ones.
func (m measure) longRuns() int {
	all, ofVerb := 0, [len(verbs)]int{}
	for c, of := range m.o.of {
		v := m.t.cells[c].verb
		for _, o := range of {
			text := m.stage + max(len(m.t.denyText(m.form, o.deny)), len(longestVerb)+len("/*")*(m.t.depth+1))
			switch {
			case len(o.deny) > m.t.longest.all:
				all = max(all, text)
			case len(o.deny) > m.t.longest.ofVerb[v]:
				ofVerb[v] = max(ofVerb[v], text)
			}
		}
	}
	for _, n := range ofVerb {
		all += n
	}
	return all
}
