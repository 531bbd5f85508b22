package network

import (
	"errors"
	"fmt"
	"net/netip"
)

// ParseCIDR reads a block of addresses and refuses what is more likely a
// mistake than meant: an address without a length, one that points into the
// middle of its block, and an IPv4 block in IPv6 clothes, which no address
// could ever match, since IPv4 addresses in IPv6 clothes are undressed first.
// The error says what to write instead.
func ParseCIDR(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.Prefix{}, fmt.Errorf("must be a CIDR; for one address write %v", netip.PrefixFrom(a, a.BitLen()))
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, errNoCIDR
	}
	return p, check(p)
}

var errNoCIDR = errors.New("must be a CIDR such as 203.0.113.0/24 or 2001:db8::/32")

// ParseCIDRs reads a list of blocks as ParseCIDR does. Its error names the
// first that is wrong.
func ParseCIDRs(list []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		p, err := ParseCIDR(s)
		if err != nil {
			return nil, fmt.Errorf("%.60q %w", s, err)
		}
		out[i] = p
	}
	return out, nil
}

func check(p netip.Prefix) error {
	switch {
	case !p.IsValid():
		return errNoCIDR
	case p.Addr().Is4In6() && p.Bits() >= 96:
		return fmt.Errorf("must be written as IPv4: %v", netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Masked())
	case p.Addr().Is4In6():
		return errors.New("must be written as IPv4")
	case p != p.Masked():
		return fmt.Errorf("has bits set beyond its length: write %v, or one address with /%d", p.Masked(), p.Addr().BitLen())
	}
	return nil
}
