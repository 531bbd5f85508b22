package gateway

import (
	"fmt"
	"strings"
)

// route is one route of an API, or one method of a REST resource.
type route struct {
	key              string // as written
	method, template string
	segments         []string
}

// params are the values of a template's parameters.
type params map[string]string

type routes struct {
	list []*route
}

// newRoutes parses route keys.
func newRoutes(keys []string) (*routes, error) {
	rs := &routes{}
	seen := make(map[string]bool)
	for _, key := range keys {
		if seen[key] {
			return nil, fmt.Errorf("route %q is there twice", key)
		}
		seen[key] = true
		r, ok := newRoute(key)
		if !ok {
			return nil, fmt.Errorf("route %q is not \"METHOD /path\"", key)
		}
		rs.list = append(rs.list, r)
	}
	return rs, nil
}

func newRoute(key string) (*route, bool) {
	if key == "$default" || key == "$connect" {
		return &route{key: key, template: key}, true
	}
	method, template, ok := strings.Cut(key, " ")
	if !ok || method == "" || !strings.HasPrefix(template, "/") {
		return nil, false
	}
	return &route{key, method, template, strings.Split(template[1:], "/")}, true
}

// IsRoute tells whether key has the form of a route, as Options.Routes wants it.
func IsRoute(key string) bool {
	_, ok := newRoute(key)
	return ok
}

// match fits a path's segments to the template.
func (r *route) match(path []string) (params, bool) {
	if r.segments == nil {
		return nil, false
	}
	found := params{}
	for i, segment := range r.segments {
		switch name, isParam := strings.CutPrefix(segment, "{"); {
		case i >= len(path):
			return nil, false
		case isParam && strings.HasSuffix(name, "+}"):
			rest := strings.Join(path[i:], "/")
			found[strings.TrimSuffix(name, "+}")] = rest
			return found, rest != ""
		case isParam && path[i] != "":
			found[strings.TrimSuffix(name, "}")] = path[i]
		case isParam || segment != path[i]:
			return nil, false
		}
	}
	return found, len(path) == len(r.segments)
}

// moreSpecific compares templates left to right: static before {x} before
// {x+}.
func (r *route) moreSpecific(other *route) bool {
	for i := range min(len(r.segments), len(other.segments)) {
		if a, b := rank(r.segments[i]), rank(other.segments[i]); a != b {
			return a < b
		}
	}
	return len(r.segments) > len(other.segments)
}

func rank(segment string) int {
	switch {
	case strings.HasSuffix(segment, "+}"):
		return 2
	case strings.HasPrefix(segment, "{"):
		return 1
	}
	return 0
}

// pickResource chooses as REST APIs do: the best resource by its path, then
// its method, then its ANY. There is no second choice of resource.
func (rs *routes) pickResource(method, path string) (*route, params) {
	segments := split(path)
	var best *route
	for _, r := range rs.list {
		if _, ok := r.match(segments); ok && (best == nil || r.moreSpecific(best)) {
			best = r
		}
	}
	if best == nil {
		return nil, nil
	}
	var chosen *route
	for _, r := range rs.list {
		if r.template != best.template {
			continue
		}
		if r.method == method || r.method == "ANY" && chosen == nil {
			chosen = r
		}
	}
	found, _ := best.match(segments)
	return chosen, found
}

// pickRoute chooses as HTTP APIs do: the most specific among the routes whose
// method fits too, an exact method before ANY; $default last.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
func (rs *routes) pickRoute(method, path string) (*route, params) {
	segments := split(path)
	var best *route
	for _, r := range rs.list {
		if r.method != method && r.method != "ANY" {
			continue
		}
		if _, ok := r.match(segments); !ok {
			continue
		}
		if best == nil || r.moreSpecific(best) || !best.moreSpecific(r) && r.method == method {
			best = r
		}
	}
	if best != nil {
		found, _ := best.match(segments)
		return best, found
	}
	return rs.keyed("$default")
}

// keyed finds a route that has no path.
func (rs *routes) keyed(key string) (*route, params) {
	for _, r := range rs.list {
		if r.key == key {
			return r, nil
		}
	}
	return nil, nil
}

func split(path string) []string {
	return strings.Split(strings.TrimPrefix(path, "/"), "/")
}
