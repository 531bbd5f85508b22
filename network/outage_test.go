package network_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"lambda-authorizer/network"
	"lambda-authorizer/reason"
)

var refused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

func TestListIsKeptFor15MinutesOfAnOutageAndNoLonger(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	s.add(t, "partners", "203.0.113.0/24")
	s.want(t, "before", "partners", "203.0.113.7", true)
	s.wire.becomes(refuses(400, "AccessDeniedException", "not authorized to perform: dynamodb:GetItem"))

	s.clock.Add(cacheTTL)
	v := s.Load(t.Context(), addr("203.0.113.7"), "partners")
	if !v.In("partners") || v.Stale != 1 || v.Reads != 1 || v.Fault() != nil {
		t.Errorf("in an outage: %+v, %v", v, v.Fault())
	}
	if e := s.lastEvent(t); e.Err == nil || e.Changed || !strings.Contains(e.Err.Error(), "dynamodb:GetItem") {
		t.Errorf("the failure is told as %+v", e)
	}
	s.want(t, "another address in an outage", "partners", "198.51.100.7", false)

	s.clock.Add(15*time.Minute - cacheTTL - time.Nanosecond)
	s.want(t, "a moment before 15 minutes", "partners", "203.0.113.7", true)
	s.clock.Add(time.Nanosecond)
	s.wantFault(t, "15 minutes after the last read", "partners", "203.0.113.7", reason.NetworksUnavailable)
	s.wantFault(t, "for any address", "partners", "198.51.100.7", reason.NetworksUnavailable)

	s.wire.becomes(nil)
	s.clock.Add(time.Second)
	s.want(t, "after the outage", "partners", "203.0.113.7", true)
}

// An empty reply is not an empty list: no DynamoDB gives it to a read that asks
// what it has cost.
func TestReplyThatSaysNothingEmptiesNoList(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"an empty body": "", "an empty object": "{}", "a message": `{"message":"hello"}`} {
		s := setUp(t, "partners", "others")
		s.add(t, "partners", "203.0.113.0/24")
		s.want(t, "before", "partners", "203.0.113.7", true)
		s.wire.becomes(says(200, body))
		s.clock.Add(cacheTTL)
		s.want(t, name, "partners", "203.0.113.7", true)
		s.wantFault(t, name+" about a list never read", "others", "203.0.113.7", reason.NetworksUnavailable)
		operator, err := network.NewStore(client(says(200, body)), "revocations", network.StoreOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if l, err := operator.Get(t.Context(), "partners"); err == nil {
			t.Errorf("%s: the operator reads %+v", name, l)
		}
	}
}

func TestListThatWasNeverReadIsAFaultAndRecoversWithinASecond(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners", "others")
	s.add(t, "partners", "203.0.113.0/24")
	s.wire.becomes(fails(refused))
	s.wantFault(t, "from the start", "partners", "203.0.113.7", reason.NetworksUnavailable)
	tries := s.wire.requests.Load()
	if tries != 3 {
		t.Errorf("%d tries, want 3", tries)
	}
	s.clock.Add(time.Second - time.Nanosecond)
	s.wantFault(t, "soon after", "partners", "203.0.113.7", reason.NetworksUnavailable)
	if n := s.wire.requests.Load() - tries; n != 0 {
		t.Errorf("%d requests while the table is left alone", n)
	}
	v := s.Load(t.Context(), addr("203.0.113.7"), "partners")
	if v.Fault() != nil {
		t.Errorf("a list that nobody asked about is no fault: %v", v.Fault())
	}
	s.wire.becomes(nil)
	s.want(t, "another list", "others", "203.0.113.7", false)
	s.clock.Add(time.Nanosecond)
	s.want(t, "a second after", "partners", "203.0.113.7", true)
}

func TestAnOutageCostsOneReadInFiveSecondsWhereTheListIsKnown(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	s.add(t, "partners", "203.0.113.0/24")
	s.want(t, "before", "partners", "203.0.113.7", true)
	s.wire.becomes(refuses(400, "ResourceNotFoundException", "no such table"))
	before := s.wire.requests.Load()
	s.clock.Add(cacheTTL)
	for range 60 * 4 { // a minute
		s.want(t, "in an outage", "partners", "203.0.113.7", true)
		s.clock.Add(250 * time.Millisecond)
	}
	if n := s.wire.requests.Load() - before; n != 12 {
		t.Errorf("%d requests in a minute, want 12", n)
	}
}

