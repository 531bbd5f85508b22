package keydoc_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lambda-authorizer/keydoc"
)

// pet is a record of the tests.
type pet struct {
	Name string         `json:"name"`
	Legs int            `json:"legs"`
	Toys []string       `json:"toys"`
	Free jsontext.Value `json:"free"`
}

var pets = keydoc.Kind[pet]{
	Name:     "pet",
	Showable: regexp.MustCompile(`^[a-z]{1,8}$`).MatchString,
	Parse: func(_ string, value jsontext.Value) (p pet, err error) {
		if err := keydoc.Decode(value, &p); err != nil {
			return pet{}, err
		}
		if p.Name == "" {
			return pet{}, errors.New("it has no name")
		}
		return p, nil
	},
}

// texts renders errors one by one.
func texts(errs []error) []string {
	out := []string{}
	for _, err := range errs {
		out = append(out, err.Error())
	}
	return out
}

func TestGoodRecordsAreReadAndBadOnesNamed(t *testing.T) {
	t.Parallel()
	got, bad := pets.Read([]byte(` { "keys" : {
		"rex": {"name": "Rex", "legs": 4},
		"kit": {"name": "Kit", "leg": 4},
		"tom": {"name": "Tom", "legs": "four"},
		"sam": {"legs": 4},
		"not a name": {},
		"two": {"name": "Two"}, "two": {"name": "Two"},
		"nul": {"name": "Nul", "toys": null},
		"ann": {"name": "Ann", "free": {"x": 1, "x": 2}},
		"Ben": {"Name": "Ben"},
		"lee": ["name", "Lee"],
		"bob": {"name": "Bob", "toys": ["ball"], "free": {"x": [1]}}
	} } `))
	if diff := cmp.Diff(map[string]pet{
		"rex": {Name: "Rex", Legs: 4},
		"bob": {Name: "Bob", Toys: []string{"ball"}, Free: jsontext.Value(`{"x": [1]}`)},
	}, got); diff != "" {
		t.Errorf("records (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"pet kit: /leg is no member of a record",
		"pet tom: /legs is of the wrong type",
		"pet sam: it has no name",
		"pet number 5: it has no name",
		"pet two: its id occurs 2 times, none of them is used",
		"pet two: its id occurs 2 times, none of them is used",
		"pet nul: a member is null: leave it out instead",
		"pet ann: a member occurs twice",
		"pet number 10: a member does not belong there",
		"pet lee: it is not a JSON object",
	}, texts(bad)); diff != "" {
		t.Errorf("left out (-want +got)\n%s", diff)
	}
}

func TestTextThatIsNoDocumentGivesNoMapAndOneError(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                               "it is not a JSON object",
		`hunter2-hunter2`:                "it is not a JSON object",
		`["keys"]`:                       "it is not a JSON object",
		`{}`:                             `its only member must be "keys"`,
		`{"key":{}}`:                     `its only member must be "keys"`,
		`{"Keys":{}}`:                    `its only member must be "keys"`,
		`{"keys":[]}`:                    `"keys" is not a JSON object`,
		`{"keys":null}`:                  `"keys" is not a JSON object`,
		`{"keys":{},"note":"hunter2"}`:   `its only member must be "keys"`,
		`{"keys":{},"keys":{}}`:          `its only member must be "keys"`,
		`{"keys":{}} hunter2`:            "something follows the JSON object",
		`{"keys":{"a":{"name":hunter2`:   "not JSON after byte 12",
		`{"keys":{"a":{}`:                "not JSON after byte 15",
		`{"keys":{"a":{},}}`:             "not JSON after byte 15",
		"{\"keys\":{\"a\":\"\xff\"}}":    "not JSON after byte 12",
		`{"keys":{"a":"\ud800hunter2"}}`: "not JSON after byte 12",
	} {
		got, errs := pets.Read([]byte(text))
		if diff := cmp.Diff([]string{want}, texts(errs)); got != nil || diff != "" {
			t.Errorf("%s: %v, errors (-want +got)\n%s", text, got, diff)
		}
	}
}

func TestEmptyDocumentIsADocument(t *testing.T) {
	t.Parallel()
	got, errs := pets.Read([]byte(`{"keys":{}}`))
	if got == nil || len(got) != 0 || len(errs) != 0 {
		t.Errorf("Read = %v, %v", got, errs)
	}
}

func TestSecretMustBeCanonicalBase64OfEnoughBytes(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("A", 43) + "="
	if b, err := keydoc.Secret(good); err != nil || len(b) != 32 {
		t.Errorf("Secret(%s) = %v, %v", good, b, err)
	}
	for what, text := range map[string]string{
		"empty":        "",
		"short":        strings.Repeat("A", 40),
		"unpadded":     strings.Repeat("A", 43),
		"url alphabet": strings.Repeat("_", 43) + "=",
		"stray bits":   strings.Repeat("A", 42) + "B=",
		"line break":   strings.Repeat("A", 22) + "\n" + strings.Repeat("A", 21) + "=",
		"plain text":   "a passphrase of more than thirty-two characters",
	} {
		if b, err := keydoc.Secret(text); err == nil {
			t.Errorf("%s: taken as %d bytes", what, len(b))
		} else if text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%s: the error quotes it", what)
		}
	}
}

