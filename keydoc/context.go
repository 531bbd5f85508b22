package keydoc

import (
	"errors"
	"fmt"
	"math"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// context reads the members for the backend. Each must have a key to itself
// there, with the one that it has as an array or object.
func (r Rules) context(value jsontext.Value) (map[string]any, error) {
	if value == nil {
		return nil, nil
	}
	var out map[string]any
	if value.Kind() != jsontext.KindBeginObject || json.Unmarshal(value, &out) != nil {
		return nil, errors.New("context is not an object")
	}
	taken := make(map[string]bool)
	for name, v := range out {
		key := name
		if r.ContextKey != nil {
			var err error
			if key, err = r.ContextKey(name); err != nil {
				return nil, fmt.Errorf("context: %w", err)
			}
		}
		switch {
		case name == "":
			return nil, errors.New("context has a name that is empty")
		case taken[key] || taken[key+"_json"]:
			return nil, errors.New("context has two names that reach the backend as one")
		case !exact(v):
			return nil, errors.New("context has a number beyond 2^53: write it as a string")
		}
		taken[key], taken[key+"_json"] = true, true
	}
	return out, nil
}

// exact reports whether every number in v is safe from rounding (RFC 7493
// section 2.2).
func exact(v any) bool {
	switch v := v.(type) {
	case float64:
		return math.Abs(v) <= 1<<53-1
	case []any:
		for _, e := range v {
			if !exact(e) {
				return false
			}
		}
	case map[string]any:
		for _, e := range v {
			if !exact(e) {
				return false
			}
		}
	}
	return true
}

// ContextText writes members for the backend; nil where there are none.
func ContextText(members map[string]any) (jsontext.Value, error) {
	if len(members) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(members, json.Deterministic(true))
	if err != nil {
		return nil, errors.New("context is not JSON")
	}
	return text, nil
}
