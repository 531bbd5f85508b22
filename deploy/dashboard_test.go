package deploy_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var stepName = regexp.MustCompile(`steps_us\.([a-z_]+)`)

// questions are what the dashboard's panels and the saved queries ask, by title.
func questions(t *testing.T) (panels, saved map[string]string, dashboard string) {
	t.Helper()
	template := deployed(t, read(t, "observability/template.yaml"), everything["observability/template.yaml"])
	dashboard = text(at(template, "Resources", "Dashboard", "Properties", "DashboardBody"))
	var body struct {
		Widgets []struct {
			X, Y, Width, Height int
			Properties          struct {
				Title, Query string
				Metrics      []any
			}
		}
	}
	if err := json.Unmarshal([]byte(dashboard), &body); err != nil {
		t.Fatalf("the dashboard is not JSON: %v", err)
	}
	panels, saved = map[string]string{}, map[string]string{}
	for _, w := range body.Widgets {
		if w.X+w.Width > 24 || w.Properties.Title == "" || (w.Properties.Query == "") == (w.Properties.Metrics == nil) {
			t.Errorf("widget %+v", w)
		}
		if w.Properties.Query != "" {
			panels[w.Properties.Title] = w.Properties.Query
		}
	}
	for _, q := range of(template, "AWS::Logs::QueryDefinition") {
		saved[text(q["Name"])] = text(q["QueryString"])
	}
	if len(body.Widgets) < 10 || len(panels) < 2 || len(saved) < 3 {
		t.Errorf("%d widgets, %d queries in them, %d saved", len(body.Widgets), len(panels), len(saved))
	}
	return panels, saved, dashboard
}

// Dashboard and queries read the fields of the decision line.
func TestDashboardAndQueriesReadTheFieldsOfTheDecisionLine(t *testing.T) {
	t.Parallel()
	panels, saved, dashboard := questions(t)
	queries := slices.Concat(slices.Collect(maps.Values(panels)), slices.Collect(maps.Values(saved)))
	fields := sources(t, "../authorizer/line.go")
	steps := sources(t, "../authorizer/authorizer.go")
	field := regexp.MustCompile(`\b(outcome|reason|principal|route|source_ip|token|method|api_id|stage|request_id|detail|revocation_passed|token_cached|policy_cached|cold_start)\b`)
	for _, q := range queries {
		for _, m := range stepName.FindAllStringSubmatch(q, -1) {
			if !strings.Contains(steps, `"`+m[1]+`"`) {
				t.Errorf("there is no step %s: %s", m[1], q)
			}
		}
		for _, m := range field.FindAllString(q, -1) {
			if !strings.Contains(fields, `json:"`+m+`"`) && !strings.Contains(fields, `json:"`+m+`,`) {
				t.Errorf("the decision line has no %s: %s", m, q)
			}
		}
	}
	if unfilled := regexp.MustCompile(`\$\{(AWS::)?[A-Za-z]+\}`).FindAllString(dashboard, -1); len(slices.DeleteFunc(unfilled, func(s string) bool { return s == "${AWS::Region}" })) > 0 {
		t.Errorf("the dashboard has variables that nothing fills: %v", unfilled)
	}
}

var (
	sometimes = regexp.MustCompile(`json:"([a-z_]+),omitzero"`)
	step      = regexp.MustCompile(`\{"([a-z]+)", func\(\)`)
)

// A field that is left out where it is false or zero has no average: only its
// presence can be counted.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html
func TestQueriesCountTheFieldsThatOnlySomeLinesHave(t *testing.T) {
	t.Parallel()
	panels, saved, _ := questions(t)
	line := sources(t, "../authorizer/line.go")
	asked := 0
	for _, q := range slices.Concat(slices.Collect(maps.Values(panels)), slices.Collect(maps.Values(saved))) {
		for _, f := range sometimes.FindAllStringSubmatch(line, -1) {
			uses := strings.Count(q, f[1])
			asked += uses
			if uses != strings.Count(q, "count("+f[1]+")") {
				t.Errorf("%s is not in every line: %s", f[1], q)
			}
		}
	}
	if asked < 3 {
		t.Errorf("only %d uses of such fields were found: the test looks for the wrong ones", asked)
	}
}

var metricID = regexp.MustCompile(`FILL\(([a-z0-9]+),`)

// One API may be off: CloudWatch refuses a dashboard with an empty dimension,
// or with an expression over a metric that is not there.
func TestDashboardShowsOnlyWhatIsThere(t *testing.T) {
	t.Parallel()
	for off, widgets := range map[string]int{"": 11, "Rest": 10, "Http": 10} {
		parameters := maps.Clone(everything["observability/template.yaml"])
		for name := range parameters {
			if off != "" && strings.HasPrefix(name, off) {
				parameters[name] = ""
			}
		}
		template := deployed(t, read(t, "observability/template.yaml"), parameters)
		dashboard := text(at(template, "Resources", "Dashboard", "Properties", "DashboardBody"))
		var body struct {
			Widgets []struct {
				Properties struct{ Metrics [][]any }
			}
		}
		if err := json.Unmarshal([]byte(dashboard), &body); err != nil {
			t.Errorf("without %s: no JSON: %v", off, err)
		}
		if len(body.Widgets) != widgets {
			t.Errorf("without %s: %d widgets, want %d", off, len(body.Widgets), widgets)
		}
		for _, w := range body.Widgets {
			if slices.ContainsFunc(w.Properties.Metrics, func(row []any) bool { return slices.Contains(row, any("")) }) {
				t.Errorf("without %s: an empty dimension in %v", off, w.Properties.Metrics)
			}
		}
		for _, id := range metricID.FindAllStringSubmatch(dashboard, -1) {
			if !strings.Contains(dashboard, `"id": "`+id[1]+`"`) {
				t.Errorf("without %s: an expression over %s, which is not there", off, id[1])
			}
		}
	}
}

// Whoever looks for what is slow sees every step that may wait for something.
func TestLatencyIsShownForEachStep(t *testing.T) {
	t.Parallel()
	panels, saved, _ := questions(t)
	names := step.FindAllStringSubmatch(sources(t, "../authorizer/authorizer.go"), -1)
	if len(names) < 8 {
		t.Fatalf("authorizer.go has %d steps", len(names))
	}
	for _, s := range names {
		if s[1] != "api" && !strings.Contains(panels["Latency by step, p99 in ms"], "steps_us."+s[1]+",") {
			t.Errorf("the panel has no step %s", s[1])
		}
	}
	for _, s := range []string{"credential", "revocation", "address", "replay"} { // those that read or write
		if !strings.Contains(saved["authorizer/slowest dependency"], "steps_us."+s+",") {
			t.Errorf("the query has no step %s", s)
		}
	}
}

// The module asks the same, under the same names.
func TestTerraformAsksWhatTheTemplatesAsk(t *testing.T) {
	t.Parallel()
	panels, saved, _ := questions(t)
	module := sources(t, "terraform/observability.tf", "terraform/dashboard.tf")
	for name, q := range saved {
		if !strings.Contains(module, strings.Replace(name, "authorizer/", `"`, 1)+`"`) {
			t.Errorf("the module has no query %s", name)
		}
		for line := range strings.Lines(q) {
			if !strings.Contains(module, line) {
				t.Errorf("%s: the module does not say %s", name, line)
			}
		}
	}
	_, hits, _ := strings.Cut(panels["Cache hits in percent: tokens, policies"], " | stats ")
	if hits == "" || !strings.Contains(module, hits) {
		t.Errorf("the module does not show %s", hits)
	}
}
