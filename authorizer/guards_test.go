package authorizer_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lambda-authorizer/authorizer"
	"lambda-authorizer/jwks"
	"lambda-authorizer/reason"
	"lambda-authorizer/revocation"
)

func TestPanicIsLoggedByItsTypeAlone(t *testing.T) {
	t.Parallel()
	log := &journal{}
	f := newFunction(t, uncached, with(func(context.Context) (*jwks.Token, error) { panic("secret of alice") }),
		func(o *authorizer.Options) { o.Log = slog.New(slog.NewTextHandler(log, nil)) })
	_, line, err := f.line(t, tokenEvent("x", "GET /items"))
	if text := fmt.Sprint(log, line, err); strings.Contains(text, "secret of alice") {
		t.Errorf("the panic's value is told: %s", text)
	}
	if !strings.Contains(log.String(), "type=string") || !strings.Contains(log.String(), "guards_test.go") {
		t.Errorf("neither type nor stack of the panic: %s", log)
	}
}

// A decision ends after 8 s, and a little before Lambda would end it, so that
// it is still answered and logged.
func TestDecisionEndsBeforeItsCallerGivesUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ lambda, want time.Duration }{
		"no end of Lambda's":      {0, 8 * time.Second},
		"a far end of Lambda's":   {time.Minute, 8 * time.Second},
		"a near one":              {3 * time.Second, 3*time.Second - 100*time.Millisecond},
		"one that is almost here": {500 * time.Millisecond, 450 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFunction(t, uncached, with(func(ctx context.Context) (*jwks.Token, error) { <-ctx.Done(); return nil, ctx.Err() }))
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if c.lambda > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.lambda)
					defer cancel()
				}
				began := time.Now()
				trace := f.Decide(ctx, []byte(tokenEvent("a.b.c", "GET /items")))
				if took := time.Since(began); took != c.want || trace.Reason != reason.DeadlineExceeded {
					t.Errorf("%s after %s, want deadline_exceeded after %s", trace.Reason, took, c.want)
				}
			})
		})
	}
}

func TestFaultIsToldInBoundedText(t *testing.T) {
	t.Parallel()
	f := newFunction(t, uncached, with(func(context.Context) (*jwks.Token, error) {
		return nil, errors.New(strings.Repeat("disk on fire\n", 100))
	}))
	_, line, err := f.line(t, tokenEvent("x", "GET /items"))
	if text := err.Error(); len(text) > 300 || !strings.HasPrefix(text, "internal: disk on fire ") || strings.Contains(text, "\n") {
		t.Errorf("%d bytes: %s", len(text), text)
	}
	if detail, _ := line["detail"].(string); len(detail) > 300 {
		t.Errorf("the line's detail has %d bytes", len(detail))
	}
}

// checker answers with what a test says.
type checker revocation.Result

func (c checker) Check(context.Context, ...revocation.Credential) (revocation.Result, error) {
	return revocation.Result(c), nil
}

// What was let through unchecked is in the line, whatever the error's text.
func TestRequestThatPassedUncheckedHasItsLine(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"of bytes that are no UTF-8": "bad \xff byte", "of 200 KB": strings.Repeat("x", 200<<10)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFunction(t, strings.Replace(uncached, "revocations: none", "revocations: table", 1),
				func(o *authorizer.Options) { o.Revocations = checker{PassedDespite: errors.New(text)} })
			_, line, err := f.line(t, tokenEvent(mint(t, nil), "GET /items"))
			passed, _ := line["revocation_passed"].(string)
			if err != nil || line["outcome"] != "allow" || passed == "" || len(passed) > 300 || line["DependencyFault"] != 1.0 {
				t.Errorf("%v, %.600v", err, line)
			}
		})
	}
}

// An ANY route is asked for with each of its methods: a document of one is not
// given for another.
func TestDocumentOfOneMethodIsNotGivenForAnother(t *testing.T) {
	t.Parallel()
	f := newFunction(t, "gateway: {cache_ttl: 0s}"+usual+"routes: [{route: 'ANY /admin/{proxy+}', require: [{jwt: {}}]}]")
	alice := mint(t, nil)
	for _, route := range []string{"GET /admin/a", "POST /admin/a", "DELETE /admin/a", "GET /admin/a"} {
		if answer, line, err := f.line(t, tokenEvent(alice, route)); err != nil || line["outcome"] != "allow" {
			t.Errorf("%s: %v, %v, %s", route, err, line["detail"], answer)
		}
	}
}

// A proxy that is denied lets nobody through, whoever it speaks for.
func TestDeniedProxySpeaksForNobody(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := p.connect(t, "gateway: {cache_ttl: 0s, identity_sources: []}\ndeny_networks: [130.176.9.9/32]\ntrusted_proxies: [130.176.0.0/16]"+usual+itemRoutes)
	alice := bearer(mint(t, nil))
	s.run(t, map[string]trial{
		"a proxy":             {get("GET /items", alice, from("130.176.1.2"), forwardedFor("203.0.113.9")), ""},
		"a proxy that is not": {get("GET /items", alice, from("130.176.9.9"), forwardedFor("203.0.113.9")), reason.AddressDenied},
	})
}
