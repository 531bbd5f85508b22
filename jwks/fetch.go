package jwks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	// fetchBound bounds one fetch in all: discovery, key set, second try. It
	// leaves a third of the 8 s that a decision has at most.
	fetchBound = 5 * time.Second
	// tryTimeout bounds one HTTP exchange, body included.
	tryTimeout = 2 * time.Second
	tries      = 2

	maxBody      = 512 << 10
	maxRedirects = 3

	minMaxAge     = time.Minute
	maxMaxAge     = 24 * time.Hour
	defaultMaxAge = 15 * time.Minute
	// rediscoverAfter is how long a discovered jwks_uri is believed while it
	// works.
	rediscoverAfter = 24 * time.Hour
)

// fetched is what one fetch brought.
type fetched struct {
	keys   *keySet
	maxAge time.Duration
}

// fetcher reads an issuer's key set over HTTP.
type fetcher struct {
	client    *http.Client
	issuer    string // URL; discovery starts there
	jwksURI   string // configured; empty: discover
	now       func() time.Time
	try       time.Duration        // tryTimeout; shorter in tests
	pause     func() time.Duration // between the tries
	discovery atomic.Pointer[discovery]
}

// discovery is where an issuer said its keys are.
type discovery struct {
	jwksURI string
	at      time.Time
}

func newFetcher(client *http.Client, i Issuer, now func() time.Time) *fetcher {
	c := &http.Client{Transport: newTransport()}
	if client != nil {
		c = &http.Client{Transport: client.Transport, Timeout: client.Timeout}
	}
	c.CheckRedirect = sameHostOnly
	return &fetcher{client: c, issuer: i.Issuer, jwksURI: i.JWKSURI, now: now, try: tryTimeout, pause: jitter}
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    tryTimeout,
		IdleConnTimeout:        10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// jitter keeps functions that start together from trying again together.
func jitter() time.Duration {
	return 50*time.Millisecond + rand.N(200*time.Millisecond)
}

// fetch tries twice.
func (f *fetcher) fetch(ctx context.Context) (got fetched, err error) {
	for n := range tries {
		if n > 0 {
			select {
			case <-time.After(f.pause()):
			case <-ctx.Done():
				return got, err
			}
		}
		if got, err = f.once(ctx); err == nil {
			return got, nil
		}
	}
	return got, err
}

// once discovers, where that is needed, and reads the key set.
func (f *fetcher) once(ctx context.Context) (fetched, error) {
	// A connection that slept through a freeze is dead: the next exchange
	// would hang on it, and so would a second try.
	defer f.client.CloseIdleConnections()
	uri, err := f.keySetURI(ctx)
	if err != nil {
		return fetched{}, err
	}
	body, header, err := f.get(ctx, uri)
	if err == nil {
		var keys *keySet
		if keys, err = parseKeySet(body); err == nil {
			return fetched{keys, maxAge(header)}, nil
		}
		err = fmt.Errorf("%w (%s)", err, contentType(header))
	}
	f.discovery.Store(nil) // perhaps it moved: ask again
	return fetched{}, fmt.Errorf("%s: %w", withoutQuery(uri), err)
}

func (f *fetcher) keySetURI(ctx context.Context) (string, error) {
	if f.jwksURI != "" {
		return f.jwksURI, nil
	}
	now := f.now()
	if d := f.discovery.Load(); d != nil && now.Sub(d.at).Abs() < rediscoverAfter {
		return d.jwksURI, nil
	}
	// OpenID Connect Discovery 1.0 section 4.1: without a final slash.
	at := strings.TrimSuffix(f.issuer, "/") + "/.well-known/openid-configuration"
	body, header, err := f.get(ctx, at)
	if err != nil {
		return "", fmt.Errorf("%s: %w", withoutQuery(at), err)
	}
	uri, err := f.readDiscovery(body)
	if err != nil {
		return "", fmt.Errorf("%s: %w (%s)", withoutQuery(at), err, contentType(header))
	}
	f.discovery.Store(&discovery{uri, now})
	return uri, nil
}

// readDiscovery takes jwks_uri out of a discovery document, which must speak
// of this very issuer (OpenID Connect Discovery 1.0 section 4.3).
func (f *fetcher) readDiscovery(body []byte) (string, error) {
	var doc struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return "", errors.New("not a discovery document")
	}
	if doc.Issuer != f.issuer {
		return "", fmt.Errorf("discovery is for issuer %s", clip(doc.Issuer))
	}
	u, err := checkURL(doc.JWKSURI)
	if err != nil {
		return "", fmt.Errorf("jwks_uri in discovery: %w", err)
	}
	// On Lambda loopback has services of its own; no issuer elsewhere may
	// send us there.
	if u.Scheme == "http" && !strings.HasPrefix(f.issuer, "http:") {
		return "", errors.New("jwks_uri in discovery is not https")
	}
	return doc.JWKSURI, nil
}

