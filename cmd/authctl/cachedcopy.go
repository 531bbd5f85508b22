package main

import (
	"slices"
	"strings"

	"lambda-authorizer/authorizer"
	"lambda-authorizer/config"
	"lambda-authorizer/policy"
	"lambda-authorizer/reason"
)

// cachedCopy is what API Gateway does for this caller's requests while it
// keeps the answer.
type cachedCopy struct {
	// Seconds is 0 where nothing is kept, and Why says why.
	Seconds int      `json:"seconds"`
	Why     string   `json:"why,omitempty"`
	Under   []string `json:"under,omitempty"`
	Opens   []string `json:"opens,omitempty"`
	Closes  []string `json:"closes,omitempty"`
	// LeftOut are routes that the caller may use and that no policy can open
	// beside the others.
	LeftOut []string `json:"left_out,omitempty"`
	// AlsoOpens are paths of no configured route.
	AlsoOpens []string `json:"also_opens,omitempty"`
	// Because says why there is no sound policy, and what to do.
	Because []string `json:"because,omitempty"`
}

// cached tells what API Gateway does with the answer afterwards.
func cached(cfg *config.Config, trace *authorizer.Trace) cachedCopy {
	switch {
	case cfg.Gateway.CacheTTL == 0:
		return cachedCopy{Why: "gateway.cache_ttl is 0s"}
	case trace.AnswerErr != nil:
		c := cachedCopy{Why: "API Gateway keeps no errors"}
		c.explain(cfg.Table(), trace)
		return c
	case trace.Request.Kind == authorizer.WebSocket:
		return cachedCopy{Why: "a WebSocket API keeps no results"}
	}
	c := cachedCopy{Seconds: int(cfg.Gateway.CacheTTL.Seconds()), Under: cfg.Gateway.IdentitySources}
	switch {
	case trace.Document != nil:
		c.reach(cfg.Table(), cfg.Table().Reach(trace.Request.Kind.Form(), trace.Granted))
	case trace.Outcome == authorizer.Allow: // simple answers are kept for each route
		c.Opens = []string{trace.Template}
	default:
		c.Closes = []string{trace.Template}
	}
	return c
}

// explain tells of a policy that the function had to withhold what it would
// have done, why that is wrong, and the way out.
func (c *cachedCopy) explain(t *policy.Table, trace *authorizer.Trace) {
	switch trace.Reason {
	case reason.PolicyTooLarge:
		c.Because = []string{"the policy is larger than API Gateway or response.max_policy_bytes takes: shorten the paths or the stage, merge routes, or set gateway.cache_ttl to 0s; authctl validate tells the size for the longest ARNs"}
		return
	case reason.PolicyInexact:
	default:
		return
	}
	form := trace.Request.Kind.Form()
	c.reach(t, t.Reach(form, trace.Granted))
	for _, x := range t.Inexpressible(form) {
		if x.Route == trace.Route || slices.Contains(x.With, trace.Route) {
			c.Because = append(c.Because, x.Text(t))
		}
	}
	if len(c.Because) == 0 {
		c.Because = []string{"the policy's wildcards take this path for one of an allowed route: list a route for it, or set gateway.cache_ttl to 0s"}
	}
}

func (c *cachedCopy) reach(t *policy.Table, r policy.Reach) {
	all := slices.Concat(r.Opens, r.Closes, r.LeftOut)
	c.Opens, c.Closes, c.LeftOut = routes(t, r.Opens, all), routes(t, r.Closes, all), routes(t, r.LeftOut, all)
	c.AlsoOpens = r.AlsoOpens
}

// routes names uses by their route where all of its methods are among them,
// else one by one. $connect is another API's.
func routes(t *policy.Table, uses, all []policy.Use) []string {
	of := func(id policy.RouteID, uses []policy.Use) (n int) {
		for _, u := range uses {
			if u.Route == id {
				n++
			}
		}
		return n
	}
	var out []string
	for _, u := range uses {
		name := t.Template(u.Route)
		if _, path, ok := strings.Cut(name, " "); of(u.Route, uses) < of(u.Route, all) {
			if name = u.Method + " " + path; !ok {
				name = u.Method + " $default"
			}
		}
		if u.Method != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func (t *tool) printCached(c cachedCopy) {
	if c.Seconds == 0 {
		t.printf("\nno copy is kept: %s\n", c.Why)
	} else {
		t.printf("\na copy kept for %d s under %s\n", c.Seconds, strings.Join(c.Under, ", "))
	}
	for _, why := range c.Because {
		t.printf("  %s\n", why)
	}
	if c.Seconds == 0 && len(c.Opens) > 0 {
		t.printf("\nthe policy that was withheld\n")
	}
	for _, row := range []struct {
		what   string
		routes []string
	}{{"opens", c.Opens}, {"closes", c.Closes}, {"cannot open", c.LeftOut}, {"also opens", c.AlsoOpens}} {
		for i, route := range row.routes {
			if i > 0 {
				row.what = ""
			}
			t.printf("  %-11s  %s\n", row.what, route)
		}
	}
}
