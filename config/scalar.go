package config

import (
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.String:
		if s, ok := d.text(n, path, "a string"); ok {
			v.SetString(s)
		}
	case reflect.Bool:
		if n.ShortTag() != "!!bool" {
			d.wrong(n, path, "must be true or false, is %s", kindOf(n))
			return
		}
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.Int:
		i, ok := integer(n)
		if !ok {
			d.wrong(n, path, "must be a whole number in plain decimal digits, is %s", kindOf(n))
			return
		}
		v.SetInt(i)
	case reflect.Interface:
		if x, ok := d.any(n, path); ok {
			v.Set(reflect.ValueOf(x))
		}
	default:
		panic("config: a field of type " + v.Type().String() + " cannot be decoded")
	}
}

// text is a string value with its variables replaced.
func (d *decoder) text(n *yaml.Node, path, want string) (string, bool) {
	if kindOf(n) != "a string" {
		hint := ""
		if n.Kind == yaml.ScalarNode && want == "a string" {
			hint = ": put it in quotes"
		}
		d.wrong(n, path, "must be %s, is %s%s", want, kindOf(n), hint)
		return "", false
	}
	s, err := expand(n.Value, d.getenv)
	if err != nil {
		d.wrong(n, path, "%v", err)
		return "", false
	}
	if s == "" && !mayBeEmpty.MatchString(path) {
		d.wrong(n, path, "%s", empty(n))
		return "", false
	}
	return s, true
}

// mayBeEmpty are the keys where an empty text means something: no such place
// for tokens, and a token without typ. Anywhere else it would read as a key
// that is not there, and drop what it was to ask for: `issuer: ${STAFF}` with
// an empty STAFF would let every issuer in.
var mayBeEmpty = regexp.MustCompile(`^(bearer\.(header|query|cookie)|issuers\[\d+\]\.token_types\[\d+\])$`)

func empty(n *yaml.Node) string {
	if n.Value != "" {
		return "is empty once its variables are replaced: set them, or remove the key"
	}
	return "is empty: give it a value or remove the key"
}

func (d *decoder) duration(n *yaml.Node, v reflect.Value, path string) {
	const want = "a duration such as 30s, 5m or 24h"
	if n.ShortTag() == "!!int" && n.Value == "0" {
		v.SetInt(0) // as time.ParseDuration reads "0"
		return
	}
	s, ok := d.text(n, path, want)
	if !ok {
		return
	}
	parsed, err := time.ParseDuration(s)
	if err != nil {
		d.wrong(n, path, "must be %s", want)
		return
	}
	v.SetInt(int64(parsed))
}

// integer reads the one spelling of a whole number that is the same to every
// version of YAML: 010 is eight to some and ten to others.
func integer(n *yaml.Node) (int64, bool) {
	i, err := strconv.ParseInt(n.Value, 10, 64)
	return i, err == nil && n.ShortTag() == "!!int" && strconv.FormatInt(i, 10) == n.Value
}

// maxExact is the largest number up to which a float64 tells integers apart.
const maxExact = 1<<53 - 1

// any is a string, a number or a boolean, numbers as float64 as in decoded
// JSON, which is what such values are compared with.
func (d *decoder) any(n *yaml.Node, path string) (any, bool) {
	switch n.ShortTag() {
	case "!!bool":
		return strings.EqualFold(n.Value, "true"), true
	case "!!int":
		if i, ok := integer(n); ok && -maxExact <= i && i <= maxExact {
			return float64(i), true
		}
		d.wrong(n, path, "must be plain decimal digits below 2^53, where JSON numbers stop being exact, or in quotes")
		return nil, false
	case "!!float":
		x, err := strconv.ParseFloat(n.Value, 64)
		if err == nil && math.Abs(x) <= maxExact { // NaN and infinities are not
			return x, true
		}
		d.wrong(n, path, "must be a number below 2^53, where JSON numbers stop being exact, or in quotes")
		return nil, false
	}
	s, ok := d.text(n, path, "a string, a number, true or false")
	return s, ok
}

func kindOf(n *yaml.Node) string {
	switch n.ShortTag() {
	case "!!map":
		return "a mapping"
	case "!!seq":
		return "a list"
	case "!!str", "!!timestamp":
		return "a string"
	case "!!bool":
		return "a boolean"
	case "!!int", "!!float":
		return "a number"
	}
	return "something else"
}
