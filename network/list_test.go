package network_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lambda-authorizer/network"
	"lambda-authorizer/reason"
)

func TestListInTheTableIsInForceWithinTheCachesBound(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	s.want(t, "before it was written", "partners", "203.0.113.7", false)
	if e := s.lastEvent(t); !e.Missing || e.Err != nil {
		t.Errorf("a list that was never written is told as %+v", e)
	}
	s.add(t, "partners", "203.0.113.0/24", "2001:db8::/32")
	s.want(t, "just written", "partners", "203.0.113.7", false)
	s.clock.Add(cacheTTL)
	s.want(t, "after cache_ttl", "partners", "203.0.113.7", true)
	s.want(t, "IPv6", "partners", "2001:db8::1", true)
	s.want(t, "IPv4 in IPv6 form", "partners", "::ffff:203.0.113.7", true)
	s.want(t, "another address", "partners", "203.0.114.7", false)
	s.remove(t, "partners", "203.0.113.0/24")
	s.clock.Add(cacheTTL - time.Nanosecond)
	s.want(t, "a moment before cache_ttl", "partners", "203.0.113.7", true)
	s.clock.Add(time.Nanosecond)
	s.want(t, "removed, after cache_ttl", "partners", "203.0.113.7", false)
	s.want(t, "what was not removed", "partners", "2001:db8::1", true)
	s.clock.Add(cacheTTL)
	for range 3 {
		s.want(t, "read again and unchanged", "partners", "2001:db8::1", true)
	}
	if n := s.wire.requests.Load(); n != 4 {
		t.Errorf("%d requests, want one per cache_ttl: 4", n)
	}
}

