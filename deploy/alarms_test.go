package deploy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	overOutcomes = "FILL(fault, 0) + FILL(allow, 0) + FILL(deny, 0) + FILL(unauthorized, 0)"
	overBoth     = "FILL(reads, 0) + FILL(writes, 0)"
)

// sounds says when each alarm sounds, with every option on.
var sounds = map[string]string{
	"BreakerOpen":             overOutcomes + "; LambdaAuthorizer BreakerOpen(allow) LambdaAuthorizer BreakerOpen(unauthorized) LambdaAuthorizer BreakerOpen(deny) LambdaAuthorizer BreakerOpen(fault) Sum >= 1, 2 of 3 times 60s, missing notBreaching",
	"DecisionsSlow":           "LambdaAuthorizer Latency(allow) p99 > 500, 3 of 5 times 60s, missing notBreaching",
	"DependencyFaults":        overOutcomes + "; LambdaAuthorizer DependencyFault(allow) LambdaAuthorizer DependencyFault(unauthorized) LambdaAuthorizer DependencyFault(deny) LambdaAuthorizer DependencyFault(fault) Sum >= 5, 2 of 5 times 60s, missing notBreaching",
	"Http4xx":                 "IF(requests > 20, 100 * FILL(answers, 0) / requests); AWS/ApiGateway 4xx(a1b2c3d4e5,$default) AWS/ApiGateway Count(a1b2c3d4e5,$default) Sum > 5, 3 of 5 times 60s, missing notBreaching",
	"Http5xx":                 "IF(requests > 20 OR FILL(answers, 0) >= 5, 100 * FILL(answers, 0) / requests); AWS/ApiGateway 5xx(a1b2c3d4e5,$default) AWS/ApiGateway Count(a1b2c3d4e5,$default) Sum > 1, 3 of 5 times 60s, missing notBreaching",
	"HttpAuthorizerErrors":    "errors - FILL(unauthorized, 0); AWS/Lambda Errors(HttpAuthorizerFunction) LambdaAuthorizer/${AWS::StackName} HttpUnauthorized() Sum >= 5, 2 of 3 times 60s, missing notBreaching",
	"HttpAuthorizerSlow":      "AWS/Lambda Duration(HttpAuthorizerFunction) p99 > 1000, 3 of 5 times 60s, missing notBreaching",
	"HttpAuthorizerThrottled": "AWS/Lambda Throttles(http) Sum >= 1, 2 of 3 times 60s, missing notBreaching",
	"HttpBackendSlow":         "AWS/ApiGateway IntegrationLatency(a1b2c3d4e5,$default) p99 > 5000, 3 of 5 times 60s, missing notBreaching",
	"ItemsErrors":             "AWS/Lambda Errors(Items) Sum >= 5, 1 of 3 times 60s, missing notBreaching",
	"ItemsSlow":               "AWS/Lambda Duration(Items) p99 > 1000, 3 of 5 times 60s, missing notBreaching",
	"ItemsTableThrottled":     overBoth + "; AWS/DynamoDB ReadThrottleEvents(items) AWS/DynamoDB WriteThrottleEvents(items) Sum >= 1, 2 of 3 times 60s, missing notBreaching",
	"ItemsThrottled":          "AWS/Lambda Throttles(items) Sum >= 1, 2 of 3 times 60s, missing notBreaching",
	"JwksRefreshFailing":      "LambdaAuthorizer/Filters JwksRefreshFailures() Sum >= 3, 2 of 3 times 300s, missing notBreaching",
	"NoncesThrottled":         overBoth + "; AWS/DynamoDB ReadThrottleEvents(nonces) AWS/DynamoDB WriteThrottleEvents(nonces) Sum >= 1, 2 of 3 times 60s, missing notBreaching",
	"Page": strings.Join([]string{
		`ALARM("${DependencyFaults}")`,
		`ALARM("${BreakerOpen}")`,
		`ALARM("rest-errors")`,
		`ALARM("http-errors")`,
		`ALARM("items-errors")`,
		`ALARM("${RestAuthorizerThrottled}")`,
		`ALARM("${HttpAuthorizerThrottled}")`,
		`ALARM("${RouteWithoutAuthorizer}")`,
		`ALARM("${Rest5xx}")`,
		`ALARM("${Http5xx}")`,
	}, " OR "),
	"RefusalsUnusual":         "IF(FILL(allow, 0) + FILL(deny, 0) + FILL(unauthorized, 0) > 50, 100 * (FILL(deny, 0) + FILL(unauthorized, 0)) / (FILL(allow, 0) + FILL(deny, 0) + FILL(unauthorized, 0))); ANOMALY_DETECTION_BAND(share, 3); LambdaAuthorizer Decisions(allow) LambdaAuthorizer Decisions(deny) LambdaAuthorizer Decisions(unauthorized) Sum outside band, 3 of 3 times 300s, missing notBreaching",
	"Rest4xx":                 "IF(requests > 20, 100 * FILL(answers, 0) / requests); AWS/ApiGateway 4XXError(api,prod) AWS/ApiGateway Count(api,prod) Sum > 5, 3 of 5 times 60s, missing notBreaching",
	"Rest5xx":                 "IF(requests > 20 OR FILL(answers, 0) >= 5, 100 * FILL(answers, 0) / requests); AWS/ApiGateway 5XXError(api,prod) AWS/ApiGateway Count(api,prod) Sum > 1, 3 of 5 times 60s, missing notBreaching",
	"RestAuthorizerErrors":    "errors - FILL(unauthorized, 0); AWS/Lambda Errors(RestAuthorizerFunction) LambdaAuthorizer/${AWS::StackName} RestUnauthorized() Sum >= 5, 2 of 3 times 60s, missing notBreaching",
	"RestAuthorizerSlow":      "AWS/Lambda Duration(RestAuthorizerFunction) p99 > 1000, 3 of 5 times 60s, missing notBreaching",
	"RestAuthorizerThrottled": "AWS/Lambda Throttles(rest) Sum >= 1, 2 of 3 times 60s, missing notBreaching",
	"RestBackendSlow":         "AWS/ApiGateway IntegrationLatency(api,prod) p99 > 5000, 3 of 5 times 60s, missing notBreaching",
	"RevocationsThrottled":    overBoth + "; AWS/DynamoDB ReadThrottleEvents(revocations) AWS/DynamoDB WriteThrottleEvents(revocations) Sum >= 1, 2 of 3 times 60s, missing notBreaching",
	"RotationFailing":         "AWS/Lambda Errors(rotate) Sum >= 1, 1 of 1 times 300s, missing notBreaching",
	"RouteWithoutAuthorizer":  "LambdaAuthorizer/Items Requests(fault,context_missing) Sum >= 1, 1 of 1 times 60s, missing notBreaching",
}

