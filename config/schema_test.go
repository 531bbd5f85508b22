package config

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

const schemaFile = "../deploy/authorizer.schema.json"

func editorSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// schemaAgrees checks what an editor would show. A text that is no YAML it
// cannot judge.
func schemaAgrees(t *testing.T, schema *jsonschema.Schema, text string, accepted bool) {
	t.Helper()
	var instance any
	if err := yaml.Load([]byte(text), &instance); err != nil {
		return
	}
	switch err := schema.Validate(asJSON(instance)); {
	case accepted && err != nil:
		t.Errorf("the schema refuses it: %v", err)
	case !accepted && err == nil:
		t.Error("the schema accepts it")
	}
}

// asJSON sees a document as an editor does: keys and dates are strings.
func asJSON(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = asJSON(value)
		}
	case map[any]any:
		out := map[string]any{}
		for key, value := range v {
			out[fmt.Sprint(key)] = asJSON(value)
		}
		return out
	case []any:
		for i, value := range v {
			v[i] = asJSON(value)
		}
	case time.Time:
		return v.Format(time.DateOnly)
	}
	return v
}

// property is what the schema says of one key, references followed.
type property struct {
	Types []string
	Keys  []string
}

func TestSchemaAndStructsAreInStep(t *testing.T) {
	t.Parallel()
	want, got := map[string]property{}, map[string]property{}
	structKeys(want, "", reflect.TypeFor[Config]())
	schemaKeys(got, "", []*jsonschema.Schema{editorSchema(t)})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-structs +schema)\n%s", diff)
	}
}

// structKeys walks the structs as the decoder does.
func structKeys(out map[string]property, path string, t reflect.Type) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[Network]():
		out[path] = property{Types: []string{"array", "string"}}
		structKeys(out, path+"[]", reflect.TypeFor[string]())
	case t == durationType:
		out[path] = property{Types: []string{"number", "string"}}
	case t.Kind() == reflect.Struct:
		fields := newDecoder(nil, nil).fieldsOf(t)
		out[path] = property{Types: []string{"object"}, Keys: slices.Sorted(slices.Values(fields.names))}
		for name, i := range fields.index {
			structKeys(out, join(path, name), t.Field(i).Type)
		}
	case t.Kind() == reflect.Map:
		out[path] = property{Types: []string{"object"}}
		structKeys(out, path+"{}", t.Elem())
	case t.Kind() == reflect.Slice:
		out[path] = property{Types: []string{"array"}}
		structKeys(out, path+"[]", t.Elem())
	default:
		out[path] = property{Types: map[reflect.Kind][]string{
			reflect.String: {"string"}, reflect.Bool: {"boolean"}, reflect.Int: {"integer"},
			reflect.Interface: {"boolean", "number", "string"},
		}[t.Kind()]}
	}
}

// schemaKeys walks the schema: alternatives are all that may apply at path.
func schemaKeys(out map[string]property, path string, alternatives []*jsonschema.Schema) {
	p := property{}
	below := map[string][]*jsonschema.Schema{}
	closed := false
	for _, s := range flatten(alternatives) {
		p.Types = append(p.Types, typesOf(s)...)
		for name, child := range s.Properties {
			p.Keys = append(p.Keys, name)
			below[join(path, name)] = append(below[join(path, name)], child)
		}
		closed = closed || s.AdditionalProperties == false
		if child, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
			below[path+"{}"] = append(below[path+"{}"], child)
		}
		if child, ok := s.Items.(*jsonschema.Schema); ok {
			below[path+"[]"] = append(below[path+"[]"], child)
		}
	}
	if p.Keys != nil && !closed {
		p.Keys = append(p.Keys, "(any other)")
	}
	slices.Sort(p.Types)
	slices.Sort(p.Keys)
	p.Types = slices.Compact(p.Types)
	out[path] = p
	for child, schemas := range below {
		schemaKeys(out, child, schemas)
	}
}

func flatten(schemas []*jsonschema.Schema) []*jsonschema.Schema {
	var out []*jsonschema.Schema
	for _, s := range schemas {
		out = append(out, s)
		if s.Ref != nil {
			out = append(out, flatten([]*jsonschema.Schema{s.Ref})...)
		}
		out = append(out, flatten(s.AnyOf)...)
		out = append(out, flatten(s.AllOf)...)
	}
	return out
}

func typesOf(s *jsonschema.Schema) []string {
	var out []string
	if s.Types != nil {
		out = append(out, s.Types.ToStrings()...)
	}
	var values []any
	if s.Const != nil {
		values = append(values, *s.Const)
	}
	if s.Enum != nil {
		values = append(values, s.Enum.Values...)
	}
	for _, v := range values {
		if _, ok := v.(string); ok {
			out = append(out, "string")
		} else {
			out = append(out, "number")
		}
	}
	return out
}

func TestSchemaKnowsTheDefaults(t *testing.T) {
	t.Parallel()
	c, err := Load(write(t, complete("gateway: {cache_ttl: 0s}\napi_keys: {secrets: [k]}\nsignatures: {secrets: [k], replay: allow}\n")), everything)
	if err != nil {
		t.Fatal(err)
	}
	c.Gateway.CacheTTL = defaultCacheTTL
	c.Signatures.Replay = "deny"
	checked := 0
	defaults("", []*jsonschema.Schema{editorSchema(t)}, func(path string, want any) {
		checked++
		if got := plain(field(t, c, path)); !cmp.Equal(plain(reflect.ValueOf(want)), got) {
			t.Errorf("%s: the schema says %v, the default is %v", path, want, got)
		}
	})
	if checked == 0 {
		t.Error("the schema states no default")
	}
}

func defaults(path string, schemas []*jsonschema.Schema, f func(string, any)) {
	for _, s := range flatten(schemas) {
		if s.Default != nil {
			f(path, *s.Default)
		}
		for name, child := range s.Properties {
			defaults(join(path, name), []*jsonschema.Schema{child}, f)
		}
		if child, ok := s.Items.(*jsonschema.Schema); ok {
			defaults(path+"[0]", []*jsonschema.Schema{child}, f)
		}
	}
}

// field follows a path through the structs.
func field(t *testing.T, c *Config, path string) reflect.Value {
	t.Helper()
	v := reflect.ValueOf(c).Elem()
	for _, step := range strings.Split(path, ".") {
		name, list := strings.CutSuffix(step, "[0]")
		i, ok := newDecoder(nil, nil).fieldsOf(v.Type()).index[name]
		if !ok {
			t.Fatalf("%s: there is no %s", path, name)
		}
		if v = v.Field(i); v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		if list {
			v = v.Index(0)
		}
	}
	return v
}

// plain is a value in a form that both sides have.
func plain(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case time.Duration:
		return x
	case string:
		if d, err := time.ParseDuration(x); err == nil {
			return d
		}
		return x
	case []any:
		var out []string
		for _, s := range x {
			out = append(out, s.(string))
		}
		return out
	case int:
		return float64(x)
	case interface{ Float64() (float64, error) }:
		f, _ := x.Float64()
		return f
	default:
		return x
	}
}

func TestShippedFilesSatisfyTheSchema(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"../deploy/authorizer.yaml", "../deploy/authorizer-uncached.yaml"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		schemaAgrees(t, editorSchema(t), string(text), true)
		if !strings.HasPrefix(string(text), "# yaml-language-server: $schema=authorizer.schema.json\n") {
			t.Errorf("%s does not tell editors about the schema", path)
		}
	}
}