func TestWithoutCacheEveryDecisionReads(t *testing.T) {
	t.Parallel()
	s := setUpWith(t, func(c *network.Config) { c.CacheTTL = 0 }, "partners")
	s.add(t, "partners", "203.0.113.0/24")
	s.want(t, "added", "partners", "203.0.113.7", true)
	s.remove(t, "partners", "203.0.113.0/24")
	s.want(t, "removed", "partners", "203.0.113.7", false)
	if n := s.wire.requests.Load(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

func TestAClockThatWasSetBackMakesNothingYounger(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	s.add(t, "partners", "203.0.113.0/24")
	s.want(t, "added", "partners", "203.0.113.7", true)
	s.remove(t, "partners", "203.0.113.0/24")
	s.clock.Add(-time.Hour)
	s.want(t, "removed, with the clock set back", "partners", "203.0.113.7", false)
}

func TestOnlyNamedListsAreReadAndAllAtOnce(t *testing.T) {
	t.Parallel()
	s := setUpWith(t, func(c *network.Config) {
		c.Static = map[string][]netip.Prefix{"office": prefixes("203.0.113.0/24")}
	}, "a", "b", "c")
	s.add(t, "a", "203.0.113.0/24")
	s.add(t, "b", "203.0.113.7/32")
	var together sync.WaitGroup
	together.Add(2)
	s.wire.becomes(transport(func(r *http.Request) (*http.Response, error) {
		together.Done()
		together.Wait() // neither gets on before both are there
		return http.DefaultTransport.RoundTrip(r)
	}))
	v := s.Load(t.Context(), addr("203.0.113.7"), "b", "office", "a", "unknown", "b")
	if !v.In("a") || !v.In("b") || !v.In("office") || v.In("unknown") || v.Fault() != nil {
		t.Errorf("%v %v %v %v, %v", v.In("a"), v.In("b"), v.In("office"), v.In("unknown"), v.Fault())
	}
	if v.Reads != 2 || v.Joined != 0 || v.Cached != 0 || v.Stale != 0 || s.wire.requests.Load() != 2 {
		t.Errorf("%+v, %d requests; want 2", v, s.wire.requests.Load())
	}
	if v.In("c") {
		t.Error("an address is in a list that was not read")
	}
	if reason.Of(v.Fault()) != reason.Internal {
		t.Errorf("a list that Load was not asked for: %v, want a fault", v.Fault())
	}
	if v = s.Load(t.Context(), addr("203.0.113.9"), "a", "b"); !v.In("a") || v.In("b") || v.Cached != 2 || v.Reads != 0 {
		t.Errorf("another address, from the cache: %+v", v)
	}
}

func TestNothingIsReadForARequestWithoutAddressOrWithoutListsOfTheTable(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	s.wire.becomes(refuses(400, "AccessDeniedException", "no"))
	s.want(t, "no address", "partners", "", false)
	if v := s.Load(t.Context(), addr("203.0.113.7")); v.Fault() != nil {
		t.Error(v.Fault())
	}
	if n := s.wire.requests.Load(); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
}

func TestReadThatWasBegunEarlierIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners", "others")
	s.add(t, "partners", "203.0.113.0/24")
	goOn := make(chan struct{})
	s.wire.becomes(transport(func(r *http.Request) (*http.Response, error) {
		<-goOn
		return http.DefaultTransport.RoundTrip(r)
	}))
	ctx, cancel := context.WithCancel(t.Context())
	s.Begin(ctx, "partners", "unknown")
	cancel()
	time.AfterFunc(time.Millisecond, func() { close(goOn) })
	v := s.Load(t.Context(), addr("203.0.113.7"), "partners")
	if !v.In("partners") || v.Joined+v.Cached != 1 || v.Reads != 0 || s.wire.requests.Load() != 1 {
		t.Errorf("%+v, %v, %d requests; want one, begun before", v, v.Fault(), s.wire.requests.Load())
	}
}

func TestSixteenCallersMakeOneRead(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	s.add(t, "partners", "203.0.113.0/24")
	var here, done sync.WaitGroup
	here.Add(16)
	s.wire.becomes(transport(func(r *http.Request) (*http.Response, error) {
		here.Wait()
		return http.DefaultTransport.RoundTrip(r)
	}))
	for range 16 {
		done.Go(func() {
			here.Done()
			s.want(t, "at once", "partners", "203.0.113.7", true)
		})
	}
	done.Wait()
	if n := s.wire.requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestCallerWhoGivesUpFailsNoOther(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	s.add(t, "partners", "203.0.113.0/24")
	arrived, goOn := make(chan struct{}), make(chan struct{})
	s.wire.becomes(transport(func(r *http.Request) (*http.Response, error) {
		close(arrived)
		<-goOn
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		return http.DefaultTransport.RoundTrip(r)
	}))
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() {
		v := s.Load(ctx, addr("203.0.113.7"), "partners")
		if v.In("partners") {
			t.Error("nobody knows yet")
		}
		gaveUp <- v.Fault()
	}()
	<-arrived
	cancel()
	if err := <-gaveUp; reason.Of(err) != reason.DeadlineExceeded {
		t.Errorf("who gave up: %v", err)
	}
	time.AfterFunc(time.Millisecond, func() { close(goOn) })
	s.want(t, "who did not", "partners", "203.0.113.7", true)
	if n := s.wire.requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// A frozen process thaws with a read that began long ago.
func TestSlowReadDoesNotUndoALaterOne(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	s.add(t, "partners", "203.0.113.0/24")
	arrived, goOn := make(chan struct{}), make(chan struct{})
	s.wire.becomes(transport(func(r *http.Request) (*http.Response, error) {
		resp, err := http.DefaultTransport.RoundTrip(r) // before the removal
		close(arrived)
		<-goOn
		return resp, err
	}))
	s.Begin(t.Context(), "partners")
	<-arrived
	s.wire.becomes(nil)
	s.remove(t, "partners", "203.0.113.0/24")
	s.clock.Add(cacheTTL - time.Second) // what the old read finds is young enough
	s.want(t, "a read of its own", "partners", "203.0.113.7", false)
	close(goOn)
	<-s.told
	<-s.told
	s.want(t, "after the old read has come in", "partners", "203.0.113.7", false)
}

func TestEntriesThatCannotBeReadLetNobodyInAndAreTold(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	s.putByHand(t, "partners", map[string]types.AttributeValue{"cidrs": set(
		"203.0.113.0/24", "2001:DB8::/32", "10.0.0.1/8", "198.51.100.7", "::ffff:192.0.2.0/120", "nonsense", strings.Repeat("x", 500))})
	s.want(t, "a good one", "partners", "203.0.113.7", true)
	s.want(t, "capitals", "partners", "2001:db8::1", true)
	for _, a := range []string{"10.0.0.1", "10.1.1.1", "198.51.100.7", "192.0.2.1"} {
		s.want(t, "a bad one", "partners", a, false)
	}
	e := s.lastEvent(t)
	if e.List != "partners" || e.Err != nil || e.CIDRs != 2 || e.SkippedCount != 5 || len(e.Skipped) != 5 || !e.Changed {
		t.Errorf("%+v", e)
	}
	told := strings.Join(e.Skipped, "\n")
	for _, want := range []string{`"10.0.0.1/8" has bits set beyond its length: write 10.0.0.0/8`, `"198.51.100.7" must be a CIDR; for one address write 198.51.100.7/32`, `"nonsense" must be a CIDR`} {
		if !strings.Contains(told, want) {
			t.Errorf("%q is not in %s", want, told)
		}
	}
	if len(told) > 1000 {
		t.Errorf("%d bytes told", len(told))
	}
	s.clock.Add(cacheTTL)
	s.want(t, "again", "partners", "203.0.113.7", true)
	if e := s.lastEvent(t); e.Changed || e.SkippedCount != 5 || e.CIDRs != 2 {
		t.Errorf("the same list again: %+v", e)
	}
}

func TestChangeFromNothingToWhatIsNoListIsTold(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	s.putByHand(t, "partners", nil)
	s.want(t, "no cidrs", "partners", "203.0.113.7", false)
	s.putByHand(t, "partners", map[string]types.AttributeValue{"cidrs": &types.AttributeValueMemberS{Value: "203.0.113.0/24"}})
	s.clock.Add(cacheTTL)
	s.want(t, "a string", "partners", "203.0.113.7", false)
	if e := s.lastEvent(t); !e.Changed || e.SkippedCount != 1 {
		t.Errorf("%+v", e)
	}
}

// An eventually consistent read may find what was removed a moment ago.
func TestReadsAreConsistent(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	s.wire.becomes(transport(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !strings.Contains(string(body), `"ConsistentRead":true`) {
			t.Errorf("%s, %v", body, err)
		}
		return says(200, `{"ConsumedCapacity":{"TableName":"t","CapacityUnits":1}}`)(r)
	}))
	s.want(t, "nothing there", "partners", "203.0.113.7", false)
}

func TestOnlyTwentySkippedEntriesAreTold(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	var bad []string
	for i := range 50 {
		bad = append(bad, "bad"+strconv.Itoa(i))
	}
	s.putByHand(t, "partners", map[string]types.AttributeValue{"cidrs": set(bad...)})
	s.want(t, "nothing but bad ones", "partners", "203.0.113.7", false)
	if e := s.lastEvent(t); len(e.Skipped) != 20 || e.SkippedCount != 50 || e.CIDRs != 0 {
		t.Errorf("%d told, %+v", len(e.Skipped), e)
	}
}

func TestItemThatIsNoListLetsNobodyIn(t *testing.T) {
	t.Parallel()
	past := strconv.FormatInt(today.Unix(), 10)
	future := strconv.FormatInt(today.Add(time.Hour).Unix(), 10)
	str := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	num := func(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }
	good := set("203.0.113.0/24")
	for name, c := range map[string]struct {
		item map[string]types.AttributeValue
		in   bool
		told string
	}{
		"no cidrs":         {nil, false, ""},
		"a string":         {map[string]types.AttributeValue{"cidrs": str("203.0.113.0/24")}, false, "not a string set"},
		"a list":           {map[string]types.AttributeValue{"cidrs": &types.AttributeValueMemberL{Value: []types.AttributeValue{str("203.0.113.0/24")}}}, false, "not a string set"},
		"numbers":          {map[string]types.AttributeValue{"cidrs": &types.AttributeValueMemberNS{Value: []string{"1"}}}, false, "not a string set"},
		"expired":          {map[string]types.AttributeValue{"cidrs": good, "expires_at": num(past)}, false, "the list has expired: expires_at is 2027-01-15T08:00:00Z"},
		"expires later":    {map[string]types.AttributeValue{"cidrs": good, "expires_at": num(future)}, true, ""},
		"expires in words": {map[string]types.AttributeValue{"cidrs": good, "expires_at": str("never")}, true, ""},
		"more attributes":  {map[string]types.AttributeValue{"cidrs": good, "kind": str("network"), "reason": str("x")}, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setUp(t, "partners")
			s.putByHand(t, "partners", c.item)
			s.want(t, name, "partners", "203.0.113.7", c.in)
			if e := s.lastEvent(t); e.Err != nil || !strings.Contains(strings.Join(e.Skipped, "\n"), c.told) || (c.told == "") != (e.SkippedCount == 0) {
				t.Errorf("told %+v, want %q", e, c.told)
			}
		})
	}
}

func TestListEndsWhenItSaysWhateverIsCached(t *testing.T) {
	t.Parallel()
	s := setUpWith(t, func(c *network.Config) { c.CacheTTL = time.Minute }, "partners")
	ends := func(d time.Duration) {
		at := &types.AttributeValueMemberN{Value: strconv.FormatInt(today.Add(d).Unix(), 10)}
		s.putByHand(t, "partners", map[string]types.AttributeValue{"cidrs": set("203.0.113.0/24"), "expires_at": at})
	}
	ends(2 * time.Minute)
	s.want(t, "before its end", "partners", "203.0.113.7", true)
	ends(62 * time.Second)
	s.clock.Add(time.Minute)
	s.want(t, "once the end was moved, which nothing else was", "partners", "203.0.113.7", true)
	s.wire.becomes(fails(refused))
	s.clock.Add(2 * time.Second)
	s.want(t, "at its end, in the cache", "partners", "203.0.113.7", false)
	s.clock.Add(10 * time.Minute)
	s.want(t, "long after its end, in an outage", "partners", "203.0.113.7", false)
}

func TestListMayBeAsLargeAsAnItem(t *testing.T) {
	t.Parallel()
	s := setUpWith(t, func(c *network.Config) { c.Timeout = 20 * time.Second }, "partners")
	// Some 350 KB, written at once: the server is slow at adding so many.
	var all, more []string
	for i := range 10_000 {
		all = append(all, fmt.Sprintf("2001:db8:1234:5678:9abc:def0:%x:0/112", 0x1000+i))
		more = append(more, fmt.Sprintf("2001:db8:1234:5678:9abc:def1:%x:0/112", 0x1000+i))
	}
	s.putByHand(t, "partners", map[string]types.AttributeValue{"cidrs": set(all...)})
	s.want(t, "the first", "partners", "2001:db8:1234:5678:9abc:def0:1000:1", true)
	s.want(t, "the last", "partners", "2001:db8:1234:5678:9abc:def0:370f:1", true)
	s.want(t, "none", "partners", "2001:db8:1234:5678:9abc:def0:3710:1", false)
	list, err := s.store.Get(t.Context(), "partners")
	if err != nil || len(list.CIDRs) != len(all) || list.CIDRs[0].String() != all[0] {
		t.Errorf("%d blocks, %v", len(list.CIDRs), err)
	}
	if _, err := s.store.Add(t.Context(), "partners", more[:2000]...); err == nil || !strings.Contains(err.Error(), "network partners is full") {
		t.Errorf("over 400 KB: %v", err)
	}
}
