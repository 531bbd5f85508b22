package main

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/spf13/cobra"

	"lambda-authorizer/network"
)

// networkListFlags are the flags of list.
type networkListFlags struct {
	place
	address string
}

func (t *tool) networkList() *cobra.Command {
	var f networkListFlags
	c := &cobra.Command{
		Use:   "list [NAME…]",
		Short: "show who is in which network",
		Long: `List shows the networks of the configuration, those that stand in it and those
that are kept in the table, or the ones that are named. With --address it shows
only the CIDRs that let that address in; the exit status is 1 where none does.

With --output json it prints one network per line.`,
		Example: `  authctl network list
  authctl network list partners --output json
  authctl network list --address 203.0.113.7`,
		RunE: func(c *cobra.Command, args []string) error { return t.runNetworkList(c, args, f) },
	}
	f.place.flags(c)
	c.Flags().StringVar(&f.address, "address", "", "only what lets in this `address`")
	return c
}

// listed is a network as list shows it.
type listed struct {
	Kept string `json:"kept"`
	network.List
}

// Where networks are kept.
const (
	inTable         = "table"
	inConfiguration = "configuration"
)

func (t *tool) runNetworkList(c *cobra.Command, names []string, f networkListFlags) error {
	s, err := t.settings(c, f.place)
	if err != nil {
		return err
	}
	address, err := f.parse()
	if err != nil {
		return err
	}
	named := len(names) > 0
	if !named {
		if s.cfg == nil {
			return usage("which network? without a configuration nobody knows: give its name")
		}
		names = slices.Sorted(maps.Keys(s.cfg.Networks))
	}
	all, err := t.readNetworks(c.Context(), names, f.place, s)
	if err != nil {
		return err
	}
	in := 0
	for i := range all {
		if address.IsValid() {
			all[i].CIDRs = slices.DeleteFunc(all[i].CIDRs, func(p netip.Prefix) bool { return !p.Contains(address) })
		}
		if !all[i].Expired {
			in += len(all[i].CIDRs)
		}
	}
	if err := t.showNetworks(all, address.IsValid()); err != nil {
		return err
	}
	s.denies(address)
	for _, n := range s.notes {
		fmt.Fprintf(t.err, "note: %s\n", shown(n))
	}
	if address.IsValid() && in == 0 {
		return refused("%v is in none of these networks", address)
	}
	return missing(all, named)
}

func (f networkListFlags) parse() (netip.Addr, error) {
	if f.address == "" {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(f.address)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, usage("--address is one address such as 203.0.113.7 or 2001:db8::1")
	}
	return a.Unmap(), nil
}

// readNetworks reads the configuration and, for what is kept there or known
// from nowhere else, the table.
func (t *tool) readNetworks(ctx context.Context, names []string, p place, s *settings) ([]listed, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var store *network.Store
	var out []listed
	for _, name := range names {
		if s.cfg != nil {
			if n, ok := s.cfg.Networks[name]; ok && !n.DynamoDB {
				prefixes, err := network.ParseCIDRs(n.CIDRs)
				if err != nil {
					return nil, usage("network %s: %v", name, err)
				}
				out = append(out, listed{inConfiguration, network.List{Name: name, CIDRs: prefixes}})
				continue
			}
		}
		if store == nil {
			var err error
			if store, _, err = t.networks(ctx, p, s, false); err != nil {
				return nil, err
			}
		}
		if err := s.changeable(name, t.config); err != nil {
			return nil, err
		}
		list, err := store.Get(ctx, name)
		if err != nil {
			return nil, networkFailure(err)
		}
		out = append(out, listed{inTable, list})
	}
	return out, nil
}

func (t *tool) showNetworks(all []listed, filtered bool) error {
	if t.json {
		for _, n := range all {
			if err := writeJSON(t.out, n, ""); err != nil {
				return err
			}
		}
		return nil
	}
	rows := [][]string{{"NETWORK", "KEPT IN", "CIDR"}}
	for _, n := range all {
		row := func(format string, args ...any) {
			rows = append(rows, []string{n.Name, n.Kept, fmt.Sprintf(format, args...)})
		}
		for _, p := range n.CIDRs {
			row("%v", p)
		}
		for _, text := range n.Skipped {
			row("lets nobody in: %s", text)
		}
		switch {
		case n.Expired:
			row("expired at %s: it lets nobody in", moment(n.ExpiresAt))
		case !n.ExpiresAt.IsZero():
			row("expires at %s", moment(n.ExpiresAt))
		case len(n.CIDRs) == 0 && !filtered:
			row("none: it lets nobody in")
		}
	}
	if len(rows) > 1 {
		t.table(rows)
	}
	return nil
}

// missing refuses names that were given and stand for nothing.
func missing(all []listed, named bool) error {
	if !named {
		return nil
	}
	for _, n := range all {
		if n.Missing {
			return refused("the table has no network %s: authctl network add %s makes it", n.Name, n.Name)
		}
	}
	return nil
}

// denies notes that an address is refused whatever network it is in.
func (s *settings) denies(address netip.Addr) {
	if s.cfg == nil || !address.IsValid() {
		return
	}
	for _, text := range s.cfg.DenyNetworks {
		if p, err := network.ParseCIDR(text); err == nil && p.Contains(address) {
			s.note("deny_networks refuses %v whatever network it is in: %v", address, p)
		}
	}
}
