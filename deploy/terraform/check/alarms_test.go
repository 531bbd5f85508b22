//go:build terraform

package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// alarm is what two definitions of one must agree on.
type alarm struct {
	Description string
	Comparison  string
	Threshold   string
	Periods     string
	Datapoints  string
	Period      string
	Metrics     []string
	Expressions []string
}

// metric is one that an alarm reads, with the names of its dimensions, and
// their values where they are the service's own words.
func metric(name, statistic string, dimensions map[string]string) string {
	whose := []string{}
	for key, value := range dimensions {
		if key == "outcome" || key == "reason" {
			key += "=" + value
		}
		whose = append(whose, key)
	}
	slices.Sort(whose)
	return fmt.Sprintf("%s %s by %v", name, statistic, whose)
}

func templateAlarms(templates map[string]*yaml.Node) map[string]alarm {
	out := map[string]alarm{}
	for name, r := range templates {
		if text(r, "Type") != "AWS::CloudWatch::Alarm" {
			continue
		}
		p := at(r, "Properties")
		a := alarm{
			Description: text(p, "AlarmDescription"), Comparison: text(p, "ComparisonOperator"), Threshold: text(p, "Threshold"),
			Periods: text(p, "EvaluationPeriods"), Datapoints: text(p, "DatapointsToAlarm"), Period: text(p, "Period"),
		}
		if name := text(p, "MetricName"); name != "" {
			a.Metrics = append(a.Metrics, metric(name, text(p, "Statistic")+text(p, "ExtendedStatistic"), templateDimensions(p)))
		}
		if metrics := at(p, "Metrics"); metrics != nil {
			for _, m := range metrics.Content {
				if stat := at(m, "MetricStat"); stat != nil {
					m := at(stat, "Metric")
					a.Metrics = append(a.Metrics, metric(text(m, "MetricName"), text(stat, "Stat"), templateDimensions(m)))
					a.Period = text(stat, "Period")
					continue
				}
				// What is shown and compared has a name of its own in a template.
				a.Expressions = append(a.Expressions, strings.Replace(text(m, "Expression"), "(share,", "(value,", 1))
			}
		}
		slices.Sort(a.Metrics)
		slices.Sort(a.Expressions)
		out[name] = a
	}
	return out
}

func plannedAlarms(made []planned) map[string]alarm {
	out := map[string]alarm{}
	for _, r := range made {
		if r.Type != "aws_cloudwatch_metric_alarm" {
			continue
		}
		a := alarm{
			Description: said(r.Values, "alarm_description"), Comparison: said(r.Values, "comparison_operator"), Threshold: said(r.Values, "threshold"),
			Periods: said(r.Values, "evaluation_periods"), Datapoints: said(r.Values, "datapoints_to_alarm"), Period: said(r.Values, "period"),
		}
		if name := said(r.Values, "metric_name"); name != "" {
			a.Metrics = append(a.Metrics, metric(name, said(r.Values, "statistic")+said(r.Values, "extended_statistic"), plannedDimensions(r.Values)))
		}
		queries, _ := r.Values["metric_query"].([]any)
		for _, q := range queries {
			if e := said(q.(map[string]any), "expression"); e != "" {
				a.Expressions = append(a.Expressions, e)
			}
			metrics, _ := q.(map[string]any)["metric"].([]any)
			for _, m := range metrics {
				m := m.(map[string]any)
				a.Metrics = append(a.Metrics, metric(said(m, "metric_name"), said(m, "stat"), plannedDimensions(m)))
				a.Period = said(m, "period")
			}
		}
		slices.Sort(a.Metrics)
		slices.Sort(a.Expressions)
		out[r.Index.(string)] = a
	}
	return out
}

func templateDimensions(p *yaml.Node) map[string]string {
	out := map[string]string{}
	if dimensions := at(p, "Dimensions"); dimensions != nil {
		for _, d := range dimensions.Content {
			out[text(d, "Name")] = text(d, "Value")
		}
	}
	return out
}

func plannedDimensions(values map[string]any) map[string]string {
	out := map[string]string{}
	dimensions, _ := values["dimensions"].(map[string]any)
	for name := range dimensions {
		out[name] = said(dimensions, name)
	}
	return out
}

// page is how alarms are joined, and which.
type page struct {
	Joined string
	Alarms []string
}

var paged = regexp.MustCompile(`ALARM\("(?:\$\{|[a-z-]+-)(\w+)\}?"\)`)

func templatePage(t *testing.T, templates map[string]*yaml.Node) page {
	t.Helper()
	rule := at(templates["Page"], "Properties", "AlarmRule")
	if rule == nil || rule.Tag != "!Join" {
		t.Fatal("the templates join no alarms to a page")
	}
	out := page{Joined: rule.Content[0].Value}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		for _, m := range paged.FindAllStringSubmatch(n.Value, -1) {
			out.Alarms = append(out.Alarms, m[1])
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(rule)
	slices.Sort(out.Alarms)
	return out
}

func plannedPage(t *testing.T, made []planned) page {
	t.Helper()
	rule := said(one(t, made, "aws_cloudwatch_composite_alarm", ""), "alarm_rule")
	out := page{}
	for _, m := range paged.FindAllStringSubmatch(rule, -1) {
		out.Alarms = append(out.Alarms, m[1])
	}
	between := slices.Compact(strings.Split(strings.Trim(paged.ReplaceAllString(rule, "|"), "|"), "|"))
	out.Joined = strings.Join(between, " and ")
	slices.Sort(out.Alarms)
	return out
}
