package policy

import (
	"slices"
	"sync"
)

// An overlap is words that the Allow of one cell takes in though they are not
// its own: {x} is a run of segments to IAM. Whether that matters depends on
// who is granted what, so all of them are found once, and a plan looks at
// those that concern it.
type overlap struct {
	wide  int // the cell whose Allow is too wide
	owner int // the cell that decides on these words, or none
	// deny is the least Deny that closes the words whatever their other texts
	// are, and hits are the cells it would take words from.
	deny pattern
	hits cellSet
	// long: the Deny does not fit into a Resource, many: it would have to be too
	// many, one for each spelling.
	long, many bool
	// encodedOnly: the words are spelt as only an encoded path can be.
	encodedOnly bool
	// bare is deny with those static segments of the owner opened that the
	// Allow takes whatever their spelling; letters is what these are written
	// with.
	bare    pattern
	letters letterSet
}

// overlaps is what a table's templates have in common.
type overlaps struct {
	of      [][]overlap // by wide
	hits    []cellSet   // by cell, of its widened pattern
	tangled []bool      // by cell: of may lack some
	wide    sync.Map    // from a pattern's key to its hits, as plans find them
}

// strayBudget bounds how many lengths of a template's runs are tried in the
// search for words that no template matches. Where it does not suffice, less
// is closed, and all that the Allow takes in is reported open.
const strayBudget = 400

// overlapBudget bounds how many overlaps of one cell are told apart. A cell
// with more is tangled.
const overlapBudget = 500

func (t *Table) findOverlaps() *overlaps {
	budget := tableBudget
	o := &overlaps{
		of:      make([][]overlap, len(t.cells)),
		hits:    make([]cellSet, len(t.cells)),
		tangled: make([]bool, len(t.cells)),
	}
	for c := range t.cells {
		p := t.pattern(c)
		o.hits[c] = t.hits(p, &budget)
		if !p.wild() {
			continue
		}
		f := finder{t: t, wide: c, p: p, budget: &budget}
		whole := t.meet(p, &budget, f.matched)
		o.tangled[c] = !whole || len(f.out) >= overlapBudget
		f.stray()
		o.of[c] = f.out
	}
	return o
}

// work is how much a plan for the cells has to look at.
func (o *overlaps) work(cells cellSet) int {
	n := 0
	for c := range cells.all() {
		n += 1 + len(o.of[c])
	}
	return n
}

// pattern is the Allow of a cell.
func (t *Table) pattern(c int) pattern {
	return t.widened(t.cells[c].verb, t.templates[t.cells[c].route])
}

// finder collects the overlaps of one cell.
type finder struct {
	t      *Table
	wide   int
	p      pattern
	budget *int
	out    []overlap
}

func (f *finder) matched(shared pattern, owner int) {
	if owner == f.wide || len(f.out) >= overlapBudget {
		return
	}
	o := f.overlap(shared, owner)
	if f.known(o) {
		return
	}
	f.out = append(f.out, o)
	f.respelt(o)
}

func (f *finder) overlap(words pattern, owner int) overlap {
	o := overlap{wide: f.wide, owner: owner, deny: words}
	if f.close(&o); owner != none {
		o.bare, o.letters = f.bare(words, owner)
	}
	return o
}

// close finds what the Deny takes. One that is longer than a route may be
// does not fit into a Resource and closes nothing: it is said to hit the wide
// cell itself, which then has to go.
func (f *finder) close(o *overlap) {
	if o.long = len(f.t.denyText(Encoded, o.deny)) > maxTail; o.long {
		o.hits = f.itself()
		return
	}
	o.hits = f.t.hits(o.deny, f.budget)
}

// itself is the wide cell alone.
func (f *finder) itself() cellSet {
	hits := newCellSet(len(f.t.cells))
	hits.add(f.wide)
	return hits
}

