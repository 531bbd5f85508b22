package policy

import (
	"cmp"
	"maps"
	"slices"
)

// A conflict is a pair of granted cells that no document can allow together
// while a third is refused: the first one's Allow takes in words of the
// refused one, and the least Deny against that takes words of the second. The
// two may be the same.
type conflict struct {
	wide, with int
	refused    int
	why        cause
}

// cause is why a Deny would take too much.
type cause uint8

const (
	crossesSlashes cause = iota
	manySpellings
	tooLong
)

func (v overlap) cause() cause {
	switch {
	case v.many:
		return manySpellings
	case v.long:
		return tooLong
	}
	return crossesSlashes
}

// conflicts lists them for what is granted, in a fixed order: of those between
// the same two cells, the first.
func (o *overlaps) conflicts(form PathForm, granted cellSet) []conflict {
	var out []conflict
	whole := granted.size() == len(o.of)
	for k := range granted.all() {
		if o.tangled[k] && !whole {
			out = append(out, conflict{wide: k, with: k, refused: none})
		}
		fresh := granted.clone()
		for _, v := range o.of[k] {
			if v.owner == none || granted.has(v.owner) || v.encodedOnly && form == Decoded {
				continue
			}
			for w := range v.hits.both(fresh) {
				out = append(out, conflict{wide: k, with: w, refused: v.owner})
				fresh.remove(w)
			}
		}
	}
	return out
}

// resolve leaves out as few granted cells as it takes to have no conflict
// left, and says because of what. What is left out is refused by the document
// though the table grants it: never the other way round.
func (o *overlaps) resolve(form PathForm, granted cellSet) (kept cellSet, left []conflict) {
	kept = granted.clone()
	g := graph{}
	found := o.conflicts(form, granted)
	for _, c := range found {
		if c.wide == c.with && kept.has(c.wide) {
			kept.remove(c.wide)
			left = append(left, c)
		}
	}
	for _, c := range found {
		if kept.has(c.wide) && kept.has(c.with) {
			g.join(c)
		}
	}
	cover := g.cover()
	for _, out := range cover {
		kept.remove(out)
	}
	for _, out := range cover {
		left = append(left, because(found, out, kept))
	}
	slices.SortFunc(left, func(a, b conflict) int { return cmp.Compare(a.wide, b.wide) })
	return kept, left
}

// because is a conflict that the cell was left out for, one with a cell that
// was kept if there is any. The cell that is out stands first in it.
func because(found []conflict, out int, kept cellSet) conflict {
	var reason conflict
	for _, c := range found {
		if c.with == out {
			c.wide, c.with = c.with, c.wide
		}
		if c.wide != out {
			continue
		}
		reason = c
		if kept.has(c.with) {
			break
		}
	}
	return reason
}

// graph holds the cells in conflict with one another.
type graph map[int]*vertex

type vertex struct {
	joined map[int]bool
	wide   bool // its Allow is in the way, not only in need of the words
}

func (g graph) join(c conflict) {
	for _, end := range [][2]int{{c.wide, c.with}, {c.with, c.wide}} {
		v := g[end[0]]
		if v == nil {
			v = &vertex{joined: map[int]bool{}}
			g[end[0]] = v
		}
		v.joined[end[1]] = true
	}
	g[c.wide].wide = true
}

// coverBudget bounds the search for the smallest cover, in cells looked at.
// Past it the best one found so far is used: it leaves out more than needed,
// never too little.
const coverBudget = 100_000

// cover is a smallest set of cells that has one of every conflict.
func (g graph) cover() []int {
	cells := slices.Sorted(maps.Keys(g))
	s := coverSearch{g: g, cells: cells, out: map[int]bool{}, best: cells, left: coverBudget}
	s.search()
	return s.best
}

type coverSearch struct {
	g     graph
	cells []int
	out   map[int]bool // chosen so far
	best  []int
	left  int
}

func (s *coverSearch) search() {
	v, degree := s.busiest()
	switch {
	case len(s.out) >= len(s.best) && degree > 0:
		return
	case degree == 0:
		if len(s.out) < len(s.best) {
			s.best = slices.Sorted(maps.Keys(s.out))
		}
		return
	}
	// Either v is left out or all that it is in conflict with. With one
	// conflict each, the second is never smaller.
	s.with([]int{v}, s.search)
	if s.left -= len(s.cells); degree > 1 && s.left > 0 {
		s.with(s.neighbours(v), s.search)
	}
}

func (s *coverSearch) with(out []int, then func()) {
	for _, v := range out {
		s.out[v] = true
	}
	then()
	for _, v := range out {
		delete(s.out, v)
	}
}

func (s *coverSearch) neighbours(v int) []int {
	var out []int
	for w := range s.g[v].joined {
		if !s.out[w] {
			out = append(out, w)
		}
	}
	return out
}

// busiest is the cell with the most conflicts left; of equals, one whose
// Allow is in the way.
func (s *coverSearch) busiest() (best, degree int) {
	for _, v := range s.cells {
		if s.out[v] {
			continue
		}
		d := len(s.neighbours(v))
		if d > degree || d > 0 && d == degree && s.g[v].wide && !s.g[best].wide {
			best, degree = v, d
		}
	}
	return best, degree
}
