package policy

// An island is the cells that begin with the same text, for all verbs. Where a
// cell begins with a parameter, those of its verb are of one island. What a
// document says of one island does not depend on the others, but for what it
// says of several at once, and that it does only where it is shorter. So a sum
// over islands, of the most that each can take, bounds every document.
type island struct {
	cells   cellSet
	outside cellSet
}

// islands divides the cells.
func (t *Table) islands() []island {
	anchor := t.anchors()
	var out []island
	byAnchor := map[int]int{}
	for c := range t.cells {
		a := anchor.find(c)
		i, ok := byAnchor[a]
		if !ok {
			i = len(out)
			byAnchor[a] = i
			out = append(out, island{cells: newCellSet(len(t.cells)), outside: t.everyCell()})
		}
		out[i].cells.add(c)
		out[i].outside.remove(c)
	}
	return out
}

// anchors name, for each cell, another one of the same island or itself.
type anchors []int

func (a anchors) find(c int) int {
	for a[c] != c {
		c = a[c]
	}
	return c
}

func (a anchors) join(c, o int) { a[a.find(c)] = a.find(o) }

func (t *Table) anchors() anchors {
	a := make(anchors, len(t.cells))
	ofName, ofVerb, mixed := map[token]int{}, map[verb]int{}, map[verb]bool{}
	for c, cell := range t.cells {
		a[c] = c
		mixed[cell.verb] = mixed[cell.verb] || t.first(c) < 0
	}
	for c, cell := range t.cells {
		if name := t.first(c); name >= 0 {
			if o, ok := ofName[name]; ok {
				a.join(c, o)
			}
			ofName[name] = c
		}
		if o, ok := ofVerb[cell.verb]; ok && mixed[cell.verb] {
			a.join(c, o)
		}
		ofVerb[cell.verb] = c
	}
	return a
}

// first is the token that a cell begins with after the method: none of its
// own for the root.
func (t *Table) first(c int) token {
	if p := t.pattern(c); len(p) > 1 {
		return p[1]
	}
	return token(other)
}
