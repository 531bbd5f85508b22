package config

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v4"

	"lambda-authorizer/problem"
)

// Network is a named allow-list: static, or kept in the revocations table.
type Network struct {
	CIDRs    []string
	DynamoDB bool
}

// decode reads a list of CIDRs, or the word dynamodb.
func (n *Network) decode(d *decoder, node *yaml.Node, path string) {
	if node.Kind == yaml.SequenceNode {
		d.sequence(node, reflect.ValueOf(&n.CIDRs).Elem(), path)
		return
	}
	const want = "a list of CIDRs, or the word dynamodb"
	switch word, ok := d.text(node, path, want); {
	case ok && word == "dynamodb":
		n.DynamoDB = true
	case ok:
		d.wrong(node, path, "must be %s", want)
	}
}

// ParseCIDR reads a block of addresses and refuses what is more likely a
// mistake than meant: an address without a length, one that points into the
// middle of its block, and an IPv4 block in IPv6 clothes, which no source
// address that API Gateway reports could ever match.
func ParseCIDR(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.Prefix{}, fmt.Errorf("must be a CIDR; for one address write %v", netip.PrefixFrom(a, a.BitLen()))
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return netip.Prefix{}, errors.New("must be a CIDR such as 203.0.113.0/24 or 2001:db8::/32")
	case p.Addr().Is4In6() && p.Bits() >= 96:
		return netip.Prefix{}, fmt.Errorf("must be written as IPv4: %v", netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Masked())
	case p.Addr().Is4In6():
		return netip.Prefix{}, errors.New("must be written as IPv4")
	case p != p.Masked():
		return netip.Prefix{}, fmt.Errorf("has bits set beyond its length: write %v, or one address with /%d", p.Masked(), p.Addr().BitLen())
	}
	return p, nil
}

func validateCIDRs(key string, list []string) []problem.Problem {
	var out []problem.Problem
	for i, raw := range list {
		if _, err := ParseCIDR(raw); err != nil {
			out = append(out, problem.At(fmt.Sprintf("%s[%d]", key, i), "%v", err))
		}
	}
	return out
}

// A network's name is part of a key in the table, `network#<name>`.
var networkName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (c *Config) validateNetworks() []problem.Problem {
	var out []problem.Problem
	for _, name := range slices.Sorted(maps.Keys(c.Networks)) {
		at := "networks." + name
		n := c.Networks[name]
		if !networkName.MatchString(name) {
			out = append(out, problem.At(at, "must be a name of 1 to 64 letters, digits, - or _"))
		}
		if n.DynamoDB && c.Tables.Revocations == none {
			out = append(out, problem.At(at, "is kept in the revocations table, and tables.revocations is none"))
		}
		if !n.DynamoDB && len(n.CIDRs) == 0 {
			out = append(out, problem.At(at, "is empty and would let nobody in: list a CIDR or remove the network"))
		}
		out = append(out, validateCIDRs(at, n.CIDRs)...)
	}
	out = append(out, validateCIDRs("deny_networks", c.DenyNetworks)...)
	return append(out, c.validateProxies()...)
}

// validateProxies refuses to trust everybody: then X-Forwarded-For is what the
// client says it is, and every network with it.
func (c *Config) validateProxies() []problem.Problem {
	out := validateCIDRs("trusted_proxies", c.TrustedProxies)
	for i, raw := range c.TrustedProxies {
		if p, err := ParseCIDR(raw); err == nil && p.Bits() == 0 {
			out = append(out, problem.At(fmt.Sprintf("trusted_proxies[%d]", i), "trusts every client to name its own address: list your proxies"))
		}
	}
	return out
}
