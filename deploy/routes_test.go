package deploy_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
)

// items/openapi.yaml is the one list of routes. items' own tests hold its
// handler to it; these hold what is deployed and what runs locally.
func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../items/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// routes are the document's: protected ones, and those that say security: [].
func routes(t *testing.T) (protected, public []string) {
	t.Helper()
	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			route := method + " " + path
			if op.Security != nil && len(*op.Security) == 0 {
				public = append(public, route)
				continue
			}
			protected = append(protected, route)
		}
	}
	slices.Sort(protected)
	slices.Sort(public)
	if len(protected) == 0 || len(public) == 0 {
		t.Fatal("items/openapi.yaml lists no routes: nothing would be compared")
	}
	return protected, public
}

func TestAPIsDeployTheRoutesOfTheService(t *testing.T) {
	t.Parallel()
	protected, public := routes(t)
	template := deployed(t, read(t, "sam/template.yaml"), nil)
	for _, api := range []string{"RestApi", "HttpApi"} {
		var closed, open []string
		for route, op := range operations(at(template, "Resources", api, "Properties", "DefinitionBody")) {
			if strings.HasPrefix(route, "OPTIONS ") {
				continue // for browsers, which ask before they have a credential
			}
			if security, _ := at(op, "security").([]any); len(security) == 0 {
				open = append(open, route)
				continue
			}
			closed = append(closed, route)
		}
		slices.Sort(closed)
		if diff := cmp.Diff(protected, closed); diff != "" {
			t.Errorf("%s, routes with the authorizer:\n%s", api, diff)
		}
		if diff := cmp.Diff(public, open); diff != "" {
			t.Errorf("%s, routes without:\n%s", api, diff)
		}
	}
}

func TestShippedConfigurationsListTheRoutesOfTheService(t *testing.T) {
	t.Parallel()
	protected, _ := routes(t)
	for _, path := range []string{"authorizer.yaml", "authorizer-uncached.yaml"} {
		var got []string
		for _, r := range shipped(t, path).Routes {
			if r.Route != "$connect" { // the WebSocket API's
				got = append(got, r.Route)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(protected, got); diff != "" {
			t.Errorf("%s:\n%s", path, diff)
		}
	}
}

// Scopes stand in the document, in the configuration and in the backend.
func TestShippedConfigurationAsksForTheScopesOfTheDocument(t *testing.T) {
	t.Parallel()
	want := map[string][]string{}
	for path, item := range document(t).Paths.Map() {
		for method, op := range item.Operations() {
			for _, requirement := range *op.Security {
				if scopes, ok := requirement["bearer"]; ok {
					want[method+" "+path] = scopes
				}
			}
		}
	}
	got := map[string][]string{}
	for _, r := range shipped(t, "authorizer.yaml").Routes {
		if r.Route != "$connect" {
			got[r.Route] = r.Require[0].JWT.Scopes
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The local gateway keeps its list in a variable of its own; it is read from
// the source, for it is nobody else's business.
func TestLocalGatewayServesTheRoutesOfTheService(t *testing.T) {
	t.Parallel()
	protected, public := routes(t)
	got := stringsOf(t, "../local/stages.go", "itemRoutes")
	slices.Sort(got)
	if diff := cmp.Diff(protected, got); diff != "" {
		t.Errorf("local/stages.go, itemRoutes:\n%s", diff)
	}
	raw, err := os.ReadFile("../local/stages.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range public {
		if !strings.Contains(string(raw), strconv.Quote(route)) {
			t.Errorf("local/stages.go does not serve %s", route)
		}
	}
}

// stringsOf reads a variable that is a list of strings from Go source.
func stringsOf(t *testing.T, path, name string) (out []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != name || len(spec.Values) != 1 {
			return true
		}
		literal, ok := spec.Values[0].(*ast.CompositeLit)
		if !ok {
			return true
		}
		for _, e := range literal.Elts {
			s, err := strconv.Unquote(e.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
		return false
	})
	if out == nil {
		t.Fatalf("%s has no list %s any more", path, name)
	}
	return out
}

// draft4 is a schema of the document for API Gateway, which validates with
// JSON Schema draft 4: what that does not know is left out, so that it never
// refuses what the service takes.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-create-model.html
func draft4(doc *openapi3.T, schema *openapi3.SchemaRef) object {
	raw, err := json.Marshal(schema.Value)
	if err != nil {
		panic(err)
	}
	var full object
	if err := json.Unmarshal(raw, &full); err != nil {
		panic(err)
	}
	if types, ok := full["type"].([]any); ok && len(types) > 1 {
		// One of several types: only the bounds of strings may stay, which
		// mean nothing to the others.
		keep := object{}
		for _, key := range []string{"minLength", "maxLength"} {
			if v, ok := full[key]; ok {
				keep[key] = number(v)
			}
		}
		return keep
	}
	out := object{}
	for _, key := range []string{"type", "required", "minLength", "maxLength", "minProperties", "maxProperties"} {
		if v, ok := full[key]; ok {
			out[key] = number(v)
		}
	}
	if types, ok := out["type"].([]any); ok {
		out["type"] = types[0]
	}
	switch a := schema.Value.AdditionalProperties; {
	case a.Schema != nil:
		out["additionalProperties"] = draft4(doc, a.Schema)
	case a.Has != nil:
		out["additionalProperties"] = *a.Has
	}
	if len(schema.Value.Properties) > 0 {
		properties := object{}
		for name, p := range schema.Value.Properties {
			properties[name] = draft4(doc, p)
		}
		out["properties"] = properties
	}
	return out
}

func number(v any) any {
	if f, ok := v.(float64); ok {
		return int(f)
	}
	return v
}

func TestRequestsAreValidatedByTheModelsOfTheDocument(t *testing.T) {
	t.Parallel()
	doc := document(t)
	body := at(deployed(t, read(t, "sam/template.yaml"), nil), "Resources", "RestApi", "Properties", "DefinitionBody")
	models, _ := at(body, "components", "schemas").(object)
	want := object{}
	for _, name := range slices.Sorted(maps.Keys(models)) {
		schema, ok := doc.Components.Schemas[name]
		if !ok {
			t.Fatalf("the document has no schema %s", name)
		}
		want[name] = draft4(doc, schema)
	}
	if diff := cmp.Diff(want, models); diff != "" {
		t.Errorf("models, want those of items/openapi.yaml:\n%s", diff)
	}

	deployedOps := operations(body)
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			want := object{}
			if op.RequestBody != nil {
				for media, m := range op.RequestBody.Value.Content {
					want[media] = object{"schema": object{"$ref": m.Schema.Ref}}
				}
			}
			got, _ := at(deployedOps[method+" "+path], "requestBody", "content").(object)
			if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
				t.Errorf("%s %s:\n%s", method, path, diff)
			}
			if id := at(deployedOps[method+" "+path], "operationId"); id != op.OperationID {
				t.Errorf("%s %s is %v, the document says %s", method, path, id, op.OperationID)
			}
		}
	}
	if at(body, "x-amazon-apigateway-request-validator") != "all" ||
		at(body, "x-amazon-apigateway-request-validators", "all", "validateRequestBody") != true {
		t.Error("requests are not validated")
	}
}
