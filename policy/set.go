package policy

// Set is a set of routes. It is comparable; the zero Set is empty.
type Set struct {
	bits string // eight routes a byte
}

// Key is the same for equal sets of one table and fit for a map.
func (s Set) Key() string { return s.bits }

// Has says whether the route is in the set.
func (s Set) Has(id RouteID) bool {
	i := int(id)
	return i >= 0 && i/8 < len(s.bits) && s.bits[i/8]&(1<<(i%8)) != 0
}

// Empty says whether no route is in the set.
func (s Set) Empty() bool {
	for i := 0; i < len(s.bits); i++ {
		if s.bits[i] != 0 {
			return false
		}
	}
	return true
}

// SetOf makes a set of the given routes of t.
func (t *Table) SetOf(ids ...RouteID) Set {
	b := t.newBits()
	for _, id := range ids {
		b.add(int(id))
	}
	return Set{bits: string(b)}
}

// routeBits is a set that is still being built.
type routeBits []byte

func (t *Table) newBits() routeBits { return make(routeBits, (len(t.routes)+7)/8) }

func (b routeBits) add(i int) { b[i/8] |= 1 << (i % 8) }
