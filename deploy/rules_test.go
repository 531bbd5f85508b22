package deploy_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// refused are the rules of a template that stop a deployment with these
// parameters before anything is made.
func refused(t *testing.T, template object, parameters map[string]string) []string {
	t.Helper()
	d := with(t, template, parameters)
	out := []string{}
	for _, name := range slices.Sorted(maps.Keys(section(template, "Rules"))) {
		rule := at(template["Rules"], name)
		if condition := at(rule, "RuleCondition"); condition != nil && !d.rule(condition) {
			continue
		}
		for _, a := range values(at(rule, "Assertions")) {
			if !d.rule(at(a, "Assert")) {
				out = append(out, name)
			}
		}
	}
	return out
}

// rule decides a condition of a rule. A rule may say no more than this:
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-rules.html
func (d deployment) rule(value any) bool {
	if list := values(at(value, "Fn::EachMemberEquals")); list != nil {
		return !slices.ContainsFunc(values(d.resolve(list[0])), func(v any) bool { return v != list[1] })
	}
	for _, name := range []string{"Fn::And", "Fn::Or", "Fn::Not"} {
		arguments := values(at(value, name))
		if arguments == nil {
			continue
		}
		held := 0
		for _, a := range arguments {
			if d.rule(a) {
				held++
			}
		}
		return name == "Fn::And" && held == len(arguments) || name == "Fn::Or" && held > 0 || name == "Fn::Not" && held == 0
	}
	return at(value, "Fn::Equals") != nil && d.resolve(value) == true
}

func TestParametersThatCannotBeDeployedAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	templates := map[string]object{}
	for _, c := range []struct {
		file       string
		parameters map[string]string
		want       []string
	}{
		{"sam/template.yaml", nil, nil},
		{"sam/template.yaml", everything["sam/template.yaml"], nil},
		{"sam/template.yaml", map[string]string{"DeployRest": "false"}, nil},
		{"sam/template.yaml", map[string]string{"VpcEndpointIds": "vpce-0123456789abcdef0"}, nil},
		{"sam/template.yaml", map[string]string{"DeployRest": "false", "DeployHttp": "false"}, []string{"SomethingIsDeployed"}},
		{"sam/template.yaml", map[string]string{"VpcEndpointIds": "vpce-0123456789abcdef0,vpce-1123456789abcdef0", "DomainName": "api.example.com", "CertificateArn": "arn"}, []string{"DomainIsNotForAPrivateApi"}},
		{"sam/template.yaml", map[string]string{"DomainName": "api.example.com"}, []string{"DomainNeedsItsCertificate"}},
		{"sam/template.yaml", map[string]string{"TruststoreUri": "s3://bucket/ca.pem"}, []string{"MutualTlsNeedsDomain"}},
		{"sam/template.yaml", map[string]string{"BusyFrom": "cron(0 7 ? * MON-FRI *)", "ProvisionedConcurrency": "5"}, []string{"ScheduleNeedsBothEnds"}},
		{"observability/template.yaml", everything["observability/template.yaml"], nil},
		{"observability/template.yaml", map[string]string{"HttpAuthorizerName": "http"}, nil},
		{"observability/template.yaml", nil, []string{"SomethingIsWatched"}},
	} {
		if templates[c.file] == nil {
			templates[c.file] = read(t, c.file)
		}
		if diff := cmp.Diff(append([]string{}, c.want...), refused(t, templates[c.file], c.parameters)); diff != "" {
			t.Errorf("%s %v:\n%s", c.file, c.parameters, diff)
		}
	}
}

// The previous key must have gone out of use when the next rotation comes.
func TestRotationIsSlowerThanTheGraceOfThePreviousKey(t *testing.T) {
	t.Parallel()
	days, _ := at(read(t, "sam/template.yaml"), "Parameters", "RotationDays", "MinValue").(int)
	grace := shipped(t, "authorizer-uncached.yaml").Secrets.PreviousGrace
	if float64(days)*24 <= grace.Hours() {
		t.Errorf("RotationDays from %d, secrets.previous_grace is %v", days, grace)
	}
}
