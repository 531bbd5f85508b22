package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/spf13/cobra"

	"lambda-authorizer/network"
)

func (t *tool) network() *cobra.Command {
	c := &cobra.Command{
		Use:   "network",
		Short: "change and show the allow-lists that are kept in the table",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_ = c.Usage()
			return usage("name a command, such as authctl network list")
		},
	}
	c.AddCommand(t.networkAdd(), t.networkRemove(), t.networkList())
	return c
}

// networkFlags are the flags of add and remove.
type networkFlags struct {
	place
	flush       []string
	dryRun, yes bool
}

func (f *networkFlags) flags(c *cobra.Command) {
	f.place.flags(c)
	c.Flags().StringArrayVar(&f.flush, "flush", nil, "flush API Gateway's cached answers: rest:`api/stage` or http:api/stage; repeatable")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would change, and write nothing")
	c.Args = func(_ *cobra.Command, args []string) error {
		if len(args) < 2 {
			return usage("give the network's name, then one CIDR or more, as in partners 203.0.113.0/24")
		}
		return nil
	}
}

func (t *tool) networkAdd() *cobra.Command {
	var f networkFlags
	c := &cobra.Command{
		Use:   "add NAME CIDR…",
		Short: "let in more addresses",
		Long: `Add puts CIDRs into a network that the configuration keeps in the table
(partners: dynamodb), and says by when that is in force. What is in the network
stays. Others may change it at the same time: nothing is lost. It asks before
it lets in a block as wide as 0.0.0.0/0, and up to a /7.`,
		Example: `  authctl network add partners 203.0.113.0/24 2001:db8::/32
  authctl network add partners 203.0.113.7/32 --dry-run`,
		RunE: func(c *cobra.Command, args []string) error { return t.changeNetwork(c, args, f, adding) },
	}
	f.flags(c)
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask before a block is added that lets in much of the internet")
	return c
}

func (t *tool) networkRemove() *cobra.Command {
	var f networkFlags
	c := &cobra.Command{
		Use:   "remove NAME CIDR…",
		Short: "let addresses in no longer",
		Long: `Remove takes CIDRs out of a network, in whatever spelling somebody wrote them,
and says by when that is in force and which CIDRs still let some of their
addresses in. What it does not find it names, with status 1; the others are
removed all the same.`,
		Example: `  authctl network remove partners 203.0.113.0/24
  authctl network remove partners 203.0.113.7/32 --flush http:a1b2c3d4e5/prod`,
		RunE: func(c *cobra.Command, args []string) error { return t.changeNetwork(c, args, f, removing) },
	}
	f.flags(c)
	return c
}

// direction is what tells add and remove apart.
type direction struct {
	action, done, would, unchanged, overlapping string
	do                                          func(*network.Store, context.Context, string, ...string) (network.Change, error)
}

var (
	adding   = direction{"network add", "added", "would add", "there already", "overlaps", (*network.Store).Add}
	removing = direction{"network remove", "removed", "would remove", "not there", "still lets in", (*network.Store).Remove}
)

func (t *tool) changeNetwork(c *cobra.Command, args []string, f networkFlags, d direction) error {
	s, err := t.settings(c, f.place)
	if err != nil {
		return err
	}
	name := args[0]
	if err := s.changeable(name, t.config); err != nil {
		return err
	}
	gates, err := gatesOf(f.flush, s)
	if err != nil {
		return err
	}
	if err := t.confirmWide(name, args[1:], f, d); err != nil {
		return err
	}
	store, acc, err := t.networks(c.Context(), f.place, s, f.dryRun)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	change, err := d.do(store, ctx, name, args[1:]...)
	if err != nil {
		return networkFailure(err)
	}
	a := newAnswer(d.action, s.notes)
	a.change(change, d, f.dryRun)
	absent := notFound(change, d)
	if f.dryRun || len(change.Changed) == 0 {
		return cmp.Or(t.finish(a), absent)
	}
	b := s.bound(t.now())
	a.doc["in_force"] = b.document()
	a.row("in force", "%s", b)
	if d.done == removing.done {
		a.notes = append(a.notes, "while the table cannot be read, a function goes on with the list as it read it last, for up to 15 minutes")
	}
	t.show(a)
	return cmp.Or(t.flushAndFinish(c.Context(), acc, a, gates, s, b, t.now()), absent)
}

// wideBits is the length of the widest block that is added without a question:
// nobody's own network is wider than a /8.
const wideBits = 8

