package policy

import (
	"slices"
	"strings"
)

// A plan is a document before it is tied to an API and stage: what stands in
// its Resources after the stage.
type plan struct {
	form    PathForm
	granted cellSet
	kept    cellSet    // granted cells that the document allows, each exactly
	left    []conflict // those that it cannot
	allow   []string
	deny    []string
	never   []string  // Denies of texts that no route has, from API/STAGE/ on
	open    []pattern // words of no route that an Allow takes in and no Deny can close
}

// planner folds a table and what is granted into a plan.
type planner struct {
	plan
	t      *Table
	o      *overlaps
	needed []pattern // Denies that close what the Allows take in besides their own
}

// plan builds the document for a set of routes:
//
// an Allow for each cell that is granted, a Deny for each overlap whose words
// are not granted, and a Deny for each refused cell, as long as no Deny takes
// a word from a cell that is allowed. A cell whose overlaps cannot be closed
// that way is left out.
func (t *Table) plan(form PathForm, s Set) plan {
	p := planner{t: t, o: t.overlaps(), plan: plan{form: form, granted: newCellSet(len(t.cells))}}
	for c := range t.cells {
		if s.Has(t.cells[c].route) {
			p.granted.add(c)
		}
	}
	p.kept, p.left = p.o.resolve(form, p.granted)
	if p.kept.empty() {
		p.deny = []string{anyText}
		return p.plan
	}
	p.allows()
	p.closeOverlaps()
	p.merge()
	p.writeNeeded()
	p.refuse()
	p.closeSpellings()
	p.closeOddities()
	return p.plan
}

// allows writes the Allows, without those that another one covers.
func (p *planner) allows() {
	var patterns []pattern
	for c := range p.kept.all() {
		patterns = append(patterns, p.t.pattern(c))
	}
	for _, q := range minimal(patterns) {
		p.allow = append(p.allow, p.t.allowText(p.form, q))
	}
}

// minimal leaves out what another pattern covers.
func minimal(patterns []pattern) []pattern {
	var out []pattern
	for i, q := range patterns {
		if !coveredElsewhere(patterns, i) {
			out = append(out, q)
		}
	}
	return out
}

// coveredElsewhere says so of patterns[i]; of two that are equal the first
// stays.
func coveredElsewhere(patterns []pattern, i int) bool {
	for j, p := range patterns {
		if j != i && p.covers(patterns[i]) && (j < i || !patterns[i].covers(p)) {
			return true
		}
	}
	return false
}

// closeOverlaps finds the Denies that the Allows need. After resolve, those
// against refused cells take nothing away; those against words of no route
// may, and then the words stay open.
func (p *planner) closeOverlaps() {
	for c := range p.kept.all() {
		for _, v := range p.o.of[c] {
			switch {
			case v.encodedOnly && p.form == Decoded:
			case v.owner != none && p.granted.has(v.owner):
			case !v.hits.meets(p.kept):
				p.needed = append(p.needed, v.deny)
			default:
				p.open = append(p.open, v.deny)
			}
		}
	}
	p.needed = minimal(p.needed)
	p.open = minimal(p.open)
}

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

func (p *planner) writeNeeded() {
	for _, q := range minimal(p.needed) {
		p.deny = append(p.deny, p.t.denyText(p.form, q))
	}
}

// refuse adds explicit Denies for the refused cells, where that closes
// nothing that is allowed: an authorizer's silence could be overruled by a
// resource policy, its Deny cannot. $default has none, it is everything.
// Whether what ANY refuses is better said once for all methods, or together
// with the other routes of each method, depends on the table.
func (p *planner) refuse() {
	apart := p.refusals(nil)
	wide := p.refusedByVerbs()
	together := append(wide, p.refusals(wide)...)
	if length(minimalTexts(together)) < length(minimalTexts(apart)) {
		apart = together
	}
	p.deny = minimalTexts(append(p.deny, apart...))
}

// minimalTexts leaves out what another Deny covers.
func minimalTexts(texts []string) []string {
	return slices.DeleteFunc(slices.Clone(texts), func(d string) bool {
		return slices.ContainsFunc(texts, func(o string) bool { return o != d && coversText(o, d) })
	})
}

func length(texts []string) int {
	n := 0
	for _, t := range texts {
		n += len(t) + 60 // for what stands before the method
	}
	return n
}

// refusedByVerbs gives one Deny for each template that several verbs refuse.
func (p *planner) refusedByVerbs() []string {
	var out []string
	times := map[string]int{}
	for c := range p.t.cells {
		if !p.refused(c) {
			continue
		}
		wide := append(pattern{some}, p.t.pattern(c)[1:]...)
		text := p.t.denyText(p.form, wide)
		if times[text]++; times[text] == 2 && !p.widelyHits(wide).meets(p.kept) {
			out = append(out, text)
		}
	}
	return out
}

// refused says whether a cell is to have an explicit Deny.
func (p *planner) refused(c int) bool {
	return !p.granted.has(c) && !p.t.templates[p.t.cells[c].route].fallback
}

// refusals gives the Denies of the refused cells that neither the document
// nor extra closes yet, one for those that begin alike.
func (p *planner) refusals(extra []string) []string {
	byPrefix := map[string][]string{}
	var order, out []string
	for c := range p.t.cells {
		probe := p.t.probeText(p.form, p.t.pattern(c))
		if !p.refused(c) || takenByAny(p.deny, probe) || takenByAny(extra, probe) {
			continue
		}
		text, short, ok := p.refusal(c)
		if !ok {
			continue
		}
		if _, seen := byPrefix[short]; !seen {
			order = append(order, short)
		}
		byPrefix[short] = append(byPrefix[short], text)
	}
	for _, short := range order {
		out = append(out, joined(byPrefix[short]))
	}
	return out
}

// refusal gives a refused cell's Deny, and the shortest beginning of it that
// no Allow can share. Where there is none, that is the Deny itself.
func (p *planner) refusal(c int) (text, short string, ok bool) {
	text = p.t.denyText(p.form, p.t.pattern(c))
	begin := literal(text)
	n := strings.IndexByte(text, '/') + 1
	for _, a := range p.allow {
		l := commonPrefix(literal(a), begin)
		if l == len(literal(a)) && l < len(a) || l == len(begin) {
			return text, text, !p.o.hits[c].meets(p.kept)
		}
		n = max(n, l+1)
	}
	return text, begin[:runeEnd(begin, n)], true
}

// joined makes one Deny of those that begin alike, longer than any Allow does.
func joined(texts []string) string {
	if texts = slices.Compact(texts); len(texts) == 1 {
		return texts[0]
	}
	begin := literal(texts[0])
	for _, t := range texts[1:] {
		begin = begin[:commonPrefix(begin, literal(t))]
	}
	return begin[:runeStart(begin, len(begin))] + anyText
}
