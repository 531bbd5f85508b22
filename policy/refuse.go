package policy

import (
	"slices"
	"strings"
)

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

// minimalTexts leaves out what another Deny covers; of those that are equal,
// the first stays.
func minimalTexts(texts []string) []string {
	var kept []leastText
	for _, d := range texts {
		l := leastOf(d)
		if slices.ContainsFunc(kept, func(k leastText) bool { return l.coveredBy(k.deny) }) {
			continue
		}
		kept = append(slices.DeleteFunc(kept, func(k leastText) bool { return k.coveredBy(d) }), l)
	}
	out := make([]string, len(kept))
	for i, k := range kept {
		out[i] = k.deny
	}
	return out
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