// known says whether an earlier overlap with the same owner stands for o.
func (f *finder) known(o overlap) bool {
	return slices.ContainsFunc(f.out, func(k overlap) bool {
		if k.owner != o.owner || k.encodedOnly || !k.hits.equal(o.hits) {
			return false
		}
		if o.owner == none {
			return k.deny.covers(o.deny)
		}
		return drawnOut(k.deny, o.deny) && drawnOut(k.bare, o.bare)
	})
}

// drawnOut says whether q is p with its last run drawn out.
func drawnOut(p, q pattern) bool {
	last := len(p) - 1
	return len(q) > last && p[last] == some && slices.Equal(p[:last], q[:last]) &&
		!slices.ContainsFunc(q[last:], func(tok token) bool { return tok != some })
}

// bare finds the static segments of the owner that the Allow does not insist
// on: another spelling of them would slip under a Deny of the words.
func (f *finder) bare(words pattern, owner int) (pattern, letterSet) {
	var letters letterSet
	bare := slices.Clone(words)
	probe := slices.Clone(words)
	for i, s := range f.t.templates[f.t.cells[owner].route].segments {
		at := i + 1
		if s.kind != static {
			continue
		}
		probe[at] = some
		if f.p.covers(probe) {
			bare[at] = some
			letters.addText(s.text)
		}
		probe[at] = words[at]
	}
	return bare, letters
}

// respelt adds the other spellings of words whose hidden static segments hold
// characters that clients write in more than one way. Where these are too many
// to list, the Deny is said to hit the wide cell itself.
func (f *finder) respelt(o overlap) {
	o.encodedOnly = true
	spelt := []pattern{o.deny}
	for i, tok := range o.deny {
		if tok == o.bare[i] {
			continue
		}
		forms := f.t.forms[tok]
		if forms.many || len(spelt)*(1+len(forms.symbols)) > maxSpellings+1 {
			o.hits = f.itself()
			o.many = true
			f.out = append(f.out, o)
			return
		}
		for _, q := range spelt[:len(spelt):len(spelt)] {
			for _, form := range forms.symbols {
				q := slices.Clone(q)
				q[i] = token(form)
				spelt = append(spelt, q)
			}
		}
	}
	for _, q := range spelt[1:] {
		o.deny = q
		f.close(&o)
		f.out = append(f.out, o)
	}
}

// stray finds the words that no template matches, by drawing out the runs of
// the Allow: shortest first, and no further than to what a Deny can close
// whoever is granted what.
func (f *finder) stray() {
	limit := max(f.t.depth, len(f.p)) + 1
	type drawn struct {
		lengths []int // of each run
		from    int   // the first run that may still grow
	}
	var first drawn
	for _, tok := range f.p {
		if tok == some {
			first.lengths = append(first.lengths, 1)
		}
	}
	queue := []drawn{first}
	for tried := 0; tried < len(queue); tried++ {
		if tried == strayBudget {
			f.out = append(f.out, overlap{wide: f.wide, owner: none, deny: f.p, hits: f.itself()})
			return
		}
		d := queue[tried]
		word := f.drawn(d.lengths)
		if f.t.decide(word, len(word)) == none {
			o := f.overlap(general(word), none)
			if !f.known(o) {
				f.out = append(f.out, o)
			}
			if o.hits.empty() {
				continue
			}
		}
		if len(word) >= limit {
			continue
		}
		for i := d.from; i < len(d.lengths); i++ {
			longer := drawn{slices.Clone(d.lengths), i}
			longer.lengths[i]++
			queue = append(queue, longer)
		}
	}
}

// drawn is the word of the Allow with runs of the given lengths.
func (f *finder) drawn(lengths []int) []symbol {
	var word []symbol
	run := 0
	for _, tok := range f.p {
		switch tok {
		case some:
			word = append(word, make([]symbol, lengths[run])...)
			run++
		case rest: // none: what it takes is never stray
		default:
			word = append(word, symbol(tok))
		}
	}
	return word
}
