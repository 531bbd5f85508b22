package network_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"lambda-authorizer/network"
)

// cidrs are what the table has, in order.
func (s *stand) cidrs(t testing.TB, name string) []string {
	t.Helper()
	set, _ := s.item(t, name)["cidrs"].(*types.AttributeValueMemberSS)
	if set == nil {
		return nil
	}
	return slices.Sorted(slices.Values(set.Value))
}

// sameAs compares what a command did; no list is the same as an empty one.
func sameAs(t testing.TB, what string, got, want network.Change) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Prefix{})); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestAddAndRemoveTellWhatTheyDid(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	c, err := s.store.Add(t.Context(), "partners", "2001:DB8::/32", "203.0.113.0/24", "203.0.113.0/24")
	if err != nil {
		t.Fatal(err)
	}
	sameAs(t, "add", c, network.Change{Name: "partners", Changed: []string{"203.0.113.0/24", "2001:db8::/32"}, CIDRs: 2})
	if d := cmp.Diff([]string{"2001:db8::/32", "203.0.113.0/24"}, s.cidrs(t, "partners")); d != "" {
		t.Error(d)
	}
	if item := s.item(t, "partners"); len(item) != 2 {
		t.Errorf("more than pk and cidrs was written: %v", item)
	}

	c, err = s.store.Add(t.Context(), "partners", "203.0.113.7/32", "203.0.113.0/24")
	if err != nil {
		t.Fatal(err)
	}
	sameAs(t, "add again", c, network.Change{
		Name: "partners", Changed: []string{"203.0.113.7/32"}, Unchanged: []string{"203.0.113.0/24"},
		Overlapping: prefixes("203.0.113.0/24"), CIDRs: 3,
	})

	c, err = s.store.Add(t.Context(), "partners", "203.0.113.7/32")
	if err != nil {
		t.Fatal(err)
	}
	sameAs(t, "add once more", c, network.Change{
		Name: "partners", Unchanged: []string{"203.0.113.7/32"}, Overlapping: prefixes("203.0.113.0/24"), CIDRs: 3,
	})

	c, err = s.store.Remove(t.Context(), "partners", "203.0.113.7/32", "198.51.100.0/24")
	if err != nil {
		t.Fatal(err)
	}
	sameAs(t, "remove", c, network.Change{
		Name: "partners", Changed: []string{"203.0.113.7/32"}, Unchanged: []string{"198.51.100.0/24"},
		Overlapping: prefixes("203.0.113.0/24"), CIDRs: 2,
	})

	c, err = s.store.Remove(t.Context(), "partners", "203.0.113.0/24", "2001:db8::/32")
	if err != nil {
		t.Fatal(err)
	}
	sameAs(t, "remove the last", c, network.Change{Name: "partners", Changed: []string{"2001:db8::/32", "203.0.113.0/24"}})
	s.want(t, "an empty list", "partners", "203.0.113.7", false)
}

// Somebody wrote them with the AWS CLI: removing must not leave the address in.
func TestRemoveTakesEverySpellingOfABlock(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	s.putByHand(t, "partners", map[string]types.AttributeValue{"cidrs": set("2001:DB8::/32", "2001:0db8::/32", "2001:db8:0::/32", "10.0.0.1/8", "10.0.0.0/8")})
	c, err := s.store.Remove(t.Context(), "partners", "2001:db8::/32", "10.0.0.1/8")
	if err != nil {
		t.Fatal(err)
	}
	sameAs(t, "remove", c, network.Change{Name: "partners", Changed: []string{"10.0.0.1/8", "2001:0db8::/32", "2001:DB8::/32", "2001:db8:0::/32"}, CIDRs: 1})
	if got := s.cidrs(t, "partners"); !slices.Equal(got, []string{"10.0.0.0/8"}) {
		t.Errorf("left: %v", got)
	}
}

func TestWhatIsNoBlockIsRefusedAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	for text, want := range map[string]string{
		"203.0.113.7/24": `"203.0.113.7/24" has bits set beyond its length: write 203.0.113.0/24, or one address with /32`,
		"203.0.113.7":    `"203.0.113.7" must be a CIDR; for one address write 203.0.113.7/32`,
		"office":         `"office" must be a CIDR such as`,
	} {
		_, added := s.store.Add(t.Context(), "partners", "198.51.100.0/24", text)
		_, removed := s.store.Remove(t.Context(), "partners", "198.51.100.0/24", text)
		for _, err := range []error{added, removed} {
			var own *network.InvalidError
			if !errors.As(err, &own) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
	for _, err := range []error{
		second(s.store.Add(t.Context(), "partners")), second(s.store.Remove(t.Context(), "partners")),
		second(s.store.Add(t.Context(), "a#b", "10.0.0.0/8")), second(s.store.Remove(t.Context(), "", "10.0.0.0/8")),
		second(s.store.Get(t.Context(), "a b")),
	} {
		var own *network.InvalidError
		if !errors.As(err, &own) {
			t.Errorf("%v", err)
		}
	}
	if item := s.item(t, "partners"); item != nil {
		t.Errorf("written: %v", item)
	}
}

func second[T any](_ T, err error) error { return err }

func TestGetShowsWhatCountsAndWhatDoesNot(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	if l, err := s.store.Get(t.Context(), "partners"); err != nil || l.Name != "partners" || !l.Missing || len(l.CIDRs)+len(l.Skipped) != 0 {
		t.Errorf("a list that was never written: %+v, %v", l, err)
	}
	ends := today.Add(time.Hour)
	s.putByHand(t, "partners", map[string]types.AttributeValue{
		"cidrs":      set("2001:DB8::/32", "203.0.113.0/24", "2001:db8::/32", "10.0.0.1/8", "198.51.100.0/24"),
		"expires_at": &types.AttributeValueMemberN{Value: fmt.Sprint(ends.Unix())},
	})
	l, err := s.store.Get(t.Context(), "partners")
	want := network.List{
		Name: "partners", CIDRs: prefixes("198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"),
		Skipped:   []string{`"10.0.0.1/8" has bits set beyond its length: write 10.0.0.0/8, or one address with /32`},
		ExpiresAt: ends,
	}
	if d := cmp.Diff(want, l, cmpopts.EquateComparable(netip.Prefix{})); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	s.clock.Add(time.Hour)
	if l, err = s.store.Get(t.Context(), "partners"); err != nil || !l.Expired || len(l.CIDRs) != 3 {
		t.Errorf("an expired list: %+v, %v", l, err)
	}
}

// DynamoDB is about to delete such an item, and what was added with it.
func TestNothingIsAddedToAListThatHasExpiredOrIsNone(t *testing.T) {
	t.Parallel()
	s := setUp(t, "expired", "text")
	s.putByHand(t, "expired", map[string]types.AttributeValue{"cidrs": set("10.0.0.0/8"), "expires_at": &types.AttributeValueMemberN{Value: fmt.Sprint(today.Unix())}})
	s.putByHand(t, "text", map[string]types.AttributeValue{"cidrs": &types.AttributeValueMemberS{Value: "10.0.0.0/8"}})
	for name, want := range map[string]string{"expired": "network expired has expired", "text": "cidrs is not a string set"} {
		_, err := s.store.Add(t.Context(), name, "203.0.113.0/24")
		var own *network.InvalidError
		if !errors.As(err, &own) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDryRunWritesNothingAndTellsTheSame(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	s.add(t, "partners", "203.0.113.0/24")
	dry, err := network.NewStore(server.Client(), s.table, network.StoreOptions{Now: s.clock.Now, DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	added, err := dry.Add(t.Context(), "partners", "203.0.113.7/32")
	if err != nil {
		t.Fatal(err)
	}
	removed, err := dry.Remove(t.Context(), "partners", "203.0.113.0/24")
	if err != nil {
		t.Fatal(err)
	}
	sameAs(t, "add", added, network.Change{Name: "partners", Changed: []string{"203.0.113.7/32"}, Overlapping: prefixes("203.0.113.0/24"), CIDRs: 2})
	sameAs(t, "remove", removed, network.Change{Name: "partners", Changed: []string{"203.0.113.0/24"}})
	if got := s.cidrs(t, "partners"); !slices.Equal(got, []string{"203.0.113.0/24"}) {
		t.Errorf("written: %v", got)
	}
}

func TestOperatorsWhoWorkAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	s := setUp(t, "partners")
	for i := range 20 {
		s.add(t, "partners", fmt.Sprintf("10.1.%d.0/24", i))
	}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() { s.add(t, "partners", fmt.Sprintf("10.2.%d.0/24", i)) })
		all.Go(func() { s.remove(t, "partners", fmt.Sprintf("10.1.%d.0/24", i)) })
	}
	all.Wait()
	got := s.cidrs(t, "partners")
	if len(got) != 20 || slices.ContainsFunc(got, func(c string) bool { return !strings.HasPrefix(c, "10.2.") }) {
		t.Errorf("%v", got)
	}
}

func TestATableThatFailsIsNoInvalidArgument(t *testing.T) {
	t.Parallel()
	for _, cut := range []string{"every call", "the write"} {
		s := setUp(t, "partners")
		w := &wire{answer: refuses(400, "AccessDeniedException", "not authorized to perform: dynamodb:UpdateItem")}
		if cut == "the write" {
			s.add(t, "partners", "203.0.113.0/24")
			w.answer = writesFail{w.answer}
		}
		store, err := network.NewStore(client(w), s.table, network.StoreOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{
			second(store.Add(t.Context(), "partners", "10.0.0.0/8")), second(store.Remove(t.Context(), "partners", "203.0.113.0/24")),
		} {
			var own *network.InvalidError
			if err == nil || errors.As(err, &own) || !strings.Contains(err.Error(), "table "+s.table+": AccessDeniedException: not authorized") {
				t.Errorf("%s fails: %v", cut, err)
			}
		}
	}
}

// Whatever is added and removed, the list holds what a set would.
func TestStoreIsASet(t *testing.T) {
	t.Parallel()
	s := setUpWith(t, func(c *network.Config) { c.CacheTTL = 0 }, "partners")
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		list := fmt.Sprintf("list%d", n)
		pool := rapid.SliceOfN(anyPrefix(), 1, 6).Draw(r, "pool")
		model := map[string]bool{}
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			p := rapid.SampledFrom(pool).Draw(r, "block").String()
			add := rapid.Bool().Draw(r, "add")
			do, changes := s.store.Remove, model[p]
			if add {
				do, changes = s.store.Add, !model[p]
			}
			c, err := do(t.Context(), list, p)
			if err != nil || (len(c.Changed) == 1) != changes || (len(c.Unchanged) == 1) == changes {
				r.Fatalf("%s (add %v): %+v, %v", p, add, c, err)
			}
			if model[p] = add; !add {
				delete(model, p)
			}
			if c.CIDRs != len(model) || len(s.cidrs(t, list)) != len(model) {
				r.Fatalf("%+v, the table has %v, want %v", c, s.cidrs(t, list), model)
			}
		}
	})
}
