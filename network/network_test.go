package network_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lambda-authorizer/network"
	"lambda-authorizer/reason"
)

func static(t testing.TB, cfg network.Config) *network.Lists {
	t.Helper()
	l, err := network.New(cfg, network.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestStaticListsHoldIPv4AndIPv6AndMappedAddresses(t *testing.T) {
	t.Parallel()
	l := static(t, network.Config{Static: map[string][]netip.Prefix{
		"office": prefixes("203.0.113.0/24", "2001:db8::/32"),
		"one":    prefixes("198.51.100.7/32", "2001:db8:1::1/128"),
		"all4":   prefixes("0.0.0.0/0"),
		"all6":   prefixes("::/0"),
		"none":   nil,
	}})
	for _, c := range []struct {
		address string
		in      []string
	}{
		{"203.0.113.0", []string{"all4", "office"}},
		{"203.0.113.255", []string{"all4", "office"}},
		{"203.0.114.0", []string{"all4"}},
		{"203.0.112.255", []string{"all4"}},
		{"::ffff:203.0.113.7", []string{"all4", "office"}},
		{"198.51.100.7", []string{"all4", "one"}},
		{"198.51.100.6", []string{"all4"}},
		{"2001:db8:ffff::1", []string{"all6", "office"}},
		{"2001:db8:1::1", []string{"all6", "office", "one"}},
		{"2001:db9::", []string{"all6"}},
		{"2001:db8::1%eth0", nil},
		{"::ffff:203.0.113.7%eth0", nil},
		{"::203.0.113.7", []string{"all6"}},
		{"", nil},
	} {
		v := l.Load(t.Context(), addr(c.address), "office", "one")
		var in []string
		for _, name := range []string{"all4", "all6", "none", "office", "one", "unknown", ""} {
			if v.In(name) {
				in = append(in, name)
			}
		}
		if !slices.Equal(in, c.in) || v.Fault() != nil {
			t.Errorf("%q is in %v (%v), want %v", c.address, in, v.Fault(), c.in)
		}
	}
}

func TestDenyListIsCheckedAgainstTheConnectionAndTheClient(t *testing.T) {
	t.Parallel()
	deny := static(t, network.Config{Deny: prefixes("198.51.100.7/32", "2001:db8:bad::/48", "fe80::/10")})
	none := static(t, network.Config{})
	for _, c := range []struct {
		name, source, client string
		lists                *network.Lists
		want                 error
	}{
		{"neither", "203.0.113.7", "203.0.113.7", deny, nil},
		{"both", "198.51.100.7", "198.51.100.7", deny, reason.AddressDenied},
		{"the client behind a proxy", "130.176.0.1", "198.51.100.7", deny, reason.AddressDenied},
		{"the proxy", "198.51.100.7", "203.0.113.7", deny, reason.AddressDenied},
		{"the proxy, of an unknown client", "198.51.100.7", "", deny, reason.AddressDenied},
		{"in IPv6 form", "::ffff:198.51.100.7", "::ffff:198.51.100.7", deny, reason.AddressDenied},
		{"IPv6", "2001:db8:bad::1", "2001:db8:bad::1", deny, reason.AddressDenied},
		{"IPv6 beside it", "2001:db8:bae::1", "2001:db8:bae::1", deny, nil},
		{"with a zone", "fe80::1%eth0", "", deny, reason.AddressDenied},
		{"no address", "", "", deny, reason.AddressNotAllowed},
		{"no client behind a proxy", "130.176.0.1", "", deny, reason.AddressNotAllowed},
		{"no address and nothing denied", "", "", none, nil},
		{"nothing denied", "198.51.100.7", "198.51.100.7", none, nil},
	} {
		if err := c.lists.Check(addr(c.source), addr(c.client)); c.want == nil && err != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if none.Denied(addr("198.51.100.7")) || deny.Denied(netip.Addr{}) || !deny.Denied(addr("::ffff:198.51.100.7")) {
		t.Error("Denied tells another story")
	}
}

// A list says what netip says of each of its blocks.
func TestListsAgreeWithNetip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(anyPrefix(), 0, 40).Draw(t, "list")
		l, err := network.New(network.Config{
			Static: map[string][]netip.Prefix{"list": list}, Deny: list, TrustedProxies: list,
		}, network.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range rapid.SliceOfN(anyAddr(list), 1, 20).Draw(t, "addresses") {
			plain := a
			if a.Zone() == "" {
				plain = a.Unmap() // netip matches no mapped address with an IPv4 block
			}
			in := slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(plain) })
			v := l.Load(t.Context(), a)
			if v.In("list") != in || v.Fault() != nil {
				t.Fatalf("%v in %v: %v, %v", a, list, !in, v.Fault())
			}
			denied := slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a.WithZone("").Unmap()) })
			if l.Denied(a) != denied || (l.Check(a, a) != nil) != denied {
				t.Fatalf("%v denied by %v: %v", a, list, !denied)
			}
			// A client is never one of the trusted proxies, and never mapped.
			c, ok := l.Client(a, nil)
			if ok != (!in && a.Zone() == "") || ok && c != plain || !ok && c.IsValid() {
				t.Fatalf("client %v behind %v: %v, %v", a, list, c, ok)
			}
		}
	})
}

func anyPrefix() *rapid.Generator[netip.Prefix] {
	return rapid.Custom(func(t *rapid.T) netip.Prefix {
		a := near().Draw(t, "base")
		bits := rapid.IntRange(0, a.BitLen()).Draw(t, "bits")
		p := netip.PrefixFrom(a, bits).Masked()
		if p.Addr().Is4In6() { // New refuses it
			return netip.PrefixFrom(addr("2001:db8::"), 32)
		}
		return p
	})
}