// summary is an alarm in one line: what it reads, of whom, and when it sounds.
func summary(a object) string {
	if rule := a["AlarmRule"]; rule != nil {
		return text(rule)
	}
	var out strings.Builder
	for _, q := range values(a["Metrics"]) {
		if e := at(q, "Expression"); e != nil {
			fmt.Fprintf(&out, "%s; ", e)
		}
	}
	for _, m := range metricsOf(a) {
		whose := []string{}
		for _, name := range []string{"FunctionName", "TableName", "ApiName", "ApiId", "Stage", "outcome", "reason"} {
			if v, ok := m.dimensions[name]; ok {
				whose = append(whose, strings.NewReplacer("map[Ref:", "", "]", "").Replace(v))
			}
		}
		fmt.Fprintf(&out, "%s %s(%s) ", m.namespace, m.name, strings.Join(whose, ","))
	}
	statistic, period := a["Statistic"], a["Period"]
	if a["ExtendedStatistic"] != nil {
		statistic = a["ExtendedStatistic"]
	}
	for _, q := range values(a["Metrics"]) {
		if s := at(q, "MetricStat"); s != nil {
			statistic, period = at(s, "Stat"), at(s, "Period")
		}
	}
	comparison := map[string]string{"GreaterThanOrEqualToThreshold": ">=", "GreaterThanThreshold": ">", "LessThanLowerOrGreaterThanUpperThreshold": "outside"}[text(a["ComparisonOperator"])]
	threshold := a["Threshold"]
	if threshold == nil {
		threshold = a["ThresholdMetricId"]
	}
	fmt.Fprintf(&out, "%v %s %v, %v of %v times %vs, missing %v", statistic, comparison, threshold, a["DatapointsToAlarm"], a["EvaluationPeriods"], period, a["TreatMissingData"])
	return out.String()
}

// When each alarm sounds is what RUNBOOK.md says that it means.
func TestAlarmsSoundWhenTheyShould(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for name, a := range alarms(t) {
		got[name] = summary(a)
	}
	if diff := cmp.Diff(sounds, got); diff != "" {
		t.Error(diff)
	}
}
