package jwks

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/go-json-experiment/json/jsontext"
)

// maxNesting bounds objects and arrays inside one another, the outermost
// object included.
const maxNesting = 32

// maxSafeInteger is the largest number up to which a float64 tells every
// whole number from the next (RFC 7493 section 2.2).
const maxSafeInteger = 1<<53 - 1

// decoder reads one JSON object strictly. jsontext, as it comes, refuses
// duplicate members at any depth, invalid UTF-8 and lone surrogates (RFC
// 7493); NUL and nesting are refused here. Two parsers that see different
// claims in one token are how a forged one gets through.
type decoder struct {
	jsontext.Decoder
	buf  bytes.Buffer
	text string // all of the input: strings without escapes are parts of it
}

// object decodes data, which must be one JSON object and nothing else. The
// error says what is wrong and where, and quotes nothing.
func (d *decoder) object(data []byte) (map[string]any, error) {
	d.buf = *bytes.NewBuffer(data)
	d.Reset(&d.buf)
	d.text = string(data)
	defer func() { d.text = "" }()
	if d.PeekKind() != jsontext.KindBeginObject {
		return nil, errors.New("not a JSON object")
	}
	m, err := d.members(16) // as many claims as tokens usually have
	if err != nil {
		return nil, plain(err)
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return nil, errors.New("something follows the JSON object")
	}
	return m, nil
}

func (d *decoder) value() (any, error) {
	switch d.PeekKind() {
	case jsontext.KindBeginObject:
		return d.members(0)
	case jsontext.KindBeginArray:
		return d.elements()
	case jsontext.KindString:
		return d.string()
	}
	tok, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch tok.Kind() {
	case jsontext.KindNumber:
		return number(tok)
	case jsontext.KindTrue, jsontext.KindFalse:
		return tok.Bool(), nil
	case jsontext.KindNull:
		return nil, nil
	}
	return nil, io.ErrUnexpectedEOF // the decoder lets no other kind stand here
}

// open reads the begin of an object or array.
func (d *decoder) open() error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	if d.StackDepth() > maxNesting {
		return errNesting
	}
	return nil
}

func (d *decoder) members(expected int) (map[string]any, error) {
	if err := d.open(); err != nil {
		return nil, err
	}
	out := make(map[string]any, expected)
	for d.PeekKind() != jsontext.KindEndObject {
		name, err := d.string()
		if err != nil {
			return nil, err
		}
		if out[name], err = d.value(); err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return out, err
}

func (d *decoder) elements() ([]any, error) {
	if err := d.open(); err != nil {
		return nil, err
	}
	out := []any{}
	for d.PeekKind() != jsontext.KindEndArray {
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := d.ReadToken()
	return out, err
}

// string reads a string: a name or a value. Only an escape can make a NUL.
func (d *decoder) string() (string, error) {
	quoted, err := d.ReadValue()
	if err != nil {
		return "", err
	}
	if quoted.Kind() != jsontext.KindString {
		return "", io.ErrUnexpectedEOF // the decoder lets no other name stand
	}
	if bytes.IndexByte(quoted, '\\') < 0 {
		end := int(d.InputOffset())
		return d.text[end-len(quoted)+1 : end-1], nil
	}
	s, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return "", err
	}
	if bytes.IndexByte(s, 0) >= 0 {
		return "", errNUL
	}
	return string(s), nil
}

var (
	errNesting = fmt.Errorf("nested deeper than %d", maxNesting)
	errNUL     = errors.New("a string holds NUL")
)

// number is a float64 where that is exact for whole numbers, else the text as
// it stood: two identifiers of 19 digits must not become equal.
func number(tok jsontext.Token) (any, error) {
	if f, err := tok.Float(); err == nil && math.Abs(f) <= maxSafeInteger {
		return f, nil
	}
	return stdjson.Number(tok.String()), nil
}

// plain tells what is wrong without what jsontext quotes of the input.
func plain(err error) error {
	if errors.Is(err, errNesting) || errors.Is(err, errNUL) {
		return err
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return errors.New("a member name occurs twice in one object")
	}
	if at, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Errorf("not strict JSON at byte %d", at.ByteOffset)
	}
	return errors.New("not strict JSON: it ends too early")
}