// near draws addresses that often share long prefixes.
func near() *rapid.Generator[netip.Addr] {
	return rapid.Custom(func(t *rapid.T) netip.Addr {
		low := rapid.OneOf(rapid.Uint32Range(0, 7), rapid.Uint32()).Draw(t, "low")
		if rapid.Bool().Draw(t, "v4") {
			return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 0xcb007100^low)))
		}
		b := addr("2001:db8::").As16()
		binary.BigEndian.PutUint32(b[rapid.SampledFrom([]int{0, 4, 8, 12}).Draw(t, "at"):], low)
		return netip.AddrFrom16(b)
	})
}

// anyAddr draws addresses at the edges of the blocks, and some in other forms.
func anyAddr(list []netip.Prefix) *rapid.Generator[netip.Addr] {
	return rapid.Custom(func(t *rapid.T) netip.Addr {
		a := near().Draw(t, "address")
		if len(list) > 0 && rapid.Bool().Draw(t, "edge") {
			p := rapid.SampledFrom(list).Draw(t, "block")
			a = p.Addr()
			if rapid.Bool().Draw(t, "before") && a.Prev().IsValid() {
				a = a.Prev()
			}
		}
		if a.Is4() && rapid.Bool().Draw(t, "mapped") {
			a = netip.AddrFrom16(a.As16())
		}
		if a.Is6() && rapid.IntRange(0, 9).Draw(t, "zone") == 0 {
			a = a.WithZone("eth0")
		}
		return a
	})
}

func TestCIDRsThatAreProbablyMistakesAreRefusedWithWhatToWrite(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"203.0.113.7":             "write 203.0.113.7/32",
		"2001:db8::1":             "write 2001:db8::1/128",
		"::ffff:203.0.113.7":      "write 203.0.113.7/32",
		"203.0.113.7/24":          "write 203.0.113.0/24, or one address with /32",
		"2001:db8::1/32":          "write 2001:db8::/32, or one address with /128",
		"::ffff:203.0.113.0/120":  "written as IPv4: 203.0.113.0/24",
		"::ffff:0:0/90":           "written as IPv4",
		"203.0.113.0/33":          "must be a CIDR such as",
		"203.0.113.0/-1":          "must be a CIDR such as",
		"203.0.113.0/024":         "must be a CIDR such as",
		"203.0.113.0-203.0.113.9": "must be a CIDR such as",
		"fe80::1%eth0/64":         "must be a CIDR such as",
		"fe80::1%eth0":            "must be a CIDR such as",
		"":                        "must be a CIDR such as",
		" 203.0.113.0/24":         "must be a CIDR such as",
	} {
		if _, err := network.ParseCIDR(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"203.0.113.0/24", "0.0.0.0/0", "::/0", "2001:DB8::/32", "198.51.100.7/32"} {
		if p, err := network.ParseCIDR(text); err != nil || p.String() != strings.ToLower(text) {
			t.Errorf("%q: %v, %v", text, p, err)
		}
	}
}

func FuzzParseCIDR(f *testing.F) {
	for _, s := range []string{"203.0.113.0/24", "::ffff:1.2.3.0/120", "2001:DB8::/32", "fe80::%x/10", "1.2.3.4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := network.ParseCIDR(s)
		if err != nil {
			return
		}
		again, err := network.ParseCIDR(p.String())
		if err != nil || again != p || p != p.Masked() || p.Addr().Is4In6() || p.Addr().Zone() != "" {
			t.Fatalf("%q: %v, then %v, %v", s, p, again, err)
		}
	})
}

func TestListsThatCannotBeRightAreNotMade(t *testing.T) {
	t.Parallel()
	host := netip.MustParsePrefix("203.0.113.7/24")
	for name, c := range map[string]struct {
		cfg  network.Config
		want string
	}{
		"host bits":            {network.Config{Static: map[string][]netip.Prefix{"office": {host}}}, "network office: 203.0.113.7/24: has bits set"},
		"host bits in deny":    {network.Config{Deny: []netip.Prefix{host}}, "deny_networks: 203.0.113.7/24"},
		"host bits in proxies": {network.Config{TrustedProxies: []netip.Prefix{host}}, "trusted_proxies: 203.0.113.7/24"},
		"a zero block":         {network.Config{Deny: []netip.Prefix{{}}}, "deny_networks: invalid Prefix: must be a CIDR"},
		"IPv4 in IPv6 form":    {network.Config{Deny: []netip.Prefix{netip.MustParsePrefix("::ffff:1.2.3.4/128")}}, "must be written as IPv4: 1.2.3.4/32"},
		"a name with #":        {network.Config{Static: map[string][]netip.Prefix{"a#b": nil}}, "network a#b: must be a name"},
		"a dynamic name":       {network.Config{Dynamic: []string{""}}, "network : must be a name"},
		"twice":                {network.Config{Static: map[string][]netip.Prefix{"office": nil}, Dynamic: []string{"office"}}, "both in the configuration and in the table"},
		"no table":             {network.Config{Dynamic: []string{"partners"}}, "no client or no table"},
	} {
		if _, err := network.New(c.cfg, network.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := network.New(network.Config{Dynamic: []string{"partners"}, Table: "t"}, network.Options{Reader: server.Client()}); err == nil {
		t.Error("no time-out was accepted")
	}
}
