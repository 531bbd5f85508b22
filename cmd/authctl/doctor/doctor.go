// Package doctor compares a live API with the configuration of the authorizer
// function behind it.
//
// Reading and judging are apart: Reader turns an API into plain data, and
// Examine judges that and reaches nothing. Neither changes anything: each
// finding carries the command, or the line of the configuration, that would.
//
// It sees what API Gateway tells of itself. What the function does, and what a
// backend does without the authorizer's context, it does not see.
package doctor

import (
	"cmp"
	"slices"
	"time"

	"lambda-authorizer/config"
)

// Severity is how bad a finding is.
type Severity string

// The severities, worst first.
const (
	// Critical: something is open that the configuration closes.
	Critical Severity = "critical"
	// Error: something is closed that the configuration opens, or a bound
	// that was promised does not hold.
	Error Severity = "error"
	// Warning: safe, and not what the configuration says.
	Warning Severity = "warning"
	// Note: worth knowing, or what could not be checked.
	Note Severity = "note"
)

var order = []Severity{Critical, Error, Warning, Note}

// Finding is one thing that is not as it should be.
type Finding struct {
	Severity Severity `json:"severity"`
	// What is the case, and Why it matters.
	What string `json:"what"`
	Why  string `json:"why"`
	// Fix holds commands to run in their order, or lines to write; it is
	// empty where nothing has to be done.
	Fix []string `json:"fix,omitempty"`
}

// Check is one question and what came of it: nothing found, nothing wrong.
type Check struct {
	Name string `json:"name"`
	// OK says in a few words what was compared, for a check without findings.
	OK       string    `json:"ok,omitempty"`
	Findings []Finding `json:"findings"`
}

// Case is what is judged.
type Case struct {
	API    *API
	Config *config.Config
	// Authorizer is the one that calls the function, one of API.Authorizers;
	// nil where there is none.
	Authorizer *Authorizer
	// TokenLifetime is that of a token at hand; zero where there is none.
	TokenLifetime time.Duration
	// EndpointURL goes into the commands of fixes, so that what was read from
	// a stand-in is not repaired in a real account.
	EndpointURL string
}

// Report is what an examination came to.
type Report struct {
	Checks []Check `json:"checks"`
}

// Examine judges c.
func Examine(c *Case) Report {
	if c.Authorizer == nil {
		return Report{Checks: []Check{{Name: "authorizer", Findings: []Finding{c.noAuthorizer()}}}}
	}
	var r Report
	for _, check := range []struct {
		name  string
		judge func(*Case) (string, []Finding)
	}{
		{"stage", (*Case).stage},
		{"authorizer type", (*Case).authorizerType},
		{"cache ttl", (*Case).cacheTTL},
		{"identity sources", (*Case).identitySources},
		{"payload version", (*Case).payloadVersion},
		{"response form", (*Case).responseForm},
		{"configured routes", (*Case).configuredRoutes},
		{"attached routes", (*Case).attachedRoutes},
		{"routes without authorizer", (*Case).openRoutes},
		{"deployment", (*Case).deployment},
		{"gateway responses", (*Case).gatewayResponses},
		{"resource policy", (*Case).resourcePolicy},
		{"usage keys", (*Case).usageKeys},
		{"token lifetime", (*Case).tokenLifetime},
	} {
		ok, findings := check.judge(c)
		switch {
		case len(findings) > 0:
			slices.SortStableFunc(findings, func(a, b Finding) int {
				return cmp.Compare(slices.Index(order, a.Severity), slices.Index(order, b.Severity))
			})
			r.Checks = append(r.Checks, Check{Name: check.name, Findings: findings})
		case ok != "":
			r.Checks = append(r.Checks, Check{Name: check.name, OK: ok, Findings: []Finding{}})
		}
	}
	return r
}

// Count tells how many findings there are of each severity.
func (r Report) Count() map[Severity]int {
	n := map[Severity]int{}
	for _, c := range r.Checks {
		for _, f := range c.Findings {
			n[f.Severity]++
		}
	}
	return n
}

// Refused tells whether anything is open or broken.
func (r Report) Refused() bool {
	n := r.Count()
	return n[Critical]+n[Error] > 0
}
