package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lambda-authorizer/reason"
)

// sources is the text of files, to hold names in templates against.
func sources(t *testing.T, paths ...string) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range paths {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no files %s (%v)", pattern, err)
		}
		for _, path := range files {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(raw)
		}
	}
	return all.String()
}

// alarms are those of both templates, with every option on.
func alarms(t *testing.T) map[string]object {
	t.Helper()
	out := map[string]object{}
	for _, file := range []string{"sam/template.yaml", "observability/template.yaml"} {
		maps.Copy(out, of(deployed(t, read(t, file), everything[file]), "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"))
	}
	if len(out) == 0 {
		t.Fatal("the templates have no alarms")
	}
	return out
}

var heading = regexp.MustCompile(`(?m)^### ([A-Za-z0-9]+)$`)

// Whoever is woken finds an entry for what woke them, with the three things
// that they need.
func TestRunbookHasOneEntryForEachAlarm(t *testing.T) {
	t.Parallel()
	book := sources(t, "../RUNBOOK.md")
	var entries []string
	for _, h := range heading.FindAllStringSubmatch(book, -1) {
		entries = append(entries, h[1])
	}
	slices.Sort(entries)
	all := alarms(t)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(all)), entries); diff != "" {
		t.Errorf("want one entry for each alarm:\n%s", diff)
	}
	for _, entry := range strings.Split(book, "\n### ")[1:] {
		name, body, _ := strings.Cut(entry, "\n")
		body, _, _ = strings.Cut(body, "\n## ")
		for _, part := range []string{"**Means.**", "**Look.**", "**Do.**"} {
			if strings.Count(body, part) != 1 {
				t.Errorf("%s: %s stands there %d times", name, part, strings.Count(body, part))
			}
		}
	}
	for name, a := range all {
		if !strings.HasSuffix(text(a["AlarmDescription"]), "RUNBOOK.md, "+name) {
			t.Errorf("%s does not point to its entry: %v", name, a["AlarmDescription"])
		}
		if a["AlarmActions"] == nil {
			t.Errorf("%s tells nobody", name)
		}
	}
}

// What the service writes, as alarms and dashboard refer to it.
func TestAlarmsWatchMetricsThatTheServiceWrites(t *testing.T) {
	t.Parallel()
	line := sources(t, "../authorizer/line.go")
	for name, want := range map[string]string{
		"namespace":  `metricsNamespace = "LambdaAuthorizer"`,
		"dimensions": `[]string{"outcome", "reason"}`,
	} {
		if !strings.Contains(line, want) {
			t.Errorf("authorizer/line.go has another %s", name)
		}
	}
	if !strings.Contains(sources(t, "../cmd/items/main.go"), `Namespace: "LambdaAuthorizer/Items"`) {
		t.Error("items writes to another namespace")
	}
	backendSource := sources(t, "../backend/line.go", "../backend/protect.go", "../backend/problem.go", "../backend/caller.go")
	outcomes := sources(t, "../authorizer/trace.go")
	own := 0
	for name, a := range alarms(t) {
		for _, m := range metricsOf(a) {
			written := line
			switch m.namespace {
			case "LambdaAuthorizer":
			case "LambdaAuthorizer/Items":
				written = backendSource
			default:
				continue
			}
			own++
			if !strings.Contains(written, fmt.Sprintf("{%q, ", m.name)) {
				t.Errorf("%s: nobody writes %s", name, m.name)
			}
			for dimension, value := range m.dimensions {
				values := written
				if dimension == "outcome" && m.namespace == "LambdaAuthorizer" {
					values = outcomes
				}
				if !strings.Contains(values, fmt.Sprintf("%q", value)) {
					t.Errorf("%s: %s is never %s", name, dimension, value)
				}
			}
		}
	}
	if own < 10 {
		t.Errorf("only %d uses of the service's own metrics were found: the test looks into the wrong place", own)
	}
}

type metricUse struct {
	namespace, name string
	dimensions      map[string]string
}

