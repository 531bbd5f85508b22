package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"lambda-authorizer/config"
	"lambda-authorizer/policy"
	"lambda-authorizer/problem"
)

func (t *tool) validate() *cobra.Command {
	return &cobra.Command{
		Use:   "validate [FILE]",
		Short: "check a configuration, and say what its policies cannot express",
		Long: `Validate reads the configuration as the function does. Where something is
wrong it lists every problem with file, line and key, and ends with status 1:
the function would not start. Otherwise it tells, for each route, what API
Gateway may cache, and warns of routes that no request reaches, of callers that
no policy can do justice to, and of paths that a cached policy opens besides.`,
		Example: `  authctl validate
  authctl validate deploy/authorizer.yaml --output json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				t.config = args[0]
			}
			return t.runValidate()
		},
	}
}

// validated is what validate prints.
type validated struct {
	File     string       `json:"file"`
	Valid    bool         `json:"valid"`
	Problems []located    `json:"problems"`
	Cache    *cacheInfo   `json:"cache,omitempty"`
	Routes   []routeCache `json:"routes,omitempty"`
	// Obstacles are what would be wrong with the file if caching were on.
	Obstacles []located        `json:"cache_obstacles,omitempty"`
	Largest   *largestDocument `json:"largest_document,omitempty"`
	// Unsaid is what no policy has room to deny.
	Unsaid   string    `json:"unsaid,omitempty"`
	Warnings []located `json:"warnings,omitempty"`
}

// located is a remark about a place in the configuration.
type located struct {
	Kind string `json:"kind,omitempty"`
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	Key  string `json:"key,omitempty"`
	Text string `json:"text"`
}

func locate(kind string, p config.Problem) located {
	return located{Kind: kind, File: p.File, Line: p.Line, Key: p.Key, Text: p.Text}
}

func (l located) String() string {
	return config.Problem{File: l.File, Line: l.Line, Key: l.Key, Text: l.Text}.String()
}

// cacheInfo is how API Gateway keeps answers.
type cacheInfo struct {
	Seconds         int      `json:"seconds"`
	IdentitySources []string `json:"identity_sources"`
	// Answers is policy or simple.
	Answers string `json:"answers"`
}

// routeCache is whether answers to a route are kept.
type routeCache struct {
	Route  string `json:"route"`
	Cached bool   `json:"cached"`
	Why    string `json:"why"`
}

// largestDocument is the worst case over all callers, in the partition and
// Region whose ARNs are the longest.
type largestDocument struct {
	Bytes int `json:"bytes"`
	Max   int `json:"max"`
	// Exact: some caller gets it. Otherwise nobody gets a larger one.
	Exact bool `json:"exact"`
}

func (t *tool) runValidate() error {
	cfg, err := config.Load(t.config, t.env)
	v := &validated{File: t.config, Valid: err == nil, Problems: []located{}}
	var problems config.Problems
	switch {
	case errors.As(err, &problems):
		for _, p := range problems {
			v.Problems = append(v.Problems, locate("", p))
		}
	case err != nil:
		return failed("%v", err)
	default:
		v.examine(cfg)
	}
	if t.json {
		err = writeJSON(t.out, v, "  ")
	} else {
		t.printValidated(v)
		err = nil
	}
	if err == nil && !v.Valid {
		return exit{status: exitRefused}
	}
	return err
}

// examine tells of a valid file what it amounts to.
func (v *validated) examine(cfg *config.Config) {
	simple := cfg.Response.HTTPAPI == "simple" && apiOf(cfg) == config.HTTP
	v.Cache = &cacheInfo{Seconds: int(cfg.Gateway.CacheTTL.Seconds()), IdentitySources: cfg.Gateway.IdentitySources, Answers: "policy"}
	if simple {
		v.Cache.Answers = "simple"
	}
	v.shadowed(cfg)
	partly := map[policy.RouteID]bool{}
	if cfg.Gateway.CacheTTL == 0 {
		for _, p := range cfg.CacheObstacles() {
			v.Obstacles = append(v.Obstacles, locate("", p))
		}
	} else if !simple {
		partly = v.policies(cfg)
	}
	for i, r := range cfg.Routes {
		kept := v.cacheability(r, cfg)
		if partly[policy.RouteID(i)] {
			kept.Why += "; not for every caller, see the warnings"
		}
		v.Routes = append(v.Routes, kept)
	}
	slices.SortStableFunc(v.Warnings, func(a, b located) int { return a.Line - b.Line })
}

func (v *validated) warn(cfg *config.Config, kind, key, format string, args ...any) {
	v.Warnings = append(v.Warnings, locate(kind, cfg.At(problem.At(key, format, args...))))
}

func routeKey(id policy.RouteID) string { return fmt.Sprintf("routes[%d].route", id) }

// shadowed warns of routes that no request reaches.
func (v *validated) shadowed(cfg *config.Config) {
	table := cfg.Table()
	for _, s := range table.Shadowed() {
		var by []string
		for _, id := range s.By {
			by = append(by, table.Template(id))
		}
		v.warn(cfg, "shadowed", routeKey(s.Route), "%s decides on no request, because these are more specific wherever it matches: %s; remove it",
			table.Template(s.Route), strings.Join(by, ", "))
	}
}

// policies warns of what cached policies cannot say, and tells their size. It
// returns the routes that are left out for some callers.
func (v *validated) policies(cfg *config.Config) map[policy.RouteID]bool {
	table, form := cfg.Table(), cfg.Form()
	partly := map[policy.RouteID]bool{}
	for _, x := range table.Inexpressible(form) {
		partly[x.Route] = true
		for _, with := range x.With {
			partly[with] = true
		}
		v.warn(cfg, "inexpressible", routeKey(x.Route), "%s", x.Text(table))
	}
	for _, path := range byPath(table.AlsoOpens(form)) {
		v.warn(cfg, "also_opens", "routes", "a cached copy would also open %s: list these routes, or set gateway.cache_ttl to 0s", path)
	}
	v.Unsaid = policy.Unsaid(form)
	size := cfg.LargestDocument()
	v.Largest = &largestDocument{Bytes: size.Bytes, Max: cfg.Response.MaxPolicyBytes, Exact: size.Exact}
	return partly
}

// byPath says once what differs by method alone: an ANY route has seven.
func byPath(patterns []string) []string {
	var paths []string
	methods := map[string][]string{}
	for _, p := range patterns {
		method, path, _ := strings.Cut(p, " ")
		if methods[path] == nil {
			paths = append(paths, path)
		}
		methods[path] = append(methods[path], method)
	}
	for i, path := range paths {
		paths[i] = strings.Join(methods[path], ", ") + " " + path
	}
	return paths
}

// cacheability tells under what answers to a route are kept, or why not.
func (v *validated) cacheability(r policy.Route, cfg *config.Config) routeCache {
	out := routeCache{Route: r.Route}
	under := strings.Join(cfg.Gateway.IdentitySources, ", ")
	switch {
	case r.Route == "$connect":
		out.Why = "a WebSocket API keeps no results"
	case cfg.Gateway.CacheTTL == 0:
		out.Why = "gateway.cache_ttl is 0s"
	case v.Cache.Answers == "simple":
		out.Cached, out.Why = true, "by itself, under "+under
	default:
		out.Cached, out.Why = true, "in the caller's policy, under "+under
	}
	return out
}

// apiOf is the kind of API that the configuration is written for.
func apiOf(cfg *config.Config) config.API {
	_, api := cfg.Gateway.Sources()
	return api
}

func (t *tool) printValidated(v *validated) {
	if !v.Valid {
		for _, p := range v.Problems {
			t.printf("%s\n", p.String())
		}
		t.printf("\n%s: the function would not start with this file\n", count(len(v.Problems), "problem"))
		return
	}
	t.printf("%s is valid\n\n", v.File)
	rows := [][]string{{"ROUTE", "CACHED", ""}}
	for _, r := range v.Routes {
		cached := "no"
		if r.Cached {
			cached = fmt.Sprintf("%d s", v.Cache.Seconds)
		}
		rows = append(rows, []string{r.Route, cached, r.Why})
	}
	t.table(rows)
	if v.Largest != nil {
		most := "no policy is larger than %d bytes in the Region with the longest ARNs (GovCloud); response.max_policy_bytes is %d\n"
		if v.Largest.Exact {
			most = "the largest policy has %d bytes in the Region with the longest ARNs (GovCloud); response.max_policy_bytes is %d\n"
		}
		t.printf("\n"+most, v.Largest.Bytes, v.Largest.Max)
		t.printf("in the place of a parameter a cached copy does not stop %s: a backend must not decode a path twice\n", v.Unsaid)
	}
	if len(v.Obstacles) > 0 {
		t.printf("\nin the way of a gateway.cache_ttl over 0s\n")
		t.lines(v.Obstacles)
	}
	if len(v.Warnings) > 0 {
		t.printf("\n%s\n", count(len(v.Warnings), "warning"))
		t.lines(v.Warnings)
	}
}

func (t *tool) lines(all []located) {
	for _, l := range all {
		t.printf("  %s\n", l.String())
	}
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