func TestRefusalThatFollowsFromAnUnknownListIsAFaultAndAYesIsNot(t *testing.T) {
	t.Parallel()
	s := setUp(t, "known", "unknown", "unnamed")
	s.add(t, "known", "203.0.113.0/24")
	s.want(t, "before", "known", "203.0.113.7", true)
	s.wire.becomes(refuses(400, "AccessDeniedException", "no"))
	v := s.Load(t.Context(), addr("203.0.113.7"), "known", "unknown")
	if !v.In("known") || v.Fault() != nil {
		t.Errorf("the known list alone: %v", v.Fault())
	}
	if v.In("unknown") || reason.Of(v.Fault()) != reason.NetworksUnavailable {
		t.Errorf("the unknown one: %v", v.Fault())
	}
	if !v.In("known") || reason.Of(v.Fault()) != reason.NetworksUnavailable {
		t.Error("a later answer has covered the fault")
	}
	if v.In("unnamed") || reason.Of(v.Fault()) != reason.NetworksUnavailable {
		t.Errorf("a later fault has covered the first: %v", v.Fault())
	}
}

func TestTableThatDoesNotAnswerCostsTheTimeOutAtMost(t *testing.T) {
	t.Parallel()
	s := setUpWith(t, func(c *network.Config) { c.Timeout = 100 * time.Millisecond }, "partners")
	s.wire.becomes(transport(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}))
	_, err := s.in(t, "partners", "203.0.113.7")
	if reason.Of(err) != reason.NetworksUnavailable || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.clock.Add(time.Minute)
	v := s.Load(ctx, addr("203.0.113.7"), "partners")
	if v.In("partners") || reason.Of(v.Fault()) != reason.DeadlineExceeded {
		t.Errorf("an invocation out of time: %v", v.Fault())
	}
}

func TestFaultNamesTheListTheTableAndTheCauseAndNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "IQoJb3JpZ2luX2VjE"
	for name, c := range map[string]struct {
		network http.RoundTripper
		want    string
	}{
		"no permission":   {refuses(400, "AccessDeniedException", "role/r is not authorized to perform: dynamodb:GetItem"), "AccessDeniedException: role/r is not authorized to perform: dynamodb:GetItem"},
		"wrong signature": {refuses(403, "InvalidSignatureException", "The Canonical String should have been 'x-amz-security-token:"+secret+"'"), "InvalidSignatureException"},
		"refused":         {fails(refused), "connection refused"},
		"another item":    {says(200, `{"Item":{"pk":{"S":"network#others"},"cidrs":{"SS":["0.0.0.0/0"]}}}`), "an item that was not asked for"},
		"no pk":           {says(200, `{"Item":{"cidrs":{"SS":["0.0.0.0/0"]}}}`), "an item that was not asked for"},
		"not DynamoDB":    {says(200, "<html>welcome</html>"), ""},
		"panic":           {transport(func(*http.Request) (*http.Response, error) { panic(secret) }), "panic of type string"},
	} {
		s := setUp(t, "partners")
		s.wire.becomes(c.network)
		in, err := s.in(t, "partners", "203.0.113.7")
		if in || reason.Of(err) != reason.NetworksUnavailable {
			t.Errorf("%s: %v, %v", name, in, err)
			continue
		}
		if text := err.Error(); !strings.HasPrefix(text, "networks_unavailable: list partners in table "+s.table+": ") || !strings.Contains(text, c.want) || strings.Contains(text, secret) {
			t.Errorf("%s: %s", name, text)
		}
		again := s.Load(t.Context(), addr("203.0.113.7"), "partners")
		again.In("partners")
		if text := fmt.Sprint(again.Fault()); !strings.Contains(text, "left alone for a moment after: ") || !strings.Contains(text, c.want) || strings.Contains(text, secret) {
			t.Errorf("%s: while left alone: %s", name, text)
		}
	}
}

// hung is a client that ignores its deadline, as a frozen process does.
type hung struct{ goOn chan struct{} }

func (h hung) GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	<-h.goOn
	return &dynamodb.GetItemOutput{}, nil
}

func TestReadThatNeverEndsHoldsNobodyLongerThanTheTimeOut(t *testing.T) {
	t.Parallel()
	h := hung{make(chan struct{})}
	defer close(h.goOn)
	l, err := network.New(network.Config{Dynamic: []string{"partners"}, Table: "t", CacheTTL: cacheTTL, Timeout: 20 * time.Millisecond},
		network.Options{Reader: h, Now: startClock().Now})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		v := l.Load(t.Context(), addr("203.0.113.7"), "partners")
		if v.In("partners") || reason.Of(v.Fault()) != reason.NetworksUnavailable {
			t.Errorf("%v", v.Fault())
		}
	}
}
