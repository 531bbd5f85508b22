package httpsig

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lambda-authorizer/keydoc"
	"lambda-authorizer/reason"
)

// drawer holds documents in memory, and changes one at a time.
type drawer struct {
	mu    sync.Mutex
	texts map[string][]byte
}

func (d *drawer) Edit(_ context.Context, secret, id string, edit func([]byte) ([]byte, error)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	doc, err := keydoc.Open(d.texts[secret])
	if err != nil {
		return err
	}
	// As with a writer that lost a race, edit sees its own result.
	for range 2 {
		record, err := edit(doc.Get(id))
		if err != nil {
			return err
		}
		doc.Set(id, record)
	}
	d.texts[secret], err = doc.Text()
	return err
}

func (d *drawer) Records(_ context.Context, secret string) (map[string][]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	doc, err := keydoc.Open(d.texts[secret])
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, r := range doc.Records() {
		out[r.ID] = r.Value
	}
	return out, nil
}

func operator(texts map[string][]byte) (*Operator, *drawer) {
	d := &drawer{texts: texts}
	return &Operator{Documents: d, Now: at(testNow)}, d
}

// signs signs a request with a secret and verifies it with the document of
// name at a time.
func (d *drawer) signs(t *testing.T, name, id, secret string, now time.Time) error {
	t.Helper()
	s, err := NewSigner(id, secret)
	if err != nil {
		t.Fatal(err)
	}
	s.Now = at(now)
	r := request(t, "GET", "https://api.example.com/items", "")
	if err := s.Sign(r); err != nil {
		t.Fatal(err)
	}
	_, err = verifier(t, Config{}, mustKeys(t, string(d.texts[name])), now).Verify(t.Context(), forms["HTTP 2.0"](t, r))
	return err
}

func TestCreatedSigningKeySignsAndHasWhatItWasGranted(t *testing.T) {
	t.Parallel()
	o, d := operator(map[string][]byte{})
	made, err := o.Create(t.Context(), "keys", Grant{
		ID: "acme.1", Principal: "acme", Scopes: []string{"items:read"}, Networks: []string{"office"},
		ExpiresAt: testNow.Add(time.Hour), Context: map[string]any{"tenant": "acme"},
	})
	if err != nil || made.ID != "acme.1" {
		t.Fatal(made.ID, err)
	}
	want := &Key{
		ID: "acme.1", Principal: "acme", Scopes: []string{"items:read"}, Networks: []string{"office"},
		Expires: testNow.Add(time.Hour), Context: map[string]any{"tenant": "acme"},
	}
	got := mustKeys(t, string(d.texts["keys"]))["acme.1"]
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Key{})); diff != "" {
		t.Errorf("record (-want +got)\n%s", diff)
	}
	if err := d.signs(t, "keys", "acme.1", made.Text, testNow); err != nil {
		t.Error(err)
	}
	other, err := o.Create(t.Context(), "keys", Grant{Principal: "p"})
	if err != nil || !keyID.MatchString(other.ID) || other.Text == made.Text {
		t.Errorf("a key without an id is %q, %v", other.ID, err)
	}
}

