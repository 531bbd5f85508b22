// Package keydoc reads and edits the JSON document that every secret of keys
// holds: {"keys": {"<id>": <record>}}. It is strict, and no error of it shows
// a piece of the document except ids that its caller allows to be shown and
// names of members. It does not know what a record means.
package keydoc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Record is one member of "keys", as it stands.
type Record struct {
	ID    string
	Value jsontext.Value
}

// Kind is a kind of records.
type Kind[R any] struct {
	// Name is what one is called in errors, like "API key".
	Name string
	// Showable reports whether an id may stand in an error. An id that is
	// not one may be a secret in the wrong place; it is told by its position.
	Showable func(id string) bool
	// Parse makes a record of its JSON. Its errors must quote nothing.
	Parse func(id string, value jsontext.Value) (R, error)
}

// Read returns the records of a document by id, and why others are left out:
// a bad one, and all of an id that occurs more than once, since which one
// counts is not for us to guess. A text that is no such document gives no map
// and one error.
func (k Kind[R]) Read(text []byte) (map[string]R, []error) {
	all, err := split(text)
	if err != nil {
		return nil, []error{err}
	}
	times := make(map[string]int, len(all))
	for _, r := range all {
		times[r.ID]++
	}
	out := make(map[string]R, len(all))
	var bad []error
	for n, r := range all {
		if times[r.ID] > 1 {
			bad = append(bad, fmt.Errorf("%s: its id occurs %d times, none of them is used", k.name(n, r.ID), times[r.ID]))
			continue
		}
		record, err := k.Parse(r.ID, r.Value)
		if err != nil {
			bad = append(bad, fmt.Errorf("%s: %w", k.name(n, r.ID), err))
			continue
		}
		out[r.ID] = record
	}
	return out, bad
}

func (k Kind[R]) name(n int, id string) string {
	if k.Showable(id) {
		return k.Name + " " + id
	}
	return k.Name + " number " + strconv.Itoa(n+1)
}

// split takes a document apart without looking into its records, so that a bad
// one cannot spoil the others. It may return an id more than once.
func split(text []byte) ([]Record, error) {
	d := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true))
	if !enter(d, jsontext.KindBeginObject) {
		return nil, errors.New("it is not a JSON object")
	}
	name, err := d.ReadToken()
	if err != nil || name.Kind() != jsontext.KindString || name.String() != "keys" {
		return nil, errors.New(`its only member must be "keys"`)
	}
	if !enter(d, jsontext.KindBeginObject) {
		return nil, errors.New(`"keys" is not a JSON object`)
	}
	out := []Record{}
	for d.PeekKind() == jsontext.KindString {
		id, err := d.ReadToken()
		if err != nil {
			return nil, broken(d)
		}
		r := Record{ID: id.String()}
		value, err := d.ReadValue()
		if err != nil {
			return nil, broken(d)
		}
		r.Value = value.Clone()
		out = append(out, r)
	}
	if !enter(d, jsontext.KindEndObject) {
		return nil, broken(d)
	}
	if !enter(d, jsontext.KindEndObject) {
		return nil, errors.New(`its only member must be "keys"`)
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return nil, errors.New("something follows the JSON object")
	}
	return out, nil
}

// enter reads a token of the kind, if that is what comes.
func enter(d *jsontext.Decoder, kind jsontext.Kind) bool {
	if d.PeekKind() != kind {
		return false
	}
	_, err := d.ReadToken()
	return err == nil
}

// broken says where reading stopped. The decoder's own words quote the input.
func broken(d *jsontext.Decoder) error {
	return fmt.Errorf("not JSON after byte %d", d.InputOffset())
}
