package policy

import (
	"iter"
	"math/bits"
)

// cellSet is a set of cells.
type cellSet []uint64

func newCellSet(n int) cellSet { return make(cellSet, (n+63)/64) }

func (s cellSet) add(c int)      { s[c/64] |= 1 << (c % 64) }
func (s cellSet) remove(c int)   { s[c/64] &^= 1 << (c % 64) }
func (s cellSet) has(c int) bool { return s[c/64]&(1<<(c%64)) != 0 }

// everyCell is a new set of all cells.
func (t *Table) everyCell() cellSet {
	s := newCellSet(len(t.cells))
	for c := range t.cells {
		s.add(c)
	}
	return s
}

func (s cellSet) empty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}

func (s cellSet) meets(o cellSet) bool {
	for i, w := range s {
		if w&o[i] != 0 {
			return true
		}
	}
	return false
}

func (s cellSet) equal(o cellSet) bool {
	for i, w := range s {
		if w != o[i] {
			return false
		}
	}
	return true
}

func (s cellSet) size() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// both yields the members that s and o share.
func (s cellSet) both(o cellSet) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, w := range s {
			for w &= o[i]; w != 0; w &= w - 1 {
				if !yield(i*64 + bits.TrailingZeros64(w)) {
					return
				}
			}
		}
	}
}

func (s cellSet) all() iter.Seq[int] { return s.both(s) }

func (s cellSet) clone() cellSet { return append(cellSet(nil), s...) }