func TestSigningKeyIsNotCreatedAgainstTheRules(t *testing.T) {
	t.Parallel()
	o, d := operator(map[string][]byte{
		"keys": []byte(`{"keys":{"taken":{}}}`), "more": []byte(`{"keys":{"elsewhere":{}}}`),
	})
	o.Rules.Network = func(string) error { return errors.New("there is no such network") }
	before := string(d.texts["keys"])
	for want, g := range map[string]Grant{
		"principal is missing or empty":                                         {},
		"a signing key's id does not match ^[A-Za-z0-9._-]{1,64}$":              {ID: "a b", Principal: "p"},
		"networks[0]: there is no such network":                                 {Principal: "p", Networks: []string{"home"}},
		"context is not JSON":                                                   {Principal: "p", Context: map[string]any{"x": func() {}}},
		"expires_at is in the past":                                             {Principal: "p", ExpiresAt: testNow},
		"the key's record is not JSON: its strings must be UTF-8":               {Principal: "p\xff"},
		"signing key taken in secret keys: there is one of this id already":     {ID: "taken", Principal: "p"},
		"signing key elsewhere in secret more: there is one of this id already": {ID: "elsewhere", Principal: "p"},
	} {
		_, err := o.Create(t.Context(), "keys", g, "keys", "more")
		if err == nil || err.Error() != want {
			t.Errorf("%+v: %v, want %s", g, err, want)
		}
		if own := new(keydoc.InvalidError); errors.As(err, &own) == errors.Is(err, keydoc.ErrExists) {
			t.Errorf("%v is a %T", err, err)
		}
	}
	if string(d.texts["keys"]) != before {
		t.Errorf("written: %s", d.texts["keys"])
	}
}

