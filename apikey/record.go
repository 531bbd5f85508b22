package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"lambda-authorizer/keydoc"
)

// Record is what is known of a key. It is shared between callers: read-only.
type Record struct {
	ID        string
	Principal string
	Scopes    []string
	// Networks are names of allow-lists; empty is any address.
	Networks []string
	// UsageIdentifierKey is API Gateway's key for its usage plans; empty: none.
	// It may be a credential there: it is not to be logged.
	UsageIdentifierKey string
	// NotBefore and ExpiresAt bound the key's time; zero is no bound.
	NotBefore, ExpiresAt time.Time
	Disabled             bool
	// Context is handed to the backend: strings, booleans, float64s that are
	// exact, and arrays and objects of them.
	Context map[string]any

	// A pointer, because fmt prints one inside of a struct as an address.
	sums *sums
}

// sums are the hashes of a key's secrets.
type sums struct {
	current, previous [sha256.Size]byte
	hasPrevious       bool
	until             time.Time // when the previous secret ends
}

// nobody stands in for the record of an unknown id, and previous for the
// previous secret of a key that has none: no client can make either, and the
// comparison costs the same.
var nobody = &sums{current: unmatched(), previous: unmatched()}

func unmatched() (s [sha256.Size]byte) {
	_, _ = rand.Read(s[:]) // never fails
	return s
}

// match compares in constant time, and always with both.
func (s *sums) match(with *[sha256.Size]byte) (current, previous bool) {
	c := subtle.ConstantTimeCompare(s.current[:], with[:])
	p := subtle.ConstantTimeCompare(s.previous[:], with[:])
	return c == 1, p == 1 && s.hasPrevious
}

// record is a Record's JSON.
type record struct {
	SHA256 string `json:"sha256"`
	keydoc.Terms
	UsageIdentifierKey string    `json:"usage_identifier_key,omitempty"`
	NotBefore          *string   `json:"not_before,omitempty"`
	Previous           *replaced `json:"previous,omitempty"`
}

// replaced is a secret that a rotation has left.
type replaced struct {
	SHA256 string `json:"sha256"`
	Until  string `json:"until"`
}

// Rules are what the configuration asks of records. The zero value asks
// nothing.
type Rules keydoc.Rules

// Parse reads a secret's text: {"keys": {"<id>": {record}}}. A bad record is
// left out and named by its id in an error; the others are good. A text that
// is no such document gives no map and one error. No error quotes a value.
func (r Rules) Parse(text []byte) (map[string]*Record, []error) {
	return r.kind().Read(text)
}

func (r Rules) kind() keydoc.Kind[*Record] {
	return keydoc.Kind[*Record]{Name: "API key", Showable: ValidID, Parse: r.record}
}

func (r Rules) record(id string, value jsontext.Value) (*Record, error) {
	if !ValidID(id) {
		return nil, errors.New("its id is not 1 to 32 of a-z and 0-9")
	}
	var in record
	if err := keydoc.Decode(value, &in); err != nil {
		return nil, err
	}
	out := &Record{
		ID: id, Principal: in.Principal, Scopes: in.Scopes, Networks: in.Networks,
		UsageIdentifierKey: in.UsageIdentifierKey, Disabled: in.Disabled,
	}
	for _, step := range []func() error{
		func() (err error) { out.ExpiresAt, out.Context, err = keydoc.Rules(r).Read(in.Terms); return err },
		func() (err error) { out.NotBefore, err = keydoc.Time("not_before", in.NotBefore); return err },
		func() (err error) { out.sums, err = in.sums(); return err },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (in *record) sums() (*sums, error) {
	out := &sums{previous: nobody.previous}
	var err error
	if out.current, err = parseSum("sha256", in.SHA256); err != nil {
		return nil, err
	}
	if in.Previous == nil {
		return out, nil
	}
	out.hasPrevious = true
	if out.previous, err = parseSum("previous.sha256", in.Previous.SHA256); err != nil {
		return nil, err
	}
	out.until, err = keydoc.Time("previous.until", &in.Previous.Until)
	return out, err
}

func parseSum(member, text string) (out [sha256.Size]byte, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(out) {
		return out, fmt.Errorf("%s is not 64 hexadecimal digits", member)
	}
	return [sha256.Size]byte(b), nil
}