func TestEditKeepsEveryByteOfOtherRecords(t *testing.T) {
	t.Parallel()
	const odd = `{ "name" : "R\u0065x",  "unknown": 1e3, "unknown": null }`
	d, err := keydoc.Open([]byte(`{"keys": {"rex": ` + odd + `, "tom": {}, "kit": {}}}`))
	if err != nil {
		t.Fatal(err)
	}
	d.Set("tom", jsontext.Value(`{"name":"Tom"}`))
	d.Set("kit", nil)
	d.Set("none", nil)
	d.Set(`a"b`, jsontext.Value(`{}`))
	got, err := d.Text()
	if want := `{"keys":{"rex":` + odd + `,"tom":{"name":"Tom"},"a\"b":{}}}`; err != nil || string(got) != want {
		t.Errorf("Text = %s, %v\nwant   %s", got, err, want)
	}
	if d.Get("kit") != nil || string(d.Get("tom")) != `{"name":"Tom"}` || len(d.Records()) != 3 {
		t.Errorf("records: %v", d.Records())
	}
}

func TestDocumentThatCannotBeEditedSafelyIsNotOpened(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"keys":{"a":1,"a":2}}`, `{"keys":{}} ` + "x", `plain`} {
		if _, err := keydoc.Open([]byte(text)); err == nil {
			t.Errorf("%s is opened", text)
		}
	}
	d, err := keydoc.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := d.Text(); err != nil || string(text) != `{"keys":{}}` {
		t.Errorf("an empty secret becomes %s, %v", text, err)
	}
	d.Set("a", jsontext.Value(`{"x":`))
	if text, err := d.Text(); err == nil {
		t.Errorf("half a record is written: %s", text)
	}
}

// Whatever is written is read back: ids and values alike.
func TestWrittenDocumentReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOf(rapid.String(), rapid.Int()).Draw(t, "records")
		d, err := keydoc.Open(nil)
		if err != nil {
			t.Fatal(err)
		}
		for id, n := range want {
			d.Set(id, jsontext.Value(fmt.Sprint(n)))
		}
		text, err := d.Text()
		if err != nil {
			t.Fatal(err)
		}
		numbers := keydoc.Kind[int]{Showable: func(string) bool { return false }, Parse: func(_ string, v jsontext.Value) (n int, err error) {
			_, err = fmt.Sscan(string(v), &n)
			return n, err
		}}
		got, bad := numbers.Read(text)
		if diff := cmp.Diff(want, got); diff != "" || len(bad) > 0 {
			t.Fatalf("%v\n(-want +got)\n%s", bad, diff)
		}
	})
}

// plain is every error there is, where no id may be shown. None of them has
// room for a piece of the document.
var plain = regexp.MustCompile(`^(it is not a JSON object|"keys" is not a JSON object|its only member must be "keys"|something follows the JSON object|not JSON after byte \d+|` +
	`pet number \d+: (its id occurs \d+ times, none of them is used|it is not JSON|it is not a JSON object|it has no name|a member occurs twice|a member does not belong there|a member is null: leave it out instead|` +
	`(/([a-z_]{1,24}|sha256|\d{1,4})){1,3} (is no member of a record|is of the wrong type)))$`)

func FuzzNoErrorHoldsAPieceOfTheDocument(f *testing.F) {
	for _, text := range []string{
		`{"keys":{"rex":{"name":"Rex","legs":4,"toys":["a"],"free":{}}}}`,
		`{"keys":{"hunter2":{"hunter2":"hunter2"}}}`,
		`{"keys":{"a":{"toys":["x",1]},"a":null,"":[]}}`,
		`{"keys":{"a":"hunter2`, `hunter2`, ``, `{"keys":{}}{}`,
	} {
		f.Add([]byte(text))
	}
	hidden := pets
	hidden.Showable = func(string) bool { return false }
	f.Fuzz(func(t *testing.T, text []byte) {
		got, errs := hidden.Read(text)
		if got == nil && len(errs) != 1 {
			t.Errorf("no map and %d errors", len(errs))
		}
		for _, err := range errs {
			if !plain.MatchString(err.Error()) {
				t.Errorf("error: %v", err)
			}
		}
		if d, err := keydoc.Open(text); err == nil {
			if _, err := d.Text(); err != nil && len(text) > 0 {
				t.Errorf("opened and cannot be written: %v", err)
			}
		}
	})
}
