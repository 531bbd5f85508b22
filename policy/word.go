package policy

import "encoding/binary"

// The compiler works on words, not on text. A word is a path with its method
// as the first of its segments; a pattern is a set of words. That loses
// nothing: a path that a template can match has no empty segment, so over
// such paths IAM's wildcard, which knows no slashes, is a run of segments.

// symbol stands for a segment's text wherever texts are only compared: for
// that of a static segment, or for other. Below zero it is one more spelling
// of a static segment's text, see spellings.
type symbol int32

// other is any text that no template names.
const other symbol = 0

// token is a symbol, or a run of segments.
type token int32

const (
	// some is a run of one segment or more.
	some token = -1 << 30
	// rest is a run of any length, none included. It stands last.
	rest token = some + 1
)

// A pattern is what one Resource says after the stage.
type pattern []token

// widened is the least pattern that IAM can write for a template: {x} takes
// a run there, as {x+} does.
func (t *Table) widened(v verb, tpl template) pattern {
	p := make(pattern, 1, 1+len(tpl.segments))
	p[0] = token(t.symbols[verbs[v]])
	if tpl.fallback {
		return append(p, rest)
	}
	for _, s := range tpl.segments {
		if s.kind == static {
			p = append(p, token(t.symbols[s.text]))
		} else {
			p = append(p, some)
		}
	}
	return p
}

// verbOf is the verb that a pattern begins with.
func (t *Table) verbOf(p pattern) verb {
	v, _ := verbOf(t.texts[p[0]])
	return v
}

// general is the least pattern that takes word in whatever the texts are
// that no template names.
func general(word []symbol) pattern {
	p := make(pattern, len(word))
	for i, s := range word {
		p[i] = token(s)
		if s == other {
			p[i] = some
		}
	}
	return p
}

// key is fit for a map.
func (p pattern) key() string {
	b := make([]byte, 0, 4*len(p))
	for _, tok := range p {
		b = binary.LittleEndian.AppendUint32(b, uint32(tok))
	}
	return string(b)
}

// places is a set of places in a pattern that a prefix of a word may have led
// to. The end is one of them.
type places uint64

const start places = 1

// step reads one more symbol of a word.
func (p pattern) step(at places, s symbol) places {
	var next places
	for i, tok := range p {
		if at&(1<<i) == 0 {
			continue
		}
		switch tok {
		case some:
			next |= 1<<i | 1<<(i+1)
		case rest:
			next |= 1 << i
		case token(s):
			next |= 1 << (i + 1)
		}
	}
	return p.settle(next)
}

// settle lets a rest of no length pass.
func (p pattern) settle(at places) places {
	if last := len(p) - 1; p[last] == rest && at&(1<<last) != 0 {
		at |= 1 << len(p)
	}
	return at
}

// ends says whether the word may end here.
func (p pattern) ends(at places) bool { return at&(1<<len(p)) != 0 }

// covers says whether p takes every word that q takes. It is enough to look
// at the shortest of q: what takes one segment of any text takes a run.
func (p pattern) covers(q pattern) bool {
	if p[0] >= 0 && p[0] != q[0] {
		return false // another method, as most are
	}
	at := start
	for _, tok := range q {
		switch tok {
		case some:
			at = p.step(at, other)
		case rest:
			return p.ends(at) && p.ends(p.step(at, other))
		default:
			at = p.step(at, symbol(tok))
		}
	}
	return p.ends(at)
}

// wild says whether p takes more than one word.
func (p pattern) wild() bool {
	for _, tok := range p {
		if tok == some || tok == rest {
			return true
		}
	}
	return false
}
