package httpsig

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// spot is a string of a message and a way to put another in its place.
type spot struct {
	name, text string
	put        func(m *Message, text string)
	// same tells whether two spellings say the same by the rules of URLs:
	// the case of a host and of the hex digits of an escape.
	same func(a, b string) bool
}

// TestEverySingleBitTamperIsRefused flips each bit of everything that a
// signature speaks of, in every form of event. Accepted is only what is another
// spelling of the same request.
func TestEverySingleBitTamperIsRefused(t *testing.T) {
	t.Parallel()
	s := signer(t)
	s.Fields, s.Tag, s.Lifetime = []string{"Content-Type", "X-Note"}, "app", 60e9
	r := request(t, "POST", "https://api.example.com/prod/caf%C3%A9%2D1/x?a=1&a=2&b=%26+x", `{"name":"x"}`)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Note", "plain text, with a comma")
	if err := s.Sign(r); err != nil {
		t.Fatal(err)
	}
	v := verifier(t, Config{}, partner(t, ""), testNow)
	for form, leave := range forms {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			if _, err := v.Verify(t.Context(), leave(t, r)); err != nil {
				t.Fatal(err)
			}
			flips, equal := 0, 0
			for _, spot := range spots(leave(t, r)) {
				for i := range len(spot.text) {
					for bit := range 8 {
						b := []byte(spot.text)
						b[i] ^= 1 << bit
						m := leave(t, r)
						spot.put(m, string(b))
						flips++
						if _, err := v.Verify(t.Context(), m); err != nil {
							continue
						}
						equal++
						if spot.same == nil || !spot.same(spot.text, string(b)) {
							t.Errorf("%s: %q verifies for %q", spot.name, b, spot.text)
						}
					}
				}
			}
			t.Logf("%d flips, %d of them another spelling", flips, equal)
			if flips < 3000 || equal > 20 {
				t.Errorf("%d flips, %d of them another spelling: the test does not do its work", flips, equal)
			}
		})
	}
}

func spots(m *Message) []spot {
	out := []spot{
		{"method", m.Method, func(m *Message, s string) { m.Method = s }, nil},
		{"authority", m.Authority, func(m *Message, s string) { m.Authority = s }, strings.EqualFold},
		{"path", m.Path, func(m *Message, s string) { m.Path = s }, samePath},
	}
	if m.Params == nil {
		out = append(out, spot{"query", m.RawQuery, func(m *Message, s string) { m.RawQuery = s }, sameQuery})
	}
	for name, values := range m.Params {
		for i, value := range values {
			out = append(out, spot{"value of " + name, value, func(m *Message, s string) {
				m.Params = maps.Clone(m.Params)
				m.Params[name] = slices.Clone(m.Params[name])
				m.Params[name][i] = s
			}, nil})
		}
		out = append(out, spot{"name " + name, name, func(m *Message, s string) {
			m.Params = maps.Clone(m.Params)
			delete(m.Params, name)
			m.Params[s] = append(m.Params[s], values...)
		}, nil})
	}
	for _, name := range []string{"content-type", "x-note", "content-digest", "signature-input", "signature"} {
		out = append(out, spot{name, m.Header(name)[0], func(m *Message, s string) {
			header := m.Header
			m.Header = func(asked string) []string {
				if http.CanonicalHeaderKey(asked) == http.CanonicalHeaderKey(name) {
					return []string{s}
				}
				return header(asked)
			}
		}, nil})
	}
	return out
}

func samePath(a, b string) bool {
	x, err1 := url.PathUnescape(a)
	y, err2 := url.PathUnescape(b)
	return err1 == nil && err2 == nil && x == y && strings.EqualFold(a, b)
}

func sameQuery(a, b string) bool {
	x, err1 := url.QueryUnescape(a)
	y, err2 := url.QueryUnescape(b)
	return err1 == nil && err2 == nil && x == y && strings.EqualFold(a, b)
}

// A header that is taken away or added counts as much as one that is changed.
func TestCoveredFieldTakenAwayOrSentTwiceIsRefused(t *testing.T) {
	t.Parallel()
	s := signer(t)
	s.Fields = []string{"Content-Type"}
	v := verifier(t, Config{}, partner(t, ""), testNow)
	for name, change := range map[string]func(http.Header){
		"taken away": func(h http.Header) { h.Del("Content-Type") },
		"sent twice": func(h http.Header) { h.Add("Content-Type", "text/plain") },
		"repeated":   func(h http.Header) { h.Add("Content-Type", "application/json") },
		"emptied":    func(h http.Header) { h.Set("Content-Type", "") },
	} {
		for form, leave := range forms {
			r := request(t, "GET", "https://api.example.com/items", "")
			r.Header.Set("Content-Type", "application/json")
			if err := s.Sign(r); err != nil {
				t.Fatal(err)
			}
			change(r.Header)
			if _, err := v.Verify(t.Context(), leave(t, r)); err == nil {
				t.Errorf("%s: %s: accepted", form, name)
			}
		}
	}
}
