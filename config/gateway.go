package config

import (
	"fmt"
	"regexp"
	"time"

	"lambda-authorizer/problem"
)

// validate reports what is wrong with the section gateway by itself. What its
// sources must be for the routes is the business of cacheSafety.
func (g Gateway) validate() []problem.Problem {
	var out []problem.Problem
	_, api := g.Sources()
	switch {
	case g.CacheTTL < 0 || g.CacheTTL > maxCacheTTL:
		out = append(out, problem.At("cache_ttl", "must be from 0s to 1h, as in API Gateway"))
	case g.CacheTTL%time.Second != 0:
		out = append(out, problem.At("cache_ttl", "must be whole seconds, as in API Gateway"))
	case g.CacheTTL > 0 && api == WebSocket:
		out = append(out, problem.At("cache_ttl", "must be 0s: a WebSocket API caches no authorizer result"))
	}
	out = append(out, g.validateSources()...)
	return append(out, g.validateAPIs()...)
}

var (
	apiAndStage = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}/(\*|\$default|[A-Za-z0-9_-]{1,128})$`)
	anyAPI      = regexp.MustCompile(`^\*(/|$)`)
)

func (g Gateway) validateAPIs() []problem.Problem {
	var out []problem.Problem
	if g.APIs != nil && len(g.APIs) == 0 {
		out = append(out, problem.At("apis", "is empty: list the APIs that may call, or remove the key to serve any"))
	}
	for i, api := range g.APIs {
		at := fmt.Sprintf("apis[%d]", i)
		switch {
		case anyAPI.MatchString(api):
			out = append(out, problem.At(at, "must name an API; * is for the stage alone"))
		case !apiAndStage.MatchString(api):
			out = append(out, problem.At(at, "must be api-id/stage, as in a1b2c3d4e5/prod, a1b2c3d4e5/$default or a1b2c3d4e5/*"))
		}
	}
	return out
}
