package doctor

import (
	"fmt"
	"slices"
	"strings"

	"lambda-authorizer/policy"
	"lambda-authorizer/problem"
)

// verbs are what ANY stands for.
var verbs = []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}

// probe is text that no template names: what a parameter is tried with.
const probe = "~"

// a try is a request that a route is tried with. A WebSocket connection has
// no verb.
type try struct{ verb, path string }

// tries are requests that a route takes unless another is more specific.
func tries(route string) []try {
	switch route {
	case "$connect":
		return []try{{"", "$connect"}}
	case "$default":
		return []try{{"GET", probe + "/" + probe + "/" + probe + "/" + probe}}
	}
	verb, path, _ := strings.Cut(route, " ")
	var once, twice []string
	for _, segment := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		greedy := strings.HasSuffix(segment, "+}")
		if strings.HasPrefix(segment, "{") {
			segment = probe
		}
		once, twice = append(once, segment), append(twice, segment)
		if greedy {
			twice = append(twice, segment)
		}
	}
	paths := slices.Compact([]string{strings.Join(once, "/"), strings.Join(twice, "/")})
	using := []string{verb}
	if verb == "ANY" {
		using = verbs
	}
	var out []try
	for _, v := range using {
		for _, p := range paths {
			out = append(out, try{v, p})
		}
	}
	return out
}

// fit is how the API's methods and the configured routes go together.
type fit struct {
	table   *policy.Table
	methods []Method
	// odd are methods that no route table can hold.
	odd []Method
	// serves lists, by a method's route, the configured routes it serves.
	serves map[string][]string
	// unserved are the indices of configured routes that no method serves.
	unserved []int
}

// fit finds out which method serves what. API Gateway prefers static segments
// to parameters, an exact method to ANY, and takes $default last, as the route
// table does: so a table of the methods tells.
func (c *Case) fit() fit {
	f := fit{serves: map[string][]string{}}
	f.fill(slices.DeleteFunc(slices.Clone(c.API.Methods), func(m Method) bool { return !c.asked(m.Route) }))
	for i, route := range c.Config.Routes {
		if !c.concerns(route.Route) {
			continue
		}
		served := false
		for _, t := range tries(route.Route) {
			m, ok := f.serving(t)
			if served = served || ok; ok && !slices.Contains(f.serves[m.Route], route.Route) {
				f.serves[m.Route] = append(f.serves[m.Route], route.Route)
			}
		}
		if !served {
			f.unserved = append(f.unserved, i)
		}
	}
	return f
}

func (f *fit) fill(methods []Method) {
	odd := map[int]bool{}
	for {
		var routes []policy.Route
		f.methods, f.odd = nil, nil
		for i, m := range methods {
			if odd[i] {
				f.odd = append(f.odd, m)
				continue
			}
			f.methods = append(f.methods, m)
			routes = append(routes, policy.Route{Route: m.Route, Require: anyToken})
		}
		var found []problem.Problem
		if f.table, found = policy.Compile(routes); len(found) == 0 || len(routes) == 0 {
			return
		}
		before := len(odd)
		for _, p := range found {
			var n int
			if _, err := fmt.Sscanf(p.Path, "[%d]", &n); err == nil && n < len(f.methods) {
				odd[slices.Index(methods, f.methods[n])] = true
			}
		}
		if len(odd) == before {
			f.odd = methods // nothing to leave out: nothing can be compared
			return
		}
	}
}

// anyToken is a requirement for a table that is only asked about paths.
var anyToken = []policy.Entry{{JWT: &policy.JWTGrant{}}}

func (f *fit) serving(t try) (Method, bool) {
	if f.table == nil {
		return Method{}, false
	}
	id, ok := f.table.Match(policy.Decoded, t.verb, t.path)
	if !ok {
		return Method{}, false
	}
	return f.methods[id], true
}

// taken is a configured route that some requests of the method belong to, as
// far as the method serves them.
func (c *Case) taken(f fit, m Method) (string, bool) {
	table := c.Config.Table()
	for _, t := range tries(m.Route) {
		if by, ok := f.serving(t); !ok || by != m {
			continue
		}
		if id, ok := table.Match(policy.Decoded, t.verb, t.path); ok && c.concerns(table.Template(id)) {
			return table.Template(id), true
		}
	}
	return "", false
}

// concerns tells whether a configured route can belong to this kind of API.
func (c *Case) concerns(route string) bool {
	switch route {
	case "$connect":
		return c.API.Kind == WebSocket
	case "$default":
		return c.API.Kind == HTTP
	}
	return c.API.Kind != WebSocket
}