func TestRotatedSigningKeyKeepsItsOldSecretForItsGrace(t *testing.T) {
	t.Parallel()
	o, d := operator(map[string][]byte{})
	made, err := o.Create(t.Context(), "keys", Grant{ID: "k", Principal: "p"})
	if err != nil {
		t.Fatal(err)
	}
	turned, err := o.Rotate(t.Context(), "keys", "k", time.Hour)
	if err != nil || !turned.Until.Equal(testNow.Add(time.Hour)) || !turned.CutShort.IsZero() {
		t.Fatal(turned.Until, turned.CutShort, err)
	}
	end := testNow.Add(time.Hour)
	for _, c := range []struct {
		what, secret string
		at           time.Time
		want         reason.Code
	}{
		{"old, at once", made.Text, testNow, ""},
		{"old, at the last moment", made.Text, end.Add(-time.Nanosecond), ""},
		{"old, after its grace", made.Text, end, reason.SignatureInvalid},
		{"new, at once", turned.Text, testNow, ""},
		{"new, after the grace", turned.Text, end, ""},
	} {
		err := d.signs(t, "keys", "k", c.secret, c.at)
		if c.want == "" && err != nil || c.want != "" && reason.Of(err) != c.want {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
	last, err := o.Rotate(t.Context(), "keys", "k", 0)
	if err != nil || !last.Until.IsZero() || !last.CutShort.Equal(end) {
		t.Fatal(last.Until, last.CutShort, err)
	}
	for secret, accepted := range map[string]bool{made.Text: false, turned.Text: false, last.Text: true} {
		if err := d.signs(t, "keys", "k", secret, testNow); (err == nil) != accepted {
			t.Errorf("after a rotation without grace: %v, accepted should be %t", err, accepted)
		}
	}
}

func TestDisabledSigningKeyIsRefusedUntilItIsEnabled(t *testing.T) {
	t.Parallel()
	o, d := operator(map[string][]byte{})
	made, err := o.Create(t.Context(), "keys", Grant{ID: "k", Principal: "p"})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Disable(t.Context(), "keys", "k"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, d.signs(t, "keys", "k", made.Text, testNow), reason.SigningKeyDisabled)
	if err := o.Enable(t.Context(), "keys", "k"); err != nil {
		t.Fatal(err)
	}
	if err := d.signs(t, "keys", "k", made.Text, testNow); err != nil {
		t.Error(err)
	}
	if err := o.Disable(t.Context(), "keys", "none"); !errors.Is(err, keydoc.ErrUnknown) {
		t.Errorf("unknown: %v", err)
	}
	if err := o.Disable(t.Context(), "keys", testSecret); err == nil || strings.Contains(err.Error(), testSecret[:12]) {
		t.Errorf("a secret for an id: %v", err)
	}
}

func TestSigningKeysAreListedWithTheirState(t *testing.T) {
	t.Parallel()
	record := `"secret": "` + testSecret + `", "principal": "p"`
	o, _ := operator(map[string][]byte{"keys": []byte(`{"keys": {
		"a": {` + record + `, "previous": {"secret": "` + otherSecret + `", "until": "2027-01-01T00:00:00Z"}},
		"b": {` + record + `, "disabled": true}, "c": {` + record + `, "expires_at": "2026-11-13T12:34:56Z"},
		"d": {"principal": "p"}, "` + testSecret + `": {}}}`)})
	listed, err := o.List(t.Context(), "keys")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range listed {
		got = append(got, fmt.Sprint(l.ID, "/", l.State(testNow), "/", l.Problem))
	}
	want := []string{
		"a//<nil>", "b/signing_key_disabled/<nil>", "c/signing_key_expired/<nil>",
		"d/signing_key_unknown/secret is 0 bytes long, and must have at least 32",
		"/signing_key_unknown/a signing key's id does not match ^[A-Za-z0-9._-]{1,64}$",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("listed (-want +got)\n%s", diff)
	}
	if until := listed[0].PreviousUntil; !until.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("previous until %v", until)
	}
}

func TestSignerOfAStoredKeyTellsWhetherItIsRefused(t *testing.T) {
	t.Parallel()
	o, _ := operator(map[string][]byte{"keys": []byte(`{"keys": {
		"off": {"secret": "` + testSecret + `", "principal": "p", "disabled": true},
		"ends": {"secret": "` + testSecret + `", "principal": "p", "expires_at": "` + testNow.Format(time.RFC3339) + `"}}}`)})
	for _, c := range []struct {
		id   string
		now  time.Time
		want reason.Code
	}{
		{"off", testNow, reason.SigningKeyDisabled},
		{"ends", testNow, reason.SigningKeyExpired},
		{"ends", testNow.Add(-time.Second), ""},
	} {
		s, err := o.Signer(t.Context(), "keys", c.id)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.State(c.now); got != c.want {
			t.Errorf("%s: %q, want %q", c.id, got, c.want)
		}
	}
	s, err := NewSigner("off", testSecret)
	if err != nil || s.State(testNow) != "" {
		t.Errorf("a signer that has seen no record: %q, %v", s.State(testNow), err)
	}
}

func TestSignerOfAStoredKeySignsWithItsCurrentSecret(t *testing.T) {
	t.Parallel()
	o, d := operator(map[string][]byte{"keys": []byte(`{"keys": {
		"k": {"secret": "` + testSecret + `", "principal": "p", "previous": {"secret": "` + otherSecret + `", "until": "2027-01-01T00:00:00Z"}},
		"bad": {"secret": "` + otherSecret + `"}}}`)})
	s, err := o.Signer(t.Context(), "keys", "k")
	if err != nil {
		t.Fatal(err)
	}
	s.Now = at(testNow)
	r := request(t, "GET", "https://api.example.com/items", "")
	if err := s.Sign(r); err != nil {
		t.Fatal(err)
	}
	alone := mustKeys(t, `{"keys": {"k": {"secret": "`+testSecret+`", "principal": "p"}}}`)
	if _, err := verifier(t, Config{}, alone, testNow).Verify(t.Context(), forms["HTTP 2.0"](t, r)); err != nil {
		t.Error(err)
	}
	if _, err := o.Signer(t.Context(), "keys", "none"); !errors.Is(err, keydoc.ErrUnknown) {
		t.Errorf("unknown: %v", err)
	}
	if _, err := o.Signer(t.Context(), "keys", "bad"); !errors.Is(err, keydoc.ErrUnreadable) || strings.Contains(err.Error(), otherSecret[:12]) {
		t.Errorf("bad: %v", err)
	}
	if _, err := o.Signer(t.Context(), "keys", testSecret); err == nil || strings.Contains(err.Error(), testSecret[:12]) {
		t.Errorf("a secret for an id: %v", err)
	}
	if len(d.texts) != 1 {
		t.Errorf("documents: %d", len(d.texts))
	}
}
