package network

import (
	"net/netip"
	"strings"
)

// Client returns the address of whoever sent the request, without an IPv6
// form of IPv4, or false where it cannot be told.
//
// It is source, the address of the connection to API Gateway, unless that is a
// trusted proxy. Only then X-Forwarded-For is read: its lines in the order in
// which they were sent, each a list. Every proxy appends whom it was called
// by, so the list is read from the right: entries that are trusted proxies are
// passed over, the first that is none is the client. What stands left of it
// may have been made up and is not looked at.
//
// There is no address where the header is missing, where everything in it is a
// trusted proxy, and where an entry that is read is not an address. An entry is
// an IPv4 or IPv6 address, the latter in brackets or not, and may have a port
// (IPv6 then needs its brackets). "unknown", an empty entry and a zone are not
// addresses: skipping them would let the caller's own words move up.
func (l *Lists) Client(source netip.Addr, forwarded []string) (netip.Addr, bool) {
	if !source.IsValid() || source.Zone() != "" {
		return netip.Addr{}, false
	}
	source = source.Unmap()
	if !l.trusted.Contains(source) {
		return source, true
	}
	for i := len(forwarded) - 1; i >= 0; i-- {
		for line, more := forwarded[i], true; more; {
			var entry string
			line, entry, more = lastEntry(line)
			addr, ok := parseHop(entry)
			if !ok {
				return netip.Addr{}, false
			}
			if !l.trusted.Contains(addr) {
				return addr, true
			}
		}
	}
	return netip.Addr{}, false
}

// lastEntry cuts the last entry off a list.
func lastEntry(line string) (rest, entry string, more bool) {
	if i := strings.LastIndexByte(line, ','); i >= 0 {
		return line[:i], strings.Trim(line[i+1:], " \t"), true
	}
	return "", strings.Trim(line, " \t"), false
}

// parseHop reads one entry: addresses as RFC 7239 section 6 writes them, and
// bare IPv6, which is what most proxies write in this header.
func parseHop(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		inner, bracketed := strings.CutPrefix(s, "[")
		inner, closed := strings.CutSuffix(inner, "]")
		if bracketed && closed {
			addr, err = netip.ParseAddr(inner)
			if addr.Is4() {
				return netip.Addr{}, false
			}
		} else {
			var ap netip.AddrPort
			ap, err = netip.ParseAddrPort(s)
			addr = ap.Addr()
		}
	}
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}
