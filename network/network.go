// Package network says who a request comes from and which named allow-lists
// that address is in. Lists stand in the configuration or in the revocations
// table, where operators change them. It knows addresses only: which route or
// key needs which list is not its business.
//
// Every doubt closes: an address that cannot be told is in no list, an entry
// of a list that cannot be read lets nobody in.
package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/gaissmai/bart"

	"lambda-authorizer/reason"
)

// Config is the part of the configuration that is about addresses.
type Config struct {
	// Static are the lists that stand in the configuration, by name.
	Static map[string][]netip.Prefix
	// Dynamic are the names of the lists that are kept in Table.
	Dynamic []string
	// Deny is refused before anything else is looked at.
	Deny []netip.Prefix
	// TrustedProxies are the machines whose X-Forwarded-For is believed. What
	// stands for a range that others use too, such as a CDN's, is believed of
	// all of them: then nobody else's distribution may reach the API.
	TrustedProxies []netip.Prefix

	// Table is the revocations table; needed by Dynamic, as is what follows.
	Table string
	// CacheTTL is how long what was read may be believed, 0: every Load reads.
	CacheTTL time.Duration
	// Timeout is how long one Load may take in all.
	Timeout time.Duration
}

// Reader is the one call that reading a list makes. *dynamodb.Client is one.
type Reader interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
}

// Options are what Lists need besides their configuration.
type Options struct {
	// Reader reads the table. Required where there are dynamic lists.
	Reader Reader
	// Now is the clock; nil is time.Now. Time-outs keep real time.
	Now func() time.Time
	// OnRead is told of every finished read of a list before anyone who waits
	// for it goes on. It must be quick, safe for concurrent use, and must not
	// call the Lists.
	OnRead func(ReadEvent)
}

// Lists are all allow-lists, the deny list and the trusted proxies. They are
// safe for concurrent use.
type Lists struct {
	static  map[string]*bart.Lite
	dynamic map[string]*list
	deny    *bart.Lite
	trusted *bart.Lite

	table   string
	ttl     time.Duration
	timeout time.Duration
	client  Reader
	tune    func(*dynamodb.Options)
	now     func() time.Time
	onRead  func(ReadEvent)
}

// New makes Lists. It calls nothing.
func New(cfg Config, o Options) (*Lists, error) {
	l := &Lists{
		static: make(map[string]*bart.Lite, len(cfg.Static)), dynamic: make(map[string]*list, len(cfg.Dynamic)),
		table: cfg.Table, ttl: cfg.CacheTTL, timeout: cfg.Timeout,
		client: o.Reader, tune: tuned(cfg.Timeout), now: o.Now, onRead: o.OnRead,
	}
	if l.now == nil {
		l.now = time.Now
	}
	if l.onRead == nil {
		l.onRead = func(ReadEvent) {}
	}
	var err error
	if l.deny, err = table(cfg.Deny); err != nil {
		return nil, fmt.Errorf("deny_networks: %w", err)
	}
	if l.trusted, err = table(cfg.TrustedProxies); err != nil {
		return nil, fmt.Errorf("trusted_proxies: %w", err)
	}
	return l, l.name(cfg)
}

// name makes the lists that have a name.
func (l *Lists) name(cfg Config) error {
	for name, prefixes := range cfg.Static {
		t, err := table(prefixes)
		if err == nil {
			err = CheckName(name)
		}
		if err != nil {
			return fmt.Errorf("network %s: %w", name, err)
		}
		l.static[name] = t
	}
	for _, name := range cfg.Dynamic {
		_, twice := l.static[name]
		switch err := CheckName(name); {
		case err != nil:
			return fmt.Errorf("network %s: %w", name, err)
		case twice:
			return fmt.Errorf("network %s: is both in the configuration and in the table", name)
		}
		l.dynamic[name] = &list{name: name, rules: l}
	}
	switch {
	case len(l.dynamic) == 0:
		return nil
	case l.client == nil || l.table == "":
		return errors.New("network: no client or no table to read lists from")
	case l.timeout <= 0 || l.ttl < 0:
		return errors.New("network: a time-out must be over 0, and no duration below")
	}
	return nil
}

// networkName keeps names usable in a key of the table and on a command line.
var networkName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// CheckName says what is wrong with the name of a list.
func CheckName(name string) error {
	if !networkName.MatchString(name) {
		return errors.New("must be a name of 1 to 64 letters, digits, - or _")
	}
	return nil
}

// Known tells whether there is a list of that name.
func (l *Lists) Known(name string) bool {
	return l.static[name] != nil || l.dynamic[name] != nil
}

// Denied tells whether addr is in the deny list, written in whatever form. It
// does not tell anything about the zero Addr.
func (l *Lists) Denied(addr netip.Addr) bool {
	return addr.IsValid() && l.deny.Contains(addr.WithZone("").Unmap())
}

// Check is the first look at a request: its error is reason.AddressDenied
// where the connection's address or the client's is in the deny list, and
// reason.AddressNotAllowed where there is a deny list and no address to hold
// against it. Both addresses may be the zero Addr, for none.
func (l *Lists) Check(source, client netip.Addr) error {
	switch {
	case l.deny.Size() == 0:
		return nil
	case l.Denied(source) || l.Denied(client):
		return fmt.Errorf("%w: in deny_networks", reason.AddressDenied)
	case !client.IsValid():
		return fmt.Errorf("%w: the request tells no address, and there is a deny list", reason.AddressNotAllowed)
	}
	return nil
}

// contains is the question of all allow-lists. An address with a zone is in
// none, as in netip: it says where on one machine's links it means.
func contains(t *bart.Lite, addr netip.Addr) bool {
	return addr.IsValid() && addr.Zone() == "" && t.Contains(addr.Unmap())
}

func table(prefixes []netip.Prefix) (*bart.Lite, error) {
	t := new(bart.Lite)
	for _, p := range prefixes {
		if err := check(p); err != nil {
			return nil, fmt.Errorf("%v: %w", p, err)
		}
		t.Insert(p)
	}
	return t, nil
}

// wanted are the lists of the table among names, each once.
func (l *Lists) wanted(names []string) []*list {
	var out []*list
	for _, name := range names {
		if d := l.dynamic[name]; d != nil && !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}