// get reads at most maxBody from rawURL.
func (f *fetcher) get(ctx context.Context, rawURL string) ([]byte, http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, f.try)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return nil, nil, errors.New("not a URL")
	}
	req.Header.Set("Accept", "application/json, application/jwk-set+json")
	req.Header.Set("User-Agent", "lambda-authorizer")
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, nil, f.failed(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, nil, f.failed(ctx, err)
	}
	if len(body) > maxBody {
		return nil, nil, fmt.Errorf("body of more than %d KB", maxBody>>10)
	}
	return body, resp.Header, nil
}

// sameHostOnly lets redirects move within a host only.
func sameHostOnly(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("more than %d redirects", maxRedirects)
	case req.URL.Scheme != first.Scheme || !strings.EqualFold(hostPort(req.URL), hostPort(first)):
		return errors.New("redirect to another host")
	}
	return nil
}

func hostPort(u *url.URL) string {
	port := u.Port()
	switch u.Scheme + port {
	case "https":
		port = "443"
	case "http":
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// checkURL accepts what keys may be read from: https, or http on loopback.
func checkURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, errors.New("not an absolute URL")
	case u.User != nil:
		return nil, errors.New("a URL with credentials, which would reach the log")
	case strings.Contains(raw, "#"):
		return nil, errors.New("a URL with a fragment")
	case u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("not https (http is for loopback alone)")
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// maxAge is how long the answer counts as fresh, within [1m, 24h]. What it has
// spent in caches on its way is over (RFC 9111 section 4.2.3).
func maxAge(h http.Header) time.Duration {
	spent, _ := digits(strings.TrimSpace(h.Get("Age")))
	for _, line := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			if !strings.EqualFold(name, "max-age") {
				continue
			}
			if seconds, ok := digits(strings.Trim(value, `"`)); ok {
				return min(max(seconds-spent, minMaxAge), maxMaxAge)
			}
		}
	}
	return defaultMaxAge
}

// digits reads a delta-seconds (RFC 9111 section 1.2.2). Beyond a day it does
// not matter how far.
func digits(s string) (time.Duration, bool) {
	var seconds time.Duration
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		seconds = min(seconds*10+time.Duration(c-'0'), 24*60*60)
	}
	return seconds * time.Second, s != ""
}

// contentType says what came instead of JSON.
func contentType(h http.Header) string {
	if t, _, err := mime.ParseMediaType(h.Get("Content-Type")); err == nil {
		return "content type " + clip(t)
	}
	return "no content type"
}

// withoutQuery is uri as it may be logged: some issuers want a key in the
// query.
func withoutQuery(uri string) string {
	before, _, _ := strings.Cut(uri, "?")
	return before
}

// failed says why an exchange failed: without net/http's "Get <url>:", for
// the same reason, and bounded, since it may quote the answer.
func (f *fetcher) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("no answer within %s", f.try)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	s := err.Error()
	return errors.New(s[:min(len(s), 200)])
}