// metricsOf are the metrics that an alarm reads.
func metricsOf(alarm object) (out []metricUse) {
	use := func(m any) {
		u := metricUse{text(at(m, "Namespace")), text(at(m, "MetricName")), map[string]string{}}
		for _, d := range values(at(m, "Dimensions")) {
			u.dimensions[text(at(d, "Name"))] = text(at(d, "Value"))
		}
		out = append(out, u)
	}
	if alarm["MetricName"] != nil {
		use(alarm)
	}
	for _, q := range values(alarm["Metrics"]) {
		if m := at(q, "MetricStat", "Metric"); m != nil {
			use(m)
		}
	}
	return out
}

// A metric filter counts by the words of a log line.
func TestMetricFiltersMatchWhatIsLogged(t *testing.T) {
	t.Parallel()
	said := sources(t, "../cmd/authorizer/*.go", "../authorizer/*.go")
	filters := of(read(t, "sam/template.yaml"), "AWS::Logs::MetricFilter")
	pattern := regexp.MustCompile(`^\{ \$\.(outcome|msg) = ("[^"]+") \}$`)
	for name, f := range filters {
		m := pattern.FindStringSubmatch(text(f["FilterPattern"]))
		if m == nil || !strings.Contains(said, m[2]) {
			t.Errorf("%s: nobody logs %v", name, f["FilterPattern"])
		}
	}
	if len(filters) != 4 {
		t.Errorf("%d metric filters", len(filters))
	}
	// A level that leaves warnings out would silence JwksRefreshFailing.
	if !strings.Contains(said, `.Warn("key set not refreshed"`) {
		t.Error("a key set that is not refreshed is no warning any more: look at the levels that are allowed")
	}
	if diff := cmp.Diff(any([]any{"debug", "info", "warn"}), at(read(t, "sam/template.yaml"), "Parameters", "LogLevel", "AllowedValues")); diff != "" {
		t.Errorf("LogLevel:\n%s", diff)
	}
}

// The function says every 401 with an error, which Lambda counts. An alarm on
// the count alone would wake somebody whenever a scanner comes along.
func TestErrorAlarmsLeaveDeliberate401sOut(t *testing.T) {
	t.Parallel()
	for name, a := range alarms(t) {
		for _, m := range metricsOf(a) {
			function := m.dimensions["FunctionName"]
			if m.namespace != "AWS/Lambda" || m.name != "Errors" || !strings.Contains(function, "Authorizer") {
				continue
			}
			// The datapoints of a metric filter come later than Lambda's own. Until
			// they do, FILL takes every 401 of the last minute for an error: one
			// minute must not be enough. Three would not fit into the canary's five.
			// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
			if a["Period"] != nil || a["EvaluationPeriods"] != 3 || a["DatapointsToAlarm"] != 2 {
				t.Errorf("%s: %v of %v minutes", name, a["DatapointsToAlarm"], a["EvaluationPeriods"])
			}
			expression := text(at(values(a["Metrics"])[0], "Expression"))
			if expression != "errors - FILL(unauthorized, 0)" || at(values(a["Metrics"])[1], "ReturnData") != false {
				t.Errorf("%s: %s", name, expression)
			}
		}
	}
}

func TestAnswersThatAreAlarmedAboutHaveTheirThresholds(t *testing.T) {
	t.Parallel()
	all := alarms(t)
	for name, want := range map[string]int{
		"Rest4xx": 5, "Http4xx": 5, "Rest5xx": 1, "Http5xx": 1, "RestBackendSlow": 5000, "HttpBackendSlow": 5000,
	} {
		if all[name]["Threshold"] != want || all[name]["ComparisonOperator"] != "GreaterThanThreshold" {
			t.Errorf("%s: %v %v", name, all[name]["ComparisonOperator"], all[name]["Threshold"])
		}
	}
	if e := text(at(values(all["RefusalsUnusual"]["Metrics"])[1], "Expression")); e != "ANOMALY_DETECTION_BAND(share, 3)" {
		t.Errorf("RefusalsUnusual: %s", e)
	}
}

// The runbook speaks of every fault by its name in the log.
func TestRunbookNamesEveryFault(t *testing.T) {
	t.Parallel()
	book := sources(t, "../RUNBOOK.md")
	for _, code := range reason.All() {
		if code.Status() == 500 && !strings.Contains(book, "`"+string(code)+"`") {
			t.Errorf("RUNBOOK.md does not say what to do about %s", code)
		}
	}
}