// configuredRoutes: each must be served from behind the authorizer.
func (c *Case) configuredRoutes() (string, []Finding) {
	f := c.fit()
	var findings []Finding
	for _, m := range f.methods {
		switch routes := f.serves[m.Route]; {
		case len(routes) > 0 && !m.Attached(c.Authorizer):
			findings = append(findings, c.unprotected(m, routes)...)
		case len(routes) > 1 && slices.Contains(routes, m.Route) && c.keepsPlainAnswers():
			findings = append(findings, c.shared(m, routes))
		}
	}
	for _, i := range f.unserved {
		findings = append(findings, Finding{Warning, c.Config.Routes[i].Route + " is configured, and the API has no such route",
			"nothing is open because of it, but somebody expects it to be there",
			[]string{c.write(fmt.Sprintf("routes[%d]", i), "remove it, or add the route to the API")}})
	}
	return "all are served from behind the authorizer", findings
}

// keepsPlainAnswers: a yes is kept under the API's route, and says nothing of
// the configured one.
func (c *Case) keepsPlainAnswers() bool {
	return c.API.Kind == HTTP && c.Config.Response.HTTPAPI == "simple" && c.Config.Gateway.CacheTTL > 0
}

// shared judges a method that also serves configured routes which the API does
// not have. Asked about them the function answers cache_unsafe, but it is not
// asked where API Gateway has kept a yes to the method's own route.
func (c *Case) shared(m Method, routes []string) Finding {
	others := strings.Join(slices.DeleteFunc(slices.Clone(routes), func(r string) bool { return r == m.Route }), ", ")
	return Finding{Critical, m.Route + " also serves the configured route " + others + ", which the API does not have",
		"answers are simple and kept: whoever may use " + m.Route + " is let into " + others + " as well, whatever it requires",
		[]string{"add " + others + " to the API, behind the authorizer", c.write("response.http_api", "or set iam, and simple responses off in the API: a policy tells them apart")}}
}

// unprotected judges a method that serves configured routes and is not behind
// the authorizer.
func (c *Case) unprotected(m Method, routes []string) []Finding {
	what := m.Route + " serves the configured route " + strings.Join(routes, ", ")
	if slices.Contains(routes, m.Route) {
		what = m.Route + " is configured"
	}
	switch {
	case m.Authorization != "NONE":
		return []Finding{{Warning, what + " and is behind something else (" + m.behind() + ")",
			"the function is not asked about it, and what the configuration requires is not checked", c.attach(m)}}
	case m.preflight() && !slices.Contains(routes, m.Route):
		return nil
	case m.options() && !slices.Contains(routes, m.Route):
		return []Finding{{Note, what + " and has no authorizer", "preflights carry no credentials, so that is right as long as the backend answers them with nothing else", c.attach(m)}}
	}
	return []Finding{{Critical, what + " and has no authorizer", "anybody may call it", c.attach(m)}}
}

func (m Method) options() bool { return strings.HasPrefix(m.Route, "OPTIONS ") }

// preflight tells a method with which API Gateway itself answers CORS
// preflights: browsers send these without credentials.
func (m Method) preflight() bool { return m.Mock && m.options() }

// behind is what stands in front of a method.
func (m Method) behind() string {
	if m.AuthorizerID == "" {
		return m.Authorization
	}
	return m.Authorization + " " + m.AuthorizerID
}

// attachedRoutes: what is behind the authorizer must be open to somebody.
func (c *Case) attachedRoutes() (string, []Finding) {
	f := c.fit()
	var findings []Finding
	n := 0
	for _, m := range f.methods {
		if !m.Attached(c.Authorizer) {
			continue
		}
		n++
		if _, taken := c.taken(f, m); taken || len(f.serves[m.Route]) > 0 {
			continue
		}
		findings = append(findings, Finding{Warning, m.Route + " is behind the authorizer, and no configured route opens it",
			"every request to it is refused (403, route_unknown)",
			[]string{c.write("routes", "add: {route: %s, require: [{jwt: {}}]}, with what a caller needs", m.Route)}})
	}
	for _, m := range f.odd {
		if !m.Attached(c.Authorizer) {
			continue
		}
		findings = append(findings, Finding{Note, m.Route + " could not be compared", "no route of the configuration can be written like that, so the function opens it to nobody", nil})
	}
	return fmt.Sprintf("the configuration opens all %d", n), findings
}

// openRoutes: whatever has no authorizer is open to everybody.
func (c *Case) openRoutes() (string, []Finding) {
	f := c.fit()
	var findings []Finding
	for _, m := range c.API.Methods {
		if m.Authorization != "NONE" || m.preflight() || len(f.serves[m.Route]) > 0 || !c.asked(m.Route) {
			continue
		}
		finding := Finding{Note, m.Route + " has no authorizer and is not configured", "anybody may call it: right for a health check, not for data", nil}
		if route, taken := c.taken(f, m); taken {
			finding = Finding{Warning, m.Route + " has no authorizer, and its path belongs to the configured route " + route,
				"anybody may call it, though the configuration asks who calls that path", c.attach(m)}
		}
		findings = append(findings, finding)
	}
	return "none but those that answer preflights", findings
}

// asked tells whether API Gateway asks an authorizer there at all: of a
// WebSocket API on $connect alone.
func (c *Case) asked(route string) bool { return c.API.Kind != WebSocket || route == "$connect" }
