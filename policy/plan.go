package policy

import "slices"

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

// minimal leaves out what another pattern covers; of those that are equal, the
// first stays. It compares with what stays alone: covers is transitive, so what
// goes is no loss to a later comparison.
func minimal(patterns []pattern) []pattern {
	var out []pattern
	for _, q := range patterns {
		if slices.ContainsFunc(out, func(p pattern) bool { return p.covers(q) }) {
			continue
		}
		out = append(slices.DeleteFunc(out, q.covers), q)
	}
	return out
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

func (p *planner) writeNeeded() {
	for _, q := range minimal(p.needed) {
		p.deny = append(p.deny, p.t.denyText(p.form, q))
	}
}
