//go:build terraform

package check

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

// TestAlarmsAndAnswersAreThoseOfTheTemplates: an operator has one RUNBOOK.md,
// and a client one kind of answer, whichever way the service was deployed.
func TestAlarmsAndAnswersAreThoseOfTheTemplates(t *testing.T) {
	t.Parallel()
	made := planComplete(t)
	const tables = module + "/check/testdata/tables"
	withMadeUpCredentials(t, tables, "")
	initialise(t, tables)
	made = append(made, plan(t, tables, "name=check")...)

	templates := resources(t, "../../observability/template.yaml")
	for name, r := range resources(t, "../../sam/template.yaml") {
		templates[name] = r
	}
	if diff := cmp.Diff(templateAlarms(templates), plannedAlarms(made)); diff != "" {
		t.Errorf("alarms (-templates +module):\n%s", diff)
	}
	if diff := cmp.Diff(templatePage(t, templates), plannedPage(t, planComplete(t))); diff != "" {
		t.Errorf("what pages (-templates +module):\n%s", diff)
	}
	if diff := cmp.Diff(templateAnswers(t, templates), plannedAnswers(t, made)); diff != "" {
		t.Errorf("gateway responses (-template +module):\n%s", diff)
	}
}

// answer is a gateway response. A header's value is "" where it depends on a
// parameter.
type answer struct {
	Status  string
	Problem map[string]any
	Headers map[string]string
}

func templateAnswers(t *testing.T, templates map[string]*yaml.Node) map[string]answer {
	t.Helper()
	responses := at(templates["RestApi"], "Properties", "DefinitionBody", "x-amazon-apigateway-gateway-responses")
	if responses == nil {
		t.Fatal("the SAM template has no gateway responses")
	}
	out := map[string]answer{}
	for i := 0; i < len(responses.Content); i += 2 {
		r := responses.Content[i+1]
		a := answer{Status: text(r, "statusCode"), Headers: map[string]string{}}
		decode(t, []byte(text(r, "responseTemplates", "application/json")), &a.Problem)
		parameters := at(r, "responseParameters")
		for j := 0; j < len(parameters.Content); j += 2 {
			a.Headers[parameters.Content[j].Value] = parameters.Content[j+1].Value
		}
		out[responses.Content[i].Value] = a.comparable()
	}
	return out
}

func plannedAnswers(t *testing.T, made []planned) map[string]answer {
	t.Helper()
	out := map[string]answer{}
	for _, r := range made {
		if r.Type != "aws_api_gateway_gateway_response" {
			continue
		}
		templates, _ := r.Values["response_templates"].(map[string]any)
		a := answer{Status: said(r.Values, "status_code"), Headers: map[string]string{}}
		decode(t, []byte(said(templates, "application/json")), &a.Problem)
		parameters, _ := r.Values["response_parameters"].(map[string]any)
		for name := range parameters {
			a.Headers[name] = said(parameters, name)
		}
		out[r.Index.(string)] = a.comparable()
	}
	return out
}

// comparable leaves out headers that only tell a browser what it may read, and
// the value of the one that names the origin.
func (a answer) comparable() answer {
	for name := range a.Headers {
		switch {
		case strings.HasSuffix(name, ".Access-Control-Expose-Headers"), strings.HasSuffix(name, ".Vary"):
			delete(a.Headers, name)
		case strings.HasSuffix(name, ".Access-Control-Allow-Origin"):
			a.Headers[name] = ""
		}
	}
	return a
}

// resources are those of a CloudFormation template, by name.
func resources(t *testing.T, path string) map[string]*yaml.Node {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	all := at(document.Content[0], "Resources")
	if all == nil {
		t.Fatalf("%s: no Resources", path)
	}
	out := map[string]*yaml.Node{}
	for i := 0; i < len(all.Content); i += 2 {
		out[all.Content[i].Value] = all.Content[i+1]
	}
	return out
}

// at is the node below a mapping's keys, nil where there is none.
func at(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		i := slices.IndexFunc(n.Content, func(k *yaml.Node) bool { return k.Value == key })
		if i < 0 {
			return nil
		}
		n = n.Content[i+1]
	}
	return n
}

func text(n *yaml.Node, keys ...string) string {
	if n = at(n, keys...); n == nil {
		return ""
	}
	return n.Value
}

// said is a planned value as text, "" where it is null.
func said(values map[string]any, key string) string {
	if values[key] == nil {
		return ""
	}
	return fmt.Sprint(values[key])
}
