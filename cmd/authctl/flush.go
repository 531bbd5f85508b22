package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
)

// gate is a stage of an API whose cached answers can be flushed.
type gate struct {
	kind, api, stage string
}

func (g gate) String() string { return g.kind + ":" + g.api + "/" + g.stage }

// is tells whether an entry of gateway.apis means g.
func (g gate) is(api string) bool { return api == g.api+"/"+g.stage || api == g.api+"/*" }

var gateForm = regexp.MustCompile(`^(rest|http):([A-Za-z0-9_-]{1,64})/(\$default|[A-Za-z0-9_-]{1,128})$`)

// gatesOf reads --flush.
func gatesOf(args []string, s *settings) ([]gate, error) {
	var gates []gate
	for _, arg := range args {
		m := gateForm.FindStringSubmatch(arg)
		if m == nil {
			return nil, usage("--flush is rest:<api>/<stage> or http:<api>/<stage>, as in rest:a1b2c3d4e5/prod; a WebSocket API caches nothing")
		}
		g := gate{m[1], m[2], m[3]}
		gates = append(gates, g)
		if s.cfg != nil && s.cfg.Gateway.APIs != nil && !slices.ContainsFunc(s.cfg.Gateway.APIs, g.is) {
			s.note("%s is not among gateway.apis: the function with this configuration does not serve it", g)
		}
	}
	if gates != nil && s.cfg == nil {
		return nil, usage("--flush needs the configuration, which says how long functions believe what they read: give --config")
	}
	return gates, nil
}

// settle is how long an invocation that has read the old state may take to
// give its answer, beside cache_ttl: the check is the last step that waits for
// anything.
const settle = time.Second

// flushed is what became of one gate.
type flushed struct {
	Target string    `json:"target"`
	At     time.Time `json:"at,omitzero"`
	Error  string    `json:"error,omitempty"`
}

// flush empties the caches of gates, but not before the functions have
// forgotten what they read before written: an answer that one of them gives
// until then would be cached again, for the whole of the gateway's TTL.
func (t *tool) flush(ctx context.Context, a *account, gates []gate, s *settings, written time.Time) []flushed {
	due := written.Add(s.cfg.Revocation.CacheTTL + settle)
	if wait := due.Sub(t.now()); wait > 0 {
		fmt.Fprintf(t.err, "flushing in %s: until then a function may believe what it read before, and its answer would be cached again\n", wait.Round(time.Second))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	var out []flushed
	for _, g := range gates {
		f := flushed{Target: g.String()}
		if err := a.flush(ctx, g); err != nil {
			f.Error = brief(err)
		} else {
			f.At = t.now()
		}
		out = append(out, f)
	}
	return out
}

func (a *account) flush(ctx context.Context, g gate) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if g.kind == "rest" {
		client := apigateway.NewFromConfig(a.config, func(o *apigateway.Options) { o.BaseEndpoint = a.base(o.BaseEndpoint) })
		_, err := client.FlushStageAuthorizersCache(ctx, &apigateway.FlushStageAuthorizersCacheInput{
			RestApiId: aws.String(g.api), StageName: aws.String(g.stage),
		})
		return err
	}
	client := apigatewayv2.NewFromConfig(a.config, func(o *apigatewayv2.Options) { o.BaseEndpoint = a.base(o.BaseEndpoint) })
	_, err := client.ResetAuthorizersCache(ctx, &apigatewayv2.ResetAuthorizersCacheInput{
		ApiId: aws.String(g.api), StageName: aws.String(g.stage),
	})
	return err
}

// elsewhere lists the stages that the configuration serves beside the gates:
// what they have cached stays. Nil and false: any API may call.
func elsewhere(gates []gate, s *settings) (stages []string, listed bool) {
	for _, api := range s.cfg.Gateway.APIs {
		if !slices.ContainsFunc(gates, func(g gate) bool { return g.api+"/"+g.stage == api }) {
			stages = append(stages, api)
		}
	}
	return stages, s.cfg.Gateway.APIs != nil
}
