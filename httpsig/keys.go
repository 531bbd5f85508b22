package httpsig

import (
	"fmt"
	"regexp"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"lambda-authorizer/keydoc"
	"lambda-authorizer/reason"
)

var keyID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// ValidID reports whether id is 1 to 64 of A-Z, a-z, 0-9 and . _ -.
func ValidID(id string) bool { return keyID.MatchString(id) }

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
	// Context is handed to the backend: strings, booleans, float64s that are
	// exact, and arrays and objects of them.
	Context map[string]any

	// secrets is a function, because whatever fmt is asked to print, of a
	// function it prints no more than the address.
	secrets func() secrets
}

type secrets struct {
	current, previous []byte
	until             time.Time
}

// record is a Key's JSON.
type record struct {
	Secret string `json:"secret"`
	keydoc.Terms
	Previous *replaced `json:"previous,omitempty"`
}

// replaced is a secret that a rotation has left.
type replaced struct {
	Secret string `json:"secret"`
	Until  string `json:"until"`
}

// Rules are what the configuration asks of records. The zero value asks
// nothing.
type Rules keydoc.Rules

// ParseKeys reads a secret's text with no rules. See [Rules.Parse].
func ParseKeys(text []byte) (map[string]*Key, []error) { return Rules{}.Parse(text) }

// Parse reads a secret's text: {"keys": {"<keyid>": {record}}}. A bad record is
// left out and named by its id in an error; the others are good. A text that is
// no such document gives no map and one error: keep the keys that were read
// before. No error quotes a value.
func (r Rules) Parse(text []byte) (map[string]*Key, []error) {
	return r.kind().Read(text)
}

func (r Rules) kind() keydoc.Kind[*Key] {
	return keydoc.Kind[*Key]{Name: "signing key", Showable: ValidID, Parse: r.key}
}

func (r Rules) key(id string, value jsontext.Value) (*Key, error) {
	if !ValidID(id) {
		return nil, errNoID
	}
	var in record
	if err := keydoc.Decode(value, &in); err != nil {
		return nil, err
	}
	k := &Key{ID: id, Principal: in.Principal, Scopes: in.Scopes, Networks: in.Networks, Disabled: in.Disabled}
	var err error
	if k.Expires, k.Context, err = keydoc.Rules(r).Read(in.Terms); err != nil {
		return nil, err
	}
	parsed, err := in.secrets()
	if err != nil {
		return nil, err
	}
	k.secrets = func() secrets { return parsed }
	return k, nil
}

// check is what depends on the record's state and the moment.
func (k *Key) check(now time.Time) error {
	switch {
	case k.Disabled:
		return deny(reason.SigningKeyDisabled, "key %s", k.ID)
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		return deny(reason.SigningKeyExpired, "key %s", k.ID)
	}
	return nil
}

var errNoID = fmt.Errorf("a signing key's id does not match %s", keyID)

func (in *record) secrets() (s secrets, err error) {
	if s.current, err = parseSecret("secret", in.Secret); err != nil || in.Previous == nil {
		return s, err
	}
	if s.previous, err = parseSecret("previous.secret", in.Previous.Secret); err != nil {
		return s, err
	}
	s.until, err = keydoc.Time("previous.until", &in.Previous.Until)
	return s, err
}

func parseSecret(member, text string) ([]byte, error) {
	b, err := keydoc.Secret(text)
	if err != nil {
		return nil, fmt.Errorf("%s is %w", member, err)
	}
	return b, nil
}