// confirmWide asks before much of the internet is let in.
func (t *tool) confirmWide(name string, cidrs []string, f networkFlags, d direction) error {
	wide := widest(cidrs)
	if d.done != adding.done || f.dryRun || !wide.IsValid() {
		return nil
	}
	return t.confirm(f.yes, fmt.Sprintf("%s in network %s: %s", wide, name, lets(wide)))
}

// widest is the widest of the blocks that are too wide, if any is.
func widest(cidrs []string) (wide netip.Prefix) {
	for _, text := range cidrs {
		p, err := network.ParseCIDR(text) // the store says what is wrong with it
		if err == nil && p.Bits() < wideBits && (!wide.IsValid() || p.Bits() < wide.Bits()) {
			wide = p
		}
	}
	return wide
}

func lets(wide netip.Prefix) string {
	version := "IPv4"
	if wide.Addr().Is6() {
		version = "IPv6"
	}
	if wide.Bits() == 0 {
		return "it would let in every " + version + " address"
	}
	return fmt.Sprintf("it would let in one in %d of all %s addresses", 1<<wide.Bits(), version)
}

func notFound(change network.Change, d direction) error {
	if d.done != removing.done || len(change.Unchanged) == 0 {
		return nil
	}
	return refused("not in network %s: %s; see authctl network list %s", change.Name, strings.Join(change.Unchanged, ", "), change.Name)
}

// change tells what was done to a list.
func (a *answer) change(c network.Change, d direction, dryRun bool) {
	word := d.done
	if dryRun {
		word = d.would
	}
	a.row("network", "%s", c.Name)
	a.cidrs(word, c.Changed)
	a.cidrs(d.unchanged, c.Unchanged)
	a.cidrs(d.overlapping, texts(c.Overlapping))
	a.row("in all", "%s", counted(c.CIDRs, "CIDR"))
	if c.CIDRs == 0 {
		a.notes = append(a.notes, "nobody is in network "+c.Name+" now: routes and keys that need it refuse everybody")
	}
	if dryRun {
		a.row("in force", "nothing was written: run it again without --dry-run")
	}
	a.doc["dry_run"], a.doc["change"] = dryRun, c
}

// shownCIDRs is how many a line names; JSON has them all.
const shownCIDRs = 10

func (a *answer) cidrs(word string, list []string) {
	for i, cidr := range list {
		if i == shownCIDRs {
			a.row(word, "and %d more", len(list)-i)
			return
		}
		a.row(word, "%s", cidr)
	}
}

// changeable refuses lists that no change of the table could reach, and notes
// where no function reads the list.
func (s *settings) changeable(name, file string) error {
	if err := network.CheckName(name); err != nil {
		return usage("a network %v: %.60q is none", err, name)
	}
	if s.cfg == nil {
		return nil
	}
	n, ok := s.cfg.Networks[name]
	switch {
	case ok && !n.DynamoDB:
		return usage("network %s stands in %s: change it there, or write \"%s: dynamodb\" to keep it in the table", name, file, name)
	case !ok:
		s.note("no network in %s is called %s: a function with that configuration does not read the list (%s)", file, name, s.keptInTable())
	}
	return nil
}

func (s *settings) keptInTable() string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.cfg.Networks)) {
		if s.cfg.Networks[name].DynamoDB {
			names = append(names, name)
		}
	}
	if names == nil {
		return "it keeps none in the table"
	}
	return "it keeps in the table: " + strings.Join(names, ", ")
}

// networks is the operator's side of the lists in the table.
func (t *tool) networks(ctx context.Context, p place, s *settings, dryRun bool) (*network.Store, *account, error) {
	a, err := p.account(ctx)
	if err != nil {
		return nil, nil, err
	}
	client := dynamodb.NewFromConfig(a.config, func(o *dynamodb.Options) { o.BaseEndpoint = a.base(o.BaseEndpoint) })
	store, err := network.NewStore(client, s.table, network.StoreOptions{Now: t.now, DryRun: dryRun})
	if err != nil {
		return nil, nil, usage("%v", err)
	}
	return store, a, nil
}

// networkFailure gives an error of the table its exit status.
func networkFailure(err error) error {
	var own *network.InvalidError
	if errors.As(err, &own) {
		return usage("%v", err)
	}
	return tableFailure(err)
}

func texts(prefixes []netip.Prefix) []string {
	out := make([]string, len(prefixes))
	for i, p := range prefixes {
		out[i] = p.String()
	}
	return out
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
