package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v4"

	"lambda-authorizer/network"
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

func validateCIDRs(key string, list []string) []problem.Problem {
	var out []problem.Problem
	for i, raw := range list {
		if _, err := network.ParseCIDR(raw); err != nil {
			out = append(out, problem.At(fmt.Sprintf("%s[%d]", key, i), "%v", err))
		}
	}
	return out
}

func (c *Config) validateNetworks() []problem.Problem {
	var out []problem.Problem
	for _, name := range slices.Sorted(maps.Keys(c.Networks)) {
		at := "networks." + name
		n := c.Networks[name]
		if network.CheckName(name) != nil {
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
		if p, err := network.ParseCIDR(raw); err == nil && p.Bits() == 0 {
			out = append(out, problem.At(fmt.Sprintf("trusted_proxies[%d]", i), "trusts every client to name its own address: list your proxies"))
		}
	}
	return out
}
