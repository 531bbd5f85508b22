package policy

import "slices"

// Budgets are in steps of such walks, of some 50 ns each. What needs more is
// taken to meet everything: that closes, and never opens.
const (
	walkBudget  = 20_000    // of one walk
	tableBudget = 2_000_000 // of all walks that a table is prepared with
	mergeBudget = 2_000     // of one that would only make a document shorter
)

// visit is a walk of a pattern over the tree of templates.
type visit struct {
	t     *Table
	p     pattern
	word  []symbol
	left  int // of the budget
	found func(shared pattern, cell int)
	hits  cellSet // where it is enough to know the cells; then found is nil
}

// meet calls found for what a pattern shares with each template, as far as
// the template decides on it. Of the shared words it names the most general: a
// place whose text neither asks for takes any. Every shared word that the cell
// decides is in one of these patterns. It takes its steps from the budget, and
// answers false, having found only a part, where that or its own runs out.
//
// That looks at words with other in them alone. It is enough: if such a word
// is decided by a more specific template, then so is every word that has texts
// in the place of other.
func (t *Table) meet(p pattern, budget *int, found func(shared pattern, cell int)) bool {
	return visit{t: t, p: p, found: found}.run(budget)
}

// hits are the cells that decide a word of p. All of them, where a budget ran
// out.
func (t *Table) hits(p pattern, budget *int) cellSet {
	out := newCellSet(len(t.cells))
	if !(visit{t: t, p: p, hits: out}).run(budget) {
		return t.everyCell()
	}
	return out
}

func (v visit) run(budget *int) bool {
	most := min(walkBudget, *budget)
	v.left = most
	v.word = make([]symbol, 0, v.t.depth+1)
	v.walk(v.t.root, start)
	*budget -= most - v.left
	return v.left > 0
}

func (v *visit) walk(n *node, at places) {
	if v.left--; v.left <= 0 || at == 0 {
		return
	}
	v.report(n.cell, at)
	for _, s := range n.order {
		v.enter(n.static[s], at, s)
	}
	if n.param != nil {
		for _, s := range v.options(at) {
			v.enter(n.param, at, s)
		}
	}
	v.draw(n.greedy, at)
	v.report(n.fallback, at)
	v.draw(n.fallback, at)
}

func (v *visit) enter(n *node, at places, s symbol) {
	if at = v.p.step(at, s); at == 0 {
		return
	}
	v.word = append(v.word, s)
	v.walk(n, at)
	v.word = v.word[:len(v.word)-1]
}

// draw follows a greedy template one segment further, and again, up to the
// length of the longest template. Past that all words decide alike, whatever
// their texts, and what the pattern still asks for is left as it is.
func (v *visit) draw(cell int, at places) {
	if v.left--; v.left <= 0 || v.idle(cell) {
		return
	}
	if len(v.word) >= v.t.depth {
		v.reportRest(cell, at)
		return
	}
	for _, s := range v.options(at) {
		next := v.p.step(at, s)
		v.word = append(v.word, s)
		v.report(cell, next)
		v.draw(cell, next)
		v.word = v.word[:len(v.word)-1]
	}
}

// options are the symbols that a place of a template without a text of its
// own may hold: what the pattern asks for, and other where it takes anything.
func (v *visit) options(at places) []symbol {
	var out []symbol
	for i, tok := range v.p {
		s := symbol(tok)
		if tok == some || tok == rest {
			s = other
		}
		if at&(1<<i) != 0 && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (v *visit) idle(cell int) bool {
	return cell == none || v.hits != nil && v.hits.has(cell)
}

// report is for words that end here, reportRest for those that go on.
func (v *visit) report(cell int, at places) {
	switch {
	case v.idle(cell) || !v.p.ends(at) || v.t.decider(v.word) != cell:
	case v.hits != nil:
		v.hits.add(cell)
	default:
		v.found(general(v.word), cell)
	}
}

func (v *visit) reportRest(cell int, at places) {
	if v.t.decider(append(v.word, other)) != cell {
		return
	}
	for i := range v.p {
		if at&(1<<i) == 0 {
			continue
		}
		if v.hits != nil {
			v.hits.add(cell)
			return
		}
		shared := append(general(v.word), v.p[i:]...)
		if last := len(shared) - 1; shared[last] == rest {
			shared[last] = some // the word has gone on
		}
		v.found(shared, cell)
	}
}

// decider is decide for words of the compiler. A static segment in another
// spelling than its own matches nothing, as in Match.
func (t *Table) decider(word []symbol) int {
	plain, odd := word, uint64(0)
	for i, s := range word {
		if s < other {
			if odd == 0 {
				plain = slices.Clone(word)
			}
			plain[i] = t.spellings[-s-1].of
			odd |= 1 << i
		}
	}
	c := t.decide(plain, len(plain))
	if c != none && odd&t.templates[t.cells[c].route].statics() != 0 {
		return none
	}
	return c
}
