package keydoc

import (
	"bytes"
	"errors"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Document is a document to be changed. Records that are not touched keep
// every byte, so that an edit cannot damage what it does not understand.
type Document struct {
	records []Record
}

// Open reads a document. Empty text is a document without records. An id that
// occurs twice is an error: it is to be repaired by hand.
func Open(text []byte) (*Document, error) {
	if len(text) == 0 {
		return &Document{}, nil
	}
	records, err := split(text)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(records))
	for _, r := range records {
		if seen[r.ID] {
			return nil, errors.New("an id occurs twice: remove one of them first")
		}
		seen[r.ID] = true
	}
	return &Document{records}, nil
}

// Records returns the records in the document's order.
func (d *Document) Records() []Record { return slices.Clone(d.records) }

// Get returns the record of id, nil where there is none.
func (d *Document) Get(id string) jsontext.Value {
	if n := d.find(id); n >= 0 {
		return d.records[n].Value
	}
	return nil
}

// Set replaces or adds the record of id. Nil removes it.
func (d *Document) Set(id string, value jsontext.Value) {
	n := d.find(id)
	switch {
	case value == nil && n >= 0:
		d.records = slices.Delete(d.records, n, n+1)
	case value == nil:
	case n >= 0:
		d.records[n].Value = value
	default:
		d.records = append(d.records, Record{id, value})
	}
}

func (d *Document) find(id string) int {
	return slices.IndexFunc(d.records, func(r Record) bool { return r.ID == id })
}

// Text is the document, without white space of its own.
func (d *Document) Text() ([]byte, error) {
	out := bytes.NewBufferString(`{"keys":{`)
	for n, r := range d.records {
		if n > 0 {
			out.WriteByte(',')
		}
		id, err := jsontext.AppendQuote(nil, r.ID)
		if err != nil || !r.Value.IsValid(jsontext.AllowDuplicateNames(true)) {
			return nil, errors.New("a record is not JSON")
		}
		out.Write(id)
		out.WriteByte(':')
		out.Write(r.Value)
	}
	out.WriteString("}}")
	return out.Bytes(), nil
}
