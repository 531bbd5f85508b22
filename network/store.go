package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lambda-authorizer/fault"
)

// Table is what a Store calls. *dynamodb.Client is one.
type Table interface {
	Reader
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

// StoreOptions are what a Store needs besides its table.
type StoreOptions struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// DryRun makes Add and Remove tell what they would do.
	DryRun bool
}

// Store is the operator's side of the lists in the table. What it writes is
// added to and taken from a string set by DynamoDB itself, so operators who
// work at once lose nothing. Safe for concurrent use.
type Store struct {
	client Table
	table  string
	now    func() time.Time
	dry    bool
}

// NewStore makes a Store. It calls nothing.
func NewStore(client Table, table string, o StoreOptions) (*Store, error) {
	if client == nil || table == "" {
		return nil, errors.New("network: no client or no table")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{client: client, table: table, now: o.Now, dry: o.DryRun}, nil
}

// InvalidError is a wrong argument, or a list that cannot be changed so.
type InvalidError struct{ err error }

func (e *InvalidError) Error() string { return e.err.Error() }

// Unwrap returns what is wrong.
func (e *InvalidError) Unwrap() error { return e.err }

func invalid(format string, args ...any) error {
	return &InvalidError{fmt.Errorf(format, args...)}
}

// List is a list as the table has it.
type List struct {
	Name string `json:"name"`
	// CIDRs are the blocks that count, in order, IPv4 first.
	CIDRs []netip.Prefix `json:"cidrs"`
	// Skipped are entries that let nobody in, and why.
	Skipped []string `json:"skipped,omitempty"`
	// Missing: it was never written, or DynamoDB has deleted it.
	Missing bool `json:"missing,omitempty"`
	// ExpiresAt is when the list ends and DynamoDB may delete it; zero: never.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// Expired: nothing in the list counts any more.
	Expired bool `json:"expired,omitempty"`
}

// Get reads a list. One that was never written is empty.
func (s *Store) Get(ctx context.Context, name string) (List, error) {
	raw, err := s.get(ctx, name)
	if err != nil {
		return List{}, err
	}
	prefixes, skipped := raw.parse()
	return List{
		Name: name, CIDRs: append([]netip.Prefix{}, ordered(prefixes)...), Skipped: skipped, Missing: raw.missing,
		ExpiresAt: raw.expires, Expired: raw.expired(s.now()),
	}, nil
}

func (s *Store) get(ctx context.Context, name string) (item, error) {
	if err := CheckName(name); err != nil {
		return item{}, invalid("network %.60q: %w", name, err)
	}
	out, err := s.client.GetItem(ctx, getInput(s.table, name))
	if err != nil {
		return item{}, s.failed("read", err)
	}
	attributes, err := attributesOf(out)
	if err != nil {
		return item{}, s.failed("read", err)
	}
	// The zero time: what has expired is shown too.
	return decode(attributes, name, time.Time{})
}

// Change is what Add or Remove did, or would do.
type Change struct {
	Name string `json:"name"`
	// Changed were added or removed, as the table has them.
	Changed []string `json:"changed"`
	// Unchanged were in the list already, or not in it.
	Unchanged []string `json:"unchanged,omitempty"`
	// Overlapping are blocks of the list, as it is now, that let in some or
	// all of the addresses that the command named.
	Overlapping []netip.Prefix `json:"overlapping,omitempty"`
	// CIDRs counts the blocks of the list that count now.
	CIDRs int `json:"cidrs"`
}

// Add puts blocks into a list. What is in it stays. Blocks in another than
// ParseCIDR's form, and a list that has expired, are an *InvalidError.
func (s *Store) Add(ctx context.Context, name string, cidrs ...string) (Change, error) {
	wanted, err := ParseCIDRs(cidrs)
	if err != nil || len(wanted) == 0 {
		return Change{}, &InvalidError{orNone(err)}
	}
	raw, err := s.get(ctx, name)
	switch {
	case err != nil:
		return Change{}, err
	case raw.expired(s.now()):
		return Change{}, invalid("network %s has expired, and DynamoDB is about to delete it: delete the item %s or its expires_at first", name, partitionKey(name))
	case raw.ignored != "":
		return Change{}, invalid("network %s: %s: delete the item %s, then add again", name, raw.ignored, partitionKey(name))
	}
	have, _ := raw.parse()
	c := Change{Name: name, Changed: []string{}}
	for _, p := range ordered(wanted) {
		if slices.Contains(have, p) {
			c.Unchanged = append(c.Unchanged, p.String())
		} else {
			c.Changed = append(c.Changed, p.String())
		}
	}
	c.CIDRs = len(ordered(have)) + len(c.Changed)
	c.Overlapping = overlapping(have, wanted)
	return c, s.update(ctx, "ADD", c)
}

// Remove takes blocks out of a list, in whatever spelling the list has them.
// What ParseCIDR does not take can be removed too, by its exact text.
func (s *Store) Remove(ctx context.Context, name string, cidrs ...string) (Change, error) {
	if len(cidrs) == 0 {
		return Change{}, &InvalidError{orNone(nil)}
	}
	raw, err := s.get(ctx, name)
	if err != nil {
		return Change{}, err
	}
	c := Change{Name: name, Changed: []string{}}
	var wanted []netip.Prefix
	for _, text := range cidrs {
		p, err := ParseCIDR(text)
		if err == nil {
			wanted = append(wanted, p)
		}
		spelt := raw.spellings(text, p)
		if len(spelt) == 0 && err != nil {
			return Change{}, invalid("%.60q %w", text, err)
		}
		if len(spelt) == 0 {
			c.Unchanged = append(c.Unchanged, p.String())
		}
		c.Changed = append(c.Changed, spelt...)
	}
	slices.Sort(c.Changed)
	c.Changed = slices.Compact(c.Changed)
	left := raw
	left.cidrs = slices.DeleteFunc(slices.Clone(raw.cidrs), func(s string) bool { return slices.Contains(c.Changed, s) })
	have, _ := left.parse()
	c.CIDRs = len(ordered(have))
	c.Overlapping = overlapping(have, wanted)
	return c, s.update(ctx, "DELETE", c)
}

// spellings are the list's entries that are text, or mean p.
func (i item) spellings(text string, p netip.Prefix) []string {
	var out []string
	for _, s := range i.cidrs {
		if q, err := ParseCIDR(s); s == text || err == nil && q == p {
			out = append(out, s)
		}
	}
	return out
}

// update writes c. The list's key is all that is written beside the set.
func (s *Store) update(ctx context.Context, action string, c Change) error {
	if s.dry || len(c.Changed) == 0 {
		return nil
	}
	_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(s.table), Key: keyOf(c.Name),
		UpdateExpression:          aws.String(action + " cidrs :cidrs"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":cidrs": &types.AttributeValueMemberSS{Value: c.Changed}},
	})
	if err != nil && strings.Contains(err.Error(), "maximum allowed size") {
		return invalid("network %s is full: DynamoDB holds 400 KB in one item; use wider blocks, or a second network", c.Name)
	}
	if err != nil {
		return s.failed("write to", err)
	}
	return nil
}

// tableError is a call that failed. Its text is safe to show.
type tableError struct {
	text  string
	cause error
}

func (e *tableError) Error() string { return e.text }
func (e *tableError) Unwrap() error { return e.cause }

func (s *Store) failed(doing string, err error) error {
	return &tableError{fmt.Sprintf("%s table %s: %s", doing, s.table, fault.Text(err)), err}
}

func orNone(err error) error {
	if err == nil {
		return errors.New("no CIDR given")
	}
	return err
}

// ordered are the blocks in order, each once.
func ordered(prefixes []netip.Prefix) []netip.Prefix {
	out := slices.SortedFunc(slices.Values(prefixes), netip.Prefix.Compare)
	return slices.Compact(out)
}

// overlapping are those of have that share addresses with any other of wanted.
func overlapping(have, wanted []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, h := range ordered(have) {
		if slices.ContainsFunc(wanted, func(w netip.Prefix) bool { return h != w && h.Overlaps(w) }) {
			out = append(out, h)
		}
	}
	return out
}
