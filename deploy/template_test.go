// Package deploy_test holds the templates against the code that they deploy,
// offline: routes, authorizer settings, tables, permissions, metrics, the
// runbook. It cannot tell what only AWS knows; README.md in this directory
// lists that.
package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

type object = map[string]any

// decode turns a YAML template with CloudFormation's tags into plain values,
// with the tags' long forms: !Ref X is {Ref: X}.
func decode(n *yaml.Node) (any, error) {
	value, err := untagged(n)
	if err != nil {
		return nil, err
	}
	tag, ok := strings.CutPrefix(n.Tag, "!")
	if !ok || strings.HasPrefix(n.Tag, "!!") {
		return value, nil
	}
	switch tag {
	case "Ref", "Condition":
		return object{tag: value}, nil
	case "GetAtt":
		if s, ok := value.(string); ok {
			name, attribute, _ := strings.Cut(s, ".")
			value = []any{name, attribute}
		}
		fallthrough
	case "Sub", "If", "Equals", "Not", "And", "Or", "Join", "Select", "Split", "FindInMap":
		return object{"Fn::" + tag: value}, nil
	}
	return nil, fmt.Errorf("line %d: the tests do not know !%s", n.Line, tag)
}

func untagged(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.DocumentNode:
		return decode(n.Content[0])
	case yaml.MappingNode:
		out := object{}
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if _, twice := out[key]; twice {
				return nil, fmt.Errorf("line %d: %s stands there twice", n.Content[i].Line, key)
			}
			value, err := decode(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			out[key] = value
		}
		return out, nil
	case yaml.SequenceNode:
		out := []any{}
		for _, c := range n.Content {
			value, err := decode(c)
			if err != nil {
				return nil, err
			}
			out = append(out, value)
		}
		return out, nil
	case yaml.ScalarNode:
		if strings.HasPrefix(n.Tag, "!!") {
			var value any
			err := n.Decode(&value)
			return value, err
		}
		return n.Value, nil
	}
	return nil, fmt.Errorf("line %d: aliases are unknown to CloudFormation", n.Line)
}

// read reads a template, YAML or JSON.
func read(t *testing.T, path string) object {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(raw, &document); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	value, err := decode(&document)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return value.(object)
}

// at walks down a value by keys; nil where there is nothing.
func at(value any, keys ...string) any {
	for _, key := range keys {
		m, ok := value.(object)
		if !ok {
			return nil
		}
		value = m[key]
	}
	return value
}

func text(value any) string { return fmt.Sprint(value) }

// deployed is the template as CloudFormation would deploy it with these
// parameters: conditions decided, parameters and mappings filled in. What
// refers to resources stays, a Sub as its string with ${…}.
func deployed(t *testing.T, template object, parameters map[string]string) object {
	t.Helper()
	d := with(t, template, parameters)
	resources := object{}
	for name, r := range section(template, "Resources") {
		if condition, ok := at(r, "Condition").(string); ok && !d.holds(condition) {
			continue
		}
		resources[name] = d.resolve(r)
	}
	return object{"Resources": resources}
}

// with is a template with these parameters, and defaults for the others.
func with(t *testing.T, template object, parameters map[string]string) deployment {
	t.Helper()
	d := deployment{template: template, parameters: map[string]any{}}
	for name, p := range section(template, "Parameters") {
		d.parameters[name] = at(p, "Default")
		if text(at(p, "Type")) == "CommaDelimitedList" {
			d.parameters[name] = list(text(at(p, "Default")))
		}
	}
	for name, value := range parameters {
		if _, ok := d.parameters[name]; !ok {
			t.Fatalf("there is no parameter %s", name)
		}
		if _, isList := d.parameters[name].([]any); isList {
			d.parameters[name] = list(value)
			continue
		}
		d.parameters[name] = value
	}
	return d
}

func list(s string) []any {
	var out []any
	for part := range strings.SplitSeq(s, ",") {
		out = append(out, part)
	}
	return out
}

func section(template object, name string) object {
	m, _ := template[name].(object)
	return m
}

type deployment struct {
	template   object
	parameters map[string]any
}

// absent is AWS::NoValue.
type absent struct{}

func (d deployment) holds(condition string) bool {
	return d.resolve(section(d.template, "Conditions")[condition]) == true
}

func (d deployment) resolve(value any) any {
	switch v := value.(type) {
	case []any:
		var out []any
		for _, e := range v {
			if r := d.resolve(e); r != (absent{}) {
				out = append(out, r)
			}
		}
		return out
	case object:
		if len(v) == 1 {
			for name, argument := range v {
				if r, ok := d.function(name, argument); ok {
					return r
				}
			}
		}
		out := object{}
		for k, e := range v {
			if r := d.resolve(e); r != (absent{}) {
				out[k] = r
			}
		}
		return out
	}
	return value
}

func (d deployment) function(name string, argument any) (any, bool) {
	arguments, _ := argument.([]any)
	switch name {
	case "Ref":
		if argument == "AWS::NoValue" {
			return absent{}, true
		}
		value, ok := d.parameters[text(argument)]
		return value, ok
	case "Condition":
		if s, ok := argument.(string); ok {
			return d.holds(s), true
		}
	case "Fn::If":
		if d.holds(text(arguments[0])) {
			return d.resolve(arguments[1]), true
		}
		return d.resolve(arguments[2]), true
	case "Fn::Equals":
		return text(d.resolve(arguments[0])) == text(d.resolve(arguments[1])), true
	case "Fn::Not":
		return d.resolve(arguments[0]) != true, true
	case "Fn::And":
		return !slices.ContainsFunc(arguments, func(a any) bool { return d.resolve(a) != true }), true
	case "Fn::Or":
		return slices.ContainsFunc(arguments, func(a any) bool { return d.resolve(a) == true }), true
	case "Fn::FindInMap":
		return at(d.template["Mappings"], text(arguments[0]), text(arguments[1]), text(arguments[2])), true
	case "Fn::Join":
		if parts, ok := d.resolve(arguments[1]).([]any); ok {
			return join(parts, text(arguments[0])), true
		}
	case "Fn::Sub":
		return d.sub(argument), true
	}
	return nil, false
}

func join(parts []any, separator string) any {
	var out []string
	for _, p := range parts {
		s, ok := p.(string)
		if !ok {
			return object{"Fn::Join": []any{separator, parts}}
		}
		out = append(out, s)
	}
	return strings.Join(out, separator)
}

func (d deployment) sub(argument any) any {
	s, ok := argument.(string)
	values := maps.Clone(d.parameters)
	if pair, is := argument.([]any); is && !ok {
		s = text(pair[0])
		for name, v := range pair[1].(object) {
			values[name] = d.resolve(v)
		}
	}
	for name, v := range values {
		switch v.(type) {
		case string, int, float64, bool:
			s = strings.ReplaceAll(s, "${"+name+"}", text(v))
		}
	}
	return s
}

// of lists the resources of a type by name.
func of(template object, types ...string) map[string]object {
	out := map[string]object{}
	for name, r := range section(template, "Resources") {
		if slices.Contains(types, text(at(r, "Type"))) {
			out[name], _ = at(r, "Properties").(object)
		}
	}
	return out
}
