package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestVariablesAreReplacedInStrings(t *testing.T) {
	t.Parallel()
	env := environment(map[string]string{"A": "alpha", "B_2": "${A}", "EMPTY": ""})
	for in, want := range map[string]string{
		"plain":               "plain",
		"${A}":                "alpha",
		"x-${A}/${A}-y":       "x-alpha/alpha-y",
		"${B_2}":              "${A}", // what a variable holds is not expanded again
		"[${EMPTY}]":          "[]",
		"$context.routeKey":   "$context.routeKey",
		"$default":            "$default",
		"a$":                  "a$",
		"$$":                  "$$",
		"$$A":                 "$$A",
		"$${A}":               "${A}",
		"$$${A}":              "$${A}",
		"${A}$${A}${A}":       "alpha${A}alpha",
		"$A":                  "$A",
		"costs $ {A} or more": "costs $ {A} or more",
	} {
		got, err := expand(in, env)
		if err != nil || got != want {
			t.Errorf("expand(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestVariablesThatCannotBeReplacedAreRefused(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"${}", "${", "${A", "${A B}", "${1A}", "${A:-b}", "${a.b}", "${UNSET}", "x${", "${Ä}"} {
		if got, err := expand(in, environment(map[string]string{"A": "alpha"})); err == nil {
			t.Errorf("expand(%q) = %q", in, got)
		}
	}
}

func TestVariableHoldsTextAndNeverYAML(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		"none\nroutes: []", "[a, b]", "{jwt: {}}", "&x y", "*x", "!!int 3", "# comment", "null", "'", `"`, "a: b", "${ISSUER}",
	} {
		env := environment(map[string]string{"CLAIM": value})
		c, err := Load(write(t, complete("routes:\n  - {route: GET /items, require: [{jwt: {claims: {tenant: [\"${CLAIM}\", \"x ${CLAIM}\"]}}}]}\n")), env)
		if err != nil {
			t.Errorf("%q: %v", value, err)
			continue
		}
		want := []any{value, "x " + value}
		if diff := cmp.Diff(want, c.Routes[0].Require[0].JWT.Claims["tenant"]); diff != "" {
			t.Errorf("%q (-want +got)\n%s", value, diff)
		}
	}
}

func TestTextWithoutVariablesIsLeftAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := strings.ReplaceAll(rapid.String().Draw(t, "text"), "${", "$")
		got, err := expand(s, environment(nil))
		if err != nil || got != s {
			t.Errorf("expand(%q) = %q, %v", s, got, err)
		}
		literal := strings.ReplaceAll(s, "$", "") + "${X}"
		if got, err := expand(strings.ReplaceAll(literal, "${", "$${"), environment(nil)); err != nil || got != literal {
			t.Errorf("the literal %q becomes %q, %v", literal, got, err)
		}
	})
}
