package authorizer_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"lambda-authorizer/httpsig"
	"lambda-authorizer/local/gateway"
	"lambda-authorizer/reason"
)

// again is the same request once more, as whoever listened in would send it.
func again(r *http.Request) *http.Request {
	out := r.Clone(context.Background())
	out.RequestURI = r.RequestURI
	return out
}

func TestReplayIsRefusedByWhicheverFunctionMeetsIt(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	machine := p.signer(t, httpsig.Grant{ID: "good", Principal: "machine", Scopes: []string{"items:read"}})
	first, second := p.connect(t, everything), p.connect(t, everything)
	for _, kind := range everyAPI {
		r := request(t, "GET /items", signed(machine))
		first.wants(t, kind, again(r), "")
		first.wants(t, kind, again(r), reason.SignatureReplayed)
		second.wants(t, kind, again(r), reason.SignatureReplayed)
		p.at(5*time.Minute, func() { second.wants(t, kind, again(r), reason.SignatureReplayed) })
		p.at(5*time.Minute+time.Second, func() { second.wants(t, kind, again(r), reason.SignatureExpired) })
	}
}

// What is refused for another reason is not spent, and may be sent again.
func TestRefusedRequestKeepsItsNonce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	machine := p.signer(t, httpsig.Grant{ID: "good", Principal: "machine", Scopes: []string{"items:read"}, Networks: []string{"office"}})
	s := p.connect(t, everything)
	r := request(t, "GET /items", signed(machine))
	s.wants(t, gateway.RESTRequest, again(r), reason.AddressNotAllowed)
	p.revoke(t, "signing_key#good")
	p.Add(time.Second)
	_ = from("203.0.113.9")(r)
	s.wants(t, gateway.RESTRequest, again(r), reason.Revoked)
	p.restore(t, "signing_key#good")
	p.Add(time.Second)
	s.wants(t, gateway.RESTRequest, again(r), "")
	s.wants(t, gateway.RESTRequest, again(r), reason.SignatureReplayed)
}

func TestOneOfManyCopiesOfARequestGetsIn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	machine := p.signer(t, httpsig.Grant{ID: "good", Principal: "machine", Scopes: []string{"items:read"}})
	functions := []*service{p.connect(t, everything), p.connect(t, everything)}
	for _, f := range functions {
		f.stage(t, gateway.HTTP2IAM)
	}
	r := request(t, "GET /items", signed(machine))
	var in atomic.Int32
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			if got := functions[n%2].send(t, gateway.HTTP2IAM, again(r)); got.status == http.StatusOK {
				in.Add(1)
			} else if got.reason() != string(reason.SignatureReplayed) {
				t.Errorf("%d: %v", got.status, got.line)
			}
		})
	}
	all.Wait()
	if in.Load() != 1 {
		t.Errorf("%d of 8 copies got in", in.Load())
	}
}

// Lambda may run one invocation twice; its id stays the same, and so the second
// run meets itself. A client can choose API Gateway's id, but not this one.
func TestInvocationThatRunsTwiceMeetsItself(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	machine := p.signer(t, httpsig.Grant{ID: "good", Principal: "machine", Scopes: []string{"items:read"}})
	s := p.connect(t, everything)
	event := s.event(t, gateway.HTTP2IAM, request(t, "GET /items", signed(machine)))
	run := func(id string) error {
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: id})
		answer, err := s.Invoke(ctx, event)
		if err == nil && !strings.Contains(string(answer), `"Allow"`) {
			t.Errorf("answer %s", answer)
		}
		return err
	}
	for range 2 {
		if err := run("one"); err != nil {
			t.Error(err)
		}
	}
	for _, id := range []string{"two", ""} { // with no id nothing is the same
		if err := run(id); err == nil || err.Error() != "Unauthorized" {
			t.Errorf("another invocation %q: %v", id, err)
		}
	}
}

func TestNoncesOutOfReachAreAFaultOfSignedRequestsAlone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	machine := p.signer(t, httpsig.Grant{ID: "good", Principal: "machine", Scopes: []string{"items:read"}})
	// on_error: allow is about revocation and never lets a replay through.
	s := p.connect(t, strings.Replace(everything, "timeout: 4s}", "timeout: 300ms, on_error: allow}", 1))
	s.wants(t, gateway.HTTP2IAM, request(t, "GET /items", signed(machine)), "")
	p.tablesDown.Store(true)
	got := s.wants(t, gateway.HTTP2IAM, request(t, "GET /items", signed(machine)), reason.NoncesUnavailable)
	if detail := got.line["detail"]; detail != "nonces_unavailable: table "+p.nonces+": HTTP status 503" {
		t.Errorf("the line says %v", detail)
	}
	s.wants(t, gateway.HTTP2IAM, request(t, "GET /items", bearer(mint(t, nil))), "")
	s.wants(t, gateway.HTTP2IAM, request(t, "GET /items", signed(later(machine, -time.Hour))), reason.SignatureExpired)
}

// Where replay is allowed a request may come again, and no table is written.
func TestReplayIsLetInWhereTheConfigurationAllowsIt(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	machine := p.signer(t, httpsig.Grant{ID: "good", Principal: "machine", Scopes: []string{"items:read"}})
	s := p.connect(t, strings.Replace(everything, "{secrets: [signing-keys]}", "{secrets: [signing-keys], replay: allow}", 1))
	r := request(t, "GET /items", signed(machine))
	for range 2 {
		s.wants(t, gateway.HTTP2IAM, again(r), "")
	}
	if n := p.count("PutItem"); n != 0 {
		t.Errorf("%d nonces were written", n)
	}
}
