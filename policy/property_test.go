package policy_test

import (
	"errors"
	"flag"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"lambda-authorizer/policy"
	"lambda-authorizer/reason"
)

// check tries at least so many cases, more where -rapid.checks asks for them.
func check(t *testing.T, cases int, property func(*rapid.T)) {
	t.Helper()
	checks, err := strconv.Atoi(flag.Lookup("rapid.checks").Value.String())
	if err != nil {
		t.Fatal(err)
	}
	for range max(1, cases/raceFactor/max(1, checks)) {
		rapid.Check(t, property)
		if t.Failed() {
			return
		}
	}
}

func matchProperty(t *rapid.T) {
	w := drawWorld(t)
	for range 8 {
		method, path := drawMethod(t), w.drawPath(t)
		id, ok := w.table.Match(w.form, method, path)
		want := w.opinion.choose(w.form == policy.Encoded, method, path)
		if ok != (want >= 0) || ok && int(id) != want {
			t.Fatalf("%q: %s %q matches %d (%t), the other opinion is %d", w.opinion, method, path, id, ok, want)
		}
	}
}

// singleProperty: where nothing is cached, the document for a request says
// what the table says.
func singleProperty(t *rapid.T) {
	w := drawWorld(t)
	method, path := drawMethod(t), w.drawPath(t)
	a := w.arn(method, path)
	id, ok := w.table.Match(w.form, method, path)
	allow := ok && w.table.Decide(id, w.caller) == nil
	if want := w.opinion.choose(w.form == policy.Encoded, method, path); allow != (want >= 0 && w.granted[want]) {
		t.Fatalf("%q: %s %q is decided %t", w.opinion, method, path, allow)
	}
	d, err := w.table.Single(w.form, a, id, allow)
	if err != nil {
		t.Fatal(err)
	}
	iam, err := readDocument(d.JSON)
	if err != nil {
		t.Fatal(err)
	}
	if got := iam.allows(a.String()); got != allow || d.Allows(a) != allow {
		t.Fatalf("%q: %s %q is decided %t, the document says %t\n%s", w.opinion, method, path, allow, got, d.JSON)
	}
	if !allow && iam.evaluate(a.String()) != "deny" {
		t.Fatalf("a refusal that is silent: %s", d.JSON)
	}
}

// cachedProperty is section 6: a cached document never allows what the table
// refuses, refuses what the table allows only for routes that are reported,
// and lets through nothing else but what is reported.
func cachedProperty(t *rapid.T) {
	w := drawWorld(t)
	set := w.table.Granted(w.caller)
	for i, g := range w.granted {
		if set.Has(policy.RouteID(i)) != g || (w.table.Decide(policy.RouteID(i), w.caller) == nil) != g {
			t.Fatalf("%s: granted %t, want %t", w.opinion[i], set.Has(policy.RouteID(i)), g)
		}
	}
	v := view{world: w, reach: w.table.Reach(w.form, set), named: w.table.Inexpressible(w.form)}
	d, err := w.table.Cached(w.form, w.arn("GET", "anything"), set)
	if err != nil {
		t.Fatal(err)
	}
	if v.iam, err = readDocument(d.JSON); err != nil {
		t.Fatal(err)
	}
	if size := w.table.Largest(w.form, w.arn("GET", ""), rapid.SampledFrom([]int{0, 4000, 4000, 4000}).Draw(t, "max")); len(d.JSON) > size.Bytes {
		t.Fatalf("%q: a document of %d bytes, the largest was to be %d (%t)\n%s", w.opinion, len(d.JSON), size.Bytes, size.Exact, d.JSON)
	}
	if size := w.table.Largest(w.form, w.arn("GET", ""), 1<<20); len(d.JSON) > size.Bytes {
		t.Fatalf("%q: a document of %d bytes, the bound was %d\n%s", w.opinion, len(d.JSON), size.Bytes, d.JSON)
	}
	for range 12 {
		method, path := drawMethod(t), w.drawPath(t)
		if said := v.judge(method, path); said != "" {
			t.Fatalf("%q\nfor %v: %s %q %s\n%s", w.opinion, w.granted, method, path, said, d.JSON)
		}
		if a := w.arn(method, path); d.Allows(a) != v.iam.allows(a.String()) {
			t.Fatalf("%s %q: the two evaluators differ\n%s", method, path, d.JSON)
		}
	}
}

func TestMatchingAgreesWithAnotherOpinionOnAnyTable(t *testing.T) {
	t.Parallel()
	check(t, 2000, matchProperty)
}

func TestUncachedDocumentSaysWhatTheTableSays(t *testing.T) {
	t.Parallel()
	check(t, 2000, singleProperty)
}

func TestCachedDocumentNeverAllowsWhatTheTableRefuses(t *testing.T) {
	t.Parallel()
	check(t, 5000, cachedProperty)
}

func FuzzMatch(f *testing.F)          { f.Fuzz(rapid.MakeFuzz(matchProperty)) }
func FuzzSingleDocument(f *testing.F) { f.Fuzz(rapid.MakeFuzz(singleProperty)) }
func FuzzCachedDocument(f *testing.F) { f.Fuzz(rapid.MakeFuzz(cachedProperty)) }

func TestDenialsCarryTheirCode(t *testing.T) {
	t.Parallel()
	check(t, 200, func(t *rapid.T) {
		w := drawWorld(t)
		for i, g := range w.granted {
			err := w.table.Decide(policy.RouteID(i), w.caller)
			var code reason.Code
			if !g && (!errors.As(err, &code) || code.Status() != 403) {
				t.Fatalf("%v is no denial", err)
			}
		}
	})
}
