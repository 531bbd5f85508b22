package network_test

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lambda-authorizer/network"
)

func behindProxies(t testing.TB) *network.Lists {
	t.Helper()
	l, err := network.New(network.Config{TrustedProxies: prefixes("130.176.0.0/16", "2600:9000::/28", "10.0.0.0/8")}, network.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestClientIsReadFromTheRightOfXForwardedForBehindTrustedProxiesAlone(t *testing.T) {
	t.Parallel()
	l := behindProxies(t)
	for name, c := range map[string]struct {
		source    string
		forwarded []string
		want      string // "" for no address
	}{
		"no proxy":                                     {"203.0.113.7", nil, "203.0.113.7"},
		"no proxy and a header that lies":              {"203.0.113.7", []string{"198.51.100.1"}, "203.0.113.7"},
		"no proxy and a header that names a proxy":     {"203.0.113.7", []string{"198.51.100.1, 130.176.0.1"}, "203.0.113.7"},
		"no proxy and a header that is nonsense":       {"203.0.113.7", []string{"<script>"}, "203.0.113.7"},
		"IPv6, no proxy":                               {"2001:db8::1", []string{"198.51.100.1"}, "2001:db8::1"},
		"IPv4 in IPv6 form, no proxy":                  {"::ffff:203.0.113.7", nil, "203.0.113.7"},
		"one proxy":                                    {"130.176.0.1", []string{"203.0.113.7"}, "203.0.113.7"},
		"one proxy that API Gateway has appended":      {"130.176.0.1", []string{"203.0.113.7, 130.176.0.1"}, "203.0.113.7"},
		"a proxy in IPv6 form":                         {"::ffff:130.176.0.1", []string{"203.0.113.7, ::ffff:130.176.0.1"}, "203.0.113.7"},
		"two proxies":                                  {"130.176.0.1", []string{"203.0.113.7, 10.1.2.3, 130.176.0.1"}, "203.0.113.7"},
		"an IPv6 proxy and client":                     {"2600:9000::1", []string{"2001:db8::1"}, "2001:db8::1"},
		"what the client made up":                      {"130.176.0.1", []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		"nonsense that the client made up":             {"130.176.0.1", []string{"unknown, , [, 203.0.113.7"}, "203.0.113.7"},
		"a trusted address that the client made up":    {"130.176.0.1", []string{"130.176.0.9, 203.0.113.7"}, "203.0.113.7"},
		"blanks and tabs":                              {"130.176.0.1", []string{" 198.51.100.1 ,\t203.0.113.7\t, 10.0.0.1 "}, "203.0.113.7"},
		"no blanks":                                    {"130.176.0.1", []string{"198.51.100.1,203.0.113.7,10.0.0.1"}, "203.0.113.7"},
		"a port":                                       {"130.176.0.1", []string{"203.0.113.7:4711"}, "203.0.113.7"},
		"IPv6 in brackets":                             {"130.176.0.1", []string{"[2001:db8::1]"}, "2001:db8::1"},
		"IPv6 in brackets with a port":                 {"130.176.0.1", []string{"[2001:db8::1]:443, 10.0.0.1:80"}, "2001:db8::1"},
		"IPv4 in IPv6 form as entry":                   {"130.176.0.1", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		"IPv4 in IPv6 form with a port":                {"130.176.0.1", []string{"[::ffff:203.0.113.7]:80"}, "203.0.113.7"},
		"two lines":                                    {"130.176.0.1", []string{"198.51.100.1", "203.0.113.7, 10.0.0.1"}, "203.0.113.7"},
		"two lines, the last of proxies":               {"130.176.0.1", []string{"198.51.100.1, 203.0.113.7", "10.0.0.1"}, "203.0.113.7"},
		"no source":                                    {"", []string{"203.0.113.7"}, ""},
		"a source with a zone":                         {"fe80::1%eth0", nil, ""},
		"a proxy and no header":                        {"130.176.0.1", nil, ""},
		"a proxy and an empty header":                  {"130.176.0.1", []string{""}, ""},
		"a proxy that says nothing but itself":         {"130.176.0.1", []string{"130.176.0.1"}, ""},
		"nothing but proxies":                          {"130.176.0.1", []string{"10.0.0.1, 130.176.0.2"}, ""},
		"unknown":                                      {"130.176.0.1", []string{"203.0.113.7, unknown"}, ""},
		"an obfuscated node":                           {"130.176.0.1", []string{"203.0.113.7, _hidden"}, ""},
		"an empty entry":                               {"130.176.0.1", []string{"203.0.113.7,, 10.0.0.1"}, ""},
		"an empty entry at the end":                    {"130.176.0.1", []string{"203.0.113.7,"}, ""},
		"an empty line after":                          {"130.176.0.1", []string{"203.0.113.7", ""}, ""},
		"a zone":                                       {"130.176.0.1", []string{"203.0.113.7, fe80::1%eth0"}, ""},
		"a zone in brackets":                           {"130.176.0.1", []string{"[fe80::1%eth0]:80"}, ""},
		"a bracket that never closes":                  {"130.176.0.1", []string{"[2001:db8::1"}, ""},
		"a bracket that never opens":                   {"130.176.0.1", []string{"2001:db8::1]"}, ""},
		"IPv4 in brackets":                             {"130.176.0.1", []string{"[203.0.113.7]"}, ""},
		"IPv4 in brackets with a port":                 {"130.176.0.1", []string{"[203.0.113.7]:80"}, ""},
		"a port that is none":                          {"130.176.0.1", []string{"203.0.113.7:http"}, ""},
		"a port over 65535":                            {"130.176.0.1", []string{"203.0.113.7:65536"}, ""},
		"a colon and no port":                          {"130.176.0.1", []string{"203.0.113.7:"}, ""},
		"leading zeros":                                {"130.176.0.1", []string{"203.0.113.007"}, ""},
		"a CIDR":                                       {"130.176.0.1", []string{"203.0.113.7/32"}, ""},
		"a name":                                       {"130.176.0.1", []string{"client.example.com"}, ""},
		"quotes":                                       {"130.176.0.1", []string{`"203.0.113.7"`}, ""},
		"a number":                                     {"130.176.0.1", []string{"3405803783"}, ""},
		"full-width digits":                            {"130.176.0.1", []string{"２０３.0.113.7"}, ""},
		"a malformed trusted hop before a good client": {"130.176.0.1", []string{"203.0.113.7, 10.0.0.1:99999"}, ""},
	} {
		got, ok := l.Client(addr(c.source), c.forwarded)
		if ok != (c.want != "") || ok && got.String() != c.want || !ok && got.IsValid() {
			t.Errorf("%s: %v, %v; want %q", name, got, ok, c.want)
		}
	}
}

func TestXForwardedForIsNeverReadWithoutTrustedProxies(t *testing.T) {
	t.Parallel()
	l, err := network.New(network.Config{}, network.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := l.Client(addr("130.176.0.1"), []string{"203.0.113.7"}); !ok || got != addr("130.176.0.1") {
		t.Errorf("%v, %v; want the connection's own address", got, ok)
	}
}

// Whatever the client writes, the address that a trusted proxy appended is the
// one that counts, and the answer is never a trusted proxy or a mapped address.
func FuzzClient(f *testing.F) {
	l := behindProxies(f)
	trusted := prefixes("130.176.0.0/16", "2600:9000::/28", "10.0.0.0/8")
	for _, s := range []string{"", "unknown", "203.0.113.7", "10.0.0.1, [::1]:80", "[::ffff:10.0.0.1]:1,", "fe80::1%x", ",,,", "a\x00,\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, made string) {
		proxy := addr("130.176.0.1")
		for _, forwarded := range [][]string{{made + ", 198.51.100.7"}, {made, "198.51.100.7, 10.9.9.9, 130.176.0.1"}} {
			if got, ok := l.Client(proxy, forwarded); !ok || got != addr("198.51.100.7") {
				t.Fatalf("%q: %v, %v; want what the proxy appended", forwarded, got, ok)
			}
		}
		if got, ok := l.Client(addr("203.0.113.7"), []string{made}); !ok || got != addr("203.0.113.7") {
			t.Fatalf("%q: %v, %v; want the connection's address", made, got, ok)
		}
		got, ok := l.Client(proxy, strings.Split(made, "\n"))
		want, wantOK := naiveClient(trusted, made)
		if got != want || ok != wantOK || got.Is4In6() || got.Zone() != "" || got.IsValid() != ok {
			t.Fatalf("%q: %v, %v; want %v, %v", made, got, ok, want, wantOK)
		}
	})
}

// naiveClient splits the whole header first, lines and all.
func naiveClient(trusted []netip.Prefix, header string) (netip.Addr, bool) {
	entries := strings.Split(strings.ReplaceAll(header, "\n", ","), ",")
	slices.Reverse(entries)
	for _, e := range entries {
		a, ok := naiveHop(strings.Trim(e, " \t"))
		if !ok {
			return netip.Addr{}, false
		}
		if !slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) }) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// naiveHop takes an entry apart with package net.
func naiveHop(e string) (netip.Addr, bool) {
	host, bracketed := e, false
	if h, port, err := net.SplitHostPort(e); err == nil && net.ParseIP(e) == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return netip.Addr{}, false
		}
		host, bracketed = h, strings.HasPrefix(e, "[")
	} else if strings.HasPrefix(e, "[") && strings.HasSuffix(e, "]") {
		host, bracketed = e[1:len(e)-1], true
	}
	ip := net.ParseIP(host)
	if ip == nil || bracketed && !strings.Contains(host, ":") {
		return netip.Addr{}, false
	}
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap(), true
}
