package network_test

import (
	"context"
	"fmt"
	"net/netip"

	"lambda-authorizer/network"
)

// What one request goes through.
func Example() {
	lists, err := network.New(network.Config{
		Static:         map[string][]netip.Prefix{"office": {netip.MustParsePrefix("203.0.113.0/24")}},
		Deny:           []netip.Prefix{netip.MustParsePrefix("203.0.113.66/32")},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("130.176.0.0/16")},
	}, network.Options{})
	if err != nil {
		panic(err)
	}
	decide := func(source string, forwarded ...string) {
		src := netip.MustParseAddr(source)
		client, known := lists.Client(src, forwarded)
		if err := lists.Check(src, client); err != nil {
			fmt.Println(err)
			return
		}
		view := lists.Load(context.Background(), client, "office")
		in := view.In("office")
		fmt.Println(client, known, in, view.Fault())
	}
	decide("203.0.113.7")
	decide("203.0.113.66")
	decide("198.51.100.1", "203.0.113.7")              // no proxy of ours
	decide("130.176.0.9", "203.0.113.7, 198.51.100.1") // the client made the first one up
	decide("130.176.0.9", "unknown")
	// Output:
	// 203.0.113.7 true true <nil>
	// address_denied: in deny_networks
	// 198.51.100.1 true false <nil>
	// 198.51.100.1 true false <nil>
	// address_not_allowed: the request tells no address, and there is a deny list
}
