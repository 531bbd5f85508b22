package keydoc

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// Terms are the members that the record of every kind of key has: whose it is,
// and what it is good for. Embed it into a record.
type Terms struct {
	Principal string         `json:"principal"`
	Scopes    []string       `json:"scopes,omitempty"`
	Networks  []string       `json:"networks,omitempty"`
	ExpiresAt *string        `json:"expires_at,omitempty"`
	Disabled  bool           `json:"disabled,omitzero"`
	Context   jsontext.Value `json:"context,omitempty"`
}

// Common makes a record that embeds Terms a Keeper.
func (t *Terms) Common() *Terms { return t }

// Rules are what a configuration asks of terms. The zero value asks nothing.
// Their errors must not quote what they are given: it may be a secret in the
// wrong place.
type Rules struct {
	// ContextKey returns the context key under which a name reaches the
	// backend, or why a record must not use the name: it is reserved, or a
	// claim has it.
	ContextKey func(name string) (string, error)
	// Network says why a record must not name a network: there is none of this
	// name, or a cached answer would serve other addresses.
	Network func(name string) error
}

// Read holds terms to the rules. It returns when they end, zero for never, and
// what the backend is handed: strings, booleans, float64s that are exact, and
// arrays and objects of them.
func (r Rules) Read(t Terms) (expires time.Time, context map[string]any, err error) {
	for _, step := range []func() error{
		func() error { return checkPrincipal(t.Principal) },
		func() error { return checkScopes(t.Scopes) },
		func() error { return r.checkNetworks(t.Networks) },
		func() (err error) { expires, err = Time("expires_at", t.ExpiresAt); return err },
		func() (err error) { context, err = r.context(t.Context); return err },
	} {
		if err := step(); err != nil {
			return time.Time{}, nil, err
		}
	}
	return expires, context, nil
}

// maxPrincipal is what the context's longest string leaves for it, in bytes.
const maxPrincipal = 512

func checkPrincipal(principal string) error {
	switch {
	case principal == "":
		return errors.New("principal is missing or empty")
	case len(principal) > maxPrincipal:
		return fmt.Errorf("principal is longer than %d bytes", maxPrincipal)
	case strings.ContainsFunc(principal, unicode.IsControl):
		return errors.New("principal has control characters")
	}
	return nil
}

// scope is a scope-token of RFC 6749 section 3.3: backends read a list of them
// from one string.
var scope = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`)

func checkScopes(scopes []string) error {
	for n, s := range scopes {
		if !scope.MatchString(s) {
			return fmt.Errorf("scopes[%d] is no scope: printable ASCII without blanks, quotes and backslashes", n)
		}
	}
	return nil
}

func (r Rules) checkNetworks(networks []string) error {
	for n, name := range networks {
		if name == "" {
			return fmt.Errorf("networks[%d] is empty", n)
		}
		if r.Network == nil {
			continue
		}
		if err := r.Network(name); err != nil {
			return fmt.Errorf("networks[%d]: %w", n, err)
		}
	}
	return nil
}

// Time reads a member that is a time; nil, where it is absent, is zero.
func Time(member string, text *string) (time.Time, error) {
	if text == nil {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, *text)
	if err != nil || t.IsZero() {
		return time.Time{}, fmt.Errorf("%s is not a time as in 2027-01-01T00:00:00Z", member)
	}
	return t, nil
}

// TimeText writes a time as Time reads it, to the second; nil for zero.
func TimeText(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Format(time.RFC3339))
}
