package policy

import (
	"fmt"
	"iter"
	"unicode/utf8"
)

// A static segment has one spelling in an encoded path that it is matched in.
// Another one of the same text matches no route, but a backend, or API Gateway
// itself, may read it as the same: /items/%61dmin is /items/admin. So where
// a cached Allow would take in a refused static segment, what can be said
// against its other spellings is said. All of that is data: texts that no
// path of a configured route can hold, and for characters that may be written
// either way, the few other spellings themselves.

// spelling is one more way to write a static segment's text.
type spelling struct {
	of   symbol
	text string
}

// forms are the other spellings of a static segment by its characters that
// are not unreserved.
type forms struct {
	symbols []symbol
	many    bool // more than maxSpellings, or not to be said
}

const maxSpellings = 8

// spell finds the forms of every static segment. Of what is not ASCII there
// are too many: a byte may stand as it is beside an escaped one, and a document,
// being JSON, cannot even say that.
func (t *Table) spell() {
	t.forms = make([]forms, len(t.texts))
	for s, text := range t.texts {
		spelt := []string{""}
		for i := 0; i < len(text) && len(spelt) <= maxSpellings+1; i++ {
			spelt = append2(spelt, waysToWrite(text[i]))
			t.forms[s].many = t.forms[s].many || text[i] >= utf8.RuneSelf
		}
		if t.forms[s].many = t.forms[s].many || len(spelt) > maxSpellings+1; t.forms[s].many {
			continue
		}
		for _, text := range spelt {
			if text != t.encoded[s] {
				t.spellings = append(t.spellings, spelling{symbol(s), text})
				t.forms[s].symbols = append(t.forms[s].symbols, -symbol(len(t.spellings)))
			}
		}
	}
}

func append2(heads, tails []string) []string {
	out := make([]string, 0, len(heads)*len(tails))
	for _, h := range heads {
		for _, t := range tails {
			out = append(out, h+t)
		}
	}
	return out
}

// waysToWrite lists the spellings of a byte that a path may hold. Unreserved
// characters are closed by their encoding, wherever it stands.
func waysToWrite(c byte) []string {
	if isUnreserved(c) {
		return []string{string(rune(c))}
	}
	return append([]string{string([]byte{c})}, escapes(c)...)
}

// escapes lists the percent-encodings of a byte, in both cases.
func escapes(c byte) []string {
	out := []string{"%"}
	for _, digit := range []byte{c >> 4, c & 15} {
		both := []string{fmt.Sprintf("%X", digit)}
		if digit > 9 {
			both = append(both, fmt.Sprintf("%x", digit))
		}
		out = append2(out, both)
	}
	return out
}

// letterSet is a set of unreserved characters.
type letterSet [2]uint64

func (s *letterSet) addText(text string) {
	for i := 0; i < len(text); i++ {
		if c := text[i]; isUnreserved(c) {
			s[c/64] |= 1 << (c % 64)
		}
	}
}

func (s *letterSet) addAll(o letterSet) { s[0] |= o[0]; s[1] |= o[1] }

func (s letterSet) holds(o letterSet) bool { return o[0]&^s[0] == 0 && o[1]&^s[1] == 0 }

func (s letterSet) without(o letterSet) letterSet { return letterSet{s[0] &^ o[0], s[1] &^ o[1]} }

func (s letterSet) all() iter.Seq[byte] {
	return func(yield func(byte) bool) {
		for c := range byte(128) {
			if s[c/64]&(1<<(c%64)) != 0 && !yield(c) {
				return
			}
		}
	}
}
