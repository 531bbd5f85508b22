package network

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"lambda-authorizer/reason"
)

// View answers which lists one address is in, all answers from one moment. It
// is for one request and one goroutine.
type View struct {
	// Reads is how many reads of lists this Load began, Joined how many of
	// others it waited for, Cached how many lists needed none.
	Reads, Joined, Cached int
	// Stale counts lists that serve although they could not be read anew.
	Stale int

	lists  *Lists
	client netip.Addr
	at     time.Time // the moment that all answers are from
	loaded []loaded
	fault  error
}

// loaded is one list of the table, or why it is not there.
type loaded struct {
	list *list
	got  *contents
	err  error
}

// Begin begins to read those of the named lists that are not known, and waits
// for nothing: a Load that follows finds the reads under way. So they can run
// beside something else that takes time.
func (l *Lists) Begin(ctx context.Context, names ...string) {
	now := l.now()
	for _, d := range l.wanted(names) {
		d.board(ctx, now)
	}
}

// Load gets ready to say which of the named lists client is in. Only lists
// that are kept in the table need that, and only those named are read: each
// with one call, all at once, unless what is known is younger than the cache's
// bound. Names may repeat, be unknown, or be those of lists in the
// configuration. It takes at most Config.Timeout, or what is left of ctx.
//
// It does not fail: whether a list that could not be read matters is known
// only when View.In is asked about it. Then View.Fault tells.
//
// The zero client is in no list, so nothing is read for it.
func (l *Lists) Load(ctx context.Context, client netip.Addr, names ...string) *View {
	v := &View{lists: l, client: client, at: l.now()}
	wanted := l.wanted(names)
	if len(wanted) == 0 || !client.IsValid() {
		return v
	}
	v.load(ctx, wanted)
	return v
}

func (v *View) load(ctx context.Context, wanted []*list) {
	l := v.lists
	v.loaded = make([]loaded, len(wanted))
	flights := make([]*flight, len(wanted))
	for i, d := range wanted {
		c, f, own := d.board(ctx, v.at)
		v.loaded[i].list, flights[i] = d, f
		switch {
		case c != nil:
			v.loaded[i].got = c
			v.Cached++
		case own:
			v.Reads++
		case f != nil:
			v.Joined++
		}
	}
	if v.Cached == len(wanted) {
		return
	}
	limited, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	for i, f := range flights {
		if v.loaded[i].got == nil {
			v.await(ctx, limited, &v.loaded[i], f)
		}
	}
}

// await waits for f, nil where the list is left alone, and falls back on what
// was read before.
func (v *View) await(ctx, limited context.Context, d *loaded, f *flight) {
	var c *contents
	var err error
	if f != nil {
		if c, err = f.wait(limited); err == nil {
			d.got = c
			return
		}
	}
	if ctx.Err() != nil {
		// The table had less than its time. Nothing could follow anyway.
		d.err = fmt.Errorf("%w: while reading list %s: %w", reason.DeadlineExceeded, d.list.name, ctx.Err())
		return
	}
	if c, d.err = d.list.lastResort(v.lists.now(), err); d.err == nil {
		d.got = c
		v.Stale++
	}
}

// In tells whether the client is in the list of that name. Nobody is in a list
// that is not known, that has expired, that Load was not asked for, or that
// could not be read; Fault tells the latter two apart from an answer.
func (v *View) In(name string) bool {
	if t := v.lists.static[name]; t != nil {
		return contains(t, v.client)
	}
	if v.lists.dynamic[name] == nil || !v.client.IsValid() {
		return false
	}
	for i := range v.loaded {
		d := &v.loaded[i]
		if d.list.name != name {
			continue
		}
		if d.err != nil {
			v.blame(d.err)
			return false
		}
		// Known contents may outlive the list: they are read again at the
		// cache's bound, and serve through an outage.
		return !d.got.raw.expired(v.at) && contains(d.got.prefixes, v.client)
	}
	v.blame(fmt.Errorf("%w: list %s was not loaded for this decision", reason.Internal, name))
	return false
}

func (v *View) blame(err error) {
	if v.fault == nil {
		v.fault = err
	}
}

// Fault is nil where every answer of In was true to its list, else the first
// fault: reason.NetworksUnavailable where a list was never read or not for 15
// minutes, reason.DeadlineExceeded where ctx ended, reason.Internal where a
// list was not named to Load. Then a yes still is one, a no may be wrong: a
// refusal that follows from it must become this fault, and so must an answer
// that API Gateway caches.
func (v *View) Fault() error { return v.fault }
