package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// decoder fills structs from a parsed document. The library's own decoder knows
// no key's line afterwards, quotes values in its errors, and would decode a
// missing key and a zero alike.
//
// Not supported, on purpose: anchors, aliases, merge keys, tags. What a
// reviewer reads on a line is what is in force on that line.
type decoder struct {
	getenv func(string) (string, bool)
	report *report
	fields map[reflect.Type]fields
}

// fields are the keys of one section.
type fields struct {
	names []string
	index map[string]int
}

func newDecoder(getenv func(string) (string, bool), r *report) *decoder {
	return &decoder{getenv: getenv, report: r, fields: map[reflect.Type]fields{}}
}

func (d *decoder) fieldsOf(t reflect.Type) fields {
	if known, ok := d.fields[t]; ok {
		return known
	}
	f := fields{index: map[string]int{}}
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "" {
			f.names = append(f.names, name)
			f.index[name] = i
		}
	}
	d.fields[t] = f
	return f
}

// selfDecoder is a type with a form of its own in the file.
type selfDecoder interface {
	decode(d *decoder, n *yaml.Node, path string)
}

var durationType = reflect.TypeFor[time.Duration]()

// value decodes n into v. What cannot be decoded is reported and left as it is.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string) {
	if what := refused(n); what != "" {
		d.wrong(n, path, "%s", what)
		return
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	if own, ok := v.Addr().Interface().(selfDecoder); ok {
		own.decode(d, n, path)
		return
	}
	switch {
	case v.Type() == durationType:
		d.duration(n, v, path)
	case v.Kind() == reflect.Struct:
		d.structure(n, v, path)
	case v.Kind() == reflect.Map:
		d.mapping(n, v, path)
	case v.Kind() == reflect.Slice:
		d.sequence(n, v, path)
	default:
		d.scalar(n, v, path)
	}
}

const aliases = "anchors and aliases are not supported: write the value out"

// refused says why a node has no place here whatever is expected.
func refused(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.AliasNode, n.Anchor != "":
		return aliases
	case n.Style&yaml.TaggedStyle != 0:
		return "tags are not supported: put a value in quotes to make it a string"
	case n.ShortTag() == "!!null":
		return "has no value: give it one or remove the key"
	}
	return ""
}

// wrong reports a value by what it is, never by what it says.
func (d *decoder) wrong(n *yaml.Node, path, format string, args ...any) {
	line, known := d.report.lines[path]
	if !known {
		line = n.Line
	}
	d.report.unreadable(line, path, format, args...)
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, path string) {
	fields := d.fieldsOf(v.Type())
	d.entries(n, path, func(key, value *yaml.Node) {
		i, ok := fields.index[key.Value]
		if !ok {
			d.unknown(key, path, fields.names)
			return
		}
		d.value(value, v.Field(i), join(path, key.Value))
	})
}

func (d *decoder) unknown(key *yaml.Node, path string, known []string) {
	at := join(path, key.Value)
	name := suggest(key.Value, known)
	if name == "" {
		d.wrong(key, at, "unknown key; known here: %s", strings.Join(known, ", "))
		return
	}
	d.wrong(key, at, "unknown key; did you mean %s?", name)
	// Its absence would be reported too, but that is the same mistake.
	d.report.distrusted = append(d.report.distrusted, join(path, name))
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string) {
	out := reflect.MakeMap(v.Type())
	d.entries(n, path, func(key, value *yaml.Node) {
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(value, element, join(path, key.Value))
		out.SetMapIndex(reflect.ValueOf(key.Value), element)
	})
	v.Set(out)
}

// entries calls f for each key of a mapping, noting where it stands.
func (d *decoder) entries(n *yaml.Node, path string, f func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, path, "must be a mapping of keys to values, is %s", kindOf(n))
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if what := refusedKey(key); what != "" {
			d.report.unreadable(key.Line, path, "%s", what)
			continue
		}
		at := join(path, key.Value)
		if before, twice := first[key.Value]; twice {
			d.report.unreadable(key.Line, at, "stands here a second time: it is already on line %d", before)
			continue
		}
		first[key.Value] = key.Line
		d.report.lines[at] = key.Line
		f(key, value)
	}
}

func refusedKey(key *yaml.Node) string {
	switch {
	case key.ShortTag() == "!!merge":
		return "merge keys are not supported: write the keys out"
	case key.ShortTag() == "!!null":
		return "has a key without a name"
	case refused(key) != "":
		return refused(key)
	case kindOf(key) != "a string":
		return fmt.Sprintf("has a key that is %s: put it in quotes", kindOf(key))
	}
	return ""
}

func (d *decoder) sequence(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		d.wrong(n, path, "must be a list, is %s", kindOf(n))
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	if v.Len() == len(n.Content) {
		// The second reading, over the defaults of each element.
		reflect.Copy(out, v)
	}
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.report.lines[at] = item.Line
		d.value(item, out.Index(i), at)
	}
	v.Set(out)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
