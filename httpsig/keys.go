package httpsig

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// minSecret is the least size of a secret, in bytes: that of the MAC (RFC 2104
// section 3).
const minSecret = 32

var (
	keyID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	// scope is a scope-token of RFC 6749 section 3.3: backends read a list of
	// them from one string.
	scope = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`)
)

// Key is a signing key's record. It is shared between callers: read-only.
type Key struct {
	ID        string
	Principal string
	Scopes    []string
	// Networks are names of allow-lists; empty is any address.
	Networks []string
	// Expires is when the key ends; zero is never.
	Expires  time.Time
	Disabled bool
	// Context is handed to the backend.
	Context map[string]any

	// secrets is a function, because whatever fmt is asked to print, of a
	// function it prints no more than the address.
	secrets func() secrets
}

type secrets struct {
	current, previous []byte
	until             time.Time
}

type record struct {
	Secret    string         `json:"secret"`
	Principal string         `json:"principal"`
	Scopes    []string       `json:"scopes"`
	Networks  []string       `json:"networks"`
	ExpiresAt *string        `json:"expires_at"`
	Disabled  bool           `json:"disabled"`
	Context   map[string]any `json:"context"`
	Previous  *struct {
		Secret string `json:"secret"`
		Until  string `json:"until"`
	} `json:"previous"`
}

// ParseKeys reads a secret's text: {"keys": {"<keyid>": {record}}}. A bad
// record is left out and named by its id in an error; the others are good. A
// text that is no such document at all gives no map and one error: keep the
// keys that were read before. No error quotes a secret.
func ParseKeys(data []byte) (map[string]*Key, []error) {
	records, err := splitRecords(data)
	if err != nil {
		return nil, []error{fmt.Errorf("signing keys: %w", err)}
	}
	keys := make(map[string]*Key, len(records))
	var errs []error
	for _, r := range records {
		key, err := parseKey(r.id, r.text)
		if err != nil {
			errs = append(errs, fmt.Errorf("signing key %.64q: %w", r.id, err))
			continue
		}
		keys[r.id] = key
	}
	return keys, errs
}

type rawRecord struct {
	id   string
	text jsontext.Value
}

// splitRecords takes the document apart without looking into the records, so
// that one of them cannot spoil the others. An id that occurs twice is an
// error of the document: which record counts is not for us to guess.
func splitRecords(data []byte) ([]rawRecord, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true))
	if err := expect(dec, jsontext.KindBeginObject, `it is not a JSON object`); err != nil {
		return nil, err
	}
	name, err := dec.ReadToken()
	if err != nil || name.Kind() != jsontext.KindString || name.String() != "keys" {
		return nil, errors.New(`its first member is not "keys"`)
	}
	if err := expect(dec, jsontext.KindBeginObject, `"keys" is not a JSON object`); err != nil {
		return nil, err
	}
	var out []rawRecord
	seen := map[string]bool{}
	for dec.PeekKind() == jsontext.KindString {
		id, err := dec.ReadToken()
		if err != nil {
			return nil, notJSON(dec)
		}
		r := rawRecord{id: id.String()}
		text, err := dec.ReadValue()
		if err != nil {
			return nil, notJSON(dec)
		}
		if seen[r.id] {
			return nil, fmt.Errorf("the id %.64q occurs twice", r.id)
		}
		seen[r.id] = true
		r.text = text.Clone()
		out = append(out, r)
	}
	if err := expect(dec, jsontext.KindEndObject, `the object "keys" does not end`); err != nil {
		return nil, err
	}
	if err := expect(dec, jsontext.KindEndObject, `there is a member besides "keys"`); err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return nil, errors.New("text follows the document")
	}
	return out, nil
}

func expect(dec *jsontext.Decoder, kind jsontext.Kind, otherwise string) error {
	if dec.PeekKind() != kind {
		return errors.New(otherwise)
	}
	_, err := dec.ReadToken()
	return err
}

// notJSON says where parsing stopped; the parser's own words may quote text.
func notJSON(dec *jsontext.Decoder) error {
	return fmt.Errorf("not JSON after byte %d", dec.InputOffset())
}

func parseKey(id string, text jsontext.Value) (*Key, error) {
	if !keyID.MatchString(id) {
		return nil, fmt.Errorf("the id does not match %s", keyID)
	}
	var r record
	// An unknown member is refused: "disable" for "disabled" would leave the
	// key open.
	if err := json.Unmarshal(text, &r, json.RejectUnknownMembers(true)); err != nil {
		return nil, wrongMember(err)
	}
	if err := r.validate(); err != nil {
		return nil, err
	}
	k := &Key{
		ID: id, Principal: r.Principal, Scopes: r.Scopes, Networks: r.Networks,
		Disabled: r.Disabled, Context: r.Context,
	}
	if r.ExpiresAt != nil {
		var err error
		if k.Expires, err = parseTime("expires_at", *r.ExpiresAt); err != nil {
			return nil, err
		}
	}
	parsed, err := r.secrets()
	if err != nil {
		return nil, err
	}
	k.secrets = func() secrets { return parsed }
	return k, nil
}

func (r *record) secrets() (s secrets, err error) {
	if s.current, err = parseSecret("secret", r.Secret); err != nil || r.Previous == nil {
		return s, err
	}
	if s.previous, err = parseSecret("previous.secret", r.Previous.Secret); err != nil {
		return s, err
	}
	s.until, err = parseTime("previous.until", r.Previous.Until)
	return s, err
}

func (r *record) validate() error {
	if r.Principal == "" || strings.ContainsFunc(r.Principal, unicode.IsControl) {
		return errors.New("principal is empty or has control characters")
	}
	for _, s := range r.Scopes {
		if !scope.MatchString(s) {
			return errors.New("scopes holds what is no scope: a scope is printable ASCII without blanks, quotes and backslashes")
		}
	}
	for _, n := range r.Networks {
		if n == "" {
			return errors.New("networks holds an empty name")
		}
	}
	return nil
}

func parseSecret(member, text string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%s is not base64", member)
	}
	if len(b) < minSecret {
		return nil, fmt.Errorf("%s has %d bytes, and needs at least %d", member, len(b), minSecret)
	}
	return b, nil
}

func parseTime(member, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s is not a time as in 2027-01-01T00:00:00Z", member)
	}
	return t, nil
}

// wrongMember names the member that does not fit, without its value.
func wrongMember(err error) error {
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		if errors.Is(err, json.ErrUnknownName) {
			return unknownMember(string(semantic.JSONPointer))
		}
		return fmt.Errorf("%s is a JSON %v, which does not belong there", semantic.JSONPointer, semantic.JSONKind)
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return errors.New("a member occurs twice")
	}
	return errors.New("not a JSON object")
}

// unknownMember names a member only where it looks like one: what was put in
// the wrong place may be a secret.
func unknownMember(pointer string) error {
	if looksLikeMember.MatchString(pointer) {
		return fmt.Errorf("%s is no member of a record", pointer)
	}
	return errors.New("there is a member that no record has")
}

var looksLikeMember = regexp.MustCompile(`^(/[a-z_]{1,24}){1,2}$`)
