package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The fields that a line may have, and those that an export of list has
// besides: who writes and when is recorded anew.
var (
	bulkFields = []string{"kind", "value", "issuer", "token", "reason", "not_before", "expires_at"}
	passedOver = []string{"pk", "revoked_by", "revoked_at", "unlisted"}
)

// record is one entry of the input as it stands there.
type record struct {
	line   int // where it begins, from 1
	fields map[string]string
	err    error             // why it cannot be read; it quotes nothing
	sum    [sha256.Size]byte // of this record and all before it
}

// reader reads records. After it has ended, err tells whether the input has.
type reader struct {
	in     *bufio.Reader
	format string
	err    error
	sum    hash.Hash
	line   int
	csv    *csv.Reader
	header []string
}

func newReader(in io.Reader, format string) (*reader, error) {
	r := &reader{in: bufio.NewReader(in), format: format, sum: sha256.New()}
	if mark, _ := r.in.Peek(3); string(mark) == "\ufeff" {
		_, _ = r.in.Discard(3) // Windows editors begin with it
	}
	if format == "csv" {
		return r, r.readHeader()
	}
	return r, nil
}

func (r *reader) readHeader() error {
	r.csv = csv.NewReader(r.in)
	header, err := r.csv.Read()
	known := strings.Join(bulkFields, ", ")
	switch {
	case err == io.EOF:
		return usage("the input is empty")
	case err != nil:
		return usage("line 1 is no row of CSV: it names the columns, of %s", known)
	}
	for i, name := range header {
		name = strings.TrimSpace(name)
		switch {
		case !slices.Contains(bulkFields, name) && !slices.Contains(passedOver, name):
			return usage("line 1 names the columns; column %d is none of %s", i+1, known)
		case slices.Contains(header[:i], name):
			return usage("line 1: column %s stands there twice", name)
		}
		header[i] = name
	}
	r.header = header
	return nil
}

// records yields all of them, those that cannot be read too.
func (r *reader) records() iter.Seq[record] {
	next := r.nextJSON
	if r.csv != nil {
		next = r.nextCSV
	}
	return func(yield func(record) bool) {
		for {
			rec, ok := next()
			if !ok {
				return
			}
			r.sum.Sum(rec.sum[:0])
			if !yield(rec) {
				return
			}
		}
	}
}

func (r *reader) nextCSV() (record, bool) {
	row, err := r.csv.Read()
	var bad *csv.ParseError
	switch {
	case err == io.EOF:
		return record{}, false
	case errors.As(err, &bad):
		r.add(row...)
		text := "not a row of CSV"
		if errors.Is(err, csv.ErrFieldCount) {
			text = fmt.Sprintf("%d columns, line 1 names %d", len(row), len(r.header))
		}
		return record{line: bad.StartLine, err: errors.New(text)}, true
	case err != nil:
		r.err = err
		return record{}, false
	}
	r.add(row...)
	rec := record{fields: make(map[string]string, len(row))}
	rec.line, _ = r.csv.FieldPos(0)
	for i, name := range r.header {
		if slices.Contains(bulkFields, name) && row[i] != "" {
			rec.fields[name] = row[i]
		}
	}
	return rec, true
}

// add makes the parts of a record count for the sum, and where they end.
func (r *reader) add(parts ...string) {
	for _, p := range append(parts, "") {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		r.sum.Write(size[:])
		r.sum.Write([]byte(p))
	}
}

// maxLine is more than a token and all other fields can have.
const maxLine = 64 << 10

func (r *reader) nextJSON() (record, bool) {
	for {
		line, long, err := r.readLine()
		if err != nil {
			if err != io.EOF {
				r.err = err
			}
			return record{}, false
		}
		if len(bytes.TrimSpace(line)) == 0 && !long {
			continue
		}
		r.add(string(line))
		rec := record{line: r.line}
		if long {
			rec.err = fmt.Errorf("longer than %d bytes", maxLine)
		} else {
			rec.fields, rec.err = fieldsOf(line)
		}
		return rec, true
	}
}

// readLine returns the next line, or the head of one that is too long.
func (r *reader) readLine() (line []byte, long bool, err error) {
	r.line++
	for {
		part, err := r.in.ReadSlice('\n')
		if room := maxLine - len(line); len(part) > room {
			line, long = append(line, part[:room]...), true
		} else {
			line = append(line, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
		case err == io.EOF && (len(line) > 0 || long):
			return line, long, nil
		default:
			return line, long, err
		}
	}
}

// fieldsOf reads one JSON object. Its error quotes nothing: a token may stand
// anywhere in the line.
func fieldsOf(line []byte) (map[string]string, error) {
	var raw map[string]jsontext.Value
	if err := json.Unmarshal(line, &raw); err != nil || raw == nil {
		return nil, errors.New("not a JSON object on one line, or a field twice")
	}
	fields := make(map[string]string, len(raw))
	for name, value := range raw {
		if slices.Contains(passedOver, name) {
			continue
		}
		if !slices.Contains(bulkFields, name) {
			return nil, fmt.Errorf("a field that is none of %s", strings.Join(bulkFields, ", "))
		}
		var text string
		if value.Kind() != '"' || json.Unmarshal(value, &text) != nil {
			return nil, fmt.Errorf("%s is not a string", name)
		}
		if text != "" {
			fields[name] = text
		}
	}
	return fields, nil
}
